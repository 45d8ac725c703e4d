"""syswire: from system calls and packets to Wireshark captures, annotations and audit reports."""

__version__ = "0.1.0"
