"""A profile and a script for Wireshark, which show findings and processes beside the packets."""

from .bundle import files

__all__ = ["files"]
