"""What a MySQL client has prepared, and the parameters with which it has that executed.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sql.placeholders import Parameter, passwords, sighted
from ..sql.secrets import MYSQL, Secret
from ..sql.strays import takes_password
from .fields import QUERY_ATTRIBUTES
from .values import MOST_PARAMETERS, Bound, bulk, executed

if TYPE_CHECKING:
    from ...model.record import Value
    from ..sql.packets import Packet
    from ..sql.placeholders import Place
    from .command import Command

_MOST_STATEMENTS = 1024
_MOST_TEXT = 2 << 20
_MOST_LONG_DATA = 256 * 1024
LAST = 0xFFFFFFFF
"""MariaDB: the statement that was prepared last."""


class _Statement:
    __slots__ = ("_passwords", "count", "sql", "types", "whole")

    def __init__(self, sql: Value, whole: Value, count: int) -> None:
        self.sql, self.whole, self.count = sql, whole, count
        self.types: list[Bound] = []
        self._passwords: list[Place] | None = None

    @property
    def passwords(self) -> list[Place]:
        """Its parameters that are passwords."""
        if self._passwords is None:
            self._passwords = passwords(str(self.sql), MYSQL)
        return self._passwords


class Statements:
    """What was prepared, by its number; used in the order in which commands are handed out."""

    def __init__(self) -> None:
        self._known: dict[int, _Statement] = {}
        self._last = 0
        self._held = 0
        self._long: dict[int, dict[int, bytearray]] = {}
        self._long_held = 0

    def send(self, packet: Packet) -> None:
        """COM_STMT_SEND_LONG_DATA: a part of a parameter's value."""
        body = packet.body
        if len(body) < 7:
            return
        number, parameter = int.from_bytes(body[1:5], "little"), int.from_bytes(body[5:7], "little")
        room = _MOST_LONG_DATA - self._long_held
        if len(self._long) >= _MOST_STATEMENTS and number not in self._long or room <= 0:
            return
        parts = self._long.setdefault(number, {})
        if len(parts) < MOST_PARAMETERS or parameter in parts:
            part = body[7:][:room]
            parts.setdefault(parameter, bytearray()).extend(part)
            self._long_held += len(part) + 1

    def sent(self, number: int) -> dict[int, bytes]:
        """What was sent ahead for a statement, which uses it up."""
        parts = self._long.pop(number, {})
        self._long_held -= sum(len(part) for part in parts.values())
        self._long_held = max(self._long_held, 0) if self._long else 0
        return {parameter: bytes(part) for parameter, part in parts.items()}

    def prepared(self, command: Command, number: int, parameters: int) -> None:
        """The server has given a statement its number."""
        self.closed(number)
        self._last = number
        sql = command.fields.get("sql", "")
        self._known[number] = _Statement(sql, command.fields.get("sql_complete"), parameters)
        self._held += len(str(sql))
        while len(self._known) > _MOST_STATEMENTS or self._held > _MOST_TEXT:
            self.closed(next(iter(self._known)))

    def closed(self, number: int) -> None:
        """A statement is no more."""
        old = self._known.pop(number, None)
        if old is not None:
            self._held -= len(str(old.sql))

    def resolve(self, command: Command, capabilities: int | None) -> None:
        """Tell the text and the parameters of an execution; not these where one of them is a password."""
        self._resolve(command, capabilities)
        fields = command.fields
        told = fields.get("parameters")
        if isinstance(told, list) and takes_password(str(fields.get("sql"))):
            fields["parameters"] = [None] * len(told)
            fields["secret"] = True

    def _resolve(self, command: Command, capabilities: int | None) -> None:
        packet = command.execution
        if packet is None:
            return
        command.execution = None
        statement = self._known.get(self._last if command.statement == LAST else command.statement)
        fields = command.fields
        if statement is None:
            fields["parameters_complete"] = False
            return
        fields["sql"], fields["sql_complete"] = statement.sql, statement.whole
        command.sql = str(statement.sql)
        if command.name == "bulk-execute":
            told = bulk(packet.body, statement.count, statement.types)
            if told is None:
                fields["parameters_complete"] = False
                return
            rows, statement.types, fields["parameter_sets"], whole, places = told
            for row, where in zip(rows, places, strict=True):
                _sight(command, packet, statement, row, [_sent(packet, place) for place in where])
            fields["parameters"], fields["parameters_complete"] = list(rows), whole and packet.complete
            fields["parameter_types"] = [bound.word for bound in statement.types[:MOST_PARAMETERS]]
            return
        named = capabilities is not None and bool(capabilities & QUERY_ATTRIBUTES)
        marked = len(packet.body) > 5 and bool(packet.body[5] & 8)
        found = executed(packet.body, statement.count, named, statement.types, command.sent, marked)
        if found is None:
            fields["parameters_complete"] = False
            return
        statement.types = found.types
        count = statement.count
        if found.types or count:
            _sight(command, packet, statement, found.values, _all_sent(command, packet, found.places))
            fields["parameters"] = found.values[:count]
            fields["parameter_types"] = [bound.word for bound in found.types[: min(count, MOST_PARAMETERS)]]
            fields["parameters_complete"] = found.whole
        if len(found.values) > count:
            pairs = zip(found.types[count:], found.values[count:], strict=False)
            fields["attributes"] = [[bound.name, value] for bound, value in pairs]


def _sent(packet: Packet, place: tuple[int, int] | None) -> Parameter | None:
    """The text that stands at a place."""
    return None if place is None else Parameter(packet.body[place[0] : place[1]], packet.part(*place))


def _all_sent(command: Command, packet: Packet, places: list[tuple[int, int] | None]) -> list[Parameter | None]:
    """The texts of an execution; for what was sent ahead its own packet stands."""
    told = [_sent(packet, place) for place in places]
    for number, data in command.sent.items():
        if number < len(told):
            told[number] = Parameter(data, packet.span)
    return told


def _sight(
    command: Command, packet: Packet, statement: _Statement, values: list[Value], sent: list[Parameter | None]
) -> None:
    """Passwords among the values of one row: told, and left out of these, also where others repeat them."""
    for place in statement.passwords:
        if place.number >= len(values):
            continue
        value = values[place.number]
        one = sighted(place, sent, "mysql", packet.complete)
        if one is not None:
            command.sightings.append(one)
            command.secrets.append(Secret(0, 0, one.secret.decode("latin-1"), None, True, False))
        if value is not None:
            command.fields["secret"] = True
            values[:] = [None if other == value else other for other in values]
