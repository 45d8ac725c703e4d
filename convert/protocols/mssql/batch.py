"""SQL in a TDS client's messages: batches, calls of procedures that run a text, Sybase's language command."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import Sighting
from ..sql import secrets as sql_secrets

if TYPE_CHECKING:
    from ...model.record import Value
    from ..sql.packets import Packet

LONGEST = 64 * 1024
DIALECT = getattr(sql_secrets, "MSSQL", sql_secrets.POSTGRESQL)
_PROCEDURES = {
    1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec",
    6: "sp_cursorunprepare", 7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql",
    11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 14: "sp_prepexecrpc", 15: "sp_unprepare",
}  # fmt: skip
_NTEXT, _NVARCHAR, _INTN = 0x63, 0xE7, 0x26
_LANGUAGE = 0x21
_MOST_PARAMETERS = 3


class Text(NamedTuple):
    """SQL as it stands in a message."""

    data: bytes
    begin: int
    """Index in the message."""
    wide: bool
    complete: bool


class Asked(NamedTuple):
    """What a record says, and the passwords within."""

    fields: dict[str, Value]
    sightings: list[Sighting]
    sql: str
    secrets: list[sql_secrets.Secret]


def batch(packet: Packet, wide: bool | None, user: str | None) -> Asked:
    """SQLBatch (MS-TDS 2.2.6.7). `wide`: its text is UTF-16; None: that is not known."""
    begin = _headers(packet.body)
    data = packet.body[begin:]
    if wide is None:
        wide = begin > 0 or (len(data) > 1 and not any(data[1:64:2]))
    return _asked({"command": "batch"}, packet, Text(data, begin, wide, packet.complete), user)


def language(packet: Packet, user: str | None) -> Asked:
    """Sybase's TDS 5 query: LANGUAGE, a length, a byte of flags, the text."""
    body = packet.body
    if body[:1] != bytes((_LANGUAGE,)):
        return Asked({"command": "query"}, [], "", [])
    size = int.from_bytes(body[1:5], "little") - 1
    data = body[6 : 6 + max(size, 0)]
    return _asked({"command": "query"}, packet, Text(data, 6, False, len(data) == size), user)


def call(packet: Packet, user: str | None) -> Asked:
    """RPC request (MS-TDS 2.2.6.6): the procedure, and the text that it is to run."""
    body, at = packet.body, _headers(packet.body)
    size = int.from_bytes(body[at : at + 2], "little")
    if size == 0xFFFF:
        number = int.from_bytes(body[at + 2 : at + 4], "little")
        name = _PROCEDURES.get(number, str(number))
        at += 4
    else:
        name = _wire(body[at + 2 : at + 2 + min(2 * size, 2048)])
        at += 2 + 2 * size
    fields: dict[str, Value] = {"command": "call", "procedure": name}
    text = _statement(body, at + 2, packet.complete) if name.rpartition(".")[2].lower().startswith("sp_") else None
    return _asked(fields, packet, text, user) if text is not None else Asked(fields, [], "", [])


def _headers(body: bytes) -> int:
    """ALL_HEADERS of TDS 7.2 and later: how long they are, 0 where there are none."""
    total, first = int.from_bytes(body[:4], "little"), int.from_bytes(body[4:8], "little")
    fits = 10 <= total <= min(len(body), 4096) and 6 <= first <= total - 4
    return total if fits and int.from_bytes(body[8:10], "little") in {1, 2, 3} else 0


def _statement(body: bytes, at: int, complete: bool) -> Text | None:
    """The first text among the first parameters; what stands before it are numbers and results to be."""
    found = None
    for _ in range(_MOST_PARAMETERS):
        if at >= len(body):
            break
        at += 1 + 2 * body[at] + 1  # its name, and flags
        kind = body[at] if at < len(body) else 0
        if kind == _INTN:
            at += 3 + (body[at + 2] if at + 2 < len(body) else 0)
            continue
        if kind == _NVARCHAR and body[at + 1 : at + 3] != b"\xff\xff":
            size, begin = int.from_bytes(body[at + 8 : at + 10], "little"), at + 10
        elif kind == _NVARCHAR:  # in parts, of which the first is taken
            size, begin = int.from_bytes(body[at + 16 : at + 20], "little"), at + 20
        elif kind == _NTEXT:
            size, begin = int.from_bytes(body[at + 10 : at + 14], "little"), at + 14
        else:
            break
        if size in {0xFFFF, 0xFFFFFFFF}:
            size = 0
        data = body[begin : begin + size]
        found = Text(data, begin, True, len(data) == size and (complete or begin + size <= len(body)))
        if data and data[:2] != b"@\0":  # else sp_prepare's declaration of parameters, which stands before the text
            break
        at = begin + size + (4 if body[at + 1 : at + 3] == b"\xff\xff" and kind == _NVARCHAR else 0)
    return found


def _asked(fields: dict[str, Value], packet: Packet, text: Text, user: str | None) -> Asked:
    data = text.data[: 2 * LONGEST if text.wide else LONGEST]
    wire = data[: len(data) & ~1].decode("utf-16-le", "replace") if text.wide else ""
    sql = wire.encode("utf-8", "replace").decode("latin-1") if text.wide else data.decode("latin-1")
    whole = text.complete and len(data) == len(text.data) and len(sql) <= LONGEST
    sql = sql[:LONGEST]
    secrets = sql_secrets.find(sql, DIALECT, whole)
    fields["sql"] = sql_secrets.mask(sql, secrets)
    if not whole:
        fields["sql_complete"] = False
    sightings = []
    for secret in secrets[: sql_secrets.MOST_SECRETS]:
        if secret.hashed:
            continue
        begin, end = secret.begin, secret.end
        if text.wide:  # characters of the record are bytes of UTF-8; on the wire they are pairs
            begin, end = _pairs(sql, begin), _pairs(sql, end)
        raw = data[begin:end]
        span = packet.part(text.begin + begin, text.begin + end)
        whose, value = secret.username or user, secret.value.encode("latin-1")
        sightings.append(Sighting("query-text", None, whose, value, raw, secret.complete, span))
    if secrets:
        fields["secret"] = True
    return Asked(fields, sightings, sql, secrets)


def _pairs(sql: str, index: int) -> int:
    """How many bytes of UTF-16 stand before an index of the text in UTF-8."""
    return len(sql[:index].encode("latin-1").decode("utf-8", "ignore").encode("utf-16-le"))


def _wire(data: bytes) -> str:
    return data[: len(data) & ~1].decode("utf-16-le", "replace").encode("utf-8", "replace").decode("latin-1")
