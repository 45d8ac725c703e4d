"""rsh and rexec: a port for errors, who asks, whose command it is, and the command, each ended by a zero.

rsh (BSD's rshd) is told both users' names and trusts the machine; rexec is told a user and a password. The server
answers a zero, or a one and a line with the reason. What the command says is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_LONGEST = 4096
_MOST_REASON = 512


class Rsh:
    """The parser of one conversation."""

    name = "rsh"
    fields: tuple[str, ...] = ("client_user", "user")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client, self._server = StreamBuffer(), StreamBuffer()
        self._request: Message | None = None
        self._secret: Sighting | None = None
        self._over = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        if self._over:
            return
        buffer = self._client if to_server else self._server
        if len(buffer) < _LONGEST:
            buffer.feed(data, offset, place)
        self._read()

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        if not self._over:
            self._finish(None)

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        if not self._over:
            self._finish(None)

    def _read(self) -> None:
        if self._request is None:
            self._ask()
        if self._request is not None:
            self._judge()

    def _judge(self) -> None:
        first = self._server.peek(1)
        if not first:
            return
        if first != b"\1":
            self._finish(Message(self._server.span(1), {"result": ACCEPTED if first == b"\0" else UNKNOWN}))
            return
        end = self._server.find(b"\n", _MOST_REASON)
        if end >= 0 or len(self._server) >= _MOST_REASON:
            self._refuse(end + 1 if end >= 0 else _MOST_REASON)

    def _refuse(self, size: int) -> None:
        reason = self._server.peek(size)[1:].rstrip(b"\r\n").decode("latin-1")
        self._finish(Message(self._server.span(size), {"result": REFUSED, "reason": reason}))

    def _ask(self) -> None:
        buffer = self._client
        head = buffer.peek(_LONGEST)
        parts = head.split(b"\0", 4)
        if len(parts) < 5:
            if len(head) >= _LONGEST:
                self._finish(None)
            return
        size = len(head) - len(parts[4])
        fields: dict[str, Value] = {"error_port": int(parts[0]) if parts[0].isdigit() and len(parts[0]) < 6 else None}
        for word, value in zip(self.fields, parts[1:], strict=False):
            fields[word] = value.decode("latin-1")
        password = parts[2] if len(self.fields) == 1 else b""
        if password:
            fields["secret"] = True
            at = buffer.at + len(parts[0]) + len(parts[1]) + 2
            user = parts[1].decode("utf-8", "replace")
            span = buffer.span_at(at, len(password))
            self._secret = Sighting("login", None, user, password, password, True, span, protocol=self.name)
        fields["command"] = parts[3].decode("latin-1")
        self._request = Message(buffer.span(size), fields)

    def _finish(self, response: Message | None) -> None:
        self._over = True
        if response is None and self._request is not None and self._server.peek(1) == b"\1":
            return self._refuse(len(self._server))
        self._client.clear()
        self._server.clear()
        if self._request is None:
            return None
        self._sink.record(Record("command", self.name, 1, self._request, response))
        if self._secret is not None:
            self._secret.outcome = str(response.fields["result"]) if response is not None else UNKNOWN
            self._secret.exchange = 1
            self._sink.sighting(self._secret)
        return None


class Rexec(Rsh):
    """The same with a password."""

    name = "rexec"
    fields = ("user",)
