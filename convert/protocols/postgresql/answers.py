"""What a PostgreSQL client answers to a challenge: what a password can be guessed from offline.

AuthenticationMD5Password: "md5" and the hex of md5(md5(password + user) + salt): hashcat's mode 11100, John's postgres.
AuthenticationSASL: SCRAM-SHA-256 by RFC 7677; the user is named in the startup message only.
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.sighting import CERTAIN, HASH, LIKELY, UNKNOWN, Sighting
from ..sasl.mechanisms import Mechanism

if TYPE_CHECKING:
    from ..sql.packets import Packet

_MD5 = re.compile(rb"md5([0-9a-fA-F]{32})\0\Z")
_SCRAM = re.compile(rb"SCRAM-SHA-[0-9]{1,3}(?:-PLUS)?\0")
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


class Scram:
    """The messages of one exchange."""

    def __init__(self, packet: Packet, user: str | None) -> None:
        """`packet`: SASLInitialResponse, with the mechanism's name and the client's first message."""
        name, _, rest = packet.body.partition(b"\0")
        self._mechanism = Mechanism(name[:64].decode("latin-1"))
        self._mechanism.user = user.encode() if user else None
        self._mechanism.client(rest[4:], rest[4:], packet.part(len(name) + 5, packet.length))

    def server(self, data: bytes) -> None:
        """AuthenticationSASLContinue."""
        self._mechanism.server(data)

    def client(self, packet: Packet) -> Sighting | None:
        """SASLResponse: the client's proof."""
        begin = packet.body.rfind(b",p=") + 3
        if begin < 3:
            return None
        proof, span = packet.body[begin:], packet.part(begin, packet.length)
        found = self._mechanism.client(packet.body, proof, span, packet.complete)
        if found is None:
            return None
        sighting = found.sighting("postgresql", UNKNOWN, 0)
        sighting.location = "login"
        return sighting


def scram(packet: Packet, user: str | None) -> Scram | None:
    """An exchange, where the message begins one."""
    return Scram(packet, user) if _SCRAM.match(packet.body) else None
