"""Addresses in event parameters to descriptor rows; only compiled code uses it."""
