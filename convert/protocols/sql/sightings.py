"""Sightings of the passwords that SQL text holds, and what an answer says of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.sighting import ACCEPTED, CERTAIN, CLEARTEXT, HASH, LIKELY, REFUSED, UNKNOWN, Sighting

if TYPE_CHECKING:
    from .packets import Packet
    from .secrets import Secret

LOCATION = "query-text"
PARAMETER = "query-parameter"
_LOOKS_UP = re.compile(r"[\s(]*select\b", re.IGNORECASE)


def told(
    secrets: list[Secret], text: str, packet: Packet, begin: int, user: str | None, protocol: str
) -> list[Sighting]:
    """Those of a text that begins at `begin` in a packet; `user`: who is logged in, whose they are where none is named.

    Hashes in statements that make accounts are none, what stands in a table of users is told as a hash.
    """
    found = []
    for secret in secrets:
        if secret.hashed and not secret.likely:
            continue
        raw = text[secret.begin : secret.end].encode("latin-1")
        span = packet.part(begin + secret.begin, begin + secret.end)
        who = secret.username if secret.likely else secret.username or user
        value = secret.value.encode("latin-1")
        one = Sighting(LOCATION, None, who, value, raw, secret.complete, span, protocol=protocol)
        one.form = HASH if secret.hashed else CLEARTEXT
        one.confidence = LIKELY if secret.likely else CERTAIN
        one.details = secret.details()
        found.append(one)
    return found


def judge(sightings: list[Sighting], sql: str, ok: bool) -> None:
    """A statement was executed or not; that a look-up was tells nothing of the password in it."""
    looks_up = _LOOKS_UP.match(sql) is not None
    for sighting in sightings:
        if sighting.location in {LOCATION, PARAMETER}:
            unknown = looks_up and sighting.confidence == LIKELY
            sighting.outcome = UNKNOWN if unknown else ACCEPTED if ok else REFUSED
