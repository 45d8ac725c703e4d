"""Whether a conversation is TLS: by its hellos, or where it began before the capture by its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_LONGEST = (1 << 14) + 2048
_CLIENT_HELLO, _SERVER_HELLO = 1, 2


def _hello(begin: bytes) -> int:
    """Of a direction's first bytes: they are a hello in a record, or in the format of SSL 2."""
    if begin[0] & 0x80:
        return _old_hello(begin)
    if begin[0] != 22 or begin[1:2] not in (b"", b"\x03") or begin[2:3] > b"\x04":
        return NO
    if len(begin) < 5:
        return MORE
    size = int.from_bytes(begin[3:5], "big")
    if not 0 < size <= _LONGEST:
        return NO
    inside, at = b"", 0
    while at + 5 <= len(begin) and len(inside) < 6:  # a hello may come in records of a byte
        size = int.from_bytes(begin[at + 3 : at + 5], "big")
        if begin[at] != 22 or begin[at + 1] != 3 or begin[at + 2] > 4 or not 0 < size <= _LONGEST:
            return NO
        inside += begin[at + 5 : at + 5 + min(size, 6)]
        at += 5 + size
    if inside and inside[0] not in (_CLIENT_HELLO, _SERVER_HELLO):
        return NO
    if len(inside) < 6:
        return MORE
    length = int.from_bytes(inside[1:4], "big")
    return YES if 38 <= length < 1 << 17 and (inside[4] == 3 or inside[4] == 0x7F) else NO


def _old_hello(begin: bytes) -> int:
    if len(begin) < 11:
        return NO if len(begin) > 2 and begin[2] != _CLIENT_HELLO else MORE
    size = (begin[0] & 0x7F) << 8 | begin[1]
    version = int.from_bytes(begin[3:5], "big")
    ciphers, session, challenge = (int.from_bytes(begin[i : i + 2], "big") for i in (5, 7, 9))
    fits = 9 + ciphers + session + challenge == size and ciphers and not ciphers % 3
    known = begin[2] == _CLIENT_HELLO and (version == 2 or 0x0300 <= version <= 0x0304)
    return YES if fits and known and session in (0, 16) and 16 <= challenge <= 32 else NO


def _chain(begin: bytes) -> int:
    """How many records follow each other in a direction's first bytes; -1: something else does."""
    at = found = 0
    while at < len(begin):
        head = begin[at : at + 5]
        if not 20 <= head[0] <= 23 or head[1:2] not in (b"", b"\x03") or head[2:3] > b"\x04":
            return -1
        if len(head) < 5:
            break
        size = int.from_bytes(head[3:], "big")
        if not 0 < size <= _LONGEST:
            return -1
        at += 5 + size
        found += 1
    return found


def probe(opening: Opening) -> int:
    """A hello of either side; or records on both, or several on one, and nothing else."""
    answer = NO
    for begin in (opening.client, opening.server):
        if begin:
            verdict = _hello(begin)
            if verdict == YES:
                return YES
            if verdict == MORE:
                answer = MORE
    chains = [_chain(begin) for begin in (opening.client, opening.server) if begin]
    if chains and min(chains) >= 0:
        if sum(chains) > 1 and (len(chains) == 2 or chains[0] > 1):
            return YES
        answer = MORE
    return NO if opening.over else answer
