"""RADIUS (RFC 2865, 2866, 2869, 3579, 5176): requests with their answers, and what a login is proved with.

A request and its answer have the same identifier. A user's password is hidden with a secret that client and server
share; the answers of CHAP and of EAP can be guessed at by anyone who reads them.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from . import messages
from .logins import Eap, method, proofs, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.record import Value
    from ..api import Sink
    from .messages import Packet

_PENDING = 256
"""Requests that wait for their answer: there are no more identifiers."""
_OUTCOMES = {messages.ACCESS_ACCEPT: ACCEPTED, messages.ACCESS_REJECT: REFUSED}
_TEXTS = (
    (messages.CALLED, "called_station"),
    (messages.CALLING, "calling_station"),
    (messages.NAS_IDENTIFIER, "nas_identifier"),
)
_MOST_TEXT = 1024


class _Asked:
    """A request that waits."""

    __slots__ = ("fields", "packet", "secrets", "span", "to_server")

    def __init__(self, to_server: bool, packet: Packet, span: Span, fields: dict[str, Value]) -> None:
        self.to_server = to_server
        self.packet = packet
        self.span = span
        self.fields = fields
        self.secrets: list[Sighting] = []


class Radius:
    """The parser of one conversation; each call brings one datagram.

    `known`: shared secrets to try, those of the sink if not given.
    """

    def __init__(self, sink: Sink, known: Sequence[bytes] | None = None) -> None:
        self._sink = sink
        self._known = tuple(sink.shared_secrets if known is None else known)
        self._eap = Eap()
        self._pending: OrderedDict[tuple[bool, int], _Asked] = OrderedDict()
        self._answered: OrderedDict[tuple[bool, int], bytes] = OrderedDict()
        self._handed = 0

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """A datagram."""
        packet = messages.read(bytes(data))
        span = Span(place, offset, len(data))
        if packet is None:
            self._sink.weird("radius-malformed", span)
            return
        if not packet.whole:
            self._sink.weird("radius-cut-attributes", span)
        if packet.code in messages.REQUESTS:
            self._request(to_server, packet, span)
        else:
            self._response(to_server, packet, span)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """A datagram that is not known, or the rest of one: what was read of it stands."""

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        while self._pending:
            self._hand_out(self._pending.popitem(last=False)[1], None, None)

    def _request(self, to_server: bool, packet: Packet, span: Span) -> None:
        key = (to_server, packet.identifier)
        before = self._pending.get(key)
        if before is not None and before.packet.raw == packet.raw:
            count = before.fields.get("repeats")
            before.fields["repeats"] = (count if isinstance(count, int) else 0) + 1
            return
        if before is not None:
            self._hand_out(self._pending.pop(key), None, None)
        elif self._answered.get(key) == packet.raw:
            return
        asked = _Asked(to_server, packet, span, _fields(packet))
        if packet.code == messages.ACCESS_REQUEST:
            self._prove(asked)
        asked.packet = packet._replace(attributes=[])  # they take many times the packet's room
        self._pending[key] = asked
        if len(self._pending) > _PENDING:
            self._hand_out(self._pending.popitem(last=False)[1], None, None)

    def _prove(self, asked: _Asked) -> None:
        """Find what the request is proved with."""
        packet, span = asked.packet, asked.span
        name = packet.first(messages.USER_NAME)
        found = proofs(packet, self._known)
        other = self._eap.proof(packet, name.value if name is not None else b"")
        if other is not None:
            found.append(other)
        told: list[Value] = [one.details["mechanism"] for one in found]
        if packet.first(messages.USER_PASSWORD) is not None and "PAP" not in told:
            told.insert(0, "PAP")
        if not told:
            return
        asked.fields |= {"mechanism": told, "secret": True}
        for one in found:
            asked.secrets.append(
                Sighting(
                    "login",
                    None,
                    _text(name.value) if name is not None else None,
                    one.secret,
                    packet.raw[one.begin : one.end],
                    True,
                    Span(span.place, span.offset + one.begin, one.end - one.begin),
                    protocol="radius",
                    form=one.form,
                    confidence=one.confidence,
                    details=one.details,
                    parts=one.parts,
                )
            )

    def _response(self, to_server: bool, packet: Packet, span: Span) -> None:
        if packet.code == messages.ACCESS_CHALLENGE:
            self._eap.heard(packet)
        key = (not to_server, packet.identifier)
        asked = self._pending.pop(key, None)
        if asked is None:
            if key not in self._answered:
                message = Message(span, _fields(packet))
                sides = (message, None) if to_server else (None, message)
                self._record(*sides)
            return
        self._answered[key] = asked.packet.raw
        if len(self._answered) > _PENDING:
            self._answered.popitem(last=False)
        self._hand_out(asked, packet, span)

    def _hand_out(self, asked: _Asked, packet: Packet | None, span: Span | None) -> None:
        mine = Message(asked.span, asked.fields)
        other = Message(span, _fields(packet)) if packet is not None and span is not None else None
        outcome = _outcome(packet) if packet is not None else UNKNOWN
        self._record(*((mine, other) if asked.to_server else (other, mine)))
        for sighting in asked.secrets:
            sighting.outcome, sighting.exchange = outcome, self._handed
            self._sink.sighting(sighting)

    def _record(self, request: Message | None, response: Message | None) -> None:
        self._handed += 1
        self._sink.record(Record("radius", "radius", self._handed, request, response))


def _outcome(packet: Packet) -> str:
    """What an answer says of a login."""
    if packet.code == messages.ACCESS_CHALLENGE:
        return {True: ACCEPTED, False: REFUSED, None: UNKNOWN}[verdict(packet)]
    return _OUTCOMES.get(packet.code, UNKNOWN)


def _fields(packet: Packet) -> dict[str, Value]:
    """What a record says of a packet."""
    fields: dict[str, Value] = {"code": messages.CODES[packet.code], "identifier": packet.identifier}
    name = packet.first(messages.USER_NAME)
    if name is not None:
        fields["username"] = name.value.decode("latin-1")
    for number in (messages.NAS_ADDRESS, messages.NAS_ADDRESS_6):
        told = packet.first(number)
        if told is not None and len(told.value) in (4, 16):
            fields["nas_address"] = str(ip_address(told.value))
    port = packet.first(messages.NAS_PORT)
    if port is not None and len(port.value) == 4:
        fields["nas_port"] = int.from_bytes(port.value, "big")
    for number, word in _TEXTS:
        told = packet.first(number)
        if told is not None:
            fields[word] = told.value.decode("latin-1")
    inner = method(packet)
    if inner is not None:
        fields["eap"] = inner
    if packet.code not in messages.REQUESTS:
        said = b"".join(one.value for one in packet.attributes if one.number == messages.REPLY_MESSAGE)
        if said:
            fields["reply_message"] = said[:_MOST_TEXT].decode("latin-1")
    if not packet.whole:
        fields["packet_complete"] = False
    return fields


def _text(raw: bytes) -> str:
    """A name as text: UTF-8, else a character a byte."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
