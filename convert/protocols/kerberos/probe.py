"""Whether a conversation is Kerberos's: by the lengths, the version and the kind with which its messages begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_FIRST = frozenset(b"\x6a\x6b\x6c\x6d\x7e\x6e")
_WRAPPED = 4
_LONGEST = 1 << 20


def probe_datagrams(opening: Opening) -> int:
    """The first datagram is filled by a message."""
    first = opening.client if opening.first_to_server else opening.server
    if len(first) < 16 or first[0] not in _FIRST:
        return NO
    from ..asn1 import ber
    from .messages import HEAD, kind

    size = ber.measure(first[:10])
    here = len(first) == size or (len(first) == 4096 < size)  # no more of it is shown here
    return YES if here and kind(first[:HEAD]) is not None else NO


def probe_stream(opening: Opening) -> int:
    """The first message of a direction stands behind its length."""
    answer = NO
    for begin in (opening.client, opening.server):
        if not begin:
            continue
        verdict = _begins(begin)
        if verdict != MORE:
            return verdict
        answer = MORE
    return NO if opening.over else answer


def _begins(begin: bytes) -> int:
    if begin[0]:
        return NO  # no message has 16 MiB
    if len(begin) <= _WRAPPED:
        return MORE
    size = int.from_bytes(begin[:_WRAPPED], "big")
    if size > _LONGEST or begin[_WRAPPED] not in _FIRST:
        return NO
    from ..asn1 import ber
    from .messages import HEAD, kind

    message = begin[_WRAPPED : _WRAPPED + HEAD]
    told = ber.measure(message[:10])
    if told not in (ber.UNDECIDED, size):
        return NO
    if told and kind(message) is not None:
        return YES
    return MORE if len(message) < min(HEAD, size) else NO
