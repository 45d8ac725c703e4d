"""One DNS message as fields (RFC 1035 section 4, 6891, 6762): bounded in names, records and text."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from . import numbers as n
from .names import Broken, host_name, read_name, skip_name
from .values import value_text

if TYPE_CHECKING:
    from ...model.record import Value

HEADER = 12
RECORDS = 256
"""Records of one section that are shown."""
_QUESTIONS = 16
_head = Struct(">6H").unpack_from
_record = Struct(">HHIH").unpack_from


class Decoded(NamedTuple):
    """A message's fields, and what its reader found besides."""

    fields: dict[str, Value]
    questions: list[Value]
    names: list[tuple[bytes, str]]
    """Addresses of 4 or 16 bytes, and the host names that they were given."""
    broken: bool
    """It holds less than its header says, or something else."""
    end: int
    """Where what was read ends."""


class _Reading:
    def __init__(self, message: bytes) -> None:
        self.message = message
        self.at = HEADER
        self.room = 4096 + 16 * len(message)  # names that point to names write far more than was sent
        self.local = _head(message)[0] == 0
        self.edns: dict[str, Value] | None = None
        self.extended = 0
        self.odd = False  # a record's data is not what its type says: shown in hex
        self.cut: list[str] = []
        self.addresses: list[tuple[str, int, bytes]] = []
        self.aliases: dict[str, str] = {}
        self.found: dict[str, list[Value]] = {}

    def question(self) -> dict[str, Value]:
        name, at = read_name(self.message, self.at)
        if at + 4 > len(self.message):
            raise Broken
        kind, group = int.from_bytes(self.message[at : at + 2], "big"), int.from_bytes(self.message[at + 2 : at + 4])
        self.at = at + 4
        unicast = self.local and group in (0x8001, 0x80FF)
        found: dict[str, Value] = {
            "query_name": name,
            "query_type": n.type_name(kind),
            "query_class": n.class_name(group & 0x7FFF if unicast else group),
        }
        if unicast:
            found["unicast_response"] = True
        return found

    def record(self, answers: bool) -> dict[str, Value] | None:
        message = self.message
        name, at = read_name(message, self.at)
        if at + 10 > len(message):
            raise Broken
        kind, group, ttl, length = _record(message, at)
        begin, end = at + 10, at + 10 + length
        if end > len(message):
            raise Broken
        self.at = end
        if kind == n.OPT:
            self._options(group, ttl, begin, end)
            return None
        flush = self.local and group == 0x8001
        if flush:
            group = n.IN
        found: dict[str, Value] = {"name": name, "record_type": n.type_name(kind)}
        if group != n.IN:
            found["record_class"] = n.class_name(group)
        if flush:
            found["cache_flush"] = True
        found["ttl"] = ttl
        readable = group == n.IN or (group in n.OLD_CLASSES and kind in n.CLASSLESS)
        text = self._value(kind, begin, end) if readable and length else None
        if text is None:
            shown = min(length, 0x8000)
            text = message[begin : begin + shown].hex()
            if shown < length:
                found["data_complete"] = False
        elif answers and group == n.IN:
            self._known(name, kind, message[begin:end], text)
        found["data"] = text
        self.room -= len(name) + len(text) + 16
        return found

    def _value(self, kind: int, begin: int, end: int) -> str | None:
        try:
            return value_text(kind, self.message, begin, end)
        except Broken:
            self.odd = True
            return None

    def _known(self, name: str, kind: int, data: bytes, text: str) -> None:
        if kind in (n.A, n.AAAA):
            self.addresses.append((name.lower(), kind, data))
        elif kind == n.CNAME:
            self.aliases[name.lower()] = text.lower()

    def _options(self, group: int, ttl: int, at: int, end: int) -> None:
        if self.edns is not None:
            raise Broken
        options: list[Value] = []
        self.edns = {
            "udp_size": group,
            "version": ttl >> 16 & 0xFF,
            "dnssec_ok": bool(ttl & 0x8000),
            "options": options,
        }
        self.extended = ttl >> 24 << 4
        while at < end and len(options) < 16:
            code, length = int.from_bytes(self.message[at : at + 2]), int.from_bytes(self.message[at + 2 : at + 4])
            at += 4
            if at + length > end:
                raise Broken
            options.append({"code": code, "data": self.message[at : at + min(length, 512)].hex()})
            at += length

    def section(self, name: str, count: int) -> None:
        """Read the records of a section that are there and find room; pass over the other ones."""
        found = self.found[name] = []
        for number in range(count):
            if len(found) >= RECORDS or self.room < 0:
                self.cut.append(name)
                return self._pass(count - number)
            shown = self.record(name == "answers")
            if shown is not None:
                found.append(shown)
        return None

    def _pass(self, count: int) -> None:
        for _ in range(count):
            at = skip_name(self.message, self.at)
            if at + 10 > len(self.message):
                raise Broken
            kind, group, ttl, length = _record(self.message, at)
            if at + 10 + length > len(self.message):
                raise Broken
            self.at = at + 10 + length
            if kind == n.OPT:
                self._options(group, ttl, at + 10, self.at)


