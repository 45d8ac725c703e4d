"""What a PostgreSQL client's messages ask for, one function a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import SHORT, oids
from .units import Unit
from .values import read

if TYPE_CHECKING:
    from ..sql.packets import Packet
    from .queue import Queue


def query(queue: Queue, packet: Packet, user: str | None) -> None:
    """Query: any number of statements, without parameters."""
    unit = Unit("query", packet.span)
    end = packet.length - 1 if packet.body[-1:] == b"\0" or not packet.complete else packet.length
    unit.statement = unit.text(packet, 0, end, user)
    queue.end_batch()
    queue.push(packet.tag, unit, packet)


def parse(queue: Queue, packet: Packet, user: str | None) -> None:
    """Parse: a statement, by a name or for what follows."""
    body = packet.body
    name = body.partition(b"\0")[0]
    begin = len(name) + 1
    end = body.find(b"\0", begin)
    unit = Unit("prepare", packet.span)
    unit.fields["statement"] = name[:SHORT].decode("latin-1")
    statement = unit.text(packet, begin, end if end >= 0 else packet.length, user)
    unit.statement = statement
    if end >= 0:
        statement.oids = oids(body[end + 1 :])
    queue.statements.add(name, statement)
    unit.open = not name
    queue.parsed = None if name else unit
    queue.push(packet.tag, unit, packet)


def bind(queue: Queue, packet: Packet, user: str | None) -> None:
    """Bind: a statement gets its parameters."""
    body = packet.body
    portal, _, rest = body.partition(b"\0")
    name = rest.partition(b"\0")[0]
    statement = queue.statements.get(name)
    unit = queue.parsed
    if unit is None or name or not unit.open or unit.statement is not statement:
        unit = Unit("execute", None)
        unit.statement = statement
    queue.parsed = None
    unit.name = unit.fields["command"] = "execute"
    unit.fields["statement"] = name[:SHORT].decode("latin-1")
    if portal:
        unit.fields["portal"] = portal[:SHORT].decode("latin-1")
    unit.bound, whole = read(body, len(portal) + len(name) + 2)
    unit.bound_whole = whole
    unit.sight_parameters(packet)
    unit.open = True
    queue.statements.bind(portal, unit)
    queue.push(packet.tag, unit, packet)


def describe(queue: Queue, packet: Packet, user: str | None) -> None:
    """Describe: of what kinds parameters and columns are."""
    name = packet.body[1:].split(b"\0")[0]
    if packet.body[:1] == b"P":
        unit = queue.statements.portals.get(name)
    else:
        statement = queue.statements.get(name)
        told = (one for one in reversed(queue.units) if one.statement is statement)
        unit = next(told, None) if statement is not None else None
    if unit is not None and (unit.handed or not unit.pending and not unit.open):
        unit = None
    queue.push(packet.tag, unit, packet, queue.statements.get(name) if packet.body[:1] == b"S" else None)


def execute(queue: Queue, packet: Packet, user: str | None) -> None:
    """Execute: a portal, up to a number of rows."""
    portal = packet.body.split(b"\0")[0]
    unit = queue.statements.portals.get(portal)
    if unit is None or not unit.open:
        before, unit = unit, Unit("execute", None)
        if portal:
            unit.fields["portal"] = portal[:SHORT].decode("latin-1")
        if before is not None:
            unit.statement = before.statement
            unit.fields["continued"] = True
    unit.open = False
    most = int.from_bytes(packet.body[len(portal) + 1 : len(portal) + 5], "big")
    if most:
        unit.fields["most_rows"] = most
    queue.push(packet.tag, unit, packet)


def close(queue: Queue, packet: Packet, user: str | None) -> None:
    """Close: a statement or a portal."""
    name = packet.body[1:].split(b"\0")[0]
    unit = Unit("close", packet.span)
    if packet.body[:1] == b"S":
        unit.fields["statement"] = name[:SHORT].decode("latin-1")
        queue.statements.close(name)
    else:
        unit.fields["portal"] = name[:SHORT].decode("latin-1")
        queue.statements.portals.pop(name, None)
    queue.push(packet.tag, unit, packet)


def sync(queue: Queue, packet: Packet, user: str | None) -> None:
    """What is sent together ends."""
    queue.end_batch()
    queue.failed = False
    last = queue.units[-1] if queue.units else None
    queue.push(packet.tag, last if last is not None and last.name not in {"quit", "cancel"} else None, packet)


def call(queue: Queue, packet: Packet, user: str | None) -> None:
    """FunctionCall: a function by its number."""
    unit = Unit("function-call", packet.span)
    unit.fields["function"] = int.from_bytes(packet.body[:4], "big")
    unit.bound, unit.bound_whole = read(packet.body, 4)
    queue.end_batch()
    queue.push(packet.tag, unit, packet)


def quit_(queue: Queue, packet: Packet, user: str | None) -> None:
    """Terminate."""
    queue.end_batch()
    queue.add(Unit("quit", packet.span))


MESSAGES = {
    0x51: query, 0x50: parse, 0x42: bind, 0x44: describe, 0x45: execute, 0x43: close, 0x53: sync, 0x46: call,
    0x58: quit_,
}  # fmt: skip
