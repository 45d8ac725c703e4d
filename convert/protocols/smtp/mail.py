"""An SMTP transaction: the answers of the server, the envelope, and the message that goes with it (RFC 5321)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.span import Span
from ..mail.lines import DottedBody, Line, joined
from ..mail.message import MailReader
from ..mail.session import shown

if TYPE_CHECKING:
    from ...model.record import Value
    from ..mail.part import Contents

MOST_RECIPIENTS = 1000
MOST_LINES = 100
"""Of one answer; the text of further ones is passed over."""
LONGEST_ADDRESS = 1024
_REPLY = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?\Z", re.DOTALL)
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z)")
_PATH = re.compile(rb"[ \t]*(?:<([^>]*)>?|([^ \t]*))[ \t]*(.*)\Z", re.DOTALL)


class Reply:
    """One answer, of one or several lines."""

    def __init__(self, code: int, span: Span) -> None:
        self.code = code
        self.span = span
        self._lines: list[bytes] = []

    def add(self, text: bytes, span: Span) -> None:
        """Another line of it."""
        self.span = joined(self.span, span)
        if len(self._lines) < MOST_LINES:
            self._lines.append(text)

    @property
    def accepted(self) -> bool:
        """The command was done, or may go on."""
        return self.code < 400

    @property
    def text(self) -> bytes:
        """The lines, with LF between them."""
        return b"\n".join(self._lines)

    def fields(self) -> dict[str, Value]:
        """What a record says of it."""
        fields: dict[str, Value] = {"code": self.code}
        if self._lines and (enhanced := _ENHANCED.match(self._lines[0])):
            fields["enhanced"] = enhanced[1].decode()
        return {**fields, **shown("text", self.text)}

    def message(self) -> Message:
        """The response of a record."""
        return Message(self.span, self.fields())


class Replies:
    """Lines of the server put together to answers."""

    def __init__(self) -> None:
        self._open: Reply | None = None
        self.malformed: Span | None = None
        """The last line that was of no answer."""

    def add(self, line: Line) -> list[Reply]:
        """Take a line; gives the answers that it ends: one that goes on with another code did end."""
        match = _REPLY.match(line.text)
        if match is None:
            self.malformed = line.span
            return []
        ended: list[Reply] = []
        code = int(match[1])
        if self._open is not None and self._open.code != code:
            ended.append(self._open)
            self._open = None
        reply = self._open = self._open or Reply(code, line.span)
        reply.add(match[3] or b"", line.span)
        if match[2] != b"-":
            ended.append(reply)
            self._open = None
        return ended

    def lose(self) -> None:
        """Bytes are missing: the answer that was begun has no end."""
        self._open = None


def path(argument: bytes) -> tuple[bytes, bytes]:
    """The address in `<address> parameters`, and the parameters (RFC 5321, 4.1.2); some leave the brackets out."""
    match = _PATH.match(argument)
    assert match is not None  # everything in it may be empty
    return match[2] if match[1] is None else match[1], match[3]


def _address(text: bytes) -> str:
    return text[:LONGEST_ADDRESS].decode("latin-1")


class Envelope:
    """Sender and recipients, as far as the server took them."""

    def __init__(self, span: Span | None, sender: bytes | None, parameters: bytes = b"") -> None:
        self.span = span
        self._sender = sender
        self._parameters = parameters
        self._total = 0
        self.recipients: list[str] = []
        """Those that were accepted, or whose answer is not in the capture."""
        self._refused: list[Value] = []
        self.refusal: Reply | None = None
        """Of the last command that was refused."""

    def add(self, recipient: bytes, reply: Reply | None, span: Span) -> None:
        """A recipient, and what the server said to it."""
        self._total += 1
        self.span = span if self.span is None else joined(self.span, span)
        if reply is not None and not reply.accepted:
            self.refusal = reply
            if len(self._refused) < MOST_RECIPIENTS:
                self._refused.append({"recipient": _address(recipient), **reply.fields()})
        elif len(self.recipients) < MOST_RECIPIENTS:
            self.recipients.append(_address(recipient))

    def fields(self) -> dict[str, Value]:
        """What a record says of it."""
        fields: dict[str, Value] = {"sender": None if self._sender is None else _address(self._sender)}
        if self._parameters:
            fields.update(shown("sender_parameters", self._parameters, LONGEST_ADDRESS))
        fields["recipients"] = list(self.recipients)
        if self._refused:
            fields["recipients_refused"] = list(self._refused)
        if self._total > len(self.recipients) + len(self._refused):
            fields["recipients_total"] = self._total
        return fields


class Mail:
    """A message on its way, by DATA or by BDAT."""

    def __init__(self, contents: Contents, span: Span, dotted: bool, lenient: bool = False) -> None:
        self._reader = MailReader(contents, True)
        self.span = span
        self.body = DottedBody(self._reader.feed, lenient) if dotted else None
        self.feed = self._reader.feed
        self.lost = False
        """Bytes are missing in it, the end perhaps too."""
        self.odd = False
        """A dot that may be the end waits for the server's judgement."""
        self.told_odd = False
        self.early: Reply | None = None
        """The server judged the message before its end."""
        self.over = False
        """It is recorded."""
        self._fields: dict[str, Value] | None = None

    def lose(self, length: int) -> None:
        """Bytes are missing."""
        self.lost = True
        self._reader.lose(length)
        if self.body is not None:
            self.body.lose()

    def end(self, complete: bool, at: int) -> None:
        """The message is over; the client's next byte is at offset `at`."""
        if self._fields is None:
            self._fields = self._reader.finish(complete)
            self.span = Span(self.span.place, self.span.offset, at - self.span.offset)

    def fields(self) -> dict[str, Value]:
        """What a record says of it."""
        return self._fields or {}
