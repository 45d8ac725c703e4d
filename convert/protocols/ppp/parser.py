"""Logins of PPP: PAP (RFC 1334), CHAP (RFC 1994) with Microsoft's (RFC 2433, 2759), EAP (RFC 3748).

Each frame comes whole. Of PAP, a request and its answer are one record, of CHAP challenge and success (or failure) are
what the server said and the response what the client did; of EAP each request and its response. The link has no
addresses yet.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, CLEARTEXT, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from . import chap, eap, messages

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from .messages import Frame

_WAITING = 64
_MOST_TEXT = 1024
_HEADER = 6
"""Of a frame, with the number of its protocol."""


class _Login:
    """One exchange; `secret` waits for its outcome."""

    __slots__ = ("client", "fields", "protocol", "said", "secret", "server")

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self.fields: dict[str, Value] = {}
        self.said: dict[str, Value] = {}
        self.client: Span | None = None
        self.server: Span | None = None
        self.secret: Sighting | None = None


class Ppp:
    """The parser of one link."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: OrderedDict[tuple[int, int], _Login] = OrderedDict()
        self._challenges: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._user = b""
        self._handed = 0

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """A frame."""
        raw, span = bytes(data), Span(place, offset, len(data))
        frame = messages.read(raw)
        if frame is None or not frame.whole:
            self._sink.weird("ppp-malformed", span)
            return
        if frame.protocol == messages.PAP:
            self._pap(frame, raw, span)
        elif frame.protocol == messages.CHAP:
            self._chap(frame, raw, span)
        else:
            self._eap(raw, span)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """A frame that is not known, or the rest of one, which was told of as malformed."""

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        while self._waiting:
            self._hand_out(self._waiting.popitem(last=False)[1])

    # PAP

    def _pap(self, frame: Frame, raw: bytes, span: Span) -> None:
        key = (frame.protocol, frame.identifier)
        if frame.code == 1:
            found = messages.pair(frame.data)
            if found is None:
                self._sink.weird("ppp-malformed", span)
                return
            user, password, at = found
            login = self._begin(key, "pap")
            login.client = login.client or span
            login.fields["username"] = user.decode("latin-1")
            if password:
                login.fields["secret"] = True
                begin = _HEADER + at
                where = Span(span.place, span.offset + begin, len(password))
                told: dict[str, Value] = {"mechanism": "PAP"}
                login.secret = Sighting(
                    "login",
                    None,
                    _text(user),
                    password,
                    password,
                    True,
                    where,
                    protocol="pap",
                    form=CLEARTEXT,
                    details=told,
                )
            return
        login = self._take(key, "pap")
        self._answered(login, span, frame.word, messages.text(frame.data), accepted=frame.code == 2)

    # CHAP

    def _chap(self, frame: Frame, raw: bytes, span: Span) -> None:
        key = (frame.protocol, frame.identifier)
        if frame.code >= 3:
            login = self._take(key, "chap")
            self._answered(login, span, frame.word, frame.data, accepted=frame.code == 3)
            return
        found = messages.value(frame.data)
        if found is None:
            self._sink.weird("ppp-malformed", span)
            return
        value, name = found
        login = self._begin(key, "chap")
        if frame.code == 1:
            login.server = login.server or span
            login.said["server_name"] = name.decode("latin-1")
            self._ask(key, value)
            return
        login.client = login.client or span
        login.fields["username"] = name.decode("latin-1")
        answer = chap.response(frame.identifier, name, self._challenges.get(key), value)
        if answer is not None:
            login.fields |= {"mechanism": answer.mechanism, "secret": True}
            begin = raw.find(answer.parts[0], _HEADER)
            end = begin + len(answer.parts[0])
            login.secret = _hash(answer, "chap", name, raw, begin, end, span)

    # EAP

    def _eap(self, raw: bytes, span: Span) -> None:
        packet = eap.read(raw[2:])
        if packet is None:
            self._sink.weird("ppp-malformed", span)
            return
        key = (messages.EAP, packet.identifier)
        if packet.code >= eap.SUCCESS:
            self._judge_eap(packet.code == eap.SUCCESS, span)
            return
        login = self._begin(key, "eap")
        method = eap.NAMES.get(packet.method, str(packet.method))
        if packet.code == eap.REQUEST:
            login.server = login.server or span
            login.said["eap"] = method
            self._judge_inner(eap.verdict(packet))
            asked = eap.challenge(packet)
            if asked is not None:
                self._ask(key, asked)
            return
        login.client = login.client or span
        login.fields["eap"] = method
        if packet.method == eap.IDENTITY:
            self._user = packet.data[:_MOST_TEXT]
            login.fields["username"] = self._user.decode("latin-1")
            return
        found = eap.answer(packet, self._challenges.get(key), self._user)
        if found is None:
            return
        user = found.user or self._user
        login.fields |= {"username": user.decode("latin-1"), "secret": True}
        begin, end = 2 + found.begin, 2 + found.end
        if found.answer is not None:
            login.fields["mechanism"] = found.answer.mechanism
            login.secret = _hash(found.answer, "ppp", user, raw, begin, end, span)
        else:
            where = Span(span.place, span.offset + begin, end - begin)
            login.secret = Sighting(
                "login", None, _text(user) or None, raw[begin:end], raw[begin:end], True, where, protocol="ppp",
                details={"mechanism": "EAP-GTC"},
            )  # fmt: skip

    def _judge_inner(self, accepted: bool | None) -> None:
        """MS-CHAPv2 tells itself whether the response before was right."""
        waiting = [one for one in self._waiting.values() if one.protocol == "eap" and one.secret is not None]
        if accepted is not None and waiting and waiting[-1].secret is not None:
            waiting[-1].secret.outcome = ACCEPTED if accepted else REFUSED

    def _judge_eap(self, accepted: bool, span: Span) -> None:
        """Success and failure are those of all that was said before; the last answer is what they are about."""
        keys = [key for key in self._waiting if key[0] == messages.EAP]
        for key in keys[:-1]:
            self._hand_out(self._waiting.pop(key))
        last = self._waiting.pop(keys[-1]) if keys else _Login("eap")
        self._answered(last, span, "success" if accepted else "failure", b"", accepted=accepted)

    # The queue

    def _begin(self, key: tuple[int, int], protocol: str) -> _Login:
        login = self._waiting.get(key)
        if login is None:
            login = self._waiting[key] = _Login(protocol)
            if len(self._waiting) > _WAITING:
                self._hand_out(self._waiting.popitem(last=False)[1])
        return login

    def _take(self, key: tuple[int, int], protocol: str) -> _Login:
        login = self._waiting.pop(key, None)
        return _Login(protocol) if login is None else login

    def _ask(self, key: tuple[int, int], challenge: bytes) -> None:
        self._challenges[key] = challenge
        self._challenges.move_to_end(key)
        if len(self._challenges) > _WAITING:
            self._challenges.popitem(last=False)

    def _answered(self, login: _Login, span: Span, word: str, said: bytes, *, accepted: bool) -> None:
        login.said["result"] = word
        if said:
            login.said["text"] = said[:_MOST_TEXT].decode("latin-1")
        first = login.server
        login.server = span if first is None else _joined(first, span)
        if login.secret is not None:
            login.secret.outcome = ACCEPTED if accepted else REFUSED
        self._hand_out(login)

    def _hand_out(self, login: _Login) -> None:
        request = Message(login.client, login.fields) if login.client is not None else None
        response = Message(login.server, login.said) if login.server is not None else None
        if request is None and response is None:
            return
        self._handed += 1
        self._sink.record(Record("login", login.protocol, self._handed, request, response))
        if login.secret is not None:
            login.secret.exchange = self._handed
            self._sink.sighting(login.secret)


def _hash(answer: chap.Answer, protocol: str, user: bytes, raw: bytes, begin: int, end: int, span: Span) -> Sighting:
    where = Span(span.place, span.offset + begin, end - begin)
    return Sighting(
        "login", None, _text(user) or None, answer.line, raw[begin:end], True, where, protocol=protocol,
        outcome=UNKNOWN, form=answer.form, confidence=answer.confidence, details=answer.told(), parts=answer.parts,
    )  # fmt: skip


def _joined(first: Span, last: Span) -> Span:
    return Span(first.place, first.offset, last.offset + last.length - first.offset)


def _text(raw: bytes) -> str:
    """A name as text: UTF-8, else a character a byte."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
