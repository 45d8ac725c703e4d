"""Compiled code only: udp_tunnels.pxd."""
