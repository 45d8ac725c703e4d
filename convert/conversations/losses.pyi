"""Losses that the recorder of conversations counts; only compiled code uses them."""
