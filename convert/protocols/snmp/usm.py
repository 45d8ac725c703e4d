"""What of a message of version 3 a password can be guessed from: the digest of its sender (RFC 3414, 6 and 7; 7860)."""

from __future__ import annotations

from typing import NamedTuple

from ..asn1.ber import Tlv
from .messages import Message

_KINDS = {
    12: (0, 25000, "HMAC-MD5-96 or HMAC-SHA-96"),
    16: (3, 26700, "HMAC-SHA-224-128"),
    24: (4, 26800, "HMAC-SHA-256-192"),
    32: (5, 26900, "HMAC-SHA-384-256"),
    48: (6, 27300, "HMAC-SHA-512-384"),
}
_ENGINE = range(5, 33)
"""Bytes of an engine's id (RFC 3411, 5)."""
_LONGEST = 1500
"""Bytes of a message that hashcat reads."""
_MOST = 4096
"""Bytes of a message that are made a line of: whoever guesses takes a shorter one."""


class Digest(NamedTuple):
    """A digest, and the line from which it can be guessed at."""

    user: str
    line: bytes
    hashcat: int | None
    algorithm: str
    place: Tlv
    """Of the digest in the message."""


def digest(data: bytes, message: Message) -> Digest | None:
    """The digest of a message, None where it has none; one of nothing but zeros is a stand-in.

    The line is what hashcat's modes for SNMPv3 and John's format SNMP share: the kind, a number of the message, the
    message with zeros for the digest, the engine's id, the digest.
    """
    usm = message.usm
    if usm is None or not message.flags & 1 or not usm.user:
        return None
    shown = data[usm.digest.begin : usm.digest.end]
    kind = _KINDS.get(len(shown))
    if kind is None or not any(shown) or len(data) > _MOST:
        return None
    blank = data[: usm.digest.begin] + bytes(len(shown)) + data[usm.digest.end :]
    number = (message.message_id or 0) & 0x7FFFFFFF
    fits = len(blank) <= _LONGEST and len(usm.engine_id) in _ENGINE
    line = f"$SNMPv3${kind[0]}${number % 100_000_000}${blank.hex()}${usm.engine_id.hex()}${shown.hex()}"
    return Digest(usm.user, line.encode("ascii"), kind[1] if fits else None, kind[2], usm.digest)
