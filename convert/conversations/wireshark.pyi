"""Compiled code only: wireshark.pxd."""
