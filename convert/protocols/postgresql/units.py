"""What a PostgreSQL client asks for and what it is answered: a unit for each query, execution, preparation, login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, CLEARTEXT, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..sql import secrets as sql_secrets
from ..sql import sightings
from ..sql.placeholders import Parameter, passwords, sighted
from ..sql.strays import takes_password
from .messages import LONGEST, SHORT, columns, complaint
from .values import TEXTS, Bound, type_word, value

if TYPE_CHECKING:
    from ...model.record import Value
    from ..sql.packets import Packet
    from ..sql.placeholders import Place
    from .answers import Scram

MOST_RESULTS = 64
MOST_NOTICES = 16
_MOST_STATEMENTS = 1024
_MOST_TEXT = 2 << 20
_WRONG = frozenset({"28P01", "28000"})
_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY"})
_TRANSACTIONS = {0x49: "idle", 0x54: "open", 0x45: "failed"}


class Statement:
    """A text that was parsed, by whatever name."""

    def __init__(self, sql: str, shown: str, whole: bool, oids: list[int]) -> None:
        self.sql = sql
        self.shown = shown
        self.whole = whole
        self.oids = oids
        self._passwords: list[Place] | None = None

    @property
    def passwords(self) -> list[Place]:
        """Its parameters that are passwords."""
        if self._passwords is None:
            self._passwords = passwords(self.sql, sql_secrets.POSTGRESQL)
        return self._passwords


class Unit:
    """One request and its answer, until they are handed out."""

    def __init__(self, name: str, span: Span | None, kind: str = "query") -> None:
        self.kind = kind
        self.name = name
        self.span = span
        self.fields: dict[str, Value] = {"command": name} if kind == "query" else {}
        self.statement: Statement | None = None
        self.bound: list[Bound] | None = None
        self.bound_whole = True
        self.secrets: list[sql_secrets.Secret] = []
        self.sightings: list[Sighting] = []
        self.user: str | None = None
        self.pending = 0
        """Messages whose answers are awaited."""
        self.open = False
        """More messages may belong to it."""
        self.handed = False
        self.skipped = False
        """The server passed over it after an error before it."""
        self.counted = 0
        self.begun: Span | None = None
        self.end = 0
        self.result: str | None = None
        self.state: str | None = None
        """SQLSTATE of its error."""
        self.mechanism: int | None = None
        """Of a login: what the server last asked for."""
        self.salt: bytes | None = None
        """Of a login by MD5: the server's challenge."""
        self.scram: Scram | None = None
        self._one: dict[str, Value] = {}
        self._results: list[Value] = []
        self._count = 0
        self._notices: list[Value] = []
        self._notice_count = 0
        self.totals: dict[str, Value] = {}
        self.transaction: str | None = None
        self.told: dict[str, Value] = {}

    @property
    def weight(self) -> int:
        """About the bytes that it holds."""
        held = len(self.statement.sql) if self.statement else 0
        return 500 + held + sum(len(bound.data or b"") + 50 for bound in self.bound or ())

    def asked(self, packet: Packet) -> None:
        """A message of the client that belongs to it too."""
        if self.span is None:
            self.span = packet.span
        else:
            self.span = Span(self.span.place, self.span.offset, packet.end - self.span.offset)

    def text(self, packet: Packet, begin: int, end: int, user: str | None) -> Statement:
        """SQL within a message; what passwords it holds is cut out and told apart."""
        cut = packet.body[begin : min(end, begin + LONGEST)]
        text = cut.decode("latin-1")
        whole = packet.complete and begin + len(cut) == end
        self.secrets = sql_secrets.find(text, sql_secrets.POSTGRESQL, whole)
        statement = Statement(text, sql_secrets.mask(text, self.secrets), whole, [])
        self.sightings += sightings.told(self.secrets, text, packet, begin, user, "postgresql")
        return statement

    def sight_parameters(self, packet: Packet) -> None:
        """The passwords among what was bound."""
        if self.statement is None or self.bound is None:
            return
        oids = self.statement.oids
        sent: list[Parameter | None] = []
        for number, one in enumerate(self.bound):
            oid = oids[number] if number < len(oids) else 0
            if one.data is None or (one.binary and oid and oid not in TEXTS):
                sent.append(None)
            else:
                sent.append(Parameter(one.data, packet.part(one.begin, one.begin + len(one.data))))
        for place in self.statement.passwords:
            found = sighted(place, sent, "postgresql", True)
            if found is not None:
                self.sightings.append(found)
                self.secrets.append(sql_secrets.Secret(0, 0, found.secret.decode("latin-1"), None, True, False))

    def sight(self, where: str, user: str | None, secret: str, raw: bytes, span: Span, whole: bool) -> None:
        """A password that passed."""
        value = secret.encode("latin-1")
        self.sightings.append(Sighting(where, None, user, value, raw, whole, span, protocol="postgresql"))

    # The answer.

    def answered(self, packet: Packet, first: Span | None) -> None:
        """A message of the server that belongs to it."""
        if self.begun is None:
            self.begun = first or packet.span
        self.end = packet.end

    def describe(self, body: bytes) -> None:
        """RowDescription."""
        names, whole = columns(body)
        self._one["columns"] = names
        if not whole:
            self._one["columns_complete"] = False

    def copy(self, kind: int) -> None:
        """Copied data follow, in, out, or both ways (a replica's)."""
        self._one["copy"] = {0x47: "in", 0x48: "out", 0x57: "both"}[kind]

    def complete(self, body: bytes, rows: int, copied: int) -> None:
        """CommandComplete, EmptyQueryResponse or PortalSuspended (their bodies are empty)."""
        tag = body.split(b"\0")[0][:SHORT].decode("latin-1")
        words = tag.split()
        self._count_up(rows, copied, words[0] if words else "")
        if words and words[0] in _COUNTED and words[-1].isdecimal() and len(words[-1]) < 20:
            self._one["affected_rows"] = int(words[-1])
        if tag:
            self._one["tag"] = tag
        self._keep("ok")

    def cut(self, rows: int, copied: int) -> None:
        """Nothing more is seen of its answer: what was counted so far is told."""
        if self.begun is not None and (rows or copied or self._one):
            self._count_up(rows, copied, "")

    def acknowledge(self) -> None:
        """ParseComplete and the like: well, unless more is told."""
        if self.result is None:
            self.result = "ok"

    def refuse(self, body: bytes, rows: int, copied: int) -> None:
        """ErrorResponse."""
        self._count_up(rows, copied, "")
        fields = complaint(body)
        state = fields.get("sql_state")
        self.state = state if isinstance(state, str) else None
        self._one = self._masked(fields) | self._one
        self._keep("error")

    def notice(self, body: bytes) -> None:
        """NoticeResponse."""
        self._notice_count += 1
        if len(self._notices) < MOST_NOTICES:
            self._notices.append(self._masked(complaint(body)))

    def ready(self, status: int) -> None:
        """ReadyForQuery."""
        self.transaction = _TRANSACTIONS.get(status)

    def _count_up(self, rows: int, copied: int, word: str) -> None:
        if rows or "columns" in self._one or word == "SELECT":
            self._one["rows"] = rows
        if "copy" in self._one:
            self._one["copy_bytes"] = copied

    def _masked(self, fields: dict[str, Value]) -> dict[str, Value]:
        if self.secrets and self.statement is not None:
            sql_secrets.mask_fields(fields, ("message", "detail", "hint"), self.statement.sql, self.secrets)
        return fields

    def _keep(self, result: str) -> None:
        self._count += 1
        self.result = result
        one: dict[str, Value] = {"result": result, **self._one}
        if len(self._results) < MOST_RESULTS:
            self._results.append(one)
        elif result == "error":  # the last one is told even where all others found no room
            self._results[MOST_RESULTS:] = [one]
        for name in ("affected_rows", "rows", "copy_bytes"):
            number, before = one.get(name), self.totals.get(name)
            if isinstance(number, int):
                self.totals[name] = number + (before if isinstance(before, int) else 0)
        self._one = {}

    def judge(self) -> None:
        """What the answer says of the secrets."""
        if self.kind != "login":
            if self.result is not None and self.name != "prepare":
                sql = self.statement.sql if self.statement is not None else ""
                sightings.judge(self.sightings, sql, self.result == "ok")
            return
        outcome = ACCEPTED if self.result == "ok" else REFUSED if self.state in _WRONG else UNKNOWN
        for sighting in self.sightings:
            sighting.outcome = outcome

    def request(self) -> Message | None:
        """For the record, with parameters by what is known of their types now."""
        if self.span is None:
            return None
        fields = self.fields
        statement = self.statement
        if statement is not None:
            fields["sql"], fields["sql_complete"] = statement.shown, statement.whole
        if self.bound is not None:
            oids = statement.oids if statement is not None else []
            types = [oids[i] if i < len(oids) else 0 for i in range(len(self.bound))]
            told: list[Value] = [value(bound, oid) for bound, oid in zip(self.bound, types, strict=True)]
            fields["parameters"] = told
            fields["parameter_types"] = [type_word(oid) for oid in types]
            fields["parameter_formats"] = ["binary" if bound.binary else "text" for bound in self.bound]
            fields["parameters_complete"] = self.bound_whole
            if statement is not None and takes_password(statement.shown):
                fields["parameters"] = [None] * len(self.bound)
                fields["secret"] = True
            elif statement is not None and statement.passwords:
                fields["parameters"] = self._without_passwords(statement.passwords, self.bound, told)
        if self.secrets or any(sighting.form == CLEARTEXT for sighting in self.sightings):
            fields["secret"] = True
        return Message(self.span, fields)

    def _without_passwords(self, places: list[Place], bound: list[Bound], told: list[Value]) -> list[Value]:
        """The parameters without these, and what repeats them."""
        hidden = {bound[place.number].data for place in places if place.number < len(told)} - {None}
        if hidden:
            self.fields["secret"] = True
        return [None if one.data in hidden else value for one, value in zip(bound, told, strict=True)]

    def response(self) -> Message | None:
        """For the record, as far as the answer went."""
        if self.begun is None or (self.skipped and self.result is None):
            return None
        fields: dict[str, Value] = dict(self.told)
        described = not self._results and self._one.keys() <= {"columns", "columns_complete"}
        whole = not self.pending and (described or not self._one)
        if self.result is None and whole and self.kind != "login":
            self.result = "ok"  # bound, but not executed
        fields["result"] = self.result
        if described:
            fields |= self._one
        elif self._one:
            self._results.append(self._one)
        if len(self._results) == 1 and isinstance(self._results[0], dict):
            fields |= {name: one for name, one in self._results[0].items() if name != "result"}
        elif self._results:
            last = self._results[-1]
            if isinstance(last, dict) and last.get("result") == "error":
                fields |= {name: one for name, one in last.items() if name in {"sql_state", "error_level", "message"}}
            fields |= self.totals
            fields["results"] = self._results
            if self._count > len(self._results):
                fields["results_complete"] = False
        if self._notices:
            fields["notices"] = self._notices
        if self._notice_count > len(self._notices):
            fields["notices_complete"] = False
        if self.transaction is not None:
            fields["transaction"] = self.transaction
        if not whole or self.result is None:
            fields["response_complete"] = False
        return Message(Span(self.begun.place, self.begun.offset, self.end - self.begun.offset), fields)


class Statements:
    """Statements and portals by their names, bounded."""

    def __init__(self) -> None:
        self._statements: dict[bytes, Statement] = {}
        self._held = 0
        self.portals: dict[bytes, Unit] = {}

    def add(self, name: bytes, statement: Statement) -> None:
        """Parse."""
        self.close(name)
        self._statements[name] = statement
        self._held += len(statement.sql)
        while len(self._statements) > _MOST_STATEMENTS or self._held > _MOST_TEXT:
            self.close(next(iter(self._statements)))

    def get(self, name: bytes) -> Statement | None:
        """What was parsed under a name, if that was seen."""
        return self._statements.get(name)

    def close(self, name: bytes) -> None:
        """A statement is no more."""
        old = self._statements.pop(name, None)
        if old is not None:
            self._held -= len(old.sql)

    def bind(self, name: bytes, unit: Unit) -> None:
        """Bind: the portal's unit."""
        self.portals.pop(name, None)
        self.portals[name] = unit
        while len(self.portals) > 64:
            self.portals.pop(next(iter(self.portals)))
