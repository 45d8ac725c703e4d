"""Redis (RESP 2 and 3): each command and its reply, messages that were pushed, and passwords with what became of them.

Replies answer commands in order. Where bytes are lost so that this order is no longer known, commands and replies are
handed out each for itself until it is known again, which with a client that sends before the last answer came is never.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, HASH, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from .commands import name_of, secrets_of, words
from .messages import reply, request, response, settings_told, split, without_hashes
from .values import MOST_VALUES, Part, Values, text

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from .values import Read

_MOST_PENDING = 4096
_MOST_WAITING = 256
"""Secrets in a transaction whose end is awaited."""
_MOST_HELD = 8 * 1024 * 1024
"""Bytes of commands that wait for an answer, about as many as they take here."""
_COMMAND_COSTS, _WORD_COSTS, _SECRET_COSTS = 512, 64, 640
"""Bytes beyond those of the wire: a word of one byte is held as an object."""
_CONFIRMED = ("SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE")
_PUSHED = frozenset((b"message", b"pmessage", b"smessage"))
_REFUSING = re.compile(r"(?:WRONGPASS|ERR|NOAUTH|NOPERM|NOPROTO)\b")


class _Command(msgspec.Struct, gc=False):
    """A command that waits for its reply."""

    name: str
    message: Message
    secrets: list[Sighting]
    weight: int
    wants: int
    """Replies to come: one for each channel."""
    replies: list[Value]
    begin: Span | None = None
    """Of the first of these replies."""


class Redis:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client = Values(commands=True)
        self._server = Values(commands=False)
        self._pending: deque[_Command] = deque()
        self._held = 0
        self._handed = 0
        self._pipelined = False
        self._paired = True
        self._quiet = False
        self._monitoring = False
        self._subscribed = False
        self._unanswered = 0  # commands to come that get no reply; -1: all
        self._queued: list[list[Sighting]] | None = None
        self._waiting = 0  # secrets in it
        self._read = {True: False, False: False}

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        if self._quiet:
            return
        values = self._client if to_server else self._server
        values.feed(data, offset, place)
        while not self._quiet:
            read = values.next()
            while values.why:
                self._misread(to_server, *values.why.pop(0))
            if read is None:
                break
            self._read[to_server] = True
            if to_server:
                self._ask(read)
            else:
                self._answer(read)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        values = self._client if to_server else self._server
        if self._quiet:
            return
        begun = values.gap(length, offset)
        if not values.lost:
            return
        if begun is not None and to_server:
            self._ask(begun)
        self._astray(to_server)

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        if not self._quiet:
            begun = self._client.partial()
            if begun is not None:
                self._ask(begun)
            begun = self._server.partial()
            if begun is not None:
                self._answer(begun)
        self._quiet = True
        self._flush()
        self._settle(None)

    def _misread(self, to_server: bool, why: str, at: Span) -> None:
        if self._read[to_server]:  # else the capture begins within a value
            self._sink.weird(why, at)
        self._astray(to_server)

    def _astray(self, to_server: bool) -> None:
        """The begin of the next command or reply is not known, nor how many were lost."""
        if self._pipelined:
            self._paired = False
        if not to_server or not self._paired:
            self._flush()

    def _flush(self) -> None:
        while self._pending:
            self._unreplied(self._pending.popleft())
        self._held = 0

    def _unreplied(self, command: _Command) -> None:
        answer = None
        if command.begin is not None:
            fields: dict[str, Value] = {"result": "ok", "reply_type": "push", "reply": command.replies}
            answer = Message(command.begin, fields)
        self._hand_out("query", command.message, answer)
        self._sight(command.secrets, UNKNOWN)

    def _hand_out(self, kind: str, request: Message | None, response: Message | None) -> None:
        self._handed += 1
        self._sink.record(Record(kind, "redis", self._handed, request, response))

    def _sight(self, secrets: list[Sighting], outcome: str) -> None:
        """Hand out the secrets of the record that was the last one."""
        for secret in secrets:
            secret.outcome = outcome
            secret.exchange = self._handed
            self._sink.sighting(secret)

    # commands

    def _ask(self, read: Read) -> None:
        parts = split(read.parts[0]) if read.kind == "inline" else read.parts
        if not parts or read.kind not in {"array", "inline"}:
            return
        said = [part.data for part in parts]
        name = name_of(said)
        message, secrets = request(read, parts, said)
        wants = max(len(parts) - 1, 1) if name in _CONFIRMED else 1
        weight = min(read.span.length, 1 << 17) + _COMMAND_COSTS
        weight += _WORD_COSTS * len(parts) + _SECRET_COSTS * len(secrets)
        command = _Command(name, message, secrets, weight, wants, [])
        if self._server.lost and self._paired:
            self._server.restart()
        if not self._is_answered(name, said):
            command.wants = 0
        if not self._paired:
            self._unreplied(command)
            return
        self._pipelined = self._pipelined or bool(self._pending)
        self._pending.append(command)
        self._held += command.weight
        self._pass_silent()
        if len(self._pending) > _MOST_PENDING or self._held > _MOST_HELD:
            self._paired = False
            self._flush()

    def _is_answered(self, name: str, said: list[bytes]) -> bool:
        """CLIENT REPLY turns replies off, for the next command or for all."""
        silent = self._unanswered != 0
        if self._unanswered > 0:
            self._unanswered -= 1
        if name == "CLIENT REPLY" and len(said) == 3:
            how = said[2].upper()
            if how == b"ON":
                self._unanswered = 0
                return True
            if how == b"OFF":
                self._unanswered = -1
                return False
            if how == b"SKIP" and not silent:
                self._unanswered = 1
                return False
        return not silent

    # replies

    def _answer(self, read: Read) -> None:
        first = read.parts[0].data if read.parts else b""
        head = self._pending[0] if self._pending else None
        named = head is not None and head.name in _CONFIRMED and first.upper().decode("latin-1") == head.name
        if named and head is not None and read.kind in {"array", "push"}:
            self._confirm(head, read)
            return
        pushed = read.kind == "array" and first in _PUSHED and (self._subscribed or head is None)
        if read.kind == "push" or pushed:
            self._hand_out("push", None, Message(read.span, {"reply_type": read.kind, **reply(read)}))
        elif self._monitoring and read.kind == "simple" and first[:1].isdigit():
            self._monitored(read)
        elif head is None:
            self._hand_out("query", None, response(read))
        else:
            self._finish(self._next_pending(), read)
            self._pass_silent()

    def _pass_silent(self) -> None:
        """Hand out commands that get no reply once those before them have theirs."""
        while self._pending and not self._pending[0].wants:
            self._unreplied(self._next_pending())

    def _next_pending(self) -> _Command:
        command = self._pending.popleft()
        self._held -= command.weight
        return command

    def _confirm(self, command: _Command, read: Read) -> None:
        """One answer of a subscription: there is one for each channel, the last with how many are left."""
        if isinstance(read.value, list) and read.value and isinstance(read.value[-1], int):
            self._subscribed = read.value[-1] > 0
        if command.begin is None:
            command.begin = read.span
        if len(command.replies) < MOST_VALUES:
            command.replies.append(read.value)
            command.weight += 512
            self._held += 512
        command.wants -= 1
        if command.wants > 0:
            return
        self._next_pending()
        begin = command.begin
        end = read.span.offset + read.span.length
        fields: dict[str, Value] = {"result": "ok", "reply_type": read.kind, "reply": command.replies}
        self._hand_out("query", command.message, Message(Span(begin.place, begin.offset, end - begin.offset), fields))
        self._pass_silent()

    def _monitored(self, read: Read) -> None:
        """A command of another client, which MONITOR shows."""
        part = read.parts[0]
        shown = words(part.data)
        start = next((at for at, word in enumerate(shown) if word.data.endswith(b"]")), len(shown)) + 1
        told = shown[start:]
        line, secrets = part.data, []
        for secret in reversed(secrets_of([word.data for word in told])):
            word = told[secret.word]
            begin = word.begin + secret.skip
            raw = line[begin : word.end]
            if word.data not in {b"(redacted)", b""}:
                span = Span(part.span.place, part.span.offset + begin, len(raw))
                found = (secret.location, secret.field, secret.username, word.data[secret.skip :], raw)
                secrets.append(Sighting(*found, True, span, protocol="redis"))
                line = line[:begin] + line[word.end :]
        fields: dict[str, Value] = {"reply_type": "monitor", "reply": text(Part("simple", line, len(line), part.span))}
        if secrets:
            fields["secret"] = True
        self._hand_out("push", None, Message(read.span, fields))
        self._sight(secrets, UNKNOWN)

    def _finish(self, command: _Command, read: Read) -> None:
        answer = response(read)
        fields = answer.fields
        failed = fields["result"] == "error"
        told: list[Sighting] = []
        if command.name == "CONFIG GET":
            told = settings_told(read, fields)
        elif command.name in {"ACL GETUSER", "ACL LIST"}:
            fields["reply"] = without_hashes(fields["reply"])
        elif command.name == "ACL GENPASS" and fields["reply_type"] == "bulk":
            fields["reply"], fields["secret"] = None, True
        if failed and isinstance(fields["reply"], str):  # some servers repeat what they do not understand
            for secret in command.secrets:
                fields["reply"] = fields["reply"].replace(secret.secret.decode("latin-1"), "")
            if "secret" in command.message.fields and all(secret.form == HASH for secret in command.secrets):
                fields["reply"] = fields["reply"].split(" ")[0]
        self._hand_out("query", command.message, answer)
        self._sight(told, ACCEPTED)
        self._judge(command, read, failed, str(fields["reply"]))
        if failed:
            return
        if command.name in {"PSYNC", "SYNC"}:
            self._sink.weird("redis-replication", read.span)
            self._quiet = True
        elif command.name == "MONITOR":
            self._monitoring = True
        elif command.name == "RESET":
            self._monitoring = self._subscribed = False
            self._settle(None)

    def _judge(self, command: _Command, read: Read, failed: bool, reply: str) -> None:
        """What the reply says of the secrets in its command; in a transaction, that of EXEC does."""
        if self._queued is not None and not failed and reply == "QUEUED":
            for secret in command.secrets:
                secret.exchange = self._handed
            if len(self._queued) < _MOST_PENDING and self._waiting < _MOST_WAITING:
                self._queued.append(command.secrets)
                self._waiting += len(command.secrets)
            else:
                self._sight(command.secrets, UNKNOWN)
            return
        outcome = ACCEPTED
        if failed:
            outcome = REFUSED if _REFUSING.match(reply) else UNKNOWN
        self._sight(command.secrets, outcome)
        if command.name == "MULTI" and not failed and self._queued is None:
            self._queued = []
        elif command.name in {"EXEC", "DISCARD"}:
            self._settle(read.value if command.name == "EXEC" else None)

    def _settle(self, replies: Value) -> None:
        """The end of a transaction, with the replies to its commands."""
        queued, self._queued, self._waiting = self._queued or [], None, 0
        for number, secrets in enumerate(queued):
            for secret in secrets:
                if isinstance(replies, list) and number < len(replies):
                    reply = replies[number]
                    refused = isinstance(reply, dict) and "error" in reply
                    secret.outcome = REFUSED if refused else ACCEPTED
                self._sink.sighting(secret)
