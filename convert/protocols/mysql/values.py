"""Parameters of prepared statements and attributes of queries in MySQL's binary form.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html#sect_protocol_binary_resultset_row
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, NamedTuple

from .fields import LONGEST, SHORT, Reader, Short

if TYPE_CHECKING:
    from ...model.record import Value

MOST_PARAMETERS = 1024
"""Whose values are told."""
_MOST_DECLARED = 65_535
_FIRST_TYPES = (
    "decimal tiny short long float double null timestamp longlong int24 date time datetime year newdate varchar bit"
    " timestamp2 datetime2 time2"
)
_LATER_TYPES = (
    "vector invalid bool json newdecimal enum set tiny_blob medium_blob long_blob blob var_string string geometry"
)
TYPE_NAMES = dict(enumerate(_FIRST_TYPES.split())) | dict(enumerate(_LATER_TYPES.split(), 242))
_INTEGERS = {1: 1, 2: 2, 3: 4, 8: 8, 9: 4, 13: 2, 244: 1}
_OPAQUE = frozenset({16, 242, 249, 250, 251, 252, 255})
_TEXTS = frozenset({0, 15, 245, 246, 247, 248, 253, 254}) | _OPAQUE


class Bound(NamedTuple):
    """A type that was told for a parameter, and its name where it is an attribute of the query."""

    kind: int
    unsigned: bool
    name: str

    @property
    def word(self) -> str:
        """Its type."""
        return ("unsigned " if self.unsigned else "") + TYPE_NAMES.get(self.kind, f"type {self.kind}")


Place = tuple[int, int] | None
"""(begin, end) of a text in the packet; None of what is none, or was sent ahead."""


class Parameters(NamedTuple):
    """Values in order, as far as they were there."""

    values: list[Value]
    types: list[Bound]
    whole: bool
    places: list[Place]


def read_types(reader: Reader, count: int, named: bool) -> list[Bound]:
    """The types of parameters, with their names in an execution that may have attributes."""
    if count > _MOST_DECLARED:
        raise Short
    bound: list[Bound] = []
    for _ in range(count):
        kind, flags = reader.take(2)
        bound.append(Bound(kind, bool(flags & 0x80), reader.text()[:SHORT] if named else ""))
    return bound


def read_values(reader: Reader, types: list[Bound], nulls: bytes, sent: dict[int, bytes]) -> Parameters:
    """The values behind the types. `sent`: what had been sent ahead as long data, by number of the parameter."""
    values: list[Value] = []
    places: list[Place] = []
    try:
        for number, bound in enumerate(types):
            if number >= MOST_PARAMETERS:
                return Parameters(values, types, False, places)
            place = None
            if number in sent:
                values.append(_text(sent[number], bound.kind))
            elif nulls[number // 8] >> number % 8 & 1:
                values.append(None)
            else:
                told, place = placed(reader, bound)
                values.append(told)
            places.append(place)
    except Short:
        return Parameters(values, types, False, places)
    return Parameters(values, types, True, places)


def placed(reader: Reader, bound: Bound) -> tuple[Value, Place]:
    """As value(), and where it stands."""
    if bound.kind not in _TEXTS:
        return value(reader, bound), None
    data = reader.take(reader.lenenc())
    return _text(data, bound.kind), (reader.at - len(data), reader.at)


def value(reader: Reader, bound: Bound) -> Value:
    """One value; raises Short where its bytes end or its type is none."""
    kind = bound.kind
    if kind in _INTEGERS:
        return int.from_bytes(reader.take(_INTEGERS[kind]), "little", signed=not bound.unsigned)
    if kind in {4, 5}:
        number: float = struct.unpack("<f" if kind == 4 else "<d", reader.take(4 if kind == 4 else 8))[0]
        if not math.isfinite(number):
            return str(number)
        return float(f"{number:.7g}") if kind == 4 else number
    if kind == 6:
        return None
    if kind in {7, 10, 12, 14, 17, 18}:
        return _moment(reader.take(reader.number(1)), kind)
    if kind in {11, 19}:
        return _time(reader.take(reader.number(1)))
    if kind in _TEXTS:
        return _text(reader.take(reader.lenenc()), kind)
    raise Short


def _text(data: bytes, kind: int) -> str:
    if kind in _OPAQUE:
        return data[: LONGEST // 2].hex()
    return data[:LONGEST].decode("latin-1")


def _moment(data: bytes, kind: int) -> str:
    """A date, with the time of day where it has one."""
    if len(data) not in {0, 4, 7, 11}:
        raise Short
    year, month, day = int.from_bytes(data[:2], "little"), *(data[2:4] or b"\0\0")
    text = f"{year:04}-{month:02}-{day:02}"
    if kind in {10, 14} and len(data) <= 4:
        return text
    hour, minute, second = data[4:7] or b"\0\0\0"
    text += f" {hour:02}:{minute:02}:{second:02}"
    return text + (f".{int.from_bytes(data[7:], 'little'):06}" if len(data) == 11 else "")


def _time(data: bytes) -> str:
    """A span of time, in hours and less."""
    if len(data) not in {0, 8, 12}:
        raise Short
    if not data:
        return "00:00:00"
    hours = int.from_bytes(data[1:5], "little") * 24 + data[5]
    text = f"{'-' if data[0] else ''}{hours:02}:{data[6]:02}:{data[7]:02}"
    return text + (f".{int.from_bytes(data[8:], 'little'):06}" if len(data) == 12 else "")


class Attributes(NamedTuple):
    """A query's text and what a client says with it."""

    begin: int
    """Where the text begins."""
    pairs: list[Value]


