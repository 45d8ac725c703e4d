"""The top elements of an XMPP stream, one after the other (RFC 6120, 4 and 11): bounded, nothing is ever expanded.

The header of a stream counts as an element of its own, so that a capture may begin anywhere and a stream may be begun
again. Of XML only what XMPP allows is understood: elements, text, CDATA, the predefined and the numbered entities.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..mail.lines import joined

if TYPE_CHECKING:
    from ...model.span import Span
    from ..mail.lines import Incoming

LONGEST_TAG = 8192
LONGEST_TEXT = 65536
"""Bytes of an element's text that are kept."""
_MOST_ELEMENTS = 64
_MOST_ATTRIBUTES = 32
_DEEPEST = 16
_TAG = re.compile(rb"<(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+')*+>")
_NAME = re.compile(rb"</?\s*([A-Za-z_][A-Za-z0-9_.\-]{0,63}:)?([A-Za-z_][A-Za-z0-9_.\-]{0,63})(?=[\s/>])")
_ATTRIBUTE = re.compile(rb"\s([A-Za-z_][A-Za-z0-9_:.\-]{0,63})\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ENTITY = re.compile(rb"&(?:(lt|gt|amp|apos|quot)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));")
_NAMED = {b"lt": b"<", b"gt": b">", b"amp": b"&", b"apos": b"'", b"quot": b'"'}
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"


def plain(text: bytes) -> bytes:
    """Text with its entities undone."""
    return _ENTITY.sub(_character, text) if b"&" in text else text


