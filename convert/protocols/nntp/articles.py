"""Articles and lists while they pass, each up to a line with a dot (RFC 3977, 3.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.span import Span
from ..mail.lines import DottedBody
from ..mail.message import MailReader
from ..mail.session import LONGEST_TEXT, shown

if TYPE_CHECKING:
    from ...model.record import Message, Value
    from ..api import Sink

_ARTICLES = (220, 221)


class Answer:
    """An answer of several lines."""

    def __init__(self, sink: Sink, said: Message, code: int) -> None:
        self.code = code
        self.lost = False
        self._said = said
        self._mail = MailReader(sink, False) if code in _ARTICLES and said.fields["text"] else None
        self._text = bytearray()
        self._lines = 0
        self.body = DottedBody(self._take if self._mail is None else self._mail.feed, lenient=True)

    def _take(self, data: bytes) -> None:
        self._text += data[: LONGEST_TEXT + 1 - len(self._text)]
        self._lines += data.count(b"\n")

    def lose(self, length: int) -> None:
        """Bytes are missing."""
        self.lost = True
        self.body.lose()
        if self._mail is not None:
            self._mail.lose(length)

    def end(self, complete: bool, at: int) -> Message:
        """All that came; the server's next byte is at offset `at`."""
        said = self._said
        said.span = Span(said.span.place, said.span.offset, at - said.span.offset)
        if self._mail is not None:
            said.fields.update(self._mail.finish(complete and self.code == 220))
        elif self.code == 222:
            said.fields.update({"lines": self._lines, "complete": complete})
        else:
            text = bytes(self._text).replace(b"\r\n", b"\n").removesuffix(b"\n")
            said.fields.update(shown("listing", text, LONGEST_TEXT - 2))
            said.fields.update({"lines": self._lines, "complete": complete})
        return said


class Posting:
    """An article of the client's."""

    def __init__(self, sink: Sink, span: Span) -> None:
        self._mail = MailReader(sink, True)
        self._over = False
        self.span = span
        self.body = DottedBody(self._mail.feed, lenient=True)
        self.lost = False
        self.fields: dict[str, Value] = {}

    def lose(self, length: int) -> None:
        """Bytes are missing."""
        self.lost = True
        self.body.lose()
        self._mail.lose(length)

    def end(self, complete: bool, at: int) -> None:
        """It is over; the client's next byte is at offset `at`."""
        if not self._over:
            self._over = True
            self.fields = self._mail.finish(complete)
            self.span = Span(self.span.place, self.span.offset, at - self.span.offset)
