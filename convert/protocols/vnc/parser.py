"""RFB, the protocol of VNC: the handshake up to the desktop's name (RFC 6143, 7.1 and 7.3; versions 3.3, 3.7 and 3.8).

With security type 2 the server sends 16 bytes, which the client encrypts by DES with the password: who reads both can
guess it. There is no user. What follows the handshake is pictures and keys, which are not looked at; a client that goes
on tells that it was let in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, CERTAIN, HASH, LIKELY, REFUSED, UNKNOWN, Sighting
from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..api import Sink

_VERSION = re.compile(rb"RFB ([0-9]{3})\.([0-9]{3})\n")
_SIZE = 12
_NONE, _VNC = 1, 2
_CHALLENGE = 16
_MOST_TEXT = 1024
_ROOM = 1 << 14
"""Bytes of one side that wait for what the other says."""
_KINDS = {0: "invalid", _NONE: "none", _VNC: "vnc", 5: "ra2", 6: "ra2ne", 16: "tight", 17: "ultra", 18: "tls",
          19: "vencrypt", 20: "sasl", 21: "md5", 22: "xvp", 30: "apple-dh", 35: "apple-kerberos"}  # fmt: skip
"""IANA's security types, by the names that are in use."""


class _Side:
    """One direction up to the end of the handshake."""

    def __init__(self) -> None:
        self.buffer = StreamBuffer()
        self.first: Span | None = None
        self.fields: dict[str, Value] = {}

    def take(self, size: int) -> tuple[bytes, Span]:
        """The next bytes, all of which are here."""
        span = self.buffer.span(size)
        if self.first is None:
            self.first = span
        return self.buffer.take(size), span

    def message(self) -> Message | None:
        """All that was read."""
        if self.first is None:
            return None
        return Message(self.buffer.span_from(self.first), self.fields)


