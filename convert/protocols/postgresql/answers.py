"""What a PostgreSQL client answers to a challenge: what a password can be guessed from offline.

AuthenticationMD5Password: "md5" and the hex of md5(md5(password + user) + salt): hashcat's mode 11100, John's postgres.
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.sighting import CERTAIN, HASH, LIKELY, Sighting

if TYPE_CHECKING:
    from ..sql.packets import Packet

_MD5 = re.compile(rb"md5([0-9a-fA-F]{32})\0\Z")
SALT = 4


def md5(packet: Packet, user: str | None, salt: bytes | None) -> Sighting | None:
    """The answer to a demand for MD5; None where the message is none. `salt`: None where the demand was not seen."""
    match = _MD5.match(packet.body)
    if match is None:
        return None
    seen = salt is not None and len(salt) == SALT
    name = (user or "").encode()
    challenge = salt.hex().encode() if seen and salt is not None else b""
    begin, end = match.span(1)
    return Sighting(
        "login",
        None,
        user,
        b"$postgres$%b*%b*%b" % (name, challenge, match[1].lower()),
        match[1],
        True,
        packet.part(begin, end),
        protocol="postgresql",
        form=HASH,
        confidence=CERTAIN if seen and user is not None else LIKELY,
        details={"mechanism": "md5", "hashcat": 11100, "john": "postgres", "challenge_seen": seen},
    )
