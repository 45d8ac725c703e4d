"""Requests of SIP with their final responses, whichever end sent them, and the outcome of what they were proved with.

A response repeats call, sequence number and branch of its request. Over UDP both come again until they are answered.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from . import messages
from .credentials import Proofs, without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from ..api import Sink
    from .messages import Head

_PENDING = 128
_ANSWERED = 512
_TEXTS = (
    ("from", "caller"),
    ("to", "callee"),
    ("call-id", "call_id"),
    ("cseq", "cseq"),
    ("contact", "contact"),
    ("user-agent", "user_agent"),
    ("server", "server_agent"),
)
_NO_ANSWER = "ACK"


class _Asked:
    """A request that waits for its final response."""

    __slots__ = ("fields", "key", "secrets", "span", "to_server")

    def __init__(self, to_server: bool, key: object, span: Span, fields: dict[str, Value]) -> None:
        self.to_server = to_server
        self.key = key
        self.span = span
        self.fields = fields
        self.secrets: list[Sighting] = []


class Dialogue:
    """The messages of one conversation, in order."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._pending: OrderedDict[object, _Asked] = OrderedDict()
        self._answered: OrderedDict[object, None] = OrderedDict()
        self._proofs = Proofs()
        self._handed = 0

    def heard(self, to_server: bool, data: bytes, where: Callable[[int, int], Span]) -> Head | None:
        """A message from its first line on; `where(begin, length)` is the span of bytes in it. None: it is none."""
        head = messages.read(data)
        if head is None:
            return None
        if head.method is not None:
            self._request(to_server, head, data, where)
        elif head.status >= 200:
            self._response(to_server, head, where(0, len(data)))
        return head

    def close(self) -> None:
        """Hand out what waits."""
        while self._pending:
            self._hand_out(self._pending.popitem(last=False)[1], None, None)

    def _request(self, to_server: bool, head: Head, data: bytes, where: Callable[[int, int], Span]) -> None:
        key = (to_server, *head.call)
        before = self._pending.get(key)
        if before is not None:
            count = before.fields.get("repeats")
            before.fields["repeats"] = (count if isinstance(count, int) else 0) + 1
            return
        if key in self._answered:
            return
        fields = _fields(head)
        asked = _Asked(to_server, key, where(0, len(data)), fields)
        for proof in self._proofs.find(head, data[: data.find(b"\n")]):
            if proof.scheme:
                fields["scheme"] = proof.scheme
            if proof.fields["username"] is not None:
                fields["username"] = str(proof.fields["username"]).encode().decode("latin-1")
            fields["secret"] = True
            span = where(proof.at, len(proof.raw))
            asked.secrets.append(
                Sighting(
                    **proof.fields,
                    raw=proof.raw,
                    secret_complete=True,
                    span=span,
                    method=head.method,
                    target=without_passwords(head.uri),
                    protocol="sip",
                )
            )
        if head.method == _NO_ANSWER:
            self._remember(key)
            self._hand_out(asked, None, None)
            return
        self._pending[key] = asked
        if len(self._pending) > _PENDING:
            self._hand_out(self._pending.popitem(last=False)[1], None, None)

    def _response(self, to_server: bool, head: Head, span: Span) -> None:
        key = (not to_server, *head.call)
        asked = self._pending.pop(key, None)
        if asked is None:
            if key not in self._answered:
                self._remember(key)
                message = Message(span, _fields(head))
                self._record(*((message, None) if to_server else (None, message)))
            return
        self._remember(key)
        self._hand_out(asked, head, span)

    def _remember(self, key: object) -> None:
        self._answered[key] = None
        if len(self._answered) > _ANSWERED:
            self._answered.popitem(last=False)

    def _hand_out(self, asked: _Asked, head: Head | None, span: Span | None) -> None:
        mine = Message(asked.span, asked.fields)
        other = Message(span, _fields(head)) if head is not None and span is not None else None
        self._record(*((mine, other) if asked.to_server else (other, mine)))
        for sighting in asked.secrets:
            sighting.outcome, sighting.exchange = _outcome(head), self._handed
            self._sink.sighting(sighting)

    def _record(self, request: Message | None, response: Message | None) -> None:
        self._handed += 1
        self._sink.record(Record("sip", "sip", self._handed, request, response))


def _outcome(head: Head | None) -> str:
    """What a final response says of a password. One to an outdated nonce (stale) says that it was the right one."""
    if head is None:
        return UNKNOWN
    if head.status < 300:
        return ACCEPTED
    if head.status in (401, 407):
        asked = " ".join(one.value.decode("latin-1") for one in head.headers if one.name.endswith("-authenticate"))
        return UNKNOWN if "stale=true" in asked.lower().replace('"', "").replace(" ", "") else REFUSED
    return REFUSED if head.status == 403 else UNKNOWN


def _fields(head: Head) -> dict[str, Value]:
    """What a record says of a message."""
    fields: dict[str, Value] = {}
    if head.method is not None:
        fields |= {"method": head.method, "uri": _cut(without_passwords(head.uri))}
    else:
        fields |= {"status": head.status, "reason": head.reason}
    for name, word in _TEXTS:
        told = head.first(name)
        if told is not None:
            fields[word] = _cut(without_passwords(told))
    if not head.complete:
        fields["head_complete"] = False
    return fields


def _cut(text: str) -> str:
    return text[: messages.MOST_TEXT]
