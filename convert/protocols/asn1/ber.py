"""A bounded reader of BER (X.690), for LDAP, SNMP, Kerberos and what SPNEGO carries. Nothing here raises on any bytes.

Tags of one byte and definite lengths only: none of those protocols has others (RFC 4511 5.1, RFC 3417 8, RFC 4120 5.1).
A length may have as many bytes as it likes up to eight, leading zeros too: `84 00 00 00 05` is what Windows sends.
"""

from __future__ import annotations

from typing import NamedTuple

BOOLEAN, INTEGER, OCTETS, NULL, OID, ENUMERATED = 0x01, 0x02, 0x04, 0x05, 0x06, 0x0A
SEQUENCE, SET = 0x30, 0x31

NO = -1
"""measure: these bytes are no element."""
UNDECIDED = 0
"""measure: the length is not here yet."""

_LENGTH_BYTES = 8
_HEAD = 2 + _LENGTH_BYTES
_MOST_OID = 128
_MOST_DIGITS = 1 << 128
"""Numbers within an object identifier are shown up to here (X.667 puts a UUID into one)."""


class Tlv(NamedTuple):
    """One element, by where it stands: its value is `data[begin:end]`, the next element begins at `next`."""

    tag: int
    """Its identifier byte, with class and whether it is constructed: 0x30 is SEQUENCE, 0x60 [APPLICATION 0]."""
    begin: int
    end: int
    next: int
    """The same as `end`: lengths are definite."""
    at: int
    """Where its tag stands."""


def read(data: bytes, at: int, end: int) -> Tlv | None:
    """The element at `at`, all of which lies before `end` (and within the data); None where there is none."""
    end = min(end, len(data))
    if at < 0 or at + 2 > end:
        return None
    tag, length, begin = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        return None
    if length >= 0x80:
        size = length & 0x7F
        if not 0 < size <= _LENGTH_BYTES or begin + size > end:
            return None
        length = int.from_bytes(data[begin : begin + size], "big")
        begin += size
    if length > end - begin:
        return None
    return Tlv(tag, begin, begin + length, begin + length, at)


def opened(data: bytes, at: int, end: int) -> Tlv | None:
    """As `read`, but the end of the element may be cut off: it then ends at `end`. None without its length."""
    end = min(end, len(data))
    size = measure(data[at : min(at + _HEAD, end)]) if at >= 0 else NO
    if size <= 0:
        return None
    begin = at + 2 + (data[at + 1] & 0x7F if data[at + 1] & 0x80 else 0)
    stop = min(at + size, end)
    return Tlv(data[at], begin, stop, stop, at) if begin <= stop else None


def expect(data: bytes, at: int, end: int, tag: int) -> Tlv | None:
    """The element at `at` if it has this tag."""
    found = read(data, at, end)
    return found if found is not None and found.tag == tag else None


def measure(data: bytes) -> int:
    """How many bytes the element takes whose first bytes these are, its tag and length included.

    UNDECIDED as long as the bytes do not tell, NO where they are no element. Ten bytes are always enough.
    """
    if not data:
        return UNDECIDED
    if data[0] & 0x1F == 0x1F:
        return NO
    if len(data) < 2:
        return UNDECIDED
    length = data[1]
    if length < 0x80:
        return 2 + length
    size = length & 0x7F
    if not 0 < size <= _LENGTH_BYTES:
        return NO
    if len(data) < 2 + size:
        return UNDECIDED
    return 2 + size + int.from_bytes(data[2 : 2 + size], "big")


def children(data: bytes, outer: Tlv, most: int = 64) -> list[Tlv] | None:
    """The elements that fill an element exactly; None where they do not. Behind the `most`-th nothing is looked at."""
    found: list[Tlv] = []
    at = outer.begin
    while at < outer.end and len(found) < most:
        one = read(data, at, outer.end)
        if one is None:
            return None
        found.append(one)
        at = one.next
    return found


def inside(data: bytes, outer: Tlv | None, tag: int | None = None) -> Tlv | None:
    """The one element that an explicit tag wraps; None unless it fills it, or where it has another tag."""
    if outer is None:
        return None
    found = read(data, outer.begin, outer.end)
    if found is None or found.end != outer.end or (tag is not None and found.tag != tag):
        return None
    return found


def fields(data: bytes, outer: Tlv | None, most: int = 64) -> dict[int, Tlv] | None:
    """The elements of an element by their tags, the first of each; None where they do not fill it."""
    found = None if outer is None else children(data, outer, most)
    if found is None:
        return None
    by_tag: dict[int, Tlv] = {}
    for one in found:
        by_tag.setdefault(one.tag, one)
    return by_tag


def value(data: bytes, tlv: Tlv) -> bytes:
    """What an element holds."""
    return data[tlv.begin : tlv.end]


def integer(data: bytes, tlv: Tlv | None, most: int = 8) -> int | None:
    """The signed number that an INTEGER or ENUMERATED of at most `most` bytes holds, whatever its tag."""
    if tlv is None or not 0 < tlv.end - tlv.begin <= most:
        return None
    return int.from_bytes(data[tlv.begin : tlv.end], "big", signed=True)


def unsigned(data: bytes, tlv: Tlv | None, most: int = 9) -> int | None:
    """The same for types that have no sign (SNMP's counters), which some send without the leading zero."""
    if tlv is None or not 0 < tlv.end - tlv.begin <= most:
        return None
    return int.from_bytes(data[tlv.begin : tlv.end], "big")


def oid(data: bytes, tlv: Tlv | None) -> str | None:
    """An object identifier with dots; None where it is none, or has more than 128 bytes."""
    if tlv is None or not 0 < tlv.end - tlv.begin <= _MOST_OID or data[tlv.end - 1] & 0x80:
        return None
    numbers: list[int] = []
    number = 0
    for byte in data[tlv.begin : tlv.end]:
        number = number << 7 | byte & 0x7F
        if number >= _MOST_DIGITS:
            return None
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def text(data: bytes, tlv: Tlv | None, most: int = 1024) -> str | None:
    """At most `most` bytes of a string, one character a byte."""
    return None if tlv is None else data[tlv.begin : min(tlv.end, tlv.begin + most)].decode("latin-1")


def oid_text(data: bytes, tlv: Tlv | None) -> str | None:
    """An object identifier that is written out as text (LDAPOID, RFC 4511); None where it is none."""
    shown = text(data, tlv, 256)
    return shown if shown and not shown.strip("0123456789.") else None


def whole(data: bytes, tag: int) -> Tlv | None:
    """The one element that all of the data is, if it has this tag."""
    found = read(data, 0, len(data))
    return found if found is not None and found.tag == tag and found.end == len(data) else None
