"""Compiled code only: tunnels.pxd."""
