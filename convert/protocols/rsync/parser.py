"""The lines with which rsync's client and daemon begin (rsyncd.conf(5), "auth users"; rsync's own documentation).

    server  @RSYNCD: 31.0 sha512 sha256 sha1 md5 md4      its version, and since 3.2.7 the digests that it knows
    client  @RSYNCD: 31.0 ...
    client  module                                        empty or #list: a list of the modules
    server  @RSYNCD: AUTHREQD challenge
    client  user response                                 base64 without padding: digest of password and challenge
    server  @RSYNCD: OK, or @ERROR: reason

What follows is not looked at. The digests of password and challenge are hashcat's modes for a salt behind a password.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, CERTAIN, HASH, LIKELY, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_LONGEST = 4096
_MOST_TEXT = 4096
_VERSION = re.compile(rb"@RSYNCD: ([0-9]{1,3})(?:\.[0-9]{1,3})?((?: [a-z0-9]{1,16}){0,16}) *\r?\Z")
_ANSWER = re.compile(rb"(\S{1,256}) ([A-Za-z0-9+/]{22,86})={0,2}\r?\Z")
_MODES = {"md5": 10, "sha1": 110, "sha256": 1410, "sha512": 1710}
_SIZES = {20: "sha1", 32: "sha256", 64: "sha512"}
_MD5_SINCE = 30
"""The version of the protocol; before it was MD4."""
_MOST_ROUNDS = 64


class _Lines:
    """One direction, and what was read of it."""

    def __init__(self) -> None:
        self.buffer = StreamBuffer()
        self.first: Span | None = None
        self.end = 0
        self.fields: dict[str, Value] = {}

    def next(self) -> tuple[bytes, Span] | None:
        """A line without its end; None: it is not here."""
        end = self.buffer.find(b"\n", _LONGEST)
        if end < 0:
            return None
        span = self.buffer.span(end + 1)
        self.first = self.first or span
        self.end = span.offset + span.length
        return self.buffer.take(end + 1)[:-1], span

    def message(self) -> Message | None:
        """All that was read, as one message."""
        if self.first is None:
            return None
        return Message(Span(self.first.place, self.first.offset, self.end - self.first.offset), self.fields)


class Rsync:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client, self._server = _Lines(), _Lines()
        self._version = 0
        self._challenge: bytes | None = None
        self._secret: Sighting | None = None
        self._text = ""
        self._over = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        if self._over:
            return
        side = self._client if to_server else self._server
        side.buffer.feed(data, offset, place)
        self._read(to_server, side)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        if not self._over:
            self._finish()

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        if not self._over:
            self._finish()

    def _read(self, to_server: bool, side: _Lines) -> None:
        while (found := side.next()) is not None:
            line, span = found
            if to_server:
                self._ask(line, span)
            else:
                self._hear(line)
            if self._over:
                return
        if len(side.buffer) >= _LONGEST:
            self._finish()

    def _ask(self, line: bytes, span: Span) -> None:
        fields = self._client.fields
        version = _VERSION.match(line)
        if version is not None and "version" not in fields:
            self._version = int(version[1])
            fields["version"] = line[9:].strip().decode("latin-1")
        elif "module" not in fields:
            fields["module"] = line.strip(b"\r").decode("latin-1")
        elif self._secret is None and (answer := _ANSWER.match(line)) is not None:
            self._prove(answer, span)

    def _prove(self, answer: re.Match[bytes], span: Span) -> None:
        token = answer[2]
        try:
            digest = b64decode(token + b"=" * (-len(token) % 4))
        except Base64Error:
            return
        kind = _SIZES.get(len(digest)) or ("md5" if self._version >= _MD5_SINCE else "md4")
        if len(digest) != 16 and len(digest) not in _SIZES:
            return
        user = answer[1].decode("latin-1")
        self._client.fields |= {"username": user, "secret": True}
        seen = self._challenge is not None
        line = b"%s:%s" % (digest.hex().encode(), self._challenge or b"")
        self._secret = Sighting(
            "login",
            None,
            user.encode("latin-1").decode("utf-8", "replace"),
            line,
            token,
            True,
            Span(span.place, span.offset + answer.start(2), len(token)),
            protocol="rsync",
            form=HASH,
            confidence=CERTAIN if seen else LIKELY,
            details={"mechanism": kind, "hashcat": _MODES.get(kind), "john": None, "challenge_seen": seen},
            parts=(digest,),
        )

    def _hear(self, line: bytes) -> None:
        fields = self._server.fields
        line = line.removesuffix(b"\r")
        if "version" not in fields and _VERSION.match(line):
            fields["version"] = line[9:].strip().decode("latin-1")
        elif line.startswith(b"@RSYNCD: AUTHREQD "):
            self._challenge = line[18:].strip()[:256]
            fields["authentication"] = "required"
        elif line == b"@RSYNCD: OK":
            self._end("ok", ACCEPTED)
        elif line == b"@RSYNCD: EXIT":
            self._end("exit", UNKNOWN)
        elif line.startswith(b"@ERROR"):
            fields["reason"] = line[6:].lstrip(b": ").decode("latin-1")
            self._end("error", REFUSED if b"auth" in line.lower() else UNKNOWN)
        elif len(self._text) < _MOST_TEXT:
            self._text += line[:_MOST_TEXT].decode("latin-1") + "\n"

    def _end(self, result: str, outcome: str) -> None:
        self._server.fields["result"] = result
        if self._secret is not None:
            self._secret.outcome = outcome
        self._finish()

    def _finish(self) -> None:
        self._over = True
        self._client.buffer.clear()
        self._server.buffer.clear()
        if self._text:
            self._server.fields["text"] = self._text[:_MOST_TEXT]
        request, response = self._client.message(), self._server.message()
        if request is None and response is None:
            return
        self._sink.record(Record("rsync", "rsync", 1, request, response))
        if self._secret is not None:
            self._secret.exchange = 1
            self._sink.sighting(self._secret)
