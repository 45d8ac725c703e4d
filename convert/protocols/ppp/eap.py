"""EAP's methods that can be guessed at: MD5 (RFC 3748, 5.4), MS-CHAPv2, LEAP; and GTC, which is clear (5.6).

Other methods are not looked into: within TLS nothing can be read. A packet is code, identifier, length, type, data.
"""

from __future__ import annotations

from typing import NamedTuple

from . import chap

REQUEST, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
IDENTITY, MD5, GTC, LEAP, MSCHAP2 = 1, 4, 6, 17, 26
NAMES = {IDENTITY: "identity", 2: "notification", 3: "nak", MD5: "md5-challenge", GTC: "gtc", 13: "tls", LEAP: "leap",
         18: "sim", 21: "ttls", 23: "aka", 25: "peap", MSCHAP2: "mschapv2", 43: "fast", 50: "aka-prime", 52: "pwd",
         55: "teap"}  # fmt: skip
_CHALLENGE, _RESPONSE, _ACCEPTED, _REFUSED = 1, 2, 3, 4
"""Operations of MS-CHAPv2."""


class Packet(NamedTuple):
    """One packet."""

    code: int
    identifier: int
    method: int
    """Its type, 0 where it has none."""
    data: bytes
    """Behind the type."""


class Found(NamedTuple):
    """What a response gives away."""

    answer: chap.Answer | None
    """None: the bytes are a password as they are."""
    begin: int
    """Of the bytes that answer, in the packet."""
    end: int
    user: bytes
    """The name that stands beside it, often empty."""


def read(data: bytes) -> Packet | None:
    """A packet that is whole; None where it is none."""
    if len(data) < 4 or not REQUEST <= data[0] <= FAILURE:
        return None
    size = int.from_bytes(data[2:4], "big")
    if not 4 <= size <= len(data) or (data[0] <= RESPONSE and size < 5) or (data[0] >= SUCCESS and size != 4):
        return None
    return Packet(data[0], data[1], data[4] if size > 4 else 0, data[5:size])


def challenge(packet: Packet) -> bytes | None:
    """What a request wants to be answered, where it is one of those methods."""
    data = packet.data
    if packet.code != REQUEST:
        return None
    if packet.method == MD5 and data and 1 <= data[0] < len(data):
        return data[1 : 1 + data[0]]
    if packet.method == MSCHAP2 and len(data) >= 21 and data[0] == _CHALLENGE and data[4] == 16:
        return data[5:21]
    if packet.method == LEAP and len(data) >= 11 and data[:3] == b"\1\0\10":
        return data[3:11]
    return None


def verdict(packet: Packet) -> bool | None:
    """Whether a request says that the response before it was right: MS-CHAPv2 does, before EAP itself does."""
    if packet.code == REQUEST and packet.method == MSCHAP2 and packet.data:
        return {_ACCEPTED: True, _REFUSED: False}.get(packet.data[0])
    return None


def answer(packet: Packet, asked: bytes | None, user: bytes) -> Found | None:
    """What a response gives away; `asked` is the challenge of the request with the same identifier, if it was seen."""
    data = packet.data
    if packet.code != RESPONSE:
        return None
    if packet.method == MD5 and len(data) >= 17 and data[0] == 16:
        made = chap.md5("EAP-MD5", packet.identifier, asked, data[1:17])
        return Found(made, 6, 22, data[17:])
    if packet.method == MSCHAP2 and len(data) >= 54 and data[0] == _RESPONSE and data[4] == 49:
        named = data[54:] or user
        made = chap.mschap2("EAP-MSCHAPv2", named, asked, data[5:21], data[29:53])
        return Found(made, 34, 58, data[54:])
    if packet.method == LEAP and len(data) >= 27 and data[:3] == b"\1\0\30":
        made = chap.mschap("LEAP", data[27:] or user, asked, b"", data[3:27])
        return Found(made, 8, 32, data[27:])
    if packet.method == GTC and data:
        return Found(None, 5, 5 + len(data), b"")
    return None
