"""Requests and responses of HTTP/2 (RFC 9113, 8) while they pass: one direction of one stream."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ...model.exchange import HttpRequest, HttpResponse
from ...model.span import Span
from ..http.body_secrets import OTHER, kind_of
from ..http.content import BodyContent, open_body
from ..http.content_coding import named
from ..http.outcome import LOOKED_AT
from ..http1.kept import Kept
from . import grpc

if TYPE_CHECKING:
    import hashlib

    from ...model.record import Value
    from ..api import Sink
    from .hpack import Block

VERSION = "HTTP/2"
_NOWHERE = Span(None, 0, 0)
MOST_CONTENT = 128
"""What contents that pass at the same time may weigh: each 1, and 8 for each br or zstd, which may take megabytes."""
_HEAVY = frozenset({"br", "zstd"})
_WEIGHT, _DIVIDED_WEIGHT, _HEAVY_WEIGHT = 1, 4, 8
_PSEUDO = frozenset({":method", ":scheme", ":authority", ":path", ":protocol", ":status"})


class Head:
    """A header block as a message has it. What is not known is None or left out, and counted in `unknown`."""

    def __init__(self, block: Block) -> None:
        self.pseudo: dict[str, str] = {}
        self.headers: list[tuple[str, str]] = []
        self.unknown = 0
        self.odd = list(block.odd)
        for name, value in block.fields:
            if name is None or value is None:
                self.unknown += 1
                continue
            text = name.decode("latin-1")
            if text[:1] != ":":
                self.headers.append((text, value.decode("latin-1")))
                continue
            if self.headers or text in self.pseudo or text not in _PSEUDO:
                self._note("http2-bad-pseudo-header")
            self.pseudo.setdefault(text, value.decode("latin-1"))
        self.complete = block.whole and not self.unknown and block.total == len(block.fields)
        self.total = block.total - len(self.pseudo)
        if any(name != name.lower() for name, _ in self.headers):
            self._note("http2-upper-case-header")
        self.ascii = all(map(str.isascii, self.pseudo.values())) and ascii_only(self.headers)

    def _note(self, name: str) -> None:
        if name not in self.odd:
            self.odd.append(name)

    def values(self, wanted: str) -> list[str]:
        """Of all headers of that name."""
        return [value for name, value in self.headers if name == wanted]

    def value(self, wanted: str) -> str | None:
        """Of the first header of that name."""
        return next(iter(self.values(wanted)), None)

    @property
    def is_interim(self) -> bool:
        """Of a response that another one follows."""
        status = self.pseudo.get(":status", "")
        return len(status) == 3 and status.startswith("1") and status.isdigit()


def ascii_only(headers: list[tuple[str, str]]) -> bool:
    """Whether names and values need no second look."""
    return all(name.isascii() and value.isascii() for name, value in headers)


class Contents:
    """What looks into bodies, bounded however many pass at the same time."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._weight = 0

    def open(
        self, to_server: bool, encodings: list[str], kind: str | None, judged: bool
    ) -> tuple[BodyContent | None, int]:
        """What takes a body with such headers, and its weight; no content and a weight: there are too many."""
        weight = _WEIGHT + sum(_HEAVY_WEIGHT for name in named(encodings) if name in _HEAVY)
        if kind is not None and "multipart" in kind.lower():
            weight += _DIVIDED_WEIGHT
        if self._weight + weight > MOST_CONTENT and (encodings or weight > _WEIGHT):
            return None, weight
        content = open_body(self._sink, to_server, encodings or None, None, kind, judged)
        if content is None:
            return None, 0
        self._weight += weight
        return content, weight

    def close(self, weight: int) -> None:
        """One has passed."""
        self._weight -= weight


