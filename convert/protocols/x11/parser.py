"""X11's setup: who connects shows a cookie, which whoever reads it can show too.

What follows, windows and keys, is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, TOKEN, UNKNOWN, Sighting
from ..stream_buffer import StreamBuffer
from . import messages

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from .messages import Asked

_ROOM = 1 << 13


class X11:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client, self._server = StreamBuffer(), StreamBuffer()
        self._asked: Asked | None = None
        self._request: Message | None = None
        self._response: Message | None = None
        self._secret: Sighting | None = None
        self._over = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        if self._over:
            return
        buffer = self._client if to_server else self._server
        if len(buffer) < _ROOM:
            buffer.feed(data, offset, place)
        self._read()

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        if not self._over:
            self._finish()

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        if not self._over:
            self._finish()

    def _read(self) -> None:
        if self._asked is None and not self._ask():
            return
        assert self._asked is not None
        found = messages.answered(self._server.peek(2048), self._asked.order)
        if found is None:
            return
        fields: dict[str, Value] = {"result": messages.RESULTS.get(found.result, str(found.result))}
        if found.result in messages.RESULTS and found.result != messages.AUTHENTICATE:
            fields["version"] = f"{found.major}.{found.minor}"
        if found.reason:
            fields["reason"] = found.reason.decode("latin-1")
        if found.vendor:
            fields |= {"vendor": found.vendor.decode("latin-1"), "release": found.release}
        self._response = Message(self._server.span(min(found.size, len(self._server))), fields)
        if self._secret is not None:
            outcomes = {messages.SUCCESS: ACCEPTED, messages.FAILED: REFUSED}
            self._secret.outcome = outcomes.get(found.result, UNKNOWN)
        self._finish()

    def _ask(self) -> bool:
        """The client's message; False where it is not here yet, or is none."""
        buffer = self._client
        if len(buffer) < messages.HEADER:
            return False
        found = messages.asked(buffer.peek(messages.HEADER + 64))
        if found is None:
            self._sink.weird("x11-malformed", buffer.span(messages.HEADER))
            self._finish()
            return False
        if len(buffer) < found.size:
            return False
        whole = buffer.peek(found.size)
        name = whole[messages.HEADER :][: len(found.name)]
        fields: dict[str, Value] = {
            "byte_order": found.order,
            "version": f"{found.major}.{found.minor}",
            "authorization": name.decode("latin-1") or None,
        }
        data = whole[found.data_at : found.data_at + found.data_size]
        if data:
            fields["secret"] = True
        self._request = Message(buffer.span(found.size), fields)
        if data and name == messages.MAGIC_COOKIE:
            self._secret = Sighting(
                "setup", None, None, data.hex().encode(), data, True,
                buffer.span_at(buffer.at + found.data_at, len(data)), protocol="x11", form=TOKEN,
                details={"mechanism": "MIT-MAGIC-COOKIE-1"}, parts=(data,),
            )  # fmt: skip
        buffer.take(found.size)
        self._asked = found
        return True

    def _finish(self) -> None:
        self._over = True
        self._client.clear()
        self._server.clear()
        if self._request is None:
            return
        self._sink.record(Record("x11", "x11", 1, self._request, self._response))
        if self._secret is not None:
            self._secret.exchange = 1
            self._sink.sighting(self._secret)
