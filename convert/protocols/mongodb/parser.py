"""MongoDB: commands with how they ended, and logins by SASL or the old MONGODB-CR.

Of a command its name, database and collection are told and never its documents: they may hold anything. Compressed
messages are passed over. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/,
https://github.com/mongodb/specifications/blob/master/source/auth/auth.md
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, CERTAIN, HASH, LIKELY, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..handing import Handing, Login, shown, text
from ..sasl.mechanisms import Mechanism
from ..sql.packets import Framer, Packet
from .bson import ARRAY, DOCUMENT, TEXT, Document, read
from .probe import LONGEST, MSG, QUERY, REPLY, document_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from ..api import Sink

_OPCODES = frozenset({REPLY, 2001, 2002, QUERY, 2005, 2006, 2007, 2010, 2011, 2012, MSG})
_MOST_PENDING = 1024
_WRONG = frozenset({18, 8000})
"""AuthenticationFailed, and Atlas' own."""
_AHEAD = b"speculativeAuthenticate"
"""In hello: the first message of a login, sent ahead."""
_SECRET_FIELDS = (b"pwd",)


class MongoFramer(Framer):
    """Messages in one direction."""

    header = 16

    def __init__(self, take: Callable[[Packet, int], None]) -> None:
        super().__init__(lambda packet: take(packet, self.opcode))
        self.numbers = (0, 0)
        self.opcode = 0

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """Length, the message's number, the one it answers, and what kind it is."""
        length, self.opcode = int.from_bytes(head[:4], "little") - 16, int.from_bytes(head[12:], "little")
        self.numbers = int.from_bytes(head[4:8], "little"), int.from_bytes(head[8:12], "little")
        return (0, length, False) if self.opcode in _OPCODES and 0 <= length <= LONGEST else None

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """Nothing is looked for."""
        return len(tail), False


class _Asked:
    """A command that waits for its answer."""

    def __init__(self, login: Login, kind: str) -> None:
        self.login = login
        self.kind = kind


