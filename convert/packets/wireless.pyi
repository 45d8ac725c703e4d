"""Compiled code only: wireless.pxd."""
