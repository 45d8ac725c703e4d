"""The messages of SMB 2 and 3 (MS-SMB2 2.2), as far as they say who logs in and what is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import LONGEST_NAME, NEGOTIATE, OPEN, PIPE, SETUP, TREE, Said, number, wide, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...model.record import Value

_HEADER = 64
_MOST_CHAINED = 64
_KINDS = {0: NEGOTIATE, 1: SETUP, 3: TREE, 5: OPEN, 8: PIPE, 9: PIPE, 11: PIPE}
_DIALECTS = {0x0202: "2.0.2", 0x0210: "2.1", 0x02FF: "2.?", 0x0300: "3.0", 0x0302: "3.0.2", 0x0311: "3.1.1"}
_SHARES = {1: "disk", 2: "pipe", 3: "print"}
_TRANSCEIVE = 0x0011C017
_LONGEST_PIPED = 1 << 14
_PENDING = 0x103


def split(body: bytes, to_server: bool) -> Iterator[Said]:
    """The commands of one message, which may be chained (2.2.1, NextCommand)."""
    at = 0
    session = tree = 0
    for _ in range(_MOST_CHAINED):
        head = body[at : at + _HEADER]
        if len(head) < _HEADER or head[:4] != b"\xfeSMB":
            return
        following = number(head, 20, 4)
        flags, command = number(head, 16, 4), number(head, 12, 2)
        response = bool(flags & 1) or not to_server
        if not flags & 4 or not at:  # else related to the one before: its session and its tree
            session, tree = number(head, 40, 8), number(head, 36, 4)
        status = number(head, 8, 4) if response else 0
        kind = _KINDS.get(command)
        if kind is not None and not (flags & 2 and status == _PENDING):
            end = at + following if following else len(body)
            said = _read(kind, command, response, body[at:end])
            if said is not None:
                fields, begin, blob = said
                key = (2, number(head, 24, 8))
                yield Said(kind, key, session, tree, status, fields, blob, at + begin)
        if following < _HEADER:
            return
        at += following


def _read(kind: str, command: int, response: bool, data: bytes) -> tuple[dict[str, Value], int, bytes] | None:
    """(fields, index of a token, the token) of one command."""
    if kind == SETUP:
        at, size = (68, 70) if response else (76, 78)
        fields: dict[str, Value] = {}
        if response and len(data) >= 68:
            guest = number(data, 66, 2)
            if guest & 3:
                fields["guest" if guest & 1 else "anonymous"] = True
        return fields, *_part(data, number(data, at, 2), number(data, size, 2))
    if kind == NEGOTIATE:
        if not response or len(data) < _HEADER + 64:
            return None
        dialect = number(data, 68, 2)
        return {"dialect": _DIALECTS.get(dialect, f"{dialect:#06x}")}, *_part(
            data, number(data, 120, 2), number(data, 122, 2)
        )
    if kind == TREE:
        if response:
            share = _SHARES.get(number(data, 66, 1)) if len(data) > 66 else None
            return {} if share is None else {"share": share}, 0, b""
        return {"path": _name(data, number(data, 68, 2), number(data, 70, 2))}, 0, b""
    if kind == OPEN:
        if response:
            return {}, 0, b""
        return {"path": _name(data, number(data, 108, 2), number(data, 110, 2))}, 0, b""
    return {}, *_piped(command, response, data)


def _piped(command: int, response: bool, data: bytes) -> tuple[int, bytes]:
    """What is written to or read from what may be a pipe."""
    if command == 9:
        at, size = (0, 0) if response else (number(data, 66, 2), number(data, 68, 4))
    elif command == 8:
        at, size = (number(data, 66, 1), number(data, 68, 4)) if response else (0, 0)
    elif number(data, 68, 4) != _TRANSCEIVE:
        at, size = 0, 0
    else:
        at, size = (
            (number(data, 96, 4), number(data, 100, 4)) if response else (number(data, 88, 4), number(data, 92, 4))
        )
    return _part(data, at, min(size, _LONGEST_PIPED))


def _part(data: bytes, at: int, size: int) -> tuple[int, bytes]:
    """A buffer by its offset from the header; empty where it lies beyond what is here."""
    if not size or at < _HEADER or at > len(data):
        return 0, b""
    return at, data[at : at + size]


def _name(data: bytes, at: int, size: int) -> str:
    return wire(wide(_part(data, at, min(size, LONGEST_NAME))[1]))
