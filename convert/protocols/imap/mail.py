"""Mails within IMAP: what FETCH gives and APPEND takes (RFC 9051, 6.3.12 and 7.5.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from ..mail.message import MailReader, raw_part

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..mail.part import Contents, Part
    from .syntax import Phrase

_FETCHED = re.compile(rb"\* ([0-9]{1,10}) FETCH \(", re.IGNORECASE)
_SECTION = re.compile(
    rb"[ (]((?:BODY|BINARY)\[[^\]]{0,500}\](?:<[0-9]{1,12}>)?|RFC822(?:\.HEADER|\.TEXT)?)[ ]~?\{[0-9]{1,12}\+?\}\Z",
    re.IGNORECASE,
)
_WHOLE = re.compile(rb"(?:BODY\[\](?:<0>)?|RFC822)\Z", re.IGNORECASE)
_HEADERS = re.compile(rb"(?:BODY\[(?:[0-9.]+\.)?(?:HEADER|MIME)[^\]]*\](?:<0>)?|RFC822\.HEADER)\Z", re.IGNORECASE)
_APPENDED = re.compile(rb'(?is)[^ ]+ APPEND +(?:"(?:[^"\\]|\\.)*+"|[^ "{]+) .*\{[0-9]{1,12}[+-]?\}\Z')

Done: TypeAlias = "Callable[[Span, dict[str, Value]], None]"


class FetchedMail:
    """A literal that is a message, its headers, or a part of it."""

    def __init__(self, contents: Contents, to_server: bool, section: bytes | None, done: Done) -> None:
        self._said: dict[str, Value] = {}
        self._done = done
        self._mail: MailReader | None = None
        self._part: Part | None = None
        self._headers = section is not None and _HEADERS.match(section) is not None
        self._cut = section is not None and section.endswith(b">")
        self._size = 0
        self._lost = False
        if section is None or self._headers or _WHOLE.match(section):
            self._mail = MailReader(contents, to_server)
        else:
            self._part = raw_part(contents, to_server)

    def say(self, name: str, value: Value) -> None:
        """What the record says before the message."""
        self._said[name] = value

    def feed(self, data: bytes) -> None:
        """See Taker."""
        self._size += len(data)
        if self._mail is not None:
            self._mail.feed(data)
        elif self._part is not None:
            self._part.feed(data, False)

    def lose(self, length: int) -> None:
        """See Taker."""
        self._size += length
        self._lost = self._lost or length > 0
        if self._mail is not None:
            self._mail.lose(length)
        elif self._part is not None:
            self._part.lose(length)

    def end(self, complete: bool, span: Span) -> None:
        """See Taker."""
        fields = self._said
        if self._mail is not None:
            fields.update(self._mail.finish(complete and not self._cut))
            if self._headers:
                fields.pop("parts")
        elif self._part is not None:
            fields["size"] = self._size
            fields["parts"] = [self._part.end(complete, False)]
            fields["complete"] = complete and not self._cut and not self._lost
        self._done(span, fields)


def fetched(contents: Contents, phrase: Phrase, done: Done) -> FetchedMail | None:
    """Who takes the literal of an answer to FETCH; None: it is of no message."""
    begin = _FETCHED.match(phrase.pieces[0].text)
    last = phrase.pieces[-1].text
    section = _SECTION.search(last[-700:])
    if begin is None or section is None:
        return None
    mail = FetchedMail(contents, False, section[1], done)
    mail.say("sequence", int(begin[1]))
    if uid := phrase.uid():
        mail.say("uid", int(uid))
    mail.say("section", section[1].decode("latin-1"))
    return mail


def appended(contents: Contents, phrase: Phrase, done: Done) -> FetchedMail | None:
    """Who takes the literal of an APPEND; None: it is no APPEND, or the literal is the mailbox's name."""
    first = phrase.pieces[0].text
    words = first[:128].split(b" ", 2)  # not all of a long line for each of its literals
    if len(words) < 3 or words[1].upper() != b"APPEND":
        return None
    if len(phrase.pieces) == 1 and _APPENDED.match(first) is None:
        return None
    return FetchedMail(contents, True, None, done)