class Half:
    """One message, from its first frame on."""

    def __init__(self, to_server: bool, contents: Contents) -> None:
        self._to_server = to_server
        self._contents = contents
        self.message: HttpRequest | HttpResponse | None = None
        self.more: dict[str, Value] = {}
        self.interim: list[Value] = []
        self.problems: list[str] = []
        """What was odd in its body, by the names of weirds."""
        self.over = False
        """Nothing more is expected."""
        self.ended = False
        """The end was seen."""
        self.cost = 0
        self.judged = False
        """Of a response: what it says tells what became of a password."""
        self.kept: Kept | None = None
        self.content: BodyContent | None = None
        self.head_span = _NOWHERE
        self.uncertain = False
        """Frames of this direction were lost since it began: it may have ended unseen."""
        self._end = 0
        self._length = 0
        self._hash: hashlib._Hash | None = None
        self._intact = True
        self._wanted: tuple[list[str], str | None] | None = None  # what tells whether to look into its body
        self._weight = 0
        self._messages: grpc.Messages | None = None

    def begin(self, message: HttpRequest | HttpResponse, span: Span, end: int, head: Head) -> None:
        """Its header block was seen, in frames from `span` to the offset `end`."""
        self.message = message
        self.head_span = Span(span.place, span.offset, end - span.offset)
        self._end = end
        self.cost += _cost(head)
        if head.unknown:
            self.more["http2_unknown_fields"] = head.unknown
        if grpc.is_grpc(head.headers):
            self._messages = grpc.Messages()
        elif not isinstance(message, HttpRequest) or message.method != "CONNECT":
            kind = head.value("content-type")
            self._wanted = head.values("content-encoding"), kind
            if self.judged or (self._to_server and (kind_of(kind) != OTHER or (kind and "form" in kind.lower()))):
                self.kept = Kept()

    def _look_into(self) -> None:
        """The first byte of its body: open what looks into it."""
        if self._wanted is not None:
            self.content, self._weight = self._contents.open(self._to_server, *self._wanted, self.judged)
            self._wanted = None
            if self.content is None and self._weight:
                self._weight = 0
                self.problems.append("http2-too-many-contents")

    def add(self, data: bytes, offset: int, place: object) -> None:
        """Bytes of its body."""
        self._length += len(data)
        if self._hash is None:
            self._hash = sha256(data)
        else:
            self._hash.update(data)
        if self.kept is not None and not self.kept.full and (self._to_server or self._length <= LOOKED_AT + len(data)):
            self.kept.add(data, offset, place)
            self.cost += len(data)
        self._look_into()
        if self.content is not None:
            self.content.feed(data)
        if self._messages is not None:
            self._messages.feed(data)

    def lose(self, length: int | None) -> None:
        """Bytes of its body are not known; None: nobody knows how many, or whether any."""
        self._intact = False
        if length is None:
            self.uncertain = True
        else:
            self._length += length
        if self.kept is not None:
            self.kept.cut()
        self._look_into()
        if self.content is not None:
            self.content.gap(length or 0)
        if self._messages is not None:
            self._messages.gap(1 << 33 if length is None else length)

    def reach(self, end: int) -> None:
        """A frame of it ends there."""
        self._end = end

    def end(self, seen: bool) -> None:
        """Nothing more is expected; `seen`: its last frame was."""
        if not self.over:
            self.over = True
            self.ended = seen

    def said(self) -> bytes | None:
        """The beginning of a response's content, where it is to be judged by that."""
        if not self.judged:
            return None
        if self.content is not None and self.content.decoder is not None:
            return bytes(self.content.form) if self.content.form else None
        kept = self.kept
        return bytes(kept.runs[0][:LOOKED_AT]) if kept is not None and kept.runs and not kept.begins_cut else None

    def release(self) -> None:
        """Its body will not be looked at again."""
        if self.kept is not None:
            self.cost -= sum(map(len, self.kept.runs))
        self.kept = self.content = None

    def trail(self, head: Head) -> bool:
        """Fields behind the body; False where there were some before."""
        message = self.message
        if message is None or message.trailers:
            return False
        self.cost += _cost(head)
        message.trailers = head.headers
        message.ascii = message.ascii and head.ascii
        if head.unknown:
            self.more["http2_unknown_trailers"] = head.unknown
        return True

    def finish(self) -> HttpRequest | HttpResponse | None:
        """The message with all that is known of it; to be asked for once."""
        message = self.message
        if message is None:
            return None
        message.span = Span(self.head_span.place, self.head_span.offset, self._end - self.head_span.offset)
        message.body_length = None if self.uncertain else self._length
        message.body_complete = self.ended and self._intact
        message.body_sha256 = None if self._hash is None else self._hash.hexdigest()
        if self.content is not None:
            self.more.update(self.content.finish(message.body_complete, message.body_sha256))
            self.problems += self.content.problems
            self._contents.close(self._weight)
        if self.interim:
            self.more["http2_interim"] = self.interim
        if self._messages is not None:
            if isinstance(message, HttpRequest):
                self.more.update(grpc.method(message.target))
            else:
                self.more.update(grpc.status(message.trailers or message.headers))
            self.more.update(self._messages.fields(message.body_complete))
        message.more = self.more
        return message


def _cost(head: Head) -> int:
    return 200 + sum(len(name) + len(value) + 100 for name, value in head.headers)


def request(head: Head) -> HttpRequest:
    """The request that a header block begins."""
    pseudo = head.pseudo
    method = pseudo.get(":method", "")
    authority = pseudo.get(":authority")
    target = pseudo.get(":path")
    if target is None:
        target = authority if method == "CONNECT" and authority is not None else ""
    return HttpRequest(
        _NOWHERE,
        method,
        target,
        authority if authority is not None else head.value("host"),
        VERSION,
        head.headers,
        head.complete,
        max(head.total, len(head.headers)),
        ":path" in pseudo or method == "CONNECT",
        head.ascii,
    )


def response(head: Head) -> HttpResponse:
    """The response that a header block begins; its status is 0 where it is not known."""
    text = head.pseudo.get(":status", "")
    status = int(text) if len(text) == 3 and text.isascii() and text.isdigit() else 0
    return HttpResponse(
        _NOWHERE, status, "", VERSION, head.headers, head.complete, max(head.total, len(head.headers)), head.ascii
    )
