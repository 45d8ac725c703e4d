"""Compares copies of the same bytes of a stream; only compiled code uses it."""