def query_attributes(body: bytes) -> Attributes | None:
    """Of COM_QUERY with CLIENT_QUERY_ATTRIBUTES, from behind the command; None where they are malformed."""
    reader = Reader(body, 1)
    try:
        count = reader.lenenc()
        if reader.lenenc() != 1 or count > _MOST_DECLARED:
            return None
        if not count:
            return Attributes(reader.at, [])
        nulls = reader.take((count + 7) // 8)
        if reader.number(1) != 1:
            return None
        found = read_values(reader, read_types(reader, count, True), nulls, {})
    except Short:
        return None
    if not found.whole:
        return None
    pairs: list[Value] = [[bound.name, value] for bound, value in zip(found.types, found.values, strict=True)]
    return Attributes(reader.at, pairs)


def executed(
    body: bytes, declared: int, named: bool, known: list[Bound], sent: dict[int, bytes], marked: bool
) -> Parameters | None:
    """The parameters of COM_STMT_EXECUTE, from behind the count of iterations; None where they cannot be read.

    `declared`: how many the statement has. `named`: the client may send attributes. `known`: their types, as the last
    execution told them. `marked`: the flag that the number of parameters is told.
    """
    if not declared and not (named and marked):
        return Parameters([], [], True, [])
    reader = Reader(body, 10)
    try:
        count = reader.lenenc() if named else declared
        if not count:
            return Parameters([], [], True, [])
        if not declared <= count <= _MOST_DECLARED:
            return None
        nulls = reader.take((count + 7) // 8)
        if reader.number(1) == 1:
            known = read_types(reader, count, named)
        elif len(known) != count:
            return None
    except Short:
        return None
    return read_values(reader, known, nulls, sent)


class Bulk(NamedTuple):
    """MariaDB's bulk execution."""

    rows: list[list[Value]]
    types: list[Bound]
    sets: int
    whole: bool
    """All rows are told."""
    places: list[list[Place]]


def bulk(body: bytes, declared: int, known: list[Bound]) -> Bulk | None:
    """The rows of values, from behind the statement's number; None where they cannot be read."""
    reader = Reader(body, 7)
    try:
        types = read_types(reader, declared, False) if int.from_bytes(body[5:7], "little") & 128 else known
    except Short:
        return None
    if len(types) != declared or not declared:
        return None
    rows: list[list[Value]] = []
    places: list[list[Place]] = []
    count = told = 0
    try:
        while reader.left:
            row: list[Value] = []
            where: list[Place] = []
            for bound in types:
                indicator = reader.number(1)
                one, place = (_INDICATED.get(indicator), None) if indicator else placed(reader, bound)
                row.append(one)
                where.append(place)
            count += 1
            told += len(row)
            if told <= MOST_PARAMETERS:
                rows.append(row)
                places.append(where)
    except Short:
        return Bulk(rows, types, count, False, places)
    return Bulk(rows, types, count, len(rows) == count, places)


_INDICATED: dict[int, Value] = {1: None, 2: "DEFAULT", 3: "IGNORE"}
