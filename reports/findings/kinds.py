"""Kinds of findings that tell of a secret."""

from __future__ import annotations

SECRETS = ("credential", "challenge", "password_hash", "session")
"""That sightings make. From a `challenge` a key can be guessed that was made from a password, from a `password_hash` a
password that is stored: neither is what somebody logged in with, as a `credential` is."""
WITH_SECRET = (*SECRETS, "spread")
