"""NTLM's CHALLENGE and AUTHENTICATE messages (MS-NLMP 2.2.1): found in what carries them, and read by their offsets.

A carrier may wrap them in SPNEGO or GSS-API (RFC 4178). They are found by their signature; an OCTET STRING around one
bounds it. The payload's fields may stand in any order, overlap or lie beyond the message: only the last are refused.
"""

from __future__ import annotations

from typing import NamedTuple

SIGNATURE = b"NTLMSSP\0"
CHALLENGE, AUTHENTICATE = 2, 3
MOST = 1 << 16
"""Bytes of a blob in which a message is looked for."""

_MOST_TRIES = 8
_UNICODE = 1
_ANONYMOUS = 0x800
_LONGEST_NAME = 2048
_LONGEST_RESPONSE = 1 << 14


class Challenge(NamedTuple):
    """What the server asks."""

    challenge: bytes
    """8 bytes."""
    flags: int


class Authenticate(NamedTuple):
    """What the client answers."""

    lm: bytes
    nt: bytes
    domain: str
    username: str
    workstation: str
    begin: int
    """Where it begins in the blob."""


def find(blob: bytes, kind: int) -> tuple[bytes, int] | None:
    """The first message of that type in a blob, to the end that its wrapping gives it, and where it begins."""
    at = -1
    for _ in range(_MOST_TRIES):
        at = blob.find(SIGNATURE, at + 1, MOST)
        if at < 0:
            return None
        if int.from_bytes(blob[at + 8 : at + 12], "little") == kind and len(blob) >= at + 12:
            return blob[at : _end(blob, at)], at
    return None


def has_message(blob: bytes) -> bool:
    """Whether there is a message of any type."""
    return blob.find(SIGNATURE, 0, MOST) >= 0


def _end(blob: bytes, at: int) -> int:
    """Where the OCTET STRING ends that begins just before `at`, else where the blob does."""
    for size in (1, 2, 3, 4):
        head = at - 1 - size
        if head < 0 or blob[head] != 0x04:
            continue
        length = blob[head + 1 : at]
        if size == 1:
            told = length[0] if length[0] < 0x80 else 0
        else:
            told = int.from_bytes(length[1:], "big") if length[0] == 0x80 + size - 1 else 0
        if told >= 12 and at + told <= len(blob):
            return at + told
    return len(blob)


def challenge(message: bytes) -> Challenge | None:
    """A message of type 2 (2.2.1.2)."""
    if len(message) < 32:
        return None
    return Challenge(message[24:32], int.from_bytes(message[20:24], "little"))


def authenticate(message: bytes, begin: int, server_flags: int | None) -> Authenticate | None:
    """A message of type 3 (2.2.1.3); None where it is anonymous, cut, or its fields lie beyond it.

    `server_flags`: of the challenge, for clients so old that they send none.
    """
    if len(message) < 52:
        return None
    fields = [_field(message, at) for at in (12, 20, 28, 36, 44)]
    lm, nt, domain, username, workstation = fields
    if lm is None or nt is None or domain is None or username is None or workstation is None:
        return None
    if max(len(lm), len(nt)) > _LONGEST_RESPONSE or max(len(domain), len(username)) > _LONGEST_NAME:
        return None
    flags = _flags(message)
    if flags is not None and flags & _ANONYMOUS and not username:
        return None
    texts = [_text(one[:_LONGEST_NAME], flags, server_flags) for one in (domain, username, workstation)]
    return Authenticate(lm, nt, texts[0], texts[1], texts[2], begin)


def _field(message: bytes, at: int) -> bytes | None:
    """What length and offset at `at` point to; None if it lies beyond the message."""
    length = int.from_bytes(message[at : at + 2], "little")
    offset = int.from_bytes(message[at + 4 : at + 8], "little")
    if not length:
        return b""
    return message[offset : offset + length] if offset >= 52 and offset + length <= len(message) else None


def _flags(message: bytes) -> int | None:
    """NegotiateFlags, which stand where no payload does: Windows 95 and 98 send none."""
    if len(message) < 64:
        return None
    for at in (12, 20, 28, 36, 44):
        length = int.from_bytes(message[at : at + 2], "little")
        if length and int.from_bytes(message[at + 4 : at + 8], "little") < 64:
            return None
    return int.from_bytes(message[60:64], "little")


def _text(data: bytes, flags: int | None, server_flags: int | None) -> str:
    """A name: UTF-16LE where that was agreed, else in the client's own code page, which nothing tells."""
    told = flags if flags is not None else server_flags
    wide = bool(told & _UNICODE) if told is not None else len(data) > 1 and not any(data[1::2])
    if wide and len(data) % 2 == 0:
        # A lone surrogate would be refused later, where the name is written.
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
