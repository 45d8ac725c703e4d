"""What a MySQL server answers to one command, packet by packet, with and without EOF packets.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html,
https://mariadb.com/kb/en/result-set-packets/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.span import Span
from .command import AUTH, EVENTS, LIST, PREPARED, RESULT, ROWS, SIMPLE, TEXT, Command
from .fields import (
    CACHE_METADATA,
    CURSOR_EXISTS,
    DEPRECATE_EOF,
    LONGEST,
    MORE_RESULTS,
    OPTIONAL_METADATA,
    SHORT,
    Reader,
    Short,
    column_name,
    error,
    is_progress,
    ok,
)
from .packets import PART

if TYPE_CHECKING:
    from ...model.record import Value
    from ..sql.packets import Packet
    from .packets import MySqlFramer

MOST_COLUMNS = 256
"""Whose names are told."""
MOST_RESULTS = 64
"""Of one command, that are told one by one."""

FIRST, COLUMNS, BEHIND_COLUMNS, IN_ROWS, INFILE, DONE = range(6)


class Reply:
    """The answer to the command at the head of the queue, or to one that was not seen."""

    def __init__(self, command: Command | None, capabilities: int | None, framer: MySqlFramer) -> None:
        self.command = command
        self.state = FIRST
        self.begun: Span | None = None
        self.end = 0
        self.result: str | None = None
        self.code: int | None = None
        self.fields: dict[str, Value] = {}
        """Of the whole."""
        self.kind = command.kind if command else "query"
        self.greeting: dict[str, Value] = {}
        """What the server had said before a login."""
        self.statement = (0, 0)
        """Number and count of parameters of what was prepared."""
        self._kind = command.reply if command else RESULT
        self._capabilities = capabilities
        self._framer = framer
        self._eof: bool | None = None if capabilities is None else not capabilities & DEPRECATE_EOF
        self._results: list[Value] = []
        self._count = 0
        self._one: dict[str, Value] = {}
        self._left: list[int] = []
        self._names: list[Value] = []
        self._columns = 0
        self._tell = True
        self._rows = 0
        self.infile_bytes = 0
        if self._kind == ROWS:
            self._begin_rows()
        elif self._kind == LIST:
            self._columns_follow([1 << 32])

    def packet(self, packet: Packet) -> bool:
        """Take the server's next packet; returns whether it was the last."""
        if self.begun is None:
            self.begun = packet.span
        self.end = packet.end
        body = packet.body
        if is_progress(body):
            return False
        if self.state == FIRST:
            self._first(packet)
        elif self.state == COLUMNS:
            self._column(packet)
        elif self.state == BEHIND_COLUMNS:
            self._behind_columns(packet)
        elif self.state == IN_ROWS:
            self._row(packet)
        elif self.state == INFILE:
            self._first(packet)
        return self.state == DONE

    def _first(self, packet: Packet) -> None:
        body, kind = packet.body, self._kind
        first = body[0] if body else -1
        if first == 0xFF and (refused := error(body)) is not None:
            self._refuse(refused.code, refused.fields())
        elif kind == TEXT:
            self._one["info"] = body[:LONGEST].decode("latin-1")
            self._end_one(0)
        elif kind == EVENTS:
            self._event(body, packet.length)
        elif kind == PREPARED and first == 0 and len(body) >= 9:
            self._prepared(body)
        elif first == 0 and (packet.length > 2 or kind != RESULT) or first == 0xFE and packet.length < 9:
            self._simple(body)
        elif first == 0xFB and kind == RESULT:
            self._one["infile"] = body[1 : 1 + SHORT].decode("latin-1")
            self.state = INFILE
        elif kind in {SIMPLE, AUTH, PREPARED} or first < 0:
            self.state = DONE  # nothing that is known: that there was an answer is all there is to tell
        else:
            self._count_columns(body)

    def _simple(self, body: bytes) -> None:
        told = ok(body, self._capabilities or 0)
        if told is None:
            self.state = DONE
            return
        if told.affected is not None:
            self._one["affected_rows"], self._one["last_insert_id"] = told.affected, told.insert_id
        self._one["warnings"] = told.warnings
        if told.info:
            self._one["info"] = told.info
        if "infile" in self._one:
            self._one["infile_bytes"] = self.infile_bytes
        self._end_one(told.status)

    def _event(self, body: bytes, length: int) -> None:
        """One of a binary log."""
        if body[:1] == b"\0":
            self._rows += 1
        else:
            self._one["events"] = self._rows
            self._rows = 0
            self._end_one(0)

    def _prepared(self, body: bytes) -> None:
        columns, parameters = int.from_bytes(body[5:7], "little"), int.from_bytes(body[7:9], "little")
        number = int.from_bytes(body[1:5], "little")
        self.statement = number, parameters
        self._one["statement"], self._one["parameter_count"] = number, parameters
        if len(body) >= 12:
            self._one["warnings"] = int.from_bytes(body[10:12], "little")
        self._tell = False
        if len(body) > 12 and not body[12]:
            parameters = columns = 0  # the client asked for no descriptions
        self._columns_follow([count for count in (columns, parameters) if count])
        self._columns = columns
        if not self._left:
            self._end_one(0)
        else:
            self._tell = len(self._left) == 1 and columns > 0

    def _count_columns(self, body: bytes) -> None:
        reader = Reader(body)
        follow = 1
        capabilities = self._capabilities
        try:
            if capabilities is not None and capabilities & OPTIONAL_METADATA:
                follow = reader.number(1)
            count = reader.lenenc()
            if reader.left and (capabilities is None or capabilities & CACHE_METADATA):
                follow = reader.number(1)
        except Short:
            self.state = DONE
            return
        self._columns = count
        self._one["rows"] = 0
        if follow and count:
            self._columns_follow([count])
        elif self._eof is not False:
            self.state = BEHIND_COLUMNS
        else:
            self._begin_rows()

    def _columns_follow(self, groups: list[int]) -> None:
        """Descriptions follow, the last group first."""
        self._left, self._names = groups, []
        self.state = COLUMNS

    def _column(self, packet: Packet) -> None:
        body = packet.body
        if body[:1] == b"\xff" and (refused := error(body)) is not None:
            self._refuse(refused.code, refused.fields())
            return
        if body[:1] == b"\xfe" and packet.length < 0xFF:
            if self._kind == LIST:
                self._tell_columns(len(self._names))
                self._simple(body)
            return  # else between the parameters and the columns of a statement
        if self._tell and len(self._names) < MOST_COLUMNS and (name := column_name(body)) is not None:
            self._names.append(name[:SHORT])
        elif self._kind == LIST:
            self._rows += 1
        self._left[-1] -= 1
        if self._left[-1]:
            return
        self._left.pop()
        if self._left:
            self._tell = True
        elif self._kind == PREPARED:
            self._tell_columns(self._columns)
            # The EOF behind the last group, where there is one, belongs to this answer.
            if self._eof:
                self.state = BEHIND_COLUMNS
            else:
                self._end_one(0)
        elif self._eof is False:
            self._begin_rows()
        else:
            self.state = BEHIND_COLUMNS

    def _tell_columns(self, count: int) -> None:
        if self._names:
            self._one["columns"] = self._names
        if len(self._names) < count or self._rows:
            self._one["columns_complete"] = False
        self._names, self._rows = [], 0

    def _behind_columns(self, packet: Packet) -> None:
        body = packet.body
        if self._kind == PREPARED:
            self._end_one(0)
            return
        if body[:1] == b"\xfe" and packet.length == 5:
            self._eof = True
            told = ok(body, 0)
            if told is not None and told.status & CURSOR_EXISTS:
                self._end_rows(body)
            else:
                self._begin_rows()
        else:
            self._eof = False
            self._begin_rows()
            self._row(packet)

    def _begin_rows(self) -> None:
        if self._kind != ROWS:
            self._tell_columns(self._columns)
        self.state = IN_ROWS
        self._framer.rows, self._framer.row_count = True, 0

    def _row(self, packet: Packet) -> None:
        body = packet.body
        if body[:1] == b"\xff" and (refused := error(body)) is not None:
            self._one["rows"] = self._counted()
            self._refuse(refused.code, refused.fields())
        elif body[:1] == b"\xfe" and packet.length < PART:
            self._end_rows(body)
        else:
            self._rows += 1

    def _counted(self) -> int:
        count = self._rows + self._framer.row_count
        self._framer.rows, self._framer.row_count, self._rows = False, 0, 0
        return count

    def _end_rows(self, body: bytes) -> None:
        self._one["rows"] = self._counted()
        told = ok(body, self._capabilities or 0)
        if told is None:
            self._end_one(0)
            return
        self._one["warnings"] = told.warnings
        self._end_one(told.status)

    def _refuse(self, code: int, fields: dict[str, Value]) -> None:
        self._one = {"result": "error", **fields, **self._one}
        self.result, self.code = "error", code
        self._keep_one()
        self.state = DONE

    def _end_one(self, status: int) -> None:
        self._one = {"result": "ok", **self._one}
        self.result = "ok"
        self._keep_one()
        if status & MORE_RESULTS and self._kind == RESULT:
            self.state = FIRST
            self._tell = True
        else:
            self.state = DONE

    def _keep_one(self) -> None:
        self._count += 1
        if len(self._results) < MOST_RESULTS or self._one["result"] == "error":
            self._results.append(self._one)
        for name in ("rows", "affected_rows"):
            value = self._one.get(name)
            if isinstance(value, int):
                before = self.fields.get(name)
                self.fields[name] = value + (before if isinstance(before, int) else 0)
        self._one = {}

    def told(self) -> dict[str, Value]:
        """The fields of the record, as far as the answer went."""
        if self.state == IN_ROWS:
            self._one["rows"] = self._counted()
            self.end = max(self.end, self._framer.skipped)
        elif self._kind == EVENTS and self._rows:
            self._one["events"] = self._rows
        if self._names:
            self._tell_columns(self._columns)
        whole = self.state == DONE
        if not whole and self._one:
            self._results.append(self._one)
        fields: dict[str, Value] = {"result": self.result if whole else None}
        last = self._results[-1] if self._results else {}
        first = self._results[0] if self._results else {}
        assert isinstance(last, dict)
        assert isinstance(first, dict)
        if self._count <= 1 and len(self._results) <= 1:
            fields |= {name: value for name, value in first.items() if name != "result"}
        else:
            if self.result == "error":
                fields |= {name: last[name] for name in ("code", "sql_state", "message") if name in last}
            fields |= self.fields
            fields |= {name: first[name] for name in ("columns",) if name in first}
            fields["results"] = self._results
            if self._count > len(self._results):
                fields["results_complete"] = False
        if not whole:
            fields["response_complete"] = False
        return fields

    def span(self) -> Span | None:
        """All of its bytes."""
        if self.begun is None:
            return None
        return Span(self.begun.place, self.begun.offset, max(self.end - self.begun.offset, self.begun.length))
