"""Kerberos over UDP and TCP (RFC 4120, 7.2): requests with their replies, and what a password can be guessed from.

An AS-REQ shows with a timestamp that the client knows its password; the reply's own part is encrypted with the same
key, and a ticket with the key of its service. What comes a second time, byte by byte, is a plain repeat.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING

from ...model.record import Message as Told
from ...model.record import Record
from ...model.sighting import ACCEPTED, CERTAIN, HASH, POSSIBLE, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..asn1 import ber
from ..sasl.secret import text
from ..stream_buffer import StreamBuffer
from .lines import default_salt, fits, preauth, reply
from .messages import (
    AS_REP,
    AS_REQ,
    ERROR,
    HEAD,
    PA_FAST,
    PA_PKINIT,
    PA_SPAKE,
    TGS_REP,
    TGS_REQ,
    Encrypted,
    Message,
    decode,
    kind,
)
from .tickets import answer, sighting_fields
from .values import ERRORS, UNDECIDED, fields

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from .lines import Line

_WAITING = 64
_REMEMBERED = 256
"""Messages that are known again."""
_SALTS = 64
_HELD = 1 << 17
_LONGEST = 1 << 20
_WRAPPED = 4
_SESSION_TICKET = 1 << 3
"""kdc-options: the ticket is to be encrypted with a session key (user to user)."""
_OTHER_KEYS = frozenset({PA_PKINIT - 1, PA_PKINIT, PA_SPAKE})
_ANSWERS = {AS_REP: (AS_REQ,), TGS_REP: (TGS_REQ,), ERROR: (AS_REQ, TGS_REQ)}


class _Heard:
    """One message."""

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
    """Pairs requests and replies, in the order in which they come."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._waiting: list[_Heard] = []
        self._before: OrderedDict[tuple[bool, bytes], _Heard | None] = OrderedDict()
        self._salts: dict[tuple[str, int], str] = {}

    def heard(self, to_server: bool, raw: bytes, span: Span) -> None:
        """A message."""
        place = to_server, sha256(raw).digest()
        if place in self._before:
            before = self._before[place]
            if before is not None:
                before.repeats += 1
            return
        message = decode(raw)
        if message is None:
            self._sink.weird("kerberos-malformed", span)
            return
        heard = _Heard(to_server, message, raw, span)
        asks = message.kind in (AS_REQ, TGS_REQ)
        self._before[place] = heard if asks else None
        if len(self._before) > _REMEMBERED:
            self._before.popitem(last=False)
        if asks:
            self._waiting.append(heard)
            if len(self._waiting) > _WAITING:
                self._hand(self._waiting.pop(0), None)
            return
        asked = self._asked(message, to_server)
        self._hand(asked, heard) if asked is not None else self._hand(heard, None)

    def flush(self) -> None:
        """Hand out what has no reply."""
        for heard in self._waiting:
            self._hand(heard, None)
        self._waiting.clear()

    def _asked(self, message: Message, to_server: bool) -> _Heard | None:
        """The request that a reply answers: the first one of its kind, of its client if one is."""
        kinds = _ANSWERS.get(message.kind, ())
        among = [one for one in self._waiting if one.message.kind in kinds and one.to_server is not to_server]
        same = [one for one in among if message.client and one.message.client == message.client]
        found = next(iter(same or among), None)
        if found is not None:
            self._waiting.remove(found)
        return found

    # What can be guessed from

    def _learn(self, heard: _Heard | None, client: tuple[str, ...]) -> None:
        for etype, salt in heard.message.salts if heard is not None else ():
            if len(self._salts) < _SALTS:
                self._salts[_key(client), etype] = salt

    def _salt(self, client: tuple[str, ...], etype: int) -> str | None:
        return self._salts.get((_key(client), etype), self._salts.get((_key(client), -1)))

    def _sight(self, asked: Message | None, heard: _Heard) -> None:
        message = heard.message
        client, realm = message.client, message.realm
        if message.kind == AS_REQ and message.timestamp is not None:
            self._guessable(heard, message.timestamp, "AS-REQ", client, realm)
        elif message.kind == AS_REP and message.encrypted is not None and not _other_key(asked, message):
            self._guessable(heard, message.encrypted, "AS-REP", client, realm)
            if heard.sightings and PA_FAST in _used(asked, message):
                # FAST may have strengthened the key with another, which is encrypted (RFC 6113, 5.4.3).
                heard.sightings[-1].confidence = POSSIBLE
        if message.kind in (AS_REP, TGS_REP) and message.ticket is not None:
            if asked is not None and asked.options & _SESSION_TICKET:
                return
            name = "/".join(client)
            found = answer(heard.raw, message.ticket, name)
            if found is not None:
                whole = Span(heard.span.place, heard.span.offset + found.at, len(found.cipher))
                user = text(f"{name}@{realm}".encode("latin-1")) if name else None
                heard.sightings.append(
                    Sighting(
                        location="ticket",
                        field=None,
                        raw=found.cipher,
                        secret_complete=True,
                        span=whole,
                        protocol="kerberos",
                        **sighting_fields(found, user),
                    )
                )

    def _guessable(self, heard: _Heard, part: Encrypted, where: str, client: tuple[str, ...], realm: str) -> None:
        cipher = ber.value(heard.raw, part.cipher)
        if not client or client[0] == "WELLKNOWN" or not fits(part.etype, cipher):
            return
        salt = self._salt(client, part.etype)
        make = preauth if where == "AS-REQ" else reply
        line: Line = make(part.etype, realm, client, salt, cipher)
        details: dict[str, Value] = {
            "mechanism": f"Kerberos {where}",
            "etype": part.etype,
            "realm": realm,
            "salt": default_salt(realm, client) if salt is None else salt,
            "salt_seen": salt is not None,
            "hashcat": line.hashcat,
            "john": line.john,
            "challenge_seen": True,
        }
        heard.sightings.append(
            Sighting(
                location="preauthentication" if where == "AS-REQ" else "reply",
                field=None,
                username=text(f"{'/'.join(client)}@{realm}".encode("latin-1")),
                secret=line.text,
                raw=cipher,
                secret_complete=True,
                span=Span(heard.span.place, heard.span.offset + part.cipher.begin, len(cipher)),
                protocol="kerberos",
                form=HASH,
                confidence=CERTAIN,
                details=details,
            )
        )

    # What goes out

    def _hand(self, first: _Heard, other: _Heard | None) -> None:
        self._ordinal += 1
        client = first.message.client or (other.message.client if other is not None else ())
        self._learn(first, client)
        self._learn(other, client)
        self._sight(None, first)
        if other is not None:
            self._sight(first.message, other)
        sides: dict[bool, Told] = {}
        for heard in (first, other):
            if heard is not None:
                heard.fields = fields(heard.message)
                if heard.sightings:
                    heard.fields["secret"] = True
                if heard.repeats:
                    heard.fields["repeats"] = heard.repeats
                sides[heard.to_server] = Told(heard.span, heard.fields)
        login = AS_REQ in (first.message.kind, other.message.kind if other else None) or first.message.kind == AS_REP
        kind_of = "login" if login else "kerberos"
        self._sink.record(Record(kind_of, "kerberos", self._ordinal, sides.get(True), sides.get(False)))
        for heard in (first, other):
            for sighting in heard.sightings if heard is not None else ():
                sighting.outcome = _verdict(heard, other)
                sighting.exchange = self._ordinal
                self._sink.sighting(sighting)
        for heard in (first, other):
            if heard is not None:  # it may still be known again, by its digest
                heard.raw, heard.sightings = b"", []


