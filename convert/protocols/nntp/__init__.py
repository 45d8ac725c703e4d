"""Netnews."""
