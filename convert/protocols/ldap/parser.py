"""LDAP over TCP and UDP (RFC 4511, 4513; CLDAP by MS-ADTS): binds, and every other operation with its answer.

Which answer belongs to which request the message's id says. A SASL exchange is one login, however many binds it takes.
What the server asks only the client answers; what each side said stands on its side of the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, CERTAIN, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..asn1 import ber
from ..sasl.secret import text
from .framer import HELD, Framer
from .logins import Login, Place
from .messages import (
    ABANDON,
    BIND,
    BOUND,
    ENTRY,
    EXTENDED,
    EXTENDED_DONE,
    INTERMEDIATE,
    REFERENCE,
    REQUESTS,
    RESPONSES,
    SEARCH,
    UNBIND,
    Envelope,
    attributes,
    bind,
    envelope,
    result,
    well_formed,
)
from .operations import PASSWORD_MODIFY, RESULTS, START_TLS, told
from .secrets import MAY_HOLD, held, is_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from ..api import Parser, Sink

_WAITING = 256
_SIGHTINGS = 256
"""Passwords of one operation that are handed out, each of at most _LONGEST bytes; of all that wait, four times that."""
_LONGEST = 4096
_TEXT = 4096


class _Operation:
    """A request, and what was answered so far; `asker`: whether who asks is the client."""

    def __init__(self, asker: bool, tag: int, fields: dict[str, Value] | None, span: Span | None) -> None:
        self.asker = asker
        self.tag = tag
        self.fields = fields
        self.span = span
        self.answer: Span | None = None
        self.entries = 0
        self.references = 0
        self.sightings: list[Sighting] = []
        self.handed = False

    def answered(self, span: Span) -> None:
        """A message of the answer."""
        begin = self.answer or span
        self.answer = Span(begin.place, begin.offset, span.offset + span.length - begin.offset)


class Conversation:
    """What is said, message by message."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._turned = False
        self._logins: dict[bool, Login] = {}
        self._waiting: dict[tuple[bool, int], _Operation] = {}
        self._held = 0
        self._user: dict[bool, str | None] = {True: None, False: None}
        """Who is logged in."""
        self.layered = False
        self.asked_tls: tuple[bool, int] | None = None  # asker and id of a request to go over to TLS that waits
        self.tls = False
        self.answers = 0

    def heard(self, to_server: bool, data: bytes, found: Envelope, span: Span) -> None:
        """A message; its end may be missing."""
        tag = found.operation.tag
        asker = (tag in REQUESTS) is to_server
        if not asker and not self._turned:
            self._turned = True
            self._sink.weird("ldap-wrong-direction", span)
        if tag in REQUESTS:
            self._asked(asker, data, found, span)
        else:
            self.answers += not to_server
            self._answered(asker, data, found, span)

    # Requests

    def _asked(self, asker: bool, data: bytes, found: Envelope, span: Span) -> None:
        operation, number = found.operation, found.number
        if operation.tag == BIND:
            self._binds(asker, data, found, span)
            return
        said = told(data, operation, number, found.complete)
        asked = _Operation(asker, operation.tag, said.fields, span)
        place = Place(data, span)
        for password in said.passwords:
            whose = password.whose or self._user[asker]
            self._sight(asked, _attribute(place, password.attribute, password.value, whose))
        if operation.tag in (ABANDON, UNBIND):
            self._hand(asked, None, UNKNOWN)
            return
        if said.fields.get("extension_oid") == START_TLS and (asker or self.asked_tls is None):
            self.asked_tls = asker, number
        if operation.tag == EXTENDED and said.fields.get("extension_oid") == PASSWORD_MODIFY:
            asked.fields = {**said.fields, "user": said.fields.get("user") or self._user[asker]}
        before = self._waiting.pop((asker, number), None)
        if before is not None:
            self._hand(before, None, UNKNOWN)
        self._waiting[asker, number] = asked
        if len(self._waiting) > _WAITING:
            self._hand(self._waiting.pop(next(iter(self._waiting))), None, UNKNOWN)

    def _binds(self, asker: bool, data: bytes, found: Envelope, span: Span) -> None:
        said = bind(data, found.operation, not found.complete)
        if said is None:
            self._sink.weird("ldap-malformed", span)
            return
        place = Place(data, span)
        login = self._logins.get(asker)
        if login is not None and login.takes(said):
            login.go_on(said, found.number, place)
            return
        self._hand_login(asker)
        self._logins[asker] = Login(said, found.number, place)

    # Answers

    def _answered(self, asker: bool, data: bytes, found: Envelope, span: Span) -> None:
        operation, number = found.operation, found.number
        tag = operation.tag
        if tag == BOUND:
            self._bound(asker, data, found, span)
            return
        asked = self._waiting.get((asker, number))
        if asked is None or (tag in RESPONSES and RESPONSES[tag] not in (asked.tag, EXTENDED)):
            asked = _Operation(asker, RESPONSES.get(tag, SEARCH), None, None)
            if number and tag in (ENTRY, REFERENCE) and (asker, number) not in self._waiting:
                self._waiting[asker, number] = asked  # its beginning was not seen
                if len(self._waiting) > _WAITING:
                    self._hand(self._waiting.pop(next(iter(self._waiting))), None, UNKNOWN)
        asked.answered(span)
        if tag == ENTRY:
            asked.entries += 1
            if found.complete and number and MAY_HOLD(data):
                self._entry(data, operation, span, asked)
            return
        if tag in (REFERENCE, INTERMEDIATE):
            asked.references += tag == REFERENCE
            return
        self._waiting.pop((asker, number), None)
        final = result(data, operation) if found.complete else None
        fields: dict[str, Value] = {"message_id": number}
        if final is not None:
            fields |= _result(final.code, final.matched, final.text)
            if final.referrals:
                fields["referrals"] = final.referrals
        if asked.tag == SEARCH:
            fields["entries"] = asked.entries
            fields["references"] = asked.references
        code = None if final is None else final.code
        if self.asked_tls == (asker, number) and tag == EXTENDED_DONE:
            self.asked_tls, self.tls = None, code == 0
        if asked.fields is not None and asked.fields.get("extension_oid") == PASSWORD_MODIFY and final is not None:
            self._made(data, operation, span, asked)
        verdict = UNKNOWN if code is None else ACCEPTED if code in (0, 6) else REFUSED
        self._hand(asked, fields, verdict)

    def _bound(self, asker: bool, data: bytes, found: Envelope, span: Span) -> None:
        final = result(data, found.operation) if found.complete else None
        login = self._logins.get(asker)
        if final is None or login is None or login.number != found.number:
            if final is not None:
                fields = {"message_id": found.number, **_result(final.code, final.matched, final.text)}
                self._give("login", asker, None, Message(span, fields))
            return
        if not login.answered(final, Place(data, span)):
            return
        if login.accepted:
            self._user[asker] = login.whose() or None
            self.layered = self.layered or login.layered
        self._hand_login(asker)

    def _entry(self, data: bytes, operation: ber.Tlv, span: Span, asked: _Operation) -> None:
        parts = ber.children(data, operation, 3)
        if parts is None or len(parts) < 2:
            return
        whose = ber.text(data, parts[0], _TEXT) or ""
        place = Place(data, span)
        for name, values in attributes(data, parts[1]):
            if not is_secret(name):
                continue
            for value in values:
                self._sight(asked, _attribute(place, name, value, whose))

    def _made(self, data: bytes, operation: ber.Tlv, span: Span, asked: _Operation) -> None:
        """A password that the server made up (RFC 3062, genPasswd)."""
        parts = ber.fields(data, operation, 16) or {}
        given = ber.fields(data, ber.inside(data, parts.get(0x8B), ber.SEQUENCE), 2) or {}
        if 0x80 in given and asked.fields is not None:
            whose = asked.fields.get("user")
            user = whose if isinstance(whose, str) else None
            self._sight(asked, _attribute(Place(data, span), "genPasswd", given[0x80], user))

    def _sight(self, asked: _Operation, sighting: Sighting | None) -> None:
        """A password waits for what becomes of its operation; too many of them wait for nothing."""
        if sighting is None or asked.handed or len(asked.sightings) >= _SIGHTINGS:
            return
        asked.sightings.append(sighting)
        self._held += 1
        if self._held > 4 * _SIGHTINGS and self._waiting:
            self._hand(self._waiting.pop(next(iter(self._waiting))), None, UNKNOWN)

    # What goes out

    def flush(self) -> None:
        """Hand out everything begun."""
        for asker in tuple(self._logins):
            self._hand_login(asker)
        for asked in self._waiting.values():
            self._hand(asked, None, UNKNOWN)
        self._waiting.clear()

    def _hand_login(self, asker: bool) -> None:
        login = self._logins.pop(asker, None)
        if login is None:
            return
        response = None
        if login.answer is not None and login.result is not None:
            final = login.result
            fields: dict[str, Value] = {"message_id": login.number}
            # Windows puts NTLM's messages into the name.
            matched = "" if final.matched.startswith("NTLMSSP") else final.matched
            fields |= _result(final.code, matched, final.text)
            response = Message(login.answer, fields)
        self._give("login", asker, Message(login.span, login.fields()), response)
        for sighting in login.sightings:
            sighting.outcome, sighting.exchange = login.verdict, self._ordinal
            self._sink.sighting(sighting)

    def _hand(self, asked: _Operation, answer: dict[str, Value] | None, verdict: str) -> None:
        request = None
        if asked.fields is not None and asked.span is not None:
            request = Message(asked.span, asked.fields)
        response = None
        if asked.answer is not None:
            so_far: dict[str, Value] = {"entries": asked.entries, "references": asked.references}
            said = so_far if answer is None else answer
            if request is None:
                said = {"operation": REQUESTS[asked.tag], **said}
            response = Message(asked.answer, said)
        self._give("ldap", asked.asker, request, response)
        for sighting in asked.sightings:
            sighting.outcome = UNKNOWN if asked.tag == SEARCH else verdict
            sighting.exchange = self._ordinal
            self._sink.sighting(sighting)
        self._held -= len(asked.sightings)
        asked.sightings, asked.handed = [], True

    def _give(self, kind: str, asker: bool, asked: Message | None, answer: Message | None) -> None:
        self._ordinal += 1
        sides = (asked, answer) if asker else (answer, asked)
        self._sink.record(Record(kind, "ldap", self._ordinal, *sides))