def _key(client: tuple[str, ...]) -> str:
    """Windows takes a name in any case, and answers with its own spelling."""
    return "/".join(client).lower()


def _other_key(asked: Message | None, message: Message) -> bool:
    """Behind PKINIT and SPAKE a reply's key comes of no password, or not of it alone (RFC 4556; 9588)."""
    return bool(_OTHER_KEYS & _used(asked, message))


def _used(asked: Message | None, message: Message) -> set[int]:
    """Which kinds of pre-authentication were used."""
    said = set(message.padata)
    if asked is not None and asked.timestamp is None:
        said |= set(asked.padata)
    return said


def _verdict(heard: _Heard | None, other: _Heard | None) -> str:
    """A reply's own parts were given out; a timestamp is judged by the reply."""
    if heard is not None and heard.message.kind in (AS_REP, TGS_REP):
        return ACCEPTED
    if other is None:
        return UNKNOWN
    if other.message.kind != ERROR:
        return ACCEPTED
    return UNKNOWN if other.message.code in UNDECIDED or other.message.code not in ERRORS else REFUSED


class KerberosDatagrams:
    """Kerberos over UDP: each call brings one message."""

    def __init__(self, sink: Sink) -> None:
        self._exchanges = _Exchanges(sink)

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """A datagram."""
        self._exchanges.heard(to_server, bytes(data), Span(place, offset, len(data)))

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """A datagram that is not known, or the rest of one."""

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        self._exchanges.flush()


class KerberosStream:
    """Kerberos over TCP: messages behind their lengths. Behind a gap the next call has to begin with one."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._exchanges = _Exchanges(sink)
        self._buffers = {True: StreamBuffer(), False: StreamBuffer()}
        self._lost = {True: False, False: False}

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction, however they are cut."""
        buffer = self._buffers[to_server]
        if self._lost[to_server]:
            if not boundary:
                return
            self._lost[to_server] = False
            buffer.clear()
        buffer.feed(data, offset, place)
        while len(buffer) > _WRAPPED:
            head = buffer.peek(_WRAPPED + HEAD)
            size = int.from_bytes(head[:_WRAPPED], "big")
            if len(head) < min(_WRAPPED + HEAD, _WRAPPED + size):
                return
            known = kind(head[_WRAPPED : _WRAPPED + size])
            if size > _LONGEST or known is None:
                self._sink.weird("kerberos-lost", buffer.span(1))
                self._lost[to_server] = True
                buffer.clear()
                return
            if size > _HELD:
                self._sink.weird("kerberos-malformed", buffer.span(_WRAPPED))
                buffer.skip(_WRAPPED + size)
                continue
            if len(buffer) < _WRAPPED + size:
                return
            buffer.take(_WRAPPED)
            span = buffer.span(size)
            self._exchanges.heard(to_server, buffer.take(size), span)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known: the message in which they are is lost."""
        if length > 0 and not self._buffers[to_server].gap(length, offset):
            self._lost[to_server] = True

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        self._exchanges.flush()
