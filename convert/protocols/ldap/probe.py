"""Whether a conversation is LDAP's: by a message whose parts are all where its kind has them, on any port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset({389, 3268})
_OPENING = 4096
_SEQUENCE = b"\x30"


def probe(opening: Opening) -> int:
    """The first message of a direction is whole and well formed, or so far a bind, or anything on LDAP's ports."""
    near = bool({opening.client_port, opening.server_port} & _PORTS)
    answer = NO
    for begin in (opening.client, opening.server):
        if not begin:
            continue
        verdict = _begins(begin, near, opening.over) if begin[:1] == _SEQUENCE else NO
        if verdict != MORE:
            return verdict
        answer = MORE
    return NO if opening.over else answer


def probe_datagrams(opening: Opening) -> int:
    """The first datagram is filled by messages of a search."""
    first = opening.client if opening.first_to_server else opening.server
    if first[:1] != _SEQUENCE:
        return NO
    from .messages import ABANDON, DONE, ENTRY, REFERENCE, SEARCH, envelope, well_formed

    at = 0
    while at < len(first):
        rest = first[at:]
        found = envelope(rest)
        if found is None or not found.complete or not well_formed(rest, found):
            return NO
        if found.operation.tag not in (SEARCH, ENTRY, DONE, REFERENCE, ABANDON):
            return NO
        at += found.size
    return YES


def _begins(begin: bytes, near: bool, over: bool) -> int:
    from .messages import BIND, DELETE, HEAD, bind, envelope, well_formed  # is needed by what looks so only

    found = envelope(begin)
    if found is None:
        return MORE if len(begin) < HEAD and not over and _may_begin(begin) else NO
    operation = found.operation
    if found.complete:
        shown = operation.tag != DELETE or near or b"=" in begin[operation.begin : operation.end]
        return YES if shown and well_formed(begin, found) else NO
    if operation.tag == BIND and bind(begin, operation, True) is not None:
        return YES
    if near and (over or len(begin) >= _OPENING):
        return YES
    return MORE if not over and len(begin) < _OPENING else NO


def _may_begin(begin: bytes) -> bool:
    """A length, and, as far as it is here, the number of a message behind it."""
    from ..asn1 import ber

    size = ber.measure(begin[:10])
    if size < 0:
        return False
    head = 2 + (begin[1] & 0x7F if len(begin) > 1 and begin[1] & 0x80 else 0)
    return begin[head : head + 1] in (b"", b"\x02")
