"""What stands in AMQP's frames, as far as logins and messages go.

https://www.amqp.org/specification/0-9-1, https://www.rabbitmq.com/amqp-0-9-1-reference.html,
https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-security-v1.0-os.html; AMQPLAIN as RabbitMQ speaks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..octets import Octets, Short

if TYPE_CHECKING:
    from ..sql.packets import Packet

_MOST_FIELDS = 256
_FIXED = {
    b"t": 1, b"b": 1, b"B": 1, b"s": 2, b"u": 2, b"I": 4, b"i": 4, b"l": 8, b"L": 8, b"f": 4, b"d": 8, b"D": 5,
    b"T": 8, b"V": 0,
}  # fmt: skip


class StartOk(NamedTuple):
    """connection.start-ok: the mechanism, and where the response stands in the frame's body."""

    mechanism: bytes
    response: bytes
    begin: int
    whole: bool


def start_ok(packet: Packet) -> StartOk | None:
    """The client's choice, None where the frame is cut before its response."""
    body = Octets(packet.body, 4)
    try:
        body.sized(4)
        mechanism = body.sized(1)
        response, begin, whole = body.part(4)
    except Short:
        return None
    return StartOk(mechanism, response, begin, whole)


def table(data: bytes) -> dict[bytes, tuple[bytes, int]]:
    """A table without its length, as AMQPLAIN sends it: texts by name, with where they begin; as far as it goes."""
    body = Octets(data)
    found: dict[bytes, tuple[bytes, int]] = {}
    try:
        while body.left and len(found) < _MOST_FIELDS:
            name = body.sized(1)
            kind = body.take(1)
            if kind in {b"S", b"x"}:
                value, begin, whole = body.part(4)
                if not whole:
                    break
                found.setdefault(name.upper(), (value, begin))
            elif kind in {b"F", b"A"}:
                body.sized(4)
            elif kind in _FIXED:
                body.take(_FIXED[kind])
            else:
                break
    except Short:
        pass  # what was whole is told
    return found


def close(packet: Packet) -> tuple[int, bytes] | None:
    """connection.close: the code and its text."""
    body = Octets(packet.body, 4)
    try:
        return body.number(2), body.sized(1)
    except Short:
        return None


def mechanisms(packet: Packet) -> bytes:
    """connection.start: what the server offers."""
    body = Octets(packet.body, 6)
    try:
        body.sized(4)
        return body.sized(4)
    except Short:
        return b""


def published(packet: Packet, deliver: bool) -> tuple[bytes, bytes] | None:
    """basic.publish and basic.deliver: exchange and routing key."""
    body = Octets(packet.body, 4)
    try:
        if deliver:
            body.sized(1)
            body.take(9)
        else:
            body.take(2)
        return body.sized(1), body.sized(1)
    except Short:
        return None


class Performative(NamedTuple):
    """A described list of AMQP 1.0: its code, and its fields with where they begin."""

    code: int
    fields: list[tuple[bytes, int]]


def performative(packet: Packet) -> Performative | None:
    """The body of a SASL frame; None: it is none."""
    body = Octets(packet.body)
    try:
        if body.take(1) != b"\0":
            return None
        size = {0x53: 1, 0x80: 8}.get(body.number(1))
        if size is None:
            return None
        code = body.number(size)
        kind = body.number(1)
        if kind not in {0xC0, 0xD0}:
            return Performative(code, [])
        width = 1 if kind == 0xC0 else 4
        body.take(width)
        count = body.number(width)
    except Short:
        return None
    fields: list[tuple[bytes, int]] = []
    try:
        while len(fields) < min(count, 8):
            fields.append(_field(body))
    except Short:
        pass  # those that were whole
    return Performative(code, fields)


def _field(body: Octets) -> tuple[bytes, int]:
    kind = body.number(1)
    size = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}.get(kind >> 4)
    if size is None:
        size = body.number(1 if kind >> 4 in {0xA, 0xC, 0xE} else 4)
    begin = body.at
    return body.take(size), begin
