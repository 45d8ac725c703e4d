"""Compiled code only: point_to_point.pxd."""
