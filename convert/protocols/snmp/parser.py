"""SNMP over UDP and TCP (RFC 3417, 3430): requests with their responses, traps, communities and digests.

Which message answers which its number says, and its kind which of both it is. A community is a secret that stands in
every message; of version 3 there is one digest of a user in a conversation, since one is enough to guess from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message as Told
from ...model.record import Record
from ...model.sighting import ACCEPTED, COMMUNITY, HASH, LIKELY, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..asn1 import ber
from ..stream_buffer import StreamBuffer
from .messages import ASKING, PDUS, REPORT, RESPONSE, V3, VERSIONS, Message, begun, decode
from .usm import digest

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_WAITING = 64
"""Requests without an answer that are held."""
_USERS = 64
"""Users of whom is remembered that their digest was handed out."""
_LONGEST = 1 << 16
"""Bytes of a message in a stream."""
_STATISTICS = "1.3.6.1.6.3.15.1.1."
"""usmStats (RFC 3414, 5): what a report counts is why it was sent."""
_WHY = {
    "1": ("unsupported-security-level", UNKNOWN),
    "2": ("not-in-time-window", ACCEPTED),  # looked at behind the digest (RFC 3414, 3.2)
    "3": ("unknown-user", REFUSED),
    "4": ("unknown-engine", UNKNOWN),
    "5": ("wrong-digest", REFUSED),
    "6": ("decryption-error", ACCEPTED),
}
_LEVELS = {0: "noAuthNoPriv", 1: "authNoPriv", 3: "authPriv"}


class _Heard:
    """One message, and what of it waits for its answer."""

    __slots__ = ("fields", "message", "raw", "repeats", "sightings", "span", "to_server")

    def __init__(self, to_server: bool, message: Message, raw: bytes, span: Span) -> None:
        self.to_server = to_server
        self.message = message
        self.raw = raw
        self.span = span
        self.repeats = 0
        self.fields: dict[str, Value] = {}
        self.sightings: list[Sighting] = []


class _Exchanges:
    """Pairs what is asked and answered."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._waiting: dict[tuple[bool, bool, int], _Heard] = {}
        self._users: dict[tuple[bytes, str], str] = {}

    def heard(self, to_server: bool, raw: bytes, span: Span, cut: bool = False) -> None:
        """A message; `cut`: its end is known to be missing."""
        message = decode(raw)
        complete = message is not None
        if cut and ber.measure(raw[:10]) > len(raw):
            message = begun(raw)
        if message is None:
            self._sink.weird("snmp-malformed", span)
            return
        heard = _Heard(to_server, message, raw, span)
        heard.fields = _fields(message, complete)
        number = _number(message)
        if number is None:
            self._sight(heard, complete)
            self._hand(heard, None)
            return
        place = (message.version == V3, to_server, number)
        asked = self._waiting.get((place[0], not to_server, number))
        answers = message.pdu.tag in (RESPONSE, REPORT) if message.pdu else asked is not None or not message.flags & 4
        if not answers:
            before = self._waiting.get(place)
            if before is not None and before.raw == raw:
                before.repeats += 1
                return
            self._sight(heard, True)
            if before is not None:
                self._hand(self._waiting.pop(place), None)
            self._waiting[place] = heard
            if len(self._waiting) > _WAITING:
                self._hand(self._waiting.pop(next(iter(self._waiting))), None)
            return
        self._sight(heard, True)
        if asked is None:
            self._hand(heard, None)
        else:
            del self._waiting[place[0], not to_server, number]
            self._hand(asked, heard)

    def flush(self) -> None:
        """Hand out what has no answer."""
        for heard in self._waiting.values():
            self._hand(heard, None)
        self._waiting.clear()

    def _sight(self, heard: _Heard, complete: bool) -> None:
        message, raw = heard.message, heard.raw
        community = message.community
        if community is not None and community.end > community.begin:
            heard.fields["secret"] = True
            secret = raw[community.begin : community.end]
            found = _sighting(COMMUNITY, secret, secret, heard, community)
            if not complete:
                found.confidence = LIKELY
            heard.sightings.append(found)
            return
        usm = message.usm
        if usm is None or self._users.get((usm.engine_id, usm.user)) == ACCEPTED:
            return
        answer = digest(raw, message)
        if answer is None:
            return
        heard.fields["secret"] = True
        found = _sighting("usm", answer.line, raw[answer.place.begin : answer.place.end], heard, answer.place)
        found.form, found.confidence, found.username = HASH, LIKELY, _text(answer.user)
        found.details = {
            "mechanism": "SNMPv3 USM",
            "algorithm": answer.algorithm,
            "hashcat": answer.hashcat,
            "john": "snmp" if len(found.raw) == 12 else None,
            "challenge_seen": True,
        }
        heard.sightings.append(found)

    def _hand(self, first: _Heard, answer: _Heard | None) -> None:
        self._ordinal += 1
        sides: dict[bool, Told] = {}
        for heard in (first, answer):
            if heard is not None:
                if heard.repeats:
                    heard.fields["repeats"] = heard.repeats
                sides[heard.to_server] = Told(heard.span, heard.fields)
        self._sink.record(Record("snmp", "snmp", self._ordinal, sides.get(True), sides.get(False)))
        verdict = _verdict(first, answer)
        for heard in (first, answer):
            for sighting in heard.sightings if heard is not None else ():
                sighting.outcome, sighting.exchange = verdict, self._ordinal
                if sighting.form != HASH or self._is_new(heard, verdict):
                    self._sink.sighting(sighting)

    def _is_new(self, heard: _Heard | None, verdict: str) -> bool:
        """Whether nothing as good was handed out of this user's digests."""
        usm = heard.message.usm if heard is not None else None
        if usm is None:
            return False
        place = (usm.engine_id, usm.user)
        before = self._users.get(place)
        if before in (ACCEPTED, verdict) or (before is None and len(self._users) >= _USERS):
            return False
        self._users[place] = verdict
        return True


