"""What SMTP, POP3 and IMAP have in common: lines both ways, a client that waits for answers, and a switch of protocols.

A client that has to wait for an answer (to AUTH, DATA, STARTTLS) but does not is common: spammers, pipelining. So its
bytes are held until the server has said what they are. Where that answer is not in the capture, which is taken to be
so after MOST_HELD bytes, after a gap and at the end, they are read as what they most likely are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...model.record import Record
from .lines import MOST_HELD, Incoming, Line

if TYPE_CHECKING:
    from ...model.record import Message, Value
    from ...model.span import Span
    from ..api import Parser, Sink

LONGEST_LINE = 16384
"""Of a command or an answer; RFC 4954 asks for 12,288."""
LONGEST_TEXT = 4096
"""Bytes of an answer's text that a record holds."""
MOST_WAITING = 1000
"""Commands without an answer that are kept."""

_TLS = (b"\x14", b"\x15", b"\x16", b"\x17")
"""How records of TLS begin (RFC 8446, 5.1)."""


class MailSession:
    """One conversation. A protocol says how a line of either side is taken."""

    name: ClassVar[str]

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.client = Incoming()
        self.server = Incoming()
        self.waiting = False
        """The client's bytes have no meaning before the server's next answer."""
        self.tls_next = False
        """The next bytes tell whether TLS begins: a capture may hold what was in it, decrypted."""
        self._inner: Parser | None = None  # by switch(), which what is called here may call
        self._ordinal = 0

    # What a protocol does

    def client_step(self) -> bool:
        """Read one thing the client said; False where there is none yet."""
        raise NotImplementedError

    def server_step(self) -> bool:
        """Read one thing the server said; False where there is none yet."""
        raise NotImplementedError

    def unanswered(self) -> None:
        """The answer for which the client waits is not in the capture: go on without."""
        raise NotImplementedError

    def client_lost(self, length: int) -> None:
        """Bytes of the client are missing, and none of it waits."""
        raise NotImplementedError

    def server_lost(self, length: int) -> None:
        """Bytes of the server are missing, and none of it waits."""
        raise NotImplementedError

    def last_line(self, to_server: bool, line: Line) -> None:
        """The capture ends within this line."""
        raise NotImplementedError

    def finish(self) -> None:
        """Hand out what was begun."""
        raise NotImplementedError

    # Parser

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction (api.py)."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, boundary)
            return
        self.take(to_server, data, offset, place)
        self.run()

    def take(self, to_server: bool, data: bytes, offset: int, place: object) -> None:
        """Let bytes wait to be read."""
        (self.client if to_server else self.server).feed(data, offset, place)

    def run(self) -> None:
        """Read all that can be read."""
        while self._inner is None:
            if self.tls_next and (first := self.client.peek(1) or self.server.peek(1)):
                self.tls_next = False
                if first in _TLS:
                    self.switch("tls")
                    return
            if self.waiting and len(self.client) > MOST_HELD:
                self.waiting = False
                self.unanswered()
            elif not (not self.waiting and self.client_step()) and not self.server_step():
                return

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known (api.py)."""
        if self._inner is not None:
            self._inner.gap(to_server, length, offset, place)
            return
        if to_server:
            self._give_up_waiting()
        else:
            self.server.gap(length, offset)
            self.server_lost(length)
            self._give_up_waiting()
        if (inner := self.inner) is not None:
            inner.gap(to_server, length, offset, place)
            return
        if to_server:
            self.client.gap(length, offset)
            self.client_lost(length)
        self.run()

    @property
    def inner(self) -> Parser | None:
        """Who gets what follows, once the protocol is another one."""
        return self._inner

    def _give_up_waiting(self) -> None:
        while self.waiting and self._inner is None:
            self.waiting = False
            self.unanswered()
            self.run()

    def close(self, ended: bool = True) -> None:
        """Nothing follows (api.py)."""
        self._give_up_waiting()
        if self._inner is not None:
            self._inner.close(ended)
            return
        for to_server, incoming in ((True, self.client), (False, self.server)):
            if (line := incoming.rest()) is not None:
                self.last_line(to_server, line)
        self.finish()

    def switch(self, name: str) -> None:
        """What follows is another protocol: it gets what waits, and all that comes."""
        self.finish()
        self._inner = inner = self.sink.switch(name)
        for to_server, incoming in ((True, self.client), (False, self.server)):
            for data, offset, place in incoming.drain():
                inner.data(to_server, data, offset, place, True)

    def begin_tls(self) -> None:
        """The server is ready for TLS. Commands that the client sent before that are an injection (CVE-2011-0411)."""
        self.tls_next = True
        held = self.client.peek(1)
        if held and held not in _TLS:
            self.sink.weird(f"{self.name}-plaintext-behind-starttls", self.client.span(len(self.client)))
            self.client.take(len(self.client))

    # Records

    def record(self, kind: str, request: Message | None, response: Message | None) -> int:
        """Hand out a record; gives its ordinal."""
        self._ordinal += 1
        self.sink.record(Record(kind, self.name, self._ordinal, request, response))
        return self._ordinal

    def too_long(self, span: Span) -> None:
        """A line was cut to LONGEST_LINE."""
        self.sink.weird(f"{self.name}-line-too-long", span)


def shown(name: str, text: bytes, most: int = LONGEST_TEXT) -> dict[str, Value]:
    """Text of the wire as a field of a record, cut where it is too long."""
    fields: dict[str, Value] = {name: text[:most].decode("latin-1")}
    if len(text) > most:
        fields[f"{name}_complete"] = False
    return fields
