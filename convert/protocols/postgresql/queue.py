"""Which of a PostgreSQL server's messages answers which of its client's: in order, and up to Sync after an error."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .messages import oids
from .units import Statement, Statements, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.span import Span
    from ..sql.packets import Packet

_MOST_PENDING = 1024
_MOST_HELD = 4 << 20
LOGIN = 0
"""The kind of what a startup message asks for; others by the type of their message."""
_QUERY, _FUNCTION, _SYNC, _DESCRIBE, _EXECUTE = 0x51, 0x46, 0x53, 0x44, 0x45
_UNTIL_READY = frozenset({LOGIN, _QUERY, _FUNCTION, _SYNC})
_COPIES = frozenset(b"GHW")
_COMPLETE = frozenset(b"CIsV")
_DONE = {0x50: 0x31, 0x42: 0x32, 0x43: 0x33}
"""What answers Parse, Bind and Close."""


class _Op(NamedTuple):
    """A message that is answered."""

    kind: int
    unit: Unit | None
    statement: Statement | None = None


class Queue:
    """Messages that wait for their answers, and the units that these belong to. `hand` takes units in their order."""

    def __init__(self, hand: Callable[[Unit], None]) -> None:
        self._hand = hand
        self._ops: deque[_Op] = deque()
        self.units: deque[Unit] = deque()
        self.parsed: Unit | None = None
        """The last Parse without a name."""
        self.failed = False
        """After an error the server passes over everything up to Sync."""
        self.statements = Statements()
        self._held = 0
        self._stray: Unit | None = None
        """An answer to what was not seen."""

    @property
    def full(self) -> bool:
        """More is held than may be."""
        return len(self._ops) > _MOST_PENDING or len(self.units) > _MOST_PENDING or self._held > _MOST_HELD

    def push(self, kind: int, unit: Unit | None, packet: Packet, statement: Statement | None = None) -> None:
        """A message whose answer is awaited; its unit joins the queue where it has not yet."""
        if unit is not None:
            if not unit.counted:
                self.units.append(unit)
            weight = unit.weight
            self._held += weight - unit.counted
            unit.counted = weight
            if kind != _SYNC:
                unit.asked(packet)
        if not self.failed:
            if unit is not None:
                unit.pending += 1
            self._ops.append(_Op(kind, unit, statement))
        elif unit is not None:
            unit.skipped = True
        self.hand_ready()

    def add(self, unit: Unit) -> None:
        """A message that is not answered."""
        self.units.append(unit)
        unit.counted = unit.weight
        self._held += unit.counted
        self.hand_ready()

    def end_batch(self) -> None:
        """Nothing more belongs to what was asked before."""
        self.parsed = None
        for unit in reversed(self.units):
            if not unit.open and unit.name in {"query", "quit"}:
                break
            unit.open = False

    def hand_ready(self) -> None:
        """Hand out what is complete, in order."""
        while self.units and not self.units[0].pending and not self.units[0].open:
            self._hand_first()

    def _hand_first(self) -> None:
        unit = self.units.popleft()
        self._held -= unit.counted
        unit.handed = True
        self._hand(unit)

    def flush(self, rows: int, copied: int) -> None:
        """No answer is awaited any more: hand out everything as it is."""
        if self._ops and self._ops[0].unit is not None:
            self._ops[0].unit.cut(rows, copied)
        self._ops.clear()
        self.failed = False
        self.parsed = None
        self.statements.portals.clear()
        while self.units:
            self._hand_first()
        self._end_stray(rows, copied)

    # Answers.

    def answer(self, packet: Packet, rows: int, copied: int, first: Span | None, adrift: bool) -> bool:
        """A message of the server; returns whether what was counted of rows and copied bytes is used up.

        `first`: the first of the rows before it.
        """
        head = self._ops[0] if self._ops and not adrift else None
        if head is None:
            return self._wander(packet, rows, copied, first)
        unit, tag = head.unit, packet.tag
        if unit is not None:
            unit.answered(packet, first)
        if tag == 0x4E:
            if unit is not None:
                unit.notice(packet.body)
            return False
        if tag == 0x5A:
            self._ready(packet.body)
            return True
        if tag == 0x45:
            self._fail(head, packet.body, rows, copied)
            return True
        return self._step(head, packet, rows, copied)

    def _step(self, head: _Op, packet: Packet, rows: int, copied: int) -> bool:
        unit, tag = head.unit, packet.tag
        used = False
        if head.kind in {_QUERY, _EXECUTE, _FUNCTION}:
            if unit is None:
                pass
            elif tag == 0x54:
                unit.describe(packet.body)
            elif tag in _COPIES:
                unit.copy(tag)
            elif tag in _COMPLETE:
                unit.complete(packet.body if tag == 0x43 else b"", rows, copied)
                used = True
            if head.kind == _EXECUTE and tag in _COMPLETE:
                self._pop()
        elif head.kind == _DESCRIBE:
            if tag == 0x74 and head.statement is not None:
                head.statement.oids = oids(packet.body)
            elif tag == 0x54 and unit is not None:
                unit.describe(packet.body)
            if tag in {0x54, 0x6E}:
                self._pop()
        elif _DONE.get(head.kind) == tag:
            if unit is not None and unit.name != "execute":
                unit.acknowledge()
            self._pop()
        self.hand_ready()
        return used

    def _pop(self) -> _Op:
        op = self._ops.popleft()
        if op.unit is not None:
            op.unit.pending -= 1
        return op

    def _ready(self, body: bytes) -> None:
        """ReadyForQuery ends everything up to the next query or Sync."""
        while self._ops:
            op = self._pop()
            if op.kind in _UNTIL_READY:
                if op.unit is not None:
                    op.unit.ready(body[0] if body else 0)
                break
        self.hand_ready()

    def _fail(self, head: _Op, body: bytes, rows: int, copied: int) -> None:
        """ErrorResponse: what was sent behind an extended message is passed over, up to Sync."""
        if head.unit is not None:
            head.unit.refuse(body, rows, copied)
        if head.kind == LOGIN:
            self._pop()
        elif head.kind not in _UNTIL_READY:
            while self._ops and self._ops[0].kind != _SYNC:
                unit = self._pop().unit
                if unit is not None and unit is not head.unit:
                    unit.skipped = True
            self.failed = not self._ops
            for one in self.units if self.failed else ():
                one.open = False
        self.hand_ready()

    def _wander(self, packet: Packet, rows: int, copied: int, first: Span | None) -> bool:
        """An answer to what was not seen, up to ReadyForQuery."""
        tag = packet.tag
        if tag == 0x5A:
            if self._stray is not None:
                self._stray.answered(packet, first)
                self._stray.ready(packet.body[0] if packet.body else 0)
            self._end_stray(0, 0)
            return True
        if tag not in _COMPLETE and tag not in _COPIES and tag not in {0x54, 0x45, 0x4E}:
            return False
        unit = self._stray = self._stray or Unit("query", None)
        unit.answered(packet, first)
        if tag == 0x54:
            unit.describe(packet.body)
        elif tag in _COPIES:
            unit.copy(tag)
        elif tag == 0x4E:
            unit.notice(packet.body)
        elif tag == 0x45:
            unit.refuse(packet.body, rows, copied)
        else:
            unit.complete(packet.body if tag == 0x43 else b"", rows, copied)
        return tag == 0x45 or tag in _COMPLETE

    def _end_stray(self, rows: int, copied: int) -> None:
        stray, self._stray = self._stray, None
        if stray is not None:
            stray.cut(rows, copied)
            self._hand(stray)