def _sighting(location: str, secret: bytes, raw: bytes, heard: _Heard, place: ber.Tlv) -> Sighting:
    span = heard.span
    return Sighting(
        location=location,
        field=None,
        username=None,
        secret=secret,
        raw=raw,
        secret_complete=True,
        span=Span(span.place, span.offset + place.begin, place.end - place.begin),
        protocol="snmp",
    )


def _number(message: Message) -> int | None:
    """By which an answer is known; None where none follows."""
    if message.version == V3:
        asks = message.pdu is None or message.pdu.tag in ASKING or message.pdu.tag in (RESPONSE, REPORT)
        return message.message_id if asks else None
    pdu = message.pdu
    return pdu.request_id if pdu is not None and (pdu.tag in ASKING or pdu.tag == RESPONSE) else None


def _verdict(first: _Heard, answer: _Heard | None) -> str:
    """Agents do not answer who has the wrong community (RFC 1157, 4.1); in version 3 they say why."""
    told = (answer or first).message
    if told.pdu is None:
        return ACCEPTED if answer is not None else UNKNOWN
    if told.pdu.tag == RESPONSE:
        return ACCEPTED
    return _why(told)[1] if told.pdu.tag == REPORT else UNKNOWN


def _why(message: Message) -> tuple[str, str]:
    for oid in message.pdu.oids if message.pdu else ():
        if oid.startswith(_STATISTICS):
            return _WHY.get(oid[len(_STATISTICS) :].partition(".")[0], ("", UNKNOWN))
    return "", UNKNOWN


def _fields(message: Message, complete: bool) -> dict[str, Value]:
    fields: dict[str, Value] = {"version": VERSIONS[message.version]}
    pdu = message.pdu
    if pdu is not None:
        fields["pdu"] = PDUS[pdu.tag]
        if pdu.request_id is not None:
            fields["request_id"] = pdu.request_id
        if pdu.tag == RESPONSE:
            fields["error_status"] = pdu.error_status
            if pdu.error_status:
                fields["error_index"] = pdu.error_index
    if message.version == V3:
        fields["message_id"] = message.message_id
        fields["security_level"] = _LEVELS.get(message.flags & 3)
        if message.usm is not None:
            fields["engine_id"] = message.usm.engine_id.hex()
            fields["user"] = message.usm.user
        if message.encrypted:
            fields["encrypted"] = True
    if pdu is not None:
        fields["varbinds"] = pdu.varbinds
        fields["oids"] = list(pdu.oids)
        if pdu.tag == REPORT:
            fields["report"] = _why(message)[0] or None
    if not complete:
        fields["message_complete"] = False
    return fields


def _text(wire: str) -> str:
    try:
        return wire.encode("latin-1").decode()
    except UnicodeError:
        return wire


class SnmpDatagrams:
    """SNMP over UDP: each call brings one message."""

    def __init__(self, sink: Sink) -> None:
        self._exchanges = _Exchanges(sink)
        self._doubted: tuple[bool, bytes, Span] | None = None
        """A datagram that is shorter than its message, which may have been cut in the capture."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """A datagram."""
        self._decide(False)
        raw, span = bytes(data), Span(place, offset, len(data))
        if raw[:1] == b"\x30" and ber.measure(raw[:10]) > len(raw):
            self._doubted = to_server, raw, span
        else:
            self._exchanges.heard(to_server, raw, span)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """A datagram that is not known, or the rest of one."""
        held = self._doubted
        self._decide(held is not None and held[0] == to_server and held[2].offset + len(held[1]) == offset)

    def _decide(self, cut: bool) -> None:
        if self._doubted is not None:
            self._exchanges.heard(*self._doubted, cut)
            self._doubted = None

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        self._decide(False)
        self._exchanges.flush()


class SnmpStream:
    """SNMP over TCP: one message behind the other; behind a gap the next call begins with one, or is passed over."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._exchanges = _Exchanges(sink)
        self._buffers = {True: StreamBuffer(), False: StreamBuffer()}
        self._lost = {True: False, False: False}

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction, however they are cut."""
        buffer = self._buffers[to_server]
        if boundary and self._lost[to_server]:
            self._lost[to_server] = False
            buffer.clear()
        if self._lost[to_server]:
            return
        buffer.feed(data, offset, place)
        while len(buffer):
            head = buffer.peek(10)
            size = ber.measure(head) if head[0] == ber.SEQUENCE else ber.NO
            if not ber.UNDECIDED <= size <= _LONGEST:
                self._sink.weird("snmp-lost", buffer.span(len(buffer.peek(1))))
                self._lost[to_server] = True
                buffer.clear()
                return
            if not size or len(buffer) < size:
                return
            span = buffer.span(size)
            self._exchanges.heard(to_server, buffer.take(size), span)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known."""
        buffer = self._buffers[to_server]
        self._rest(to_server)
        if not self._lost[to_server] and length > 0:
            self._lost[to_server] = True
        buffer.gap(length, offset)

    def _rest(self, to_server: bool) -> None:
        buffer = self._buffers[to_server]
        if len(buffer) and not self._lost[to_server]:
            span = buffer.span(len(buffer))
            self._exchanges.heard(to_server, buffer.take(len(buffer)), span, True)

    def close(self, ended: bool = True) -> None:
        """Hand out what waits, also what has begun."""
        for to_server in (True, False):
            self._rest(to_server)
        self._exchanges.flush()
