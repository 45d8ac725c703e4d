"""One frame of a login: the number of its protocol, code, identifier, length, and what the code says follows."""

from __future__ import annotations

from typing import NamedTuple

PAP, CHAP, EAP = 0xC023, 0xC223, 0xC227
NAMES = {PAP: "pap", CHAP: "chap", EAP: "eap"}
CODES = {
    PAP: {1: "request", 2: "ack", 3: "nak"},
    CHAP: {1: "challenge", 2: "response", 3: "success", 4: "failure"},
    EAP: {1: "request", 2: "response", 3: "success", 4: "failure"},
}
_HEADER = 6


class Frame(NamedTuple):
    """One frame."""

    protocol: int
    code: int
    identifier: int
    data: bytes
    """Behind the header, up to the length that it tells, as far as it is here."""
    whole: bool

    @property
    def word(self) -> str:
        """What the code is called."""
        return CODES[self.protocol][self.code]


def read(raw: bytes) -> Frame | None:
    """None where it is none."""
    if len(raw) < _HEADER:
        return None
    protocol, size = int.from_bytes(raw[:2], "big"), int.from_bytes(raw[4:6], "big")
    if raw[2] not in CODES.get(protocol, ()) or size < 4:
        return None
    return Frame(protocol, raw[2], raw[3], raw[_HEADER : 2 + size], len(raw) >= 2 + size)


def pair(data: bytes) -> tuple[bytes, bytes, int] | None:
    """Name and password of PAP's request, each behind a byte with its length, and where the password begins."""
    at = 1 + data[0] if data else 1
    if len(data) <= at or len(data) < at + 1 + data[at]:
        return None
    return data[1:at], data[at + 1 : at + 1 + data[at]], at + 1


def value(data: bytes) -> tuple[bytes, bytes] | None:
    """Value and name of CHAP's challenge or response; None where it is cut."""
    if not data or not data[0] or len(data) < 1 + data[0]:
        return None
    return data[1 : 1 + data[0]], data[1 + data[0] :]


def text(data: bytes) -> bytes:
    """What PAP's answer says: a text behind its length."""
    return data[1 : 1 + data[0]] if data else b""
