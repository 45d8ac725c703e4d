"""Parameters of PostgreSQL's Bind and FunctionCall: text as it is, binary by the type where it is known.

The binary forms are those of the types' send functions (src/backend/utils/adt in PostgreSQL's sources).
"""

from __future__ import annotations

import math
import struct
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from .messages import LONGEST

if TYPE_CHECKING:
    from ...model.record import Value

MOST_PARAMETERS = 1024
_MOST_ZEROS = 1024
"""Of a number, which it has besides the digits that were sent."""
_TYPES = {
    16: "bool", 17: "bytea", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text", 26: "oid",
    114: "json", 142: "xml", 650: "cidr", 700: "float4", 701: "float8", 705: "unknown", 829: "macaddr", 869: "inet",
    1042: "bpchar", 1043: "varchar", 1082: "date", 1083: "time", 1114: "timestamp", 1184: "timestamptz",
    1186: "interval", 1266: "timetz", 1560: "bit", 1562: "varbit", 1700: "numeric", 2278: "void", 2950: "uuid",
    3802: "jsonb", 1000: "bool[]", 1005: "int2[]", 1007: "int4[]", 1009: "text[]", 1015: "varchar[]", 1016: "int8[]",
}  # fmt: skip
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - of timestamps without a zone too
_INTEGERS = {20: 8, 21: 2, 23: 4}
TEXTS = frozenset({18, 19, 25, 114, 142, 705, 1042, 1043})


class Bound(NamedTuple):
    """A value as it was sent."""

    binary: bool
    data: bytes | None
    """None: NULL."""
    begin: int = 0
    """Where the value stands in the message."""


def read(body: bytes, at: int) -> tuple[list[Bound], bool]:
    """Formats, then values (Bind, FunctionCall), from an index on; and whether they were all there."""
    formats, at, whole = _formats(body, at)
    count = int.from_bytes(body[at : at + 2], "big")
    if not whole or len(body) < at + 2:
        return [], False
    at += 2
    bound: list[Bound] = []
    while len(bound) < min(count, MOST_PARAMETERS):
        length = int.from_bytes(body[at : at + 4], "big", signed=True)
        if len(body) < at + 4 + max(length, 0):
            break
        number = len(bound)
        binary = bool(formats[number] if number < len(formats) else len(formats) == 1 and formats[0])
        bound.append(Bound(binary, body[at + 4 : at + 4 + length] if length >= 0 else None, at + 4))
        at += 4 + max(length, 0)
    return bound, len(bound) == count


def _formats(body: bytes, at: int) -> tuple[list[int], int, bool]:
    count = int.from_bytes(body[at : at + 2], "big")
    end = at + 2 + 2 * count
    if len(body) < end or at + 2 > len(body):
        return [], at, False
    return [int.from_bytes(body[i : i + 2], "big") for i in range(at + 2, end, 2)], end, True


def type_word(oid: int) -> str | None:
    """The name of a type; None where it was left to the server."""
    return _TYPES.get(oid, f"oid {oid}") if oid else None


def value(bound: Bound, oid: int) -> Value:
    """Text as it is; binary as its type says; hexadecimal where that is not known or does not fit."""
    data = bound.data
    if data is None:
        return None
    if not bound.binary:
        return data[:LONGEST].decode("latin-1")
    try:
        told = _binary(data, oid)
    except (struct.error, ValueError, OverflowError):
        told = None
    return data[: LONGEST // 2].hex() if told is None else told


def _binary(data: bytes, oid: int) -> Value:
    if oid in TEXTS:
        return data[:LONGEST].decode("latin-1")
    if oid in _INTEGERS:
        return int.from_bytes(data, "big", signed=True) if len(data) == _INTEGERS[oid] else None
    if oid == 26:
        return int.from_bytes(data, "big") if len(data) == 4 else None
    if oid == 16:
        return data == b"\1" if len(data) == 1 else None
    if oid in {700, 701}:
        number: float = struct.unpack("!f" if oid == 700 else "!d", data)[0]
        if not math.isfinite(number):
            return str(number)
        return float(f"{number:.7g}") if oid == 700 else number
    if oid == 2950:
        return str(UUID(bytes=data))
    if oid == 3802:
        return data[1 : 1 + LONGEST].decode("latin-1") if data[:1] == b"\1" else None
    if oid == 1082:
        return _date(struct.unpack("!i", data)[0])
    if oid in {1083, 1266}:
        return _time(data, oid == 1266)
    if oid in {1114, 1184}:
        return _timestamp(struct.unpack("!q", data)[0], oid == 1184)
    if oid == 1700:
        return _numeric(data)
    return None


def _date(days: int) -> str:
    if days in {0x7FFFFFFF, -0x80000000}:
        return "infinity" if days > 0 else "-infinity"
    return (date(2000, 1, 1) + timedelta(days)).isoformat()


def _time(data: bytes, zoned: bool) -> str:
    micros, zone = struct.unpack("!qi", data) if zoned else (struct.unpack("!q", data)[0], 0)
    if not 0 <= micros <= 86_400_000_000:
        raise ValueError
    seconds, micros = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    text += f".{micros:06}" if micros else ""
    if zoned:  # seconds west of Greenwich
        text += f"{'-' if zone > 0 else '+'}{abs(zone) // 3600:02}:{abs(zone) // 60 % 60:02}"
    return text


def _timestamp(micros: int, zoned: bool) -> str:
    if micros in {(1 << 63) - 1, -(1 << 63)}:
        return "infinity" if micros > 0 else "-infinity"
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(" ") + ("+00:00" if zoned else "")


def _numeric(data: bytes) -> str | None:
    """Digits to the base of 10000, a weight of the first, a sign and the number of decimal places."""
    count, weight, sign, scale = struct.unpack("!HhHH", data[:8])
    if sign in {0xC000, 0xD000, 0xF000}:
        return {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}[sign]
    if len(data) != 8 + 2 * count or count > 4096 or abs(weight) > 4096 or scale > 16383:
        return None
    if weight > count + _MOST_ZEROS // 4 or scale > 4 * count + _MOST_ZEROS:
        return None  # few bytes would become very much text
    digits = "".join(f"{digit:04}" for digit in struct.unpack(f"!{count}H", data[8:]))
    point = 4 * (weight + 1)
    digits = "0" * -point + digits.ljust(max(point, 0), "0")
    point = max(point, 0)
    whole, places = digits[:point].lstrip("0") or "0", digits[point : point + scale].ljust(scale, "0")
    return ("-" if sign == 0x4000 else "") + whole + ("." + places if places else "")