class Vnc:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client, self._server = _Side(), _Side()
        self._over = False
        self._step = self._greet
        self._minor = 999
        self._challenge: bytes | None = None
        self._answer: tuple[bytes, Span] | None = None
        self._result: int | None = None
        self._started = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        if self._over:
            return
        side = self._client if to_server else self._server
        side.buffer.feed(data, offset, place)
        self._read()
        if len(side.buffer) > _ROOM:  # of what is over nothing is held
            self._finish()

    def _read(self) -> None:
        while not self._over and self._step():
            pass

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known: where in the handshake they stood is not known either."""
        if not self._over:
            self._finish()

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        if not self._over:
            self._read_alone()
            self._finish()

    # The steps, each of which reads one message: False where it has to wait

    def _greet(self) -> bool:
        if len(self._server.buffer) < _SIZE or not self._version(self._server):
            return False
        self._step = self._greeted
        return True

    def _greeted(self) -> bool:
        if len(self._client.buffer) < _SIZE or not self._version(self._client):
            return False
        self._step = self._offer if self._minor >= 7 else self._offer_old
        return True

    def _version(self, side: _Side) -> bool:
        """The lower one of both sides' versions is spoken; all of them begin with 3."""
        found = _VERSION.match(side.buffer.peek(_SIZE))
        if found is None:
            self._finish("vnc-malformed", side.buffer.span(min(len(side.buffer), _SIZE)))
            return False
        side.take(_SIZE)
        side.fields["version"] = f"{int(found[1])}.{int(found[2])}"
        self._minor = min(self._minor, int(found[2]))
        return True

    def _offer_old(self) -> bool:
        """The server decides, by four bytes (3.3)."""
        if len(self._server.buffer) < 4:
            return False
        chosen = int.from_bytes(self._server.take(4)[0], "big")
        self._chose(chosen)
        if not chosen:
            self._step = self._reason
        return True

    def _offer(self) -> bool:
        """The server lists types, the client chooses one of them."""
        head = self._server.buffer.peek(256)
        if not head or len(head) < 1 + head[0]:
            return False
        listed = list(self._server.take(1 + head[0])[0][1:])
        self._server.fields["securities"] = [_KINDS.get(one, str(one)) for one in listed]
        self._step = self._choose if listed else self._reason
        return True

    def _choose(self) -> bool:
        if not len(self._client.buffer):
            return False
        self._chose(self._client.take(1)[0][0])
        return True

    def _chose(self, chosen: int) -> None:
        self._client.fields["security"] = self._server.fields["security"] = _KINDS.get(chosen, str(chosen))
        if chosen == _VNC:
            self._step = self._ask
        elif chosen == _NONE and self._minor >= 8:
            self._step = self._judge
        elif chosen == _NONE:
            self._step = self._start
        elif chosen:
            self._finish()

    def _ask(self) -> bool:
        if len(self._server.buffer) < _CHALLENGE:
            return False
        self._challenge = self._server.take(_CHALLENGE)[0]
        self._step = self._respond
        return True

    def _respond(self) -> bool:
        if len(self._client.buffer) < _CHALLENGE:
            return False
        self._answer = self._client.take(_CHALLENGE)
        self._client.fields["secret"] = True
        self._step = self._judge
        return True

    def _judge(self) -> bool:
        if len(self._server.buffer) < 4:
            return False
        self._result = int.from_bytes(self._server.take(4)[0], "big")
        self._server.fields["result"] = {0: "ok", 1: "failed", 2: "too-many"}.get(self._result, str(self._result))
        if self._result:
            if self._minor < 8:
                self._finish()
                return False
            self._step = self._reason
            return True
        self._step = self._start
        return True

    def _reason(self) -> bool:
        """Why not: a text behind its length."""
        head = self._server.buffer.peek(4)
        size = int.from_bytes(head, "big")
        if len(head) < 4 or len(self._server.buffer) < 4 + min(size, _MOST_TEXT):
            return False
        text = self._server.take(4 + min(size, _MOST_TEXT))[0][4:]
        self._server.fields["reason"] = text.decode("latin-1")
        if size > _MOST_TEXT:
            self._server.fields["reason_complete"] = False
        self._finish()
        return False

    def _start(self) -> bool:
        """Whether the desktop is shared: who asks that was let in."""
        if not len(self._client.buffer):
            return False
        self._client.fields["shared"] = self._client.take(1)[0] != b"\0"
        self._started = True
        self._step = self._describe
        return True

    def _describe(self) -> bool:
        """The screen: width, height, pixels (16), the desktop's name behind its length."""
        head = self._server.buffer.peek(24)
        size = int.from_bytes(head[20:24], "big")
        if len(head) < 24 or len(self._server.buffer) < 24 + min(size, _MOST_TEXT):
            return False
        name = self._server.take(24 + min(size, _MOST_TEXT))[0][24:]
        told: dict[str, Value] = {"width": int.from_bytes(head[:2], "big"), "height": int.from_bytes(head[2:4], "big")}
        self._server.fields |= told | {"desktop": name.decode("latin-1")}
        if size > _MOST_TEXT:
            self._server.fields["desktop_complete"] = False
        self._finish()
        return False

    # The end

    def _read_alone(self) -> None:
        """Only the client was seen: version, the type of security, 16 bytes; then what it says once it is let in."""
        buffer = self._client.buffer
        found = _VERSION.match(buffer.peek(_SIZE))
        if found is None or self._server.first is not None or len(self._server.buffer):
            return
        self._client.take(_SIZE)
        self._client.fields["version"] = f"{int(found[1])}.{int(found[2])}"
        if int(found[2]) >= 7:
            if buffer.peek(1) != bytes((_VNC,)):
                return
            self._client.take(1)
            self._client.fields["security"] = _KINDS[_VNC]
        if len(buffer) >= _CHALLENGE and (int(found[2]) >= 7 or len(buffer) == _CHALLENGE):
            self._answer = self._client.take(_CHALLENGE)
            self._client.fields["secret"] = True

    def _finish(self, weird: str | None = None, span: Span | None = None) -> None:
        """Hand out the record and the answer; what follows is not looked at."""
        self._over = True
        if weird is not None and span is not None:
            self._sink.weird(weird, span)
        client, server = self._client.message(), self._server.message()
        self._client.buffer.clear()
        self._server.buffer.clear()
        if client is None and server is None:
            return
        self._sink.record(Record("vnc", "vnc", 1, client, server))
        if self._answer is not None:
            self._sight(*self._answer)

    def _sight(self, answer: bytes, span: Span) -> None:
        outcome = UNKNOWN
        if self._result is not None:
            outcome = REFUSED if self._result else ACCEPTED
        elif self._started:
            outcome = ACCEPTED
        seen = self._challenge is not None
        line = b"$vnc$*%s*%s" % ((self._challenge or b"").hex().encode(), answer.hex().encode())
        self._sink.sighting(
            Sighting(
                "login",
                None,
                None,
                line,
                answer,
                True,
                span,
                outcome=outcome,
                exchange=1,
                protocol="vnc",
                form=HASH,
                confidence=CERTAIN if seen else LIKELY,
                details={"mechanism": "VNC", "hashcat": None, "john": "vnc", "challenge_seen": seen},
                parts=(answer,),
            )
        )
