"""NATS: logins with the server's verdict, subjects that are published to and subscribed; payloads are not kept.

https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from binascii import Error as BinasciiError
from typing import TYPE_CHECKING, Any

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, TOKEN, UNKNOWN, Sighting
from ...model.span import Span
from ..handing import Handing, Login, shown
from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_MOST_LINE = 64 * 1024
_MOST_PAYLOAD = 1 << 30
_OPERATION = re.compile(rb"(?i:(INFO|CONNECT|H?PUB|SUB|UNSUB|H?MSG|PING|PONG|\+OK|-ERR))(?:[ \t]++([^\r\n]*+))?\Z")
_STRING = rb"\"%b\"\s*:\s*\"((?:[^\"\\]|\\.)*)\""
_SECRETS = {"pass": "login", "auth_token": "login", "jwt": "login"}
_REFUSED = re.compile(rb"'?(?:Authorization|Authentication|User Authentication|Account)", re.IGNORECASE)


class _Side:
    def __init__(self) -> None:
        self.buffer = StreamBuffer()
        self.waiting: tuple[dict[str, Value], Span, int] | None = None
        """What is told of a payload that has not passed yet, where it begins, and how long it is."""
        self.quiet = False


class Nats:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._handing = Handing(sink, "nats")
        self._sides = {True: _Side(), False: _Side()}
        self._login: Login | None = None
        self._info: tuple[Span, dict[str, Value]] | None = None

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        side = self._sides[to_server]
        if side.quiet:
            return
        side.buffer.feed(data, offset, place)
        while self._step(to_server, side):
            pass

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        side = self._sides[to_server]
        if not side.quiet and not side.buffer.gap(length, offset):
            self._pass(to_server, side)
            self._sink.weird("nats-gap", Span(place, offset, length))
            side.quiet = True

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        for to_server, side in self._sides.items():
            if not side.quiet:
                self._pass(to_server, side)
        if self._login is not None:
            self._finish(None, UNKNOWN)
        elif self._info is not None:
            span, fields = self._info
            self._handing.record("login", None, Message(span, fields))
        self._info = None

    def _pass(self, to_server: bool, side: _Side) -> None:
        """Hand out what was published, with as much of its payload as passed."""
        if side.waiting is None:
            return
        fields, begin, _ = side.waiting
        side.waiting = None
        message = Message(side.buffer.span_from(begin), fields)
        self._handing.record("publish", message if to_server else None, None if to_server else message)

    def _step(self, to_server: bool, side: _Side) -> bool:
        buffer = side.buffer
        if side.quiet or buffer.skipping:
            return False
        self._pass(to_server, side)
        end = buffer.find(b"\n", _MOST_LINE)
        if end < 0:
            if len(buffer) >= _MOST_LINE:
                self._sink.weird("nats-long-line", buffer.span(_MOST_LINE))
                side.quiet = True
            return False
        span = buffer.span(end + 1)
        line = buffer.peek(end).rstrip(b"\r")
        match = _OPERATION.match(line)
        if match is None:
            if line:
                self._sink.weird("nats-malformed", span)
                side.quiet = True
            buffer.skip(end + 1)
            return True
        self._operation(to_server, side, match, span)
        size = side.waiting[2] if side.waiting is not None else 0
        buffer.skip(end + 1 + size)
        return True

    def _operation(self, to_server: bool, side: _Side, match: re.Match[bytes], span: Span) -> None:
        name, rest = match[1].upper(), match[2] or b""
        if name in {b"PUB", b"HPUB", b"MSG", b"HMSG"}:
            words = rest.split()
            size = words[-1] if words else b""
            if not words or not size.isdigit() or len(size) > 10 or int(size) > _MOST_PAYLOAD:
                self._sink.weird("nats-malformed", span)
                side.quiet = True
                return
            fields: dict[str, Value] = {"command": name.decode("ascii").lower()}
            shown(fields, "subject", words[0], 4096)
            fields["payload_length"] = int(size)
            side.waiting = fields, span, int(size) + 2
            if not to_server:
                self._judge(ACCEPTED, span, "ok", b"")
        elif to_server and name == b"CONNECT":
            self._connect(rest, match.start(2), side.buffer, span)
        elif to_server and name in {b"SUB", b"UNSUB"}:
            fields = {"command": name.decode("ascii").lower()}
            shown(fields, "subject" if name == b"SUB" else "subscription", rest.split(b" ")[0], 4096)
            self._handing.record("subscribe", Message(span, fields))
        elif not to_server and name == b"INFO" and self._info is None:
            self._inform(rest, span)
        elif not to_server and name in {b"+OK", b"PONG"}:
            self._judge(ACCEPTED, span, "ok", b"")
        elif not to_server and name == b"-ERR":
            self._judge(REFUSED if _REFUSED.match(rest) else UNKNOWN, span, "error", rest)

    def _inform(self, rest: bytes, span: Span) -> None:
        """INFO: what the server says of itself; its nonce is for signatures."""
        told = _object(rest)
        fields: dict[str, Value] = {}
        for name, field in (("server_name", "server_name"), ("version", "server_version")):
            if isinstance(told.get(name), str):
                shown(fields, field, told[name].encode("utf-8", "replace"), 1024)
        for name in ("auth_required", "tls_required"):
            if isinstance(told.get(name), bool):
                fields[name] = told[name]
        self._info = span, fields

    def _connect(self, rest: bytes, begin: int, buffer: StreamBuffer, span: Span) -> None:
        if self._login is not None:
            self._finish(None, UNKNOWN)
        told = _object(rest)
        fields: dict[str, Value] = {}
        for name, field in (("user", "user"), ("name", "client_name"), ("lang", "language"), ("version", "version")):
            if isinstance(told.get(name), str) and told[name]:
                shown(fields, field, told[name].encode("utf-8", "replace"), 1024)
        if isinstance(told.get("sig"), str) and told["sig"]:
            fields["signed"] = True
        login = self._login = Login(span, fields)
        user = told.get("user")
        for name, location in _SECRETS.items():
            value = told.get(name)
            found = re.search(_STRING % name.encode(), rest)
            if not isinstance(value, str) or not value or found is None:
                continue
            if name == "jwt" and not _bears(value):
                continue  # it is public: the signature proves who sends it
            place = buffer.span_at(span.offset + begin + found.start(1), len(found[1]))
            secret = value.encode("utf-8", "surrogatepass")
            who = user if isinstance(user, str) and user and name == "pass" else None
            one = Sighting(location, name, who, secret, found[1], True, place, protocol="nats")
            if name != "pass":
                one.form = TOKEN
            fields["secret"] = True
            login.sightings.append(one)

    def _judge(self, outcome: str, span: Span, result: str, said: bytes) -> None:
        if self._login is None:
            return
        fields: dict[str, Value] = {"result": result}
        if said and not any(one.secret in said for one in self._login.sightings):
            shown(fields, "message", said, 4096)
        self._finish(Message(span, fields), outcome)

    def _finish(self, response: Message | None, outcome: str) -> None:
        login, self._login = self._login, None
        assert login is not None
        if self._info is not None:
            span, fields = self._info
            self._info = None
            if response is None:
                response = Message(span, fields)
            else:
                end = response.span.offset + response.span.length
                both = Span(span.place, span.offset, end - span.offset)
                response = Message(both, {**fields, **response.fields})
        self._handing.login(login, response, outcome)


def _object(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _bears(jwt: str) -> bool:
    """The token alone lets its bearer in."""
    parts = jwt.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = _object(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (BinasciiError, ValueError):
        return False
    nats = claims.get("nats")
    return isinstance(nats, dict) and nats.get("bearer_token") is True
