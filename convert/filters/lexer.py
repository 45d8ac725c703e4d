"""The characters of a filter: words, operators, values in and without quotes. What a word means depends on where it
stands (`in` may be a value, `<` too), so the grammar asks for what may come next.
"""

from __future__ import annotations

from .errors import FilterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

BLANKS: Final = " \t\r\n\x0b\x0c"
FIRST: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
"""What a field begins with."""
INNER: Final = FIRST | frozenset("0123456789")
BEHIND_POINT: Final = INNER | frozenset("/-")
SYMBOLS: Final = ("==", "!=", "<=", ">=", "=", "<", ">")
WORDS: Final = (
    "bstartswith", "startswith", "icontains", "bcontains", "intersects", "contains", "endswith", "pmatch", "exists",
    "iglob", "regex", "glob", "in",
)  # fmt: skip
"""Operators that are words; none stands behind one that it begins with."""
HEX: Final = frozenset("0123456789abcdefABCDEF")


def joined(parts: list[str]) -> str:
    """One text; bytes written as escapes become the characters that they are in UTF-8."""
    return "".join(parts).encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def field_end(text: str, place: int) -> int:
    """Where the field that begins at `place` ends: words with points between, and what may follow in square brackets.

    `place` itself where none begins.
    """
    if text[place : place + 1] not in FIRST:
        return place
    end = place + 1
    while text[end : end + 1] in INNER:
        end += 1
    while text[end : end + 1] == "." and text[end + 1 : end + 2] in BEHIND_POINT:
        end += 2
        while text[end : end + 1] in BEHIND_POINT:
            end += 1
    if text[end : end + 1] == "[" and (closed := text.find("]", end)) > 0:
        end = closed + 1
    return end


class Lexer:
    """A place in the text of a filter, and what can be read there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def error(self, message: str, place: int | None = None, hint: str = "") -> FilterError:
        """The error to raise: at `place`, else where the lexer stands."""
        return FilterError(message, self.text, self.place if place is None else place, hint)

    def skip_blanks(self) -> int:
        """Go on to what is no blank; gives the place."""
        text, place = self.text, self.place
        while place < len(text) and text[place] in BLANKS:
            place += 1
        self.place = place
        return place

    def peek(self) -> str:
        """The next character that is no blank; "" at the end."""
        place = self.skip_blanks()
        return self.text[place : place + 1]

    def take(self, mark: str) -> bool:
        """Whether the mark stands next; it is read then."""
        self.skip_blanks()
        if not self.text.startswith(mark, self.place):
            return False
        self.place += len(mark)
        return True

    def word(self) -> str:
        """The run of letters that stands next, not read: to tell `and`, `or`, `not` from others, and for messages."""
        place = self.skip_blanks()
        end = place
        while end < len(self.text) and self.text[end] not in BLANKS and self.text[end] not in "()":
            end += 1
        return self.text[place:end]

    def take_word(self, word: str) -> bool:
        """Whether this word stands next, with a blank, a bracket or the end behind it; it is read then."""
        place = self.skip_blanks()
        end = place + len(word)
        if not self.text.startswith(word, place) or self.text[end : end + 1] not in ("", "(", ")", *BLANKS):
            return False
        self.place = end
        return True

    def field(self) -> str | None:
        """The field that stands next with its argument, read; None where no field begins."""
        place = self.skip_blanks()
        end = field_end(self.text, place)
        if end == place:
            return None
        self.place = end
        return self.text[place:end]

    def operator(self) -> str | None:
        """The operator that stands next, read; None where there is none."""
        place = self.skip_blanks()
        for symbol in SYMBOLS:
            if self.text.startswith(symbol, place):
                self.place = place + len(symbol)
                return symbol
        for word in WORDS:
            if self.text.startswith(word, place) and not self.text[place + len(word) : place + len(word) + 1].isalnum():
                self.place = place + len(word)
                return word
        return None

    def value(self, ends: str) -> str:
        """The value that stands next, read: in quotes, or bare up to a blank or one of `ends`."""
        place = self.skip_blanks()
        quote = self.text[place : place + 1]
        if quote and quote in "'\"":
            return self._quoted(quote)
        parts: list[str] = []
        while self.place < len(self.text):
            char = self.text[self.place]
            if char in BLANKS or char in ends:
                break
            parts.append(self._escape() if char == "\\" else self._plain(char))
        return joined(parts)

    def _plain(self, char: str) -> str:
        self.place += 1
        return char

    def _quoted(self, quote: str) -> str:
        start = self.place
        self.place += 1
        parts: list[str] = []
        while self.place < len(self.text):
            char = self.text[self.place]
            if char == quote:
                self.place += 1
                return joined(parts)
            parts.append(self._escape() if char == "\\" else self._plain(char))
        raise self.error(f"the quote {quote} is not closed", start)

    def _escape(self) -> str:
        r"""\\ \" \' and \xNN, a byte; else a backslash stands for itself, as globs and regex need it."""
        place = self.place
        char = self.text[place + 1 : place + 2]
        if char == "x":
            digits = self.text[place + 2 : place + 4]
            if len(digits) != 2 or not HEX.issuperset(digits):
                raise self.error(r"two hexadecimal digits follow \x", hint=r"a backslash itself is written \\")
            self.place = place + 4
            number = int(digits, 16)
            return chr(number) if number < 0x80 else chr(0xDC00 + number)
        if char and char in "\\\"'":
            self.place = place + 2
            return char
        return self._plain("\\")