class MongoDb:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._handing = Handing(sink, "mongodb")
        self._client, self._server = MongoFramer(self._said), MongoFramer(self._answered)
        self._asked: OrderedDict[int, _Asked] = OrderedDict()
        self._mechanism: Mechanism | None = None
        self._login: Login | None = None
        """A SASL exchange that has begun."""
        self._nonce = b""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        (self._client if to_server else self._server).feed(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        framer = self._client if to_server else self._server
        before = framer.synced
        framer.gap(length, offset)
        if before and not framer.synced:
            self._sink.weird("mongodb-gap", Span(place, offset, length))

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        rest = self._client.rest()
        if rest is not None and rest.body:
            self._said(rest, self._client.opcode)
        while self._asked:
            self._hand(self._asked.popitem(last=False)[1])
        self._end_login(None, UNKNOWN)

    # The client

    def _said(self, packet: Packet, opcode: int) -> None:
        at = document_at(packet.body, opcode, True)
        told = read(packet.body, at) if at >= 0 else None
        if told is None or not told.fields:
            return
        name = next(iter(told.fields))
        database = told.text(b"$db")
        if opcode == QUERY:
            database = packet.body[4:].split(b"\0")[0].split(b".")[0]
            if name in {b"$query", b"query"} and told.fields[name].kind == DOCUMENT:
                told = read(packet.body, told.fields[name].begin) or told
                name = next(iter(told.fields), b"")
        fields: dict[str, Value] = {}
        shown(fields, "command", name, 128)
        if database is not None:
            shown(fields, "database", database, 1024)
        first = told.fields.get(name)
        if first is not None and first.kind == TEXT:
            word = "user" if name in {b"createUser", b"updateUser", b"dropUser"} else "collection"
            shown(fields, word, first.data, 1024)
        asked = self._begin(packet, name.lower(), told, fields)
        self._asked[self._client.numbers[0]] = asked
        if len(self._asked) > _MOST_PENDING:
            self._hand(self._asked.popitem(last=False)[1])

    def _begin(self, packet: Packet, name: bytes, told: Document, fields: dict[str, Value]) -> _Asked:
        login = Login(packet.span, fields)
        ahead = told.fields.get(_AHEAD)
        inner = read(packet.body, ahead.begin) if ahead is not None and ahead.kind == DOCUMENT else None
        if inner is not None and b"payload" in inner.fields:
            self._start(packet, inner, inner.text(b"db"))
            return _Asked(login, "ahead")
        if name == b"saslstart":
            self._start(packet, told, told.text(b"$db"))
            return _Asked(login, "sasl")
        if name == b"saslcontinue" and self._login is not None:
            self._login.reach(packet.span)
            self._respond(packet, told)
            return _Asked(login, "sasl")
        if name == b"authenticate":
            self._challenged(packet, told, login)
            return _Asked(login, "login")
        if name == b"getnonce":
            return _Asked(login, "nonce")
        user = fields.get("user")
        for field in _SECRET_FIELDS:
            found = told.fields.get(field)
            if found is not None and found.kind == TEXT and found.data and name in {b"createuser", b"updateuser"}:
                fields["secret"] = True
                who = text(user.encode("latin-1")) if isinstance(user, str) else None
                span = packet.part(found.begin, found.begin + len(found.data))
                value = found.data
                login.sightings.append(Sighting("query-text", "pwd", who, value, value, True, span, protocol="mongodb"))
        return _Asked(login, "command")

    def _start(self, packet: Packet, told: Document, database: bytes | None) -> None:
        self._end_login(None, UNKNOWN)
        self._login = Login(packet.span, {})
        mechanism = told.text(b"mechanism") or b""
        self._mechanism = Mechanism(mechanism[:64].decode("latin-1"))
        shown(self._login.fields, "mechanism", mechanism, 64)
        if database is not None:
            shown(self._login.fields, "database", database, 1024)
        self._respond(packet, told)

    def _respond(self, packet: Packet, told: Document) -> None:
        """The mechanism's message: binary, or base64 in a text from old drivers, which is left."""
        found = told.fields.get(b"payload")
        mechanism, login = self._mechanism, self._login
        if found is None or mechanism is None or login is None:
            return
        span = packet.part(found.begin, found.begin + len(found.data))
        one = mechanism.client(found.data, found.data, span, packet.complete)
        if mechanism.user:
            shown(login.fields, "user", mechanism.user, 1024)
        if one is not None:
            if one.form != HASH:
                login.fields["secret"] = True
            login.sightings.append(one.sighting("mongodb", UNKNOWN, 0))

    def _challenged(self, packet: Packet, told: Document, login: Login) -> None:
        """MONGODB-CR: key = MD5(nonce + user + MD5(user + ":mongo:" + password)), in hex."""
        user, nonce = told.text(b"user") or b"", told.text(b"nonce") or self._nonce
        shown(login.fields, "user", user, 1024)
        found = told.fields.get(b"key")
        if found is None or len(found.data) != 32 or not found.data.isalnum():
            return
        line = b"$mongodb-cr$%b$%b$%b" % (user, nonce[:64], found.data.lower())
        span = packet.part(found.begin, found.begin + 32)
        one = Sighting("login", None, text(user), line, found.data, True, span, protocol="mongodb", form=HASH)
        one.confidence = CERTAIN if nonce else LIKELY
        one.details = {"mechanism": "MONGODB-CR", "hashcat": None, "john": None, "challenge_seen": bool(nonce)}
        login.sightings.append(one)

    # The server

    def _answered(self, packet: Packet, opcode: int) -> None:
        asked = self._asked.pop(self._server.numbers[1], None)
        at = document_at(packet.body, opcode, False)
        told = read(packet.body, at) if at >= 0 else None
        if asked is None or told is None:
            if asked is not None:
                self._hand(asked, Message(packet.span, {"result": None}))
            return
        ended = told.whole or b"ok" in told.fields
        fields: dict[str, Value] = {"result": None if not ended else "ok" if told.number(b"ok") == 1 else "error"}
        code = told.number(b"code")
        if code is not None:
            fields["code"] = code
        for name, field in ((b"codeName", "code_name"), (b"errmsg", "message")):
            said = told.text(name)
            if said is not None and not any(one.secret in said for one in asked.login.sightings):
                shown(fields, field, said, 4096)
        n = told.number(b"n")
        if n is not None:
            fields["count"] = n
        self._count(packet, told, fields)
        if asked.kind == "sasl":
            self._judge_sasl(packet, told, fields)
            return
        if asked.kind == "ahead":
            ahead = told.fields.get(_AHEAD)
            inner = read(packet.body, ahead.begin) if ahead is not None and ahead.kind == DOCUMENT else None
            payload = inner.fields.get(b"payload") if inner is not None else None
            if payload is not None and self._mechanism is not None:
                self._mechanism.server(payload.data)
        if asked.kind == "nonce":
            self._nonce = told.text(b"nonce") or b""
        ok = fields["result"] == "ok"
        outcome = ACCEPTED if ok else REFUSED if code in _WRONG or asked.kind == "command" else UNKNOWN
        self._hand(asked, Message(packet.span, fields), outcome)

    def _count(self, packet: Packet, told: Document, fields: dict[str, Value]) -> None:
        """How many documents a cursor gave at once."""
        cursor = told.fields.get(b"cursor")
        if cursor is None or cursor.kind != DOCUMENT:
            return
        inner = read(packet.body, cursor.begin)
        for name in (b"firstBatch", b"nextBatch"):
            batch = inner.fields.get(name) if inner is not None else None
            if batch is not None and batch.kind == ARRAY:
                documents = read(packet.body, batch.begin)
                if documents is not None:
                    fields["documents"] = len(documents.fields)
                    if not documents.whole:
                        fields["documents_complete"] = False

    def _judge_sasl(self, packet: Packet, told: Document, fields: dict[str, Value]) -> None:
        payload = told.fields.get(b"payload")
        if payload is not None and self._mechanism is not None:
            self._mechanism.server(payload.data)
        if fields["result"] == "error":
            self._end_login(Message(packet.span, fields), REFUSED if fields.get("code") in _WRONG else UNKNOWN)
        elif told.number(b"done"):
            self._end_login(Message(packet.span, fields), ACCEPTED)

    # What goes out

    def _end_login(self, response: Message | None, outcome: str) -> None:
        login, self._login, self._mechanism = self._login, None, None
        if login is not None:
            self._handing.login(login, response, outcome)

    def _hand(self, asked: _Asked, response: Message | None = None, outcome: str = UNKNOWN) -> None:
        if asked.kind == "sasl":
            return
        kind = "login" if asked.kind == "login" else "command"
        self._handing.record(kind, Message(asked.login.span, asked.login.fields), response)
        self._handing.sightings(asked.login.sightings, outcome)
