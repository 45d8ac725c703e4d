"""SOCKS 4, 4a and 5."""
