"""Lines that a user typed, as a terminal's line discipline makes them of keys: erase, kill a word or the line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...model.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_TYPED = 4096
_CR, _LF, _NUL, _ESC = 0x0D, 0x0A, 0x00, 0x1B
_ERASE = frozenset((0x08, 0x7F))
_KILL, _KILL_WORD, _BREAK, _END = 0x15, 0x17, 0x03, 0x04
_BLANKS = b" \t\n\r\v\f"
_PLAIN = re.compile(rb"[\x20-\x7e\x80-\xff]+")


class Typed(NamedTuple):
    """One line."""

    text: bytes
    """What is left of it after erasing."""
    raw: bytes
    """All bytes that made it, without the end."""
    span: Span
    """Of these, from the first to the last."""
    complete: bool
    """None of its bytes is lost or was too much."""
    prompt: bytes | None
    """What the server's last line was when it was begun; None where that is not known."""
    entered: bool
    """It was ended by Enter, and not thrown away."""


def _last_word(text: bytearray) -> int:
    """Where the last word begins; blanks behind it belong to it."""
    kept = text.rstrip()
    return max(kept.rfind(blank) for blank in _BLANKS) + 1


class Typing:
    """The line that is being typed. `prompt` is told that one begins, and tells what the server's last line is."""

    def __init__(self, prompt: Callable[[], bytes | None]) -> None:
        self._prompt = prompt
        self._after_cr = False
        self._clear()

    def _clear(self) -> None:
        self._text = bytearray()
        self._raw = bytearray()
        self._begin: Span | None = None
        self._end = 0
        self._complete = True
        self._shown: bytes | None = None
        self._escape = 0  # bytes of an escape sequence that were read

    def lose(self) -> None:
        """Bytes are lost here."""
        self._complete = self._after_cr = False

    def rest(self) -> Typed | None:
        """A line that was not ended."""
        return self._line(False) if self._begin is not None else None

    def feed(self, data: bytes, raw: bytes, offset: int, place: object) -> Iterator[Typed]:
        """Text from the client; `raw` is as it stood on the wire (longer only for a doubled 255)."""
        if data != raw:
            self._key(data[0], raw, offset, place)
            return
        at, size = 0, len(data)
        while at < size:
            plain = _PLAIN.match(data, at) if not self._escape else None
            if plain is not None:
                self._take(plain[0], offset + at, place)
                at = plain.end()
                continue
            line = self._key(data[at], data[at : at + 1], offset + at, place)
            if line is not None:
                yield line
            at += 1

    def _take(self, text: bytes, offset: int, place: object) -> None:
        self._after_cr = False
        self._note(text, offset, place)
        room = MOST_TYPED - len(self._text)
        self._text += text[:room]
        if len(text) > room:
            self._complete = False

    def _note(self, raw: bytes, offset: int, place: object) -> None:
        """Remember where bytes of the line stand."""
        if self._begin is None:
            self._begin = Span(place, offset, 0)
            self._shown = self._prompt()
        self._end = offset + len(raw)
        if len(self._raw) < 2 * MOST_TYPED:
            self._raw += raw[: 2 * MOST_TYPED - len(self._raw)]

    def _key(self, byte: int, raw: bytes, offset: int, place: object) -> Typed | None:
        if self._after_cr:
            self._after_cr = False
            if byte in {_LF, _NUL}:
                return None
        if byte in {_CR, _LF}:
            self._after_cr = byte == _CR
            if self._begin is None:
                self._note(b"", offset, place)
            return self._line(True)
        if byte == _NUL:
            return None
        self._note(raw, offset, place)
        if self._escape:
            self._escape_on(byte)
        elif byte == _ESC:
            self._escape = 1
        elif byte in _ERASE:
            del self._text[max(len(self._text) - 1, 0) :]
        elif byte == _KILL:
            self._text.clear()
        elif byte == _KILL_WORD:
            del self._text[_last_word(self._text) :]
        elif byte == _BREAK or (byte == _END and not self._text):
            return self._line(False)
        elif byte >= 0x20 and len(self._text) < MOST_TYPED:
            self._text.append(byte)
        return None

    def _escape_on(self, byte: int) -> None:
        """Cursor and function keys: ESC [ ... letter, ESC O letter, ESC and one more."""
        self._escape += 1
        if self._escape == 2 and byte in b"[O":
            return
        if self._escape == 2 or 0x40 <= byte <= 0x7E or self._escape > 16:
            self._escape = 0

    def _line(self, entered: bool) -> Typed:
        begin = self._begin
        assert begin is not None
        span = Span(begin.place, begin.offset, max(self._end - begin.offset, 0))
        line = Typed(bytes(self._text), bytes(self._raw), span, self._complete, self._shown, entered)
        self._clear()
        return line
