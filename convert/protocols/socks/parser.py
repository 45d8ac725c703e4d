"""SOCKS 4, 4a and 5: what a client asks of a proxy, its user and password, and the tunnel behind (RFC 1928, 1929).

A request and its answer are one record. Once the proxy has granted the connection, what passes is handed to another
parser, which tells by its bytes what it is. The proxy's own exchange is short: all of it is held until it is read.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, Sighting
from ...model.span import Span
from .messages import Malformed, answer, answer_4, greeting, login, request, request_4

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Parser, Sink
    from .messages import Answered, Asked, Login

_ROOM = 1 << 14
"""Bytes of one direction that wait for what the other says."""
_LOOKED_AT = 1024
"""More than any message has."""
_LOGIN = 2
"""The method by which user and password are told."""
_NONE = 0xFF
_METHODS = {0: "none", 1: "gssapi", _LOGIN: "password", _NONE: "refused"}


class _Side:
    """The bytes of one direction that are not read yet."""

    def __init__(self) -> None:
        self.pieces: deque[tuple[bytes, int, object, bool]] = deque()
        self.size = 0
        self.first: Span | None = None
        """The first message that was read."""
        self.end = 0
        """Where what was read ends."""

    def add(self, data: bytes, offset: int, place: object, boundary: bool) -> None:
        self.pieces.append((data, offset, place, boundary))
        self.size += len(data)

    def peek(self) -> bytes:
        found, size = [], 0
        for data, *_ in self.pieces:
            found.append(data)
            size += len(data)
            if size > _LOOKED_AT:
                break
        return b"".join(found)[:_LOOKED_AT]

    def take(self, size: int) -> Span:
        """Read so many bytes, of which there are so many: where they stand."""
        span = self.at(0, size)
        while size:
            data, offset, place, boundary = self.pieces.popleft()
            taken = min(size, len(data))
            if taken < len(data):
                self.pieces.appendleft((data[taken:], offset + taken, place, boundary and not taken))
            size -= taken
            self.size -= taken
            self.end = offset + taken
        self.first = self.first or span
        return span

    def at(self, begin: int, size: int) -> Span:
        """Where so many bytes behind the first `begin` stand."""
        for data, offset, place, _ in self.pieces:
            if begin < len(data):
                return Span(place, offset + begin, size)
            begin -= len(data)
        return Span(None, self.end, size)

    def message(self, fields: dict[str, Value]) -> Message | None:
        """What was read, as one message."""
        if self.first is None:
            return None
        return Message(Span(self.first.place, self.first.offset, self.end - self.first.offset), fields)


class Socks:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client, self._server = _Side(), _Side()
        self._asked: dict[str, Value] = {}
        self._answered: dict[str, Value] = {}
        self._step = self._greet
        self._method: int | None = None
        self._request: Asked | None = None
        self._login: Sighting | None = None
        self._replies = 0
        self._over = False
        self._inner: Parser | None = None
        self._begun = [False, False]

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, boundary or not self._begun[to_server])
            self._begun[to_server] = True
        elif not self._over:
            side = self._client if to_server else self._server
            side.add(data, offset, place, boundary)
            self._read()
            if side.size > _ROOM and not self._over:
                self._stop("socks-too-much-held", side.at(0, 0))

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        if self._inner is None and not self._over:
            # Where the answer is lost, what it led to may not be.
            self._server.pieces.clear()
            self._finish(not to_server and self._request is not None and self._request.command == "connect")
        if self._inner is not None:
            self._begun[to_server] = True
            self._inner.gap(to_server, length, offset, place)

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        if self._inner is None and not self._over:
            if self._method is None and self._server.first is None:
                self._read_alone()
            self._finish(False)
        if self._inner is not None:
            self._inner.close(ended)

    # The steps, each of which reads one message: False where it has to wait

    def _read(self) -> None:
        try:
            while not self._over and self._step():
                pass
        except Malformed:
            waits_for_server = self._step in (self._choose, self._judge, self._reply)
            side = self._server if waits_for_server else self._client
            self._stop("socks-malformed", side.at(0, 0))

    def _greet(self) -> bool:
        data = self._client.peek()
        if data[:1] == b"\4":
            self._step = self._ask
            return True
        if data and data[0] != 5:
            raise Malformed
        found = greeting(data)
        if found is None:
            return False
        self._client.take(found[0])
        self._asked["version"] = "5"
        self._asked["methods"] = [_METHODS.get(method, str(method)) for method in found[1]]
        self._step = self._choose
        return True

    def _choose(self) -> bool:
        data = self._server.peek()
        if data and data[0] != 5:
            raise Malformed
        if len(data) < 2:
            return False
        self._server.take(2)
        self._method = data[1]
        self._answered["method"] = _METHODS.get(data[1], str(data[1]))
        if self._method == _LOGIN:
            self._step = self._log_in
        elif self._method == 0:
            self._step = self._ask
        else:
            self._finish(False)  # refused, or what follows is sealed in another manner (GSSAPI)
        return True

    def _log_in(self) -> bool:
        found = login(self._client.peek())
        if found is None:
            return False
        self._keep(found)
        self._client.take(found.size)
        self._step = self._judge
        return True

    def _keep(self, found: Login) -> None:
        username = found.username.decode("latin-1")
        self._asked["username"] = username
        if found.password:
            self._asked["secret"] = True
            span = self._client.at(found.password_at, len(found.password))
            self._login = Sighting(
                "login", None, username, found.password, found.password, True, span, protocol="socks"
            )

    def _judge(self) -> bool:
        data = self._server.peek()
        if len(data) < 2:
            return False
        self._server.take(2)
        accepted = data[1] == 0
        self._answered["authenticated"] = accepted
        if self._login is not None:
            self._login.outcome = ACCEPTED if accepted else REFUSED
        self._step = self._ask
        if not accepted:
            self._finish(False)
        return True

    def _ask(self) -> bool:
        data = self._client.peek()
        found = request_4(data) if self._method is None else request(data)
        if found is None:
            return False
        self._client.take(found.size)
        self._request = found
        username = self._asked.pop("username", found.username)
        secret = self._asked.pop("secret", None)
        self._asked |= {"version": found.version, "command": found.command}
        self._asked |= {"address": found.address, "port": found.port}
        if username is not None:
            self._asked["username"] = username
        if secret:
            self._asked["secret"] = True
        self._step = self._reply
        return True

    def _reply(self) -> bool:
        data = self._server.peek()
        found = answer_4(data) if self._method is None else answer(data)
        if found is None:
            return False
        self._server.take(found.size)
        self._tell(found)
        assert self._request is not None
        self._replies += 1
        if not found.granted or self._request.command == "udp-associate":
            self._finish(False)
        elif self._request.command == "connect" or self._replies == 2:
            self._finish(True)
        return True  # of a bind a second reply tells who has come

    def _tell(self, found: Answered) -> None:
        who = "peer_" if self._replies else ""
        self._answered |= {"reply": found.reply, "granted": found.granted}
        if found.address:
            self._answered |= {f"{who}address": found.address, f"{who}port": found.port}

    # The end

    def _read_alone(self) -> None:
        """Only the client was seen: what it said tells which method was chosen."""
        data = self._client.peek()
        if self._step == self._choose and data[:1] in (b"\1", b"\5"):
            self._method = _LOGIN if data[0] == 1 else 0
            try:
                if data[0] == 1 and (found := login(data)) is not None:
                    self._keep(found)
                    self._client.take(found.size)
                self._ask()
            except Malformed:
                return

    def _stop(self, name: str, span: Span) -> None:
        self._sink.weird(name, span)
        self._finish(False)

    def _finish(self, tunnel: bool) -> None:
        """Hand out the record; what follows is another protocol (`tunnel`), or is not looked at."""
        self._over = True
        asked = self._client.message(self._asked)
        answered = self._server.message(self._answered)
        if asked is not None or answered is not None:
            self._sink.record(Record("proxy", "socks", 1, asked, answered))
            if self._login is not None:
                self._login.exchange = 1
                self._sink.sighting(self._login)
        if tunnel:
            self._inner = self._sink.switch(None)
            for to_server, side in ((True, self._client), (False, self._server)):
                for data, offset, place, boundary in side.pieces:
                    self._inner.data(to_server, data, offset, place, boundary or not self._begun[to_server])
                    self._begun[to_server] = True
        self._client.pieces.clear()
        self._server.pieces.clear()
