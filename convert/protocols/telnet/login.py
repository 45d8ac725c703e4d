"""Logins in a dialogue: the server asks for a user and a password, the user types them, the server answers.

An answer is judged when the user goes on, or at the end: where it is cut into pieces says nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, UNKNOWN, Sighting
from ...model.span import Span
from .prompts import LONGEST_PROMPT, PASSWORD, USER, asked, judge, plain, whose

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from .stream import Text
    from .typed import Typed

_MOST_SAID = 4096
_MOST_SHOWN = 1024
_ASKED_PASSWORD = re.compile(rb"(?:password|passwd|passcode|passwort|kennwort)[^:\n]{0,80}:", re.IGNORECASE)


class Dialogue:
    """Both sides' text, in order. `login` hands out a record and returns its ordinal; `sight` a secret."""

    def __init__(self, login: Callable[[Message, Message | None], int], sight: Callable[[Sighting], None]) -> None:
        self._login = login
        self._sight = sight
        self.heard = False
        """The server said anything."""
        self.user_told: str | None = None
        """By the environment option: servers then ask for the password only."""
        self._tail = bytearray()
        self._tail_known = True
        self._user: Typed | None = None
        self._password: Typed | None = None
        self._early = False  # the password came before it was asked for, if it is one
        self._accepted = False
        self._forget_said()

    def _forget_said(self) -> None:
        self._said = bytearray()
        self._said_at: Span | None = None
        self._said_end = 0
        self._looked = -1  # how much of it was said when a password was last looked for in it
        self._behind: bytes | None = None

    def _behind_asked(self) -> bytes | None:
        """What was said behind where a password was asked for; None: it was not. A user may type many lines before."""
        if self._looked != len(self._said):
            self._looked = len(self._said)
            text = plain(bytes(self._said))
            found = _ASKED_PASSWORD.search(text)
            self._behind = text[found.end() :] if found is not None else None
        return self._behind

    def last_line(self) -> bytes | None:
        """The server's last line as it stands, None where it is not known."""
        return bytes(self._tail) if self._tail_known and self.heard else None

    def lose(self) -> None:
        """Text of the server is lost."""
        self._tail.clear()
        self._tail_known = False

    def hear(self, part: Text) -> None:
        """Text of the server."""
        self.heard = True
        data = part.data
        end = data.rfind(b"\n")
        if end >= 0:
            self._tail[:] = data[end + 1 :][-LONGEST_PROMPT:]
            self._tail_known = True
        else:
            self._tail += data[-LONGEST_PROMPT:]
            del self._tail[: max(len(self._tail) - LONGEST_PROMPT, 0)]
        if self._user is not None or self._password is not None:
            data = data[: _MOST_SAID - len(self._said)]
            if data:
                if self._said_at is None:
                    self._said_at = Span(part.place, part.offset, 0)
                self._said += data
                self._said_end = part.offset + len(part.raw[: len(data)])

    def look(self) -> None:
        """The user begins to type: what the server said until now answers what was typed before."""
        if self._password is not None and not self._early and plain(bytes(self._said)).strip():
            verdict = judge(bytes(self._said), self.last_line())
            if verdict is not None:
                self._answered(verdict)

    def enter(self, line: Typed) -> bool:
        """A line was typed. Returns whether it is part of a login (or may be)."""
        part = self._take(line)
        self._tail.clear()  # it was answered
        return part

    def _take(self, line: Typed) -> bool:
        kind = asked(line.prompt)
        if kind is None and self._user is not None and asked(self.last_line()) == PASSWORD:
            kind = PASSWORD
        if self._password is not None:
            self._go_on(kind)
        if kind == USER:
            self._leave_user()
            self._password, self._early = None, False  # it was none, or that user's
            if line.entered and line.text:
                self._user = line
                self._forget_said()
            return True
        if kind == PASSWORD:
            if line.entered:
                self._password, self._early = line, False
                self._forget_said()
            return True
        if self._user is None or self._password is not None:
            return False
        if line.entered and not plain(bytes(self._said)).replace(self._user.text, b"").strip():
            self._password, self._early = line, True
            return True
        self._leave_user()
        return False

    def _go_on(self, kind: str | None) -> None:
        """The user enters another line after a password."""
        said = bytes(self._said)
        if self._early:
            behind = self._behind_asked()
            if behind is None:
                return
            said = behind
        if not plain(said).strip() and kind is None:
            return
        self._answered(judge(said, self.last_line()) or ACCEPTED)

    def close(self) -> None:
        """Nothing follows."""
        said = bytes(self._said)
        if self._early and self._password is not None:
            behind = self._behind_asked()
            if behind is None:
                self._password, self._early = None, False
            else:
                said = behind
        if self._password is not None:
            verdict = judge(said, self.last_line()) if plain(said).strip() else None
            self._answered(verdict or UNKNOWN)
        self._leave_user()

    def _leave_user(self) -> None:
        """A user for whom no password was given."""
        user, self._user = self._user, None
        if user is None:
            return
        said = bytes(self._said)
        verdict = (judge(said, self.last_line()) if plain(said).strip() else None) or UNKNOWN
        self._login(Message(user.span, {"user": user.text.decode("latin-1")}), self._response(verdict))
        self._forget_said()

    def _answered(self, verdict: str) -> None:
        """The password's login with its outcome."""
        line, user = self._password, self._user
        assert line is not None
        self._password, self._user, self._early = None, None, False
        name = whose(line.prompt) or (_text(user.text) if user is not None else None)
        if name is None and not self._accepted:
            name = self.user_told
        self._accepted = self._accepted or verdict == ACCEPTED
        span = line.span
        if user is not None:
            begin = user.span
            span = Span(begin.place, begin.offset, span.offset + span.length - begin.offset)
        fields: dict[str, Value] = {"user": user.text.decode("latin-1") if user is not None else name}
        if line.text:
            fields["secret"] = True
        ordinal = self._login(Message(span, fields), self._response(verdict, line.text))
        if line.text:
            found = ("login", None, name, line.text, line.raw, line.complete, line.span)
            self._sight(Sighting(*found, outcome=verdict, exchange=ordinal, protocol="telnet"))
        self._forget_said()

    def _response(self, verdict: str, secret: bytes = b"") -> Message | None:
        """What the server said; a password that was typed ahead is echoed there."""
        at = self._said_at
        if at is None:
            return None
        said = self._said.replace(secret, b"") if secret else self._said
        fields: dict[str, Value] = {"result": verdict, "text": said[:_MOST_SHOWN].decode("latin-1")}
        if len(said) > _MOST_SHOWN:
            fields["text_complete"] = False
        return Message(Span(at.place, at.offset, self._said_end - at.offset), fields)


def _text(raw: bytes) -> str:
    """A name as text: UTF-8, else a character a byte."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
