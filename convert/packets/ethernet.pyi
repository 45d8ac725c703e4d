"""Compiled code only: ethernet.pxd."""
