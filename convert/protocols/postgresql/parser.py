"""PostgreSQL, version 3: logins, queries of both protocols, COPY, on TCP and on unix sockets.

Answers come in the order of the messages that ask for them, however many of these a client sends ahead. Where bytes are
missing, requests and answers are told apart until a turn of the client leaves no doubt.
https://www.postgresql.org/docs/current/protocol-flow.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from .answers import md5, scram
from .messages import CANCEL, GSS, LONGEST, SHORT, SSL, PgFramer, startup, strings
from .queue import LOGIN, Queue
from .requests import MESSAGES
from .units import Unit

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Parser, Sink
    from ..sql.packets import Packet

_SASL = re.compile(rb"[A-Z0-9-]{4,40}\0|[a-z]=|[nyp][,=]")
_METHODS = {2: "kerberos", 3: "password", 5: "md5", 6: "scm", 7: "gss", 9: "sspi", 10: "sasl"}


class PostgreSql:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._client = PgFramer(self._said, True)
        self._server = PgFramer(self._answered, False)
        for framer in (self._client, self._server):
            framer.lose()
            framer.anchor()
        self._inner: Parser | None = None
        self._quiet = False
        self._last: bool | None = None
        self._fresh = False
        self._adrift = True
        """Which answer belongs to what is not known."""
        self._asked: Packet | None = None
        """SSLRequest or GSSENCRequest, not yet answered."""
        self._login: Unit | None = None
        self._user: str | None = None
        self._refused_tls = False
        self._queue = Queue(self._hand_unit)

    # What comes in.

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, boundary)
            return
        if self._quiet or not data:
            return
        if to_server is not self._last:
            self._turn(to_server)
        framer = self._client if to_server else self._server
        taken = framer.feed(data, offset, place)
        while taken < len(data) and not self._passed_on(to_server, data[taken:], offset + taken, place):
            framer.stop = False  # only the header has changed
            taken += framer.feed(data[taken:], offset + taken, place)
        framer.stop = False

    def _passed_on(self, to_server: bool, data: bytes, offset: int, place: object) -> bool:
        """Whether these bytes are none of ours."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, False)
        return self._quiet or self._inner is not None

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that moved and are not known."""
        if self._inner is not None:
            self._inner.gap(to_server, length, offset, place)
            return
        if self._quiet or length <= 0:
            return
        if to_server is not self._last:
            self._turn(to_server)
        framer = self._client if to_server else self._server
        before = framer.synced
        framer.gap(length, offset)
        if to_server:
            self._fresh = False
        if not framer.synced:
            framer.typed()
            self._asked = None
            self._flush()
            if before:
                self._sink.weird("postgresql-gap", Span(place, offset, length))

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        if self._inner is not None:
            self._inner.close(ended)
            return
        rest = self._client.rest()
        if rest is not None and not self._quiet and rest.body:
            self._said(rest)
        self._flush()
        self._quiet = True

    def _turn(self, to_server: bool) -> None:
        self._last = to_server
        self._fresh = to_server
        (self._client if to_server else self._server).anchor()

    # The client.

    def _said(self, packet: Packet) -> None:
        if self._quiet:
            return
        if self._client.header == 8:
            self._fresh = False
            self._start(packet)
            return
        if self._client.count(packet):
            return
        fresh, self._fresh = self._fresh, False
        if packet.tag == 0x70:
            self._answer(packet)
        elif (take := MESSAGES.get(packet.tag)) is not None:
            if fresh and (self._adrift or not self._server.synced):
                self._flush()
                self._adrift = False
            take(self._queue, packet, self._user)
            if self._queue.full:
                self._flush()

    def _start(self, packet: Packet) -> None:
        """A message without a type."""
        code = packet.tag
        self._adrift = False
        if code in {SSL, GSS}:
            self._asked = packet
            self._server.begin_here()
            self._server.one_byte()
            return
        self._client.stop = True
        self._client.typed()
        if code == CANCEL:
            unit = Unit("cancel", packet.span)
            unit.fields["backend_pid"] = int.from_bytes(packet.body[:4], "big")
            self._queue.add(unit)
            return
        self._server.begin_here()
        self._server.typed()
        told = startup(packet)
        unit = self._login = Unit("login", packet.span, "login")
        user = told.get("user")
        self._user = unit.user = _utf8(user) if user else None
        fields = unit.fields
        fields["user"] = user and user[:SHORT]
        fields["database"] = (told.get("database") or user or "")[:SHORT] or None
        for name in ("application_name", "client_encoding", "replication"):
            if (one := told.get(name)) is not None:
                fields[name] = one[:SHORT]
        others = [[name[:SHORT], one[:SHORT]] for name, one in told.pairs if name not in {"user", "database"}]
        shown = [pair for pair in others if pair[0] not in fields]
        if shown:
            fields["attributes"] = [list(pair) for pair in shown]
        fields["version"] = told.version
        if self._refused_tls:
            fields["tls"] = False
        self._queue.push(LOGIN, unit, packet)

    def _answer(self, packet: Packet) -> None:
        """PasswordMessage and what else answers the server's demand."""
        unit = self._login
        if unit is None:
            return
        if unit.handed:  # after a loss: the rest of that login
            before, unit = unit, Unit("login", None, "login")
            unit.user, unit.mechanism, unit.salt, unit.scram = before.user, before.mechanism, before.salt, before.scram
            unit.fields |= {"user": before.fields.get("user"), "continued": True}
            self._login = unit
            self._queue.push(LOGIN, unit, packet)
        else:
            unit.asked(packet)
        body, asked = packet.body, unit.mechanism
        if asked == 10:
            name = body.split(b"\0")[0][:SHORT].decode("latin-1")
            unit.fields["authentication"] = name
            unit.mechanism = 11
            unit.scram = scram(packet, unit.user)
            return
        if unit.scram is not None and asked in {None, 11}:
            hashed = unit.scram.client(packet)
            unit.sightings += [hashed] if hashed is not None else []
            return
        if asked == 5 or (asked is None and unit.begun is None):
            hashed = md5(packet, unit.user, unit.salt)
            if hashed is not None:
                unit.fields["authentication"] = "md5"
                unit.sightings.append(hashed)
                return
        if asked is None and unit.begun is None:
            unit.scram = scram(packet, unit.user)
            if _SASL.match(body) or not body.endswith(b"\0") or min(body[:-1], default=0) < 0x20:
                return
        elif asked != 3:
            return
        unit.fields["authentication"] = "password"
        secret = body.split(b"\0")[0]
        if secret:
            whole = packet.complete and len(secret) < packet.length
            text = secret.decode("latin-1")
            unit.sight("login", unit.user, text, secret, packet.part(0, len(secret)), whole)

    # The server.

    def _answered(self, packet: Packet) -> None:
        if self._quiet:
            return
        if self._server.header == 1:
            self._one_byte(packet)
            return
        if self._server.count(packet):
            return
        tag = packet.tag
        if tag == 0x53:  # ParameterStatus
            name, value = [*strings(packet.body), "", ""][:2]
            if self._login is not None and name == "server_version":
                self._login.told["server_version"] = value[:SHORT]
        elif tag == 0x4B and self._login is not None:  # BackendKeyData; the key is for cancelling
            self._login.told["backend_pid"] = int.from_bytes(packet.body[:4], "big")
        elif tag == 0x41:  # NotificationResponse
            channel, payload = [*strings(packet.body[4:]), "", ""][:2]
            fields: dict[str, Value] = {"channel": channel[:SHORT], "payload": payload[:LONGEST]}
            self._hand("query", None, Message(packet.span, fields))
        else:
            self._judge(packet)

    def _one_byte(self, packet: Packet) -> None:
        """The answer to SSLRequest or GSSENCRequest."""
        asked, self._asked = self._asked, None
        self._server.stop = True
        self._server.typed()
        if packet.tag == 0x45:  # an old server's error, whose first byte was taken
            self._server.lose()
        if asked is None or packet.tag == 0x45:
            return
        if packet.tag == 0x4E:
            self._refused_tls = True
            return
        tls = packet.tag == 0x53
        name = "tls" if tls else "gss_encryption"
        request, response = Message(asked.span, {name: True}), Message(packet.span, {name: True})
        self._hand("login", request, response)
        if tls:
            self._inner = self._sink.switch("tls")
            self._client.stop = True
        else:
            self._quiet = True

    def _judge(self, packet: Packet) -> None:
        login = self._login
        if login is not None and packet.tag == 0x52:
            code = int.from_bytes(packet.body[:4], "big")
            if code in _METHODS:
                login.mechanism = code
                login.salt = packet.body[4:8] if code == 5 else None
                login.fields["authentication"] = _METHODS[code]
            elif code == 11 and login.scram is not None:
                login.scram.server(packet.body[4:])
            elif not code:
                login.acknowledge()
                login.fields.setdefault("authentication", "trust")
        rows, copied = self._server.row_count, self._server.copied
        if self._queue.answer(packet, rows, copied or self._client.copied, self._server.first, self._adrift):
            self._forget_counts()
        if login is not None and login.handed:
            self._login = None

    # What goes out.

    def _flush(self) -> None:
        self._queue.flush(self._server.row_count, self._server.copied or self._client.copied)
        self._forget_counts()
        self._adrift = True

    def _forget_counts(self) -> None:
        self._server.forget_counts()
        self._client.forget_counts()

    def _hand_unit(self, unit: Unit) -> None:
        unit.judge()
        request, response = unit.request(), unit.response()
        if request is None and response is None:
            return
        self._hand(unit.kind, request, response)
        for sighting in unit.sightings:
            sighting.exchange = self._ordinal
            self._sink.sighting(sighting)

    def _hand(self, kind: str, request: Message | None, response: Message | None) -> None:
        self._ordinal += 1
        self._sink.record(Record(kind, "postgresql", self._ordinal, request, response))


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text