def _result(code: int, matched: str, said: str) -> dict[str, Value]:
    fields: dict[str, Value] = {"result_code": code, "result": RESULTS.get(code)}
    if matched:
        fields["matched_dn"] = matched
    if said:
        fields["diagnostic"] = said
    return fields


def _attribute(place: Place, name: str, value: ber.Tlv, whose: str | None) -> Sighting | None:
    raw, span = place.part(value)
    found = held(name, raw) if len(raw) <= _LONGEST else None
    if found is None:
        return None
    return Sighting(
        location="attribute",
        field=name,
        username=text(whose.encode("latin-1", "replace")) if whose else None,
        secret=found.secret,
        raw=raw,
        secret_complete=True,
        span=span,
        protocol="ldap",
        form=found.form,
        confidence=CERTAIN,
        details=found.details,
    )


class Ldap:
    """LDAP over TCP."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._talk = Conversation(sink)
        self._framers = {side: Framer(self._hearing(side), sink.weird) for side in (True, False)}
        self._inner: Parser | None = None

    def _hearing(self, to_server: bool) -> Callable[[bytes, Envelope, Span], None]:
        def heard(data: bytes, found: Envelope, span: Span) -> None:
            talk = self._talk
            talk.heard(to_server, data, found, span)
            if talk.tls:
                self._framers[to_server].paused = True
            elif to_server:
                self._framers[True].paused = talk.asked_tls is not None and talk.asked_tls[0]
            if talk.layered:
                for framer in self._framers.values():
                    framer.layered = True

        return heard

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction, however they are cut."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, boundary)
            return
        self._framers[to_server].feed(data, offset, place, boundary)
        self._settle(place)

    def _settle(self, place: object) -> None:
        """Go over to TLS, or on without it."""
        talk, client = self._talk, self._framers[True]
        if not client.paused and not talk.tls:
            return
        hello = talk.answers == 0 and client.buffer.peek(3)[:2] == b"\x16\x03"
        if talk.tls or hello:
            self._inner = inner = self._sink.switch("tls")
            for to_server, framer in self._framers.items():
                rest = framer.buffer
                if len(rest):
                    span = rest.span(len(rest))
                    inner.data(to_server, rest.take(len(rest)), span.offset, span.place, True)
        elif talk.asked_tls is None or not talk.asked_tls[0] or len(client.buffer) > HELD:
            talk.asked_tls, client.paused = None, False
            client.run()

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known."""
        if self._inner is not None:
            self._inner.gap(to_server, length, offset, place)
        elif length > 0:
            self._framers[to_server].gap(length, offset)

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        for framer in self._framers.values():
            framer.rest()
        self._talk.flush()
        if self._inner is not None:
            self._inner.close(ended)


class Cldap:
    """LDAP over UDP: each datagram brings one message, or an entry and what ends the search."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._talk = Conversation(sink)

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """A datagram."""
        raw = bytes(data)
        at = 0
        while at < len(raw):
            found = envelope(raw[at:])
            if found is None or not found.complete or not well_formed(raw[at:], found):
                self._sink.weird("ldap-malformed", Span(place, offset + at, len(raw) - at))
                return
            self._talk.heard(to_server, raw[at : at + found.size], found, Span(place, offset + at, found.size))
            at += found.size

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """A datagram that is not known, or the rest of one."""

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        self._talk.flush()
