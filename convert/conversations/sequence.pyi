"""Compiled code only: sequence.pxd."""