def _character(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return _NAMED[match[1]]
    number = int(match[2]) if match[2] is not None else int(match[3], 16)
    return chr(number).encode("utf-8", "replace") if number < 0x110000 else match[0]


class Element:
    """One, with the text that is directly in it."""

    __slots__ = ("attributes", "complete", "name", "raw", "span")

    def __init__(self, name: bytes, attributes: dict[bytes, bytes]) -> None:
        self.name = name
        self.attributes = attributes
        self.raw = b""
        """Its text as it stands on the wire."""
        self.span: Span | None = None
        """Of its text; None where it has none."""
        self.complete = True
        """False where its text was too long, or its end is not in the capture."""

    def add(self, text: bytes, span: Span) -> None:
        """More of its text."""
        if self.span is None and not text.strip():
            return
        if len(self.raw) + len(text) > LONGEST_TEXT:
            self.complete = False
            return
        self.raw += text
        self.span = span if self.span is None else joined(self.span, span)


class Stanza(NamedTuple):
    """A top element and those within it, in the order in which they begin."""

    elements: list[Element]
    span: Span

    @property
    def top(self) -> Element:
        """The one that has all others in it."""
        return self.elements[0]

    def find(self, name: bytes) -> Element | None:
        """The first of that name within it."""
        return next((one for one in self.elements[1:] if one.name == name), None)


class _Tag(NamedTuple):
    name: bytes
    prefix: bytes
    attributes: bytes
    opens: bool
    closes: bool


class Scanner:
    """One side's stream."""

    def __init__(self, incoming: Incoming, wanted: frozenset[bytes]) -> None:
        self._incoming = incoming
        self._wanted = wanted
        self._open: list[Element | None] = []  # the top element and those that are open in it; None: not kept
        self._depth = 0  # of what is open, also beyond what is in the list
        self._elements: list[Element] = []
        self._begin: Span | None = None
        self._tried = 0
        self._skipping = False
        self.too_long: Span | None = None
        """Of the last tag that was not read for its length; the caller forgets it."""

    def read(self) -> Stanza | bool:
        """The next element that is whole; True: something else was read; False: more is needed."""
        incoming = self._incoming
        if not len(incoming):
            return False
        if self._skipping:
            return self._skip()
        if incoming.peek(1) != b"<":
            end = incoming.find(b"<")
            size = min(end if end >= 0 else len(incoming), 16384)
            span = incoming.span(size)
            self._text(incoming.take(size), span)
            return True
        if incoming.find(b">", self._tried) < 0 and len(incoming) <= LONGEST_TAG:
            self._tried = len(incoming)
            return False
        head = incoming.peek(LONGEST_TAG)
        size = self._size(head)
        if size == 0:
            if len(incoming) <= LONGEST_TAG:
                self._tried = len(incoming)
                return False
            self.too_long = incoming.span(LONGEST_TAG)
            self.lose()
            self._skipping = True
            return True
        self._tried = 0
        span = incoming.span(size)
        data = incoming.take(size)
        if data.startswith(_CDATA):
            self._text(data[len(_CDATA) : -len(_CDATA_END)], type(span)(span.place, span.offset + 9, span.length - 12))
            return True
        return self._tag(data, span)

    def _skip(self) -> bool:
        end = self._incoming.find(b">")
        self._incoming.take(end + 1 if end >= 0 else len(self._incoming))
        self._skipping = end < 0
        self._tried = 0
        return True

    def _size(self, head: bytes) -> int:
        """Of the tag or CDATA that begins here; 0: its end is not there."""
        if head.startswith(_CDATA):
            return head.find(_CDATA_END) + len(_CDATA_END) if _CDATA_END in head else 0
        if len(head) < len(_CDATA) and _CDATA.startswith(head):
            return 0
        if head[:2] in (b"<?", b"<!"):
            return head.find(b">") + 1
        match = _TAG.match(head)
        return match.end() if match else 0

    def _text(self, text: bytes, span: Span) -> None:
        if self._depth and self._depth == len(self._open) and (inner := self._open[-1]) is not None and text:
            inner.add(text, span)

    def _tag(self, data: bytes, span: Span) -> Stanza | bool:
        match = _NAME.match(data)
        if match is None:
            return True
        name = match[2]
        if name == b"stream" and (match[1] or self._depth == 0):
            self.lose()
            top = Element(b"/stream" if data[1:2] == b"/" else b"stream", _attributes(data[match.end() :]))
            return Stanza([top], span)
        if data[1:2] != b"/":
            self._start(name, data[match.end() :], span)
        if data[1:2] == b"/" or data.endswith(b"/>"):
            return self._end(span)
        return True

    def _start(self, name: bytes, attributes: bytes, span: Span) -> None:
        if self._depth == 0:
            self._begin, self._elements, self._open = span, [], []
        self._depth += 1
        kept: Element | None = None
        looked_at = self._depth == 1 or (bool(self._elements) and self._elements[0].name in self._wanted)
        if looked_at and len(self._elements) < _MOST_ELEMENTS and self._depth <= _DEEPEST:
            kept = Element(name, _attributes(attributes))
            self._elements.append(kept)
        if len(self._open) == self._depth - 1 and self._depth <= _DEEPEST:
            self._open.append(kept)

    def _end(self, span: Span) -> Stanza | bool:
        if self._depth == 0:
            return True  # of what began before the capture
        self._depth -= 1
        del self._open[self._depth :]
        if self._depth or self._begin is None or not self._elements:
            return True
        elements, self._elements = self._elements, []
        return Stanza(elements, joined(self._begin, span))

    def lose(self) -> None:
        """Bytes are missing, or the stream begins anew: what was begun has no end."""
        self._open, self._elements, self._begin = [], [], None
        self._depth = self._tried = 0
        self._skipping = False

    def rest(self) -> Stanza | None:
        """What was begun, where nothing follows."""
        elements, begin = self._elements, self._begin
        inner = [one for one in self._open if one is not None]
        self.lose()
        if not elements or begin is None:
            return None
        for one in inner:
            one.complete = False
        last = next((one.span for one in reversed(elements) if one.span is not None), begin)
        return Stanza(elements, joined(begin, last) if last.offset >= begin.offset else begin)


def _attributes(text: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for number, match in enumerate(_ATTRIBUTE.finditer(text)):
        if number >= _MOST_ATTRIBUTES:
            break
        found.setdefault(match[1], plain(match[2] if match[2] is not None else match[3]))
    return found
