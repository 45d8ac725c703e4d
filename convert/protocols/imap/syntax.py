"""What IMAP's two sides say, put together from lines and literals (RFC 9051, 4.3 and 9; LITERAL+ of RFC 7888)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...model.span import Span
from ..mail.lines import Incoming, Line, joined

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_LINE = 1 << 18
"""A set of messages, or the structure of one, may be long."""
MOST_TEXT = 65536
"""Bytes of a phrase that are kept."""
LONGEST_LITERAL = 8192
"""Bytes of a literal that are kept, where it is no mail."""
_SHOWN_LITERAL = 1024
_ANNOUNCED = re.compile(rb"~?\{([0-9]{1,12})[+-]?\}\Z")
_ATOM = re.compile(rb'[^\x00-\x20"(){}%*\x7f]+')
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)"?', re.DOTALL)
_UID = re.compile(rb"[ (]UID ([0-9]{1,10})[ )]", re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class Taker(Protocol):
    """Takes the bytes of a literal."""

    def feed(self, data: bytes) -> None:
        """The next ones."""

    def lose(self, length: int) -> None:
        """So many are missing."""

    def end(self, complete: bool, span: Span) -> None:
        """That was all; `span` is that of the literal."""


class Piece(NamedTuple):
    """A line of a phrase, or a literal between two."""

    text: bytes
    span: Span
    literal: bool
    complete: bool


class Token(NamedTuple):
    """An astring (RFC 9051, 9): what it means, and how it stood on the wire."""

    value: bytes
    raw: bytes
    span: Span
    complete: bool


class Phrase:
    """A command, or an answer, or as much as came of it."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._size = 0
        self._uid: bytes | None = None  # once it was looked for; empty: there is none

    def add(self, piece: Piece) -> None:
        """Another line or literal."""
        if self._size + len(piece.text) > MOST_TEXT:
            room = max(0, MOST_TEXT - self._size)
            piece = piece._replace(text=piece.text[:room], complete=False)
        if len(self.pieces) < 1000:
            self.pieces.append(piece)
        elif not piece.literal:
            self.pieces[-1] = piece._replace(text=b"")
        self._size += len(piece.text) + 1

    @property
    def span(self) -> Span:
        """From its first to its last byte."""
        return joined(self.pieces[0].span, self.pieces[-1].span)

    @property
    def first(self) -> Line:
        """Its first line."""
        piece = self.pieces[0]
        return Line(piece.text, piece.span, piece.complete, False)

    def uid(self) -> bytes:
        """The UID in its first line, empty where there is none. Looked for once: many literals may follow that line."""
        if self._uid is None:
            found = _UID.search(self.pieces[0].text)
            self._uid = found[1] if found is not None else b""
        return self._uid

    def text(self) -> bytes:
        """All of it on one line: short literals as they would be quoted, of others the length."""
        out: list[bytes] = []
        for piece in self.pieces:
            if not piece.literal:
                out.append(piece.text)
            elif piece.complete and len(piece.text) <= _SHOWN_LITERAL and b"\n" not in piece.text:
                out[-1] = _ANNOUNCED.sub(b"", out[-1])
                out.append(b'"' + piece.text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"')
        return b"".join(out)

    def tokens(self, begin: int) -> list[Token]:
        """The astrings from that index of the first line on; what is none ends them."""
        found: list[Token] = []
        for piece in self.pieces:
            if piece.literal:
                found.append(Token(piece.text, piece.text, piece.span, piece.complete))
                continue
            text = _ANNOUNCED.sub(b"", piece.text)
            at, begin = begin, 0
            while at < len(text):
                if text[at : at + 1] in b" \t":
                    at += 1
                    continue
                match = _QUOTED.match(text, at)
                quoted = match is not None
                match = match or _ATOM.match(text, at)
                if match is None:
                    return found
                raw, place = (match[1], match.start(1)) if quoted else (match[0], at)
                whole = piece.complete or match.end() < len(text)
                value = _ESCAPED.sub(rb"\1", raw) if quoted else raw
                found.append(Token(value, raw, part(piece, place, len(raw)), whole))
                at = match.end()
        return found


def part(piece: Piece, begin: int, length: int) -> Span:
    """Of some bytes of a line; of the whole line where it came out of compression."""
    if piece.span.length < len(piece.text):
        return piece.span
    return Span(piece.span.place, piece.span.offset + begin, length)


class _Kept:
    """A literal that is kept, as far as there is room."""

    def __init__(self, phrase: Phrase) -> None:
        self._phrase = phrase
        self._data = bytearray()
        self._whole = True

    def feed(self, data: bytes) -> None:
        room = LONGEST_LITERAL - len(self._data)
        self._data += data[:room]
        self._whole = self._whole and len(data) <= room

    def lose(self, length: int) -> None:
        self._whole = False

    def end(self, complete: bool, span: Span) -> None:
        self._phrase.add(Piece(bytes(self._data), span, True, complete and self._whole))


class Phrases:
    """One side's lines and literals. `wants`: who takes the literal that a phrase goes on with, None: it is kept."""

    def __init__(self, incoming: Incoming, wants: Callable[[Phrase], Taker | None]) -> None:
        self._incoming = incoming
        self._wants = wants
        self._phrase: Phrase | None = None
        self._taker: Taker | None = None
        self._left = 0
        self._begin: Span | None = None  # of the literal
        self._announcing = Span(None, 0, 0)

    def read(self) -> Phrase | None:
        """The next phrase that is whole; None where more is needed."""
        while True:
            if self._taker is not None:
                if self._left and not self._read_literal():
                    return None
                self._end_literal(True)
            line = self._incoming.line(LONGEST_LINE)
            if line is None:
                return None
            phrase = self._phrase = self._phrase or Phrase()
            phrase.add(Piece(line.text, line.span, False, line.complete))
            announced = _ANNOUNCED.search(line.text) if line.complete else None
            if announced is None:
                self._phrase = None
                return phrase
            self._left = int(announced[1])
            self._taker = self._wants(phrase) or _Kept(phrase)
            self._begin, self._announcing = None, line.span

    def _read_literal(self) -> bool:
        assert self._taker is not None
        if not len(self._incoming):
            return False
        count = min(self._left, len(self._incoming))
        span = self._incoming.span(count)
        self._begin = span if self._begin is None else joined(self._begin, span)
        self._left -= count
        self._taker.feed(self._incoming.take(count))
        return not self._left

    def _end_literal(self, complete: bool) -> None:
        taker, self._taker = self._taker, None
        if taker is not None:
            # An empty literal has no place of its own: the line that announces it has.
            taker.end(complete, self._begin or self._announcing)

    @property
    def untouched(self) -> bool:
        """A literal was announced and none of its bytes have come."""
        return self._taker is not None and self._begin is None and self._left > 0

    def forget(self) -> None:
        """What was begun will not go on."""
        self._taker = self._phrase = None
        self._left = 0

    def lose(self, length: int) -> None:
        """Bytes are missing: within a literal they count, elsewhere what was begun has no end."""
        if self._taker is not None:
            lost = min(length, self._left)
            self._left -= lost
            self._taker.lose(lost)
            if lost == length:
                return
            self._end_literal(False)
        self._phrase = None

    def end(self, rest: Line | None) -> Phrase | None:
        """Nothing follows `rest`: what was begun."""
        self._end_literal(False)
        phrase, self._phrase = self._phrase, None
        if rest is not None:
            phrase = phrase or Phrase()
            phrase.add(Piece(rest.text, rest.span, False, False))
        return phrase
