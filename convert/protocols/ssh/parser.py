"""SSH (RFC 4253): what both ends say before all is encrypted. Then the parser is quiet.

One record a conversation: the banners, the algorithms that each side offers, the server's host key.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5, sha256
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_BANNER = 255
_BEFORE = 1024
"""Lines that a server may send before its banner, and bytes of each; more is no SSH."""
_LINE = 1024
_SHOWN = 16
"""Of these lines."""
_PACKET = 1 << 18
"""Bytes of a packet: all have to take 35,000 (RFC 4253 section 6.1), OpenSSH takes no more than this."""
_NAMES = 256
"""Names of one list of algorithms that are shown."""
_DISCONNECT, _KEXINIT, _NEWKEYS, _REPLY, _GROUP_REPLY = 1, 20, 21, 31, 33
_LISTS = (
    "kex_algorithms",
    "host_key_algorithms",
    "ciphers_to_server",
    "ciphers_to_client",
    "macs_to_server",
    "macs_to_client",
    "compression_to_server",
    "compression_to_client",
    "languages_to_server",
    "languages_to_client",
)
_AGREED = ("kex", "host_key", "cipher_to_server", "cipher_to_client")
_KEYS = (b"ssh-", b"ecdsa-sha2-", b"sk-", b"rsa-sha2-", b"x509v3-", b"null")


class _Side:
    """What one end said."""

    def __init__(self, to_server: bool) -> None:
        self.to_server = to_server
        self.buffer = StreamBuffer()
        self.fields: dict[str, Value] = {}
        self.before: list[Value] = []
        self.lines = 0
        self.begin: Span | None = None
        self.end = 0
        self.greeted = False
        self.lists: list[str] | None = None
        self.ancient = False
        self.done = False


class Ssh:
    """The beginning of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._sides = {True: _Side(True), False: _Side(False)}
        self._finished = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction, however they are cut."""
        side = self._sides[to_server]
        if side.done:
            return
        side.buffer.feed(data, offset, place)
        while self._packet(side) if side.greeted else self._line(side):
            pass

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known: of a packet that says nothing for the record, or the end of what can be read."""
        side = self._sides[to_server]
        if side.done or side.buffer.gap(length, offset):
            return
        self._end(side)

    def close(self, ended: bool = True) -> None:
        """Hand out what was said."""
        self._finish()

    def _end(self, side: _Side) -> None:
        side.done = True
        side.buffer.clear()
        if self._sides[not side.to_server].done:
            self._finish()

    def _line(self, side: _Side) -> bool:
        buffer = side.buffer
        begin = buffer.peek(4)
        if side.to_server and not b"SSH-".startswith(begin):
            self._broken(side)  # a client says nothing before its banner
            return False
        end = buffer.find(b"\n", _LINE)
        if end < 0:
            if len(buffer) >= _LINE:
                self._broken(side)
            return False
        span = buffer.span(end + 1)
        line = buffer.take(end + 1)[:-1].removesuffix(b"\r")
        side.begin = side.begin or span
        side.end = buffer.at
        if line.startswith(b"SSH-"):
            self._banner(side, line, span)
            return not side.done
        side.lines += 1
        if side.lines > _BEFORE:
            self._broken(side)
            return False
        if len(side.before) < _SHOWN:
            side.before.append(line.decode("latin-1"))
        return True

    def _banner(self, side: _Side, line: bytes, span: Span) -> None:
        side.greeted = True
        if span.length > _BANNER:
            self._sink.weird("ssh-long-banner", span)
        side.fields["banner"] = line.decode("latin-1")
        version, _, software = line[4:].decode("latin-1").partition("-")
        software, _, comment = software.partition(" ")
        side.fields["version"] = version
        side.fields["software"] = software
        if comment:
            side.fields["comment"] = comment
        if side.before:
            side.fields["lines_before"] = side.before
        if not version.startswith("2") and version != "1.99":
            for each in self._sides.values():  # SSH 1 has other packets; the other side may know both
                each.ancient = True
            self._end(side)

    def _broken(self, side: _Side) -> None:
        self._sink.weird("ssh-broken", side.buffer.span(0))
        self._end(side)

    def _packet(self, side: _Side) -> bool:
        """One packet in the clear, of which there are few: the algorithms, the keys, the end of it."""
        if side.ancient:
            self._end(side)
            return False
        buffer = side.buffer
        if len(buffer) < 6:
            return False
        head = buffer.peek(6)
        size, padding, kind = int.from_bytes(head[:4], "big"), head[4], head[5]
        if not padding + 2 <= size <= _PACKET:
            self._broken(side)
            return False
        if kind not in (_DISCONNECT, _KEXINIT, _NEWKEYS, _REPLY, _GROUP_REPLY):
            buffer.skip(4 + size)
            return not buffer.skipping
        if len(buffer) < 4 + size:
            return False
        span = buffer.span(4 + size)
        body = buffer.take(4 + size)[6 : 4 + size - padding]
        if kind == _NEWKEYS:
            self._end(side)
            return False
        if kind == _KEXINIT:
            self._algorithms(side, body, span)
        elif kind == _DISCONNECT:
            side.end = buffer.at
            side.fields["disconnect_code"] = int.from_bytes(body[:4], "big")
            side.fields["disconnect_text"] = _string(body, 4)[:_LINE].decode("latin-1")
        elif "host_key_type" not in side.fields:
            self._host_key(side, _string(body, 0))
        return True

    def _algorithms(self, side: _Side, body: bytes, span: Span) -> None:
        if side.lists is not None:
            return
        lists: list[str] = []
        at = 16  # behind the cookie
        for _ in _LISTS:
            lists.append(_string(body, at).decode("latin-1"))
            at += 4 + int.from_bytes(body[at : at + 4], "big")
        if at > len(body):
            self._sink.weird("ssh-broken", span)
            return
        side.lists = lists
        side.end = span.offset + span.length

    def _host_key(self, side: _Side, key: bytes) -> None:
        name = _string(key, 0)
        if name.startswith(_KEYS):
            side.end = side.buffer.at
            side.fields["host_key_type"] = name.decode("latin-1")
            digest = b64encode(sha256(key).digest()).decode().rstrip("=")
            side.fields["host_key_fingerprint"] = f"SHA256:{digest}"

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        client = self._client()
        self._agree(client, self._sides[not client.to_server])
        request, response = (self._spoken(side, side is client) for side in self._sides.values())
        if request is not None or response is not None:
            self._sink.record(Record("ssh", "ssh", 1, request, response))

    def _spoken(self, side: _Side, client: bool) -> Message | None:
        if side.begin is None:
            return None
        if "banner" not in side.fields and side.before:
            side.fields["lines_before"] = side.before
        self._offer(side, client)
        return Message(Span(side.begin.place, side.begin.offset, side.end - side.begin.offset), side.fields)

    def _client(self) -> _Side:
        """The side that is SSH's client: of the connection too, but where its algorithms say otherwise."""
        usual, other = self._sides[True], self._sides[False]
        telling = other if _marked(other, "c") else usual if _marked(usual, "s") and not _marked(usual, "c") else None
        if telling is None or telling.begin is None:
            return usual
        self._sink.weird("ssh-roles-reversed", telling.begin)
        return other

    @staticmethod
    def _agree(client: _Side, server: _Side) -> None:
        """What both will use: the first that the client names and the server knows (RFC 4253 section 7.1)."""
        if client.lists is None or server.lists is None:
            return
        for name, offered, known in zip(_AGREED, client.lists, server.lists, strict=False):
            there = set(known.split(","))
            server.fields[f"agreed_{name}"] = next((one for one in offered.split(",") if one and one in there), None)

    @staticmethod
    def _offer(side: _Side, client: bool) -> None:
        """Add the lists and their fingerprint: of the client what it would send, of the server likewise."""
        lists = side.lists
        if lists is None:
            return
        later = ("host_key_", "agreed_", "disconnect_")
        keys = {name: side.fields.pop(name) for name in list(side.fields) if name.startswith(later)}
        for name, listed in zip(_LISTS, lists, strict=True):
            names = listed.split(",") if listed else []
            side.fields[name] = [*names[:_NAMES]]
            if len(names) > _NAMES:
                side.fields[f"{name}_complete"] = False
        parts = (0, 2, 4, 6) if client else (0, 3, 5, 7)
        text = ";".join(lists[part] for part in parts).encode("latin-1")
        side.fields["hassh" if client else "hassh_server"] = md5(text, usedforsecurity=False).hexdigest()
        side.fields.update(keys)


def _marked(side: _Side, role: str) -> bool:
    """Its algorithms hold a mark that only a client (c) or a server (s) sends (RFC 8308, OpenSSH's strict exchange)."""
    marks = (f"ext-info-{role}", f"kex-strict-{role}-v00@openssh.com")
    return side.lists is not None and any(mark in marks for mark in side.lists[0].split(","))


def _string(data: bytes, at: int) -> bytes:
    """Bytes behind their length of four; what is there of them."""
    return data[at + 4 : at + 4 + int.from_bytes(data[at : at + 4], "big")]
