"""One command of a MySQL client, until it is handed out with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ..sql import secrets as sql_secrets
from ..sql import sightings

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..sql.packets import Packet

LONG_DATA = "long-data"
# What the server answers with.
NOTHING, SIMPLE, RESULT, PREPARED, LIST, ROWS, TEXT, EVENTS, AUTH = range(9)
_REPLIES = {
    "quit": NOTHING, "close": NOTHING, LONG_DATA: NOTHING, "query": RESULT, "execute": RESULT, "bulk-execute": RESULT,
    "process-info": RESULT, "prepare": PREPARED, "field-list": LIST, "fetch": ROWS, "statistics": TEXT,
    "binlog-dump": EVENTS, "binlog-dump-gtid": EVENTS, "table-dump": EVENTS, "change-user": AUTH, "multi": RESULT,
}  # fmt: skip
_EXECUTED = frozenset({"query", "execute", "bulk-execute"})
_DENIED = frozenset({1045, 1698})
_PROVEN = frozenset({1044, 1049, 1820, 1862})
"""The password is right, but it has to be changed; or the database is not there for that user."""


class Command:
    """One command, until it is handed out with its answer."""

    def __init__(self, name: str, span: Span, kind: str = "query") -> None:
        self.name = name
        self.kind = kind
        self.span = span
        self.fields: dict[str, Value] = {}
        self.reply = _REPLIES.get(name, SIMPLE)
        self.sql = ""
        self.secrets: list[sql_secrets.Secret] = []
        self.sightings: list[Sighting] = []
        self.statement = 0
        self.execution: Packet | None = None
        self.sent: dict[int, bytes] = {}
        self.plugin = ""
        """For AUTH: the method that is being followed."""
        self.challenge = b""
        """For AUTH: what the server last asked."""
        self.full = False
        """For AUTH: the server asked for the password itself."""
        self.proven = False
        """For AUTH: the server said that the answer is right, before it let the user in."""
        self.user: str | None = None
        self.passed_over = 0
        """So many of the first sightings were never judged: the server then asked in another way."""

    @property
    def weight(self) -> int:
        """About the bytes that it holds."""
        held = len(self.execution.body) if self.execution else 0
        return 500 + len(self.sql) + held + sum(map(len, self.sent.values()))

    def sight(self, secret: bytes, raw: bytes, span: Span, complete: bool, user: str | None) -> None:
        """A password of a login."""
        self.fields["secret"] = True
        where = "login"
        self.sightings.append(Sighting(where, None, user, secret, raw, complete, span, protocol="mysql"))

    def judge(self, result: str | None, code: int | None) -> None:
        """What the answer says of the secrets; those whose outcome is known keep it."""
        if self.kind == "login":
            proven = result == "ok" or code in _PROVEN or self.proven
            outcome = REFUSED if code in _DENIED else ACCEPTED if proven else UNKNOWN
            for sighting in self.sightings[self.passed_over :]:
                sighting.outcome = outcome
        elif result is not None and self.name in _EXECUTED:
            sightings.judge(self.sightings, self.sql, result == "ok")

    def mask_all(self, fields: dict[str, Value]) -> None:
        """A server may quote the text that it answers: cut out what that was found to hold."""
        sql_secrets.mask_fields(fields, ("message", "info"), self.sql, self.secrets)
        results = fields.get("results")
        for one in results if isinstance(results, list) else ():
            if isinstance(one, dict):
                self.mask_all(one)