def decode(message: bytes) -> Decoded:
    """The fields of a message of at least HEADER bytes. What follows something broken is left out."""
    transaction, flags, *counts = _head(message)
    reading = _Reading(message)
    questions: list[Value] = []
    broken = False
    try:
        while len(questions) < min(counts[0], _QUESTIONS):
            questions.append(reading.question())
        if counts[0] > _QUESTIONS:
            raise Broken  # no one asks so much at once; nothing behind it is found again
        for name, count in zip(("answers", "authority", "additional"), counts[1:], strict=True):
            reading.section(name, count)
    except Broken:
        broken = True
    answer = bool(flags & 0x8000)
    opcode = flags >> 11 & 15
    fields: dict[str, Value] = {"transaction": transaction, "opcode": n.OPCODES.get(opcode) or f"OPCODE{opcode}"}
    if answer:
        code = flags & 15 | reading.extended
        fields["rcode"] = n.RCODES.get(code) or f"RCODE{code}"
        fields["authoritative"] = bool(flags & 0x0400)
        fields["truncated"] = bool(flags & 0x0200)
        fields["recursion_available"] = bool(flags & 0x0080)
    else:
        fields["recursion_desired"] = bool(flags & 0x0100)
        if flags & 0x0200:
            fields["truncated"] = True
    fields["questions"] = questions
    for name in ("answers", "authority", "additional"):
        found = reading.found.get(name, [])
        if found or answer:
            fields[name] = list(found)
        if name in reading.cut:
            fields[f"{name}_complete"] = False
    if reading.edns is not None:
        fields["edns"] = reading.edns
    names = _names(reading, questions) if answer and not flags & 0x780F else []
    return Decoded(fields, questions, names, broken or reading.odd, reading.at)


def _names(reading: _Reading, questions: list[Value]) -> list[tuple[bytes, str]]:
    """The host name that was asked for, for the addresses to which its aliases lead; without a question, their own."""
    if not reading.addresses:
        return []
    if not questions:
        own = ((data, host_name(name)) for name, _kind, data in reading.addresses)
        return [(data, name) for data, name in own if name]
    asked = questions[0]
    first = str(asked["query_name"]).lower() if isinstance(asked, dict) else ""
    shown = host_name(first)
    if shown is None:
        return []
    chain = {first}
    name = first
    while (name := reading.aliases.get(name, name)) not in chain:
        chain.add(name)
    return [(data, shown) for owner, _kind, data in reading.addresses if owner in chain]


def question_key(message: bytes) -> tuple[object, ...] | None:
    """Transaction, opcode and questions as they pair a response with its query; None where they are broken."""
    transaction, flags, count, *_ = _head(message)
    key: list[object] = [transaction, flags >> 11 & 15]
    at = HEADER
    try:
        for _ in range(min(count, _QUESTIONS)):
            name, at = read_name(message, at)
            if at + 4 > len(message):
                return None
            key += (name.lower(), message[at : at + 4])
            at += 4
    except Broken:
        return None
    return tuple(key)
