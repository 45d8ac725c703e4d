"""TLS (RFC 8446, 5246) and SSL 2 and 3: what is said before all is encrypted. Then the parser is quiet.

One record a conversation: the client's hello and the server's, the certificates that pass in the clear (up to TLS 1.2),
the alert that ended it. Behind a server's demand for another hello the first one of the client counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from . import records as layer
from .der import certificate
from .hello import client_hello, old_client_hello, old_server_hello, server_hello

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from .hello import ClientHello, ServerHello

_CLIENT_HELLO, _SERVER_HELLO, _OLD_RETRY, _CERTIFICATE, _CERTIFICATE_REQUEST = 1, 2, 6, 11, 13
_MESSAGES = 256
"""Handshake messages of one side: there are ten or so, and empty ones cost."""
_FATAL, _CLOSE = 2, 0
_LEVELS = {1: "warning", 2: "fatal"}
_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
    121: "ech_required",
}


class _Side:
    """What one end said in the clear."""

    def __init__(self, to_server: bool) -> None:
        self.to_server = to_server
        self.records = layer.Records()
        self.fields: dict[str, Value] = {}
        self.client: ClientHello | None = None
        self.server: ServerHello | None = None
        self.certificate: dict[str, Value] | None = None
        self.certificates: int | None = None
        self.requested = False
        self.messages = 0
        self.changed = False  # to encryption, after what it had to say
        self.alert: tuple[int, int] | None = None
        self.begin: Span | None = None
        self.end = 0
        self.done = False

    def heard(self, found: layer.Found) -> None:
        """These bytes say something of the record."""
        if self.begin is None:
            self.begin = found.begin
        self.end = found.end


class Tls:
    """The handshake of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._sides = {True: _Side(True), False: _Side(False)}
        self._retry = False
        self._chosen = False
        self._finished = False
        self._reversed = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction, however they are cut."""
        side = self._sides[to_server]
        if side.done:
            return
        side.records.feed(data, offset, place)
        self._read(side)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known."""
        side = self._sides[to_server]
        if side.done:
            return
        found = side.records.gap(length, offset)
        if found is not None and found.kind != layer.BROKEN:
            self._found(side, found)
        if found is None or found.kind != layer.BROKEN:
            self._read(side)
            return
        self._rest(side)
        self._end(side)

    def close(self, ended: bool = True) -> None:
        """Hand out what was said."""
        for side in self._sides.values():
            if not side.done:
                self._rest(side)
        self._finish()

    def _read(self, side: _Side) -> None:
        while not side.done:
            found = side.records.next()
            if found is None:
                return
            if found.kind == layer.BROKEN:
                self._rest(side)
                self._sink.weird("tls-broken-record", found.begin)
                self._end(side)
                return
            self._found(side, found)

    def _rest(self, side: _Side) -> None:
        rest = side.records.rest()
        if rest is not None:
            self._found(side, rest)

    def _end(self, side: _Side) -> None:
        side.done = True
        side.records.stop()
        if self._sides[not side.to_server].done:
            self._finish()

    def _found(self, side: _Side, found: layer.Found) -> None:
        if found.kind == layer.HANDSHAKE:
            self._message(side, found)
        elif found.kind == layer.ALERT:
            self._alert(side, found)
        elif found.kind == layer.OLD:
            self._old(side, found)
        elif found.kind == layer.APPLICATION:
            self._end(side)
        elif found.kind == layer.CHANGE:
            if self._chosen or not self._retry:
                side.changed = True
                self._end(side)
        elif found.body[:1] == b"\x01" and int.from_bytes(found.body[1:3], "big") + 3 > found.message:
            self._sink.weird("tls-heartbleed", found.begin)

    def _message(self, side: _Side, found: layer.Found) -> None:
        kind = found.message
        side.messages += 1
        if side.messages > _MESSAGES:
            self._end(side)
        elif kind == _CLIENT_HELLO and side.client is None and side.server is None:
            side.heard(found)
            side.client = client_hello(found.body, found.complete)
            side.fields = side.client.fields
            self._role(side, side.to_server, found)
        elif kind == _SERVER_HELLO and not self._chosen and side.client is None:
            self._answer(side, found)
        elif kind == _OLD_RETRY:
            self._retry = True
            side.heard(found)
        elif kind == _CERTIFICATE and side.certificates is None:
            side.heard(found)
            self._certificate(side, found)
        elif kind == _CERTIFICATE_REQUEST:
            side.requested = True

    def _answer(self, side: _Side, found: layer.Found) -> None:
        side.heard(found)
        answer = server_hello(found.body, found.complete)
        side.fields = answer.fields
        self._role(side, not side.to_server, found)
        if answer.retry:
            self._retry = True
            return
        side.server = answer
        self._chosen = True
        if answer.version > 0x0303:  # a draft of TLS 1.3 too
            self._end(side)

    def _role(self, side: _Side, natural: bool, found: layer.Found) -> None:
        """The client of the connection may be the server of TLS."""
        if not natural and not self._reversed:
            self._reversed = True
            self._sink.weird("tls-roles-reversed", found.begin)

    def _certificate(self, side: _Side, found: layer.Found) -> None:
        body = found.body
        side.certificates = 0
        if len(body) < 6:
            return
        size = int.from_bytes(body[3:6], "big")
        first = body[6 : 6 + size]
        whole = len(first) == size
        side.certificate, readable = certificate(first, whole)
        if whole and not readable:
            self._sink.weird("tls-broken-certificate", found.begin)
        at = 3
        while at + 3 <= len(body):
            at += 3 + int.from_bytes(body[at : at + 3], "big")
            side.certificates += 1
        if not found.complete:
            side.certificates = -1

    def _alert(self, side: _Side, found: layer.Found) -> None:
        if found.message != 2 or len(found.body) < 2:
            self._end(side)  # encrypted
            return
        level, description = found.body
        if side.alert is None or level == _FATAL:
            side.alert = level, description
        side.heard(found)
        if level == _FATAL or description == _CLOSE:
            self._end(side)

    def _old(self, side: _Side, found: layer.Found) -> None:
        side.heard(found)
        if found.message == 1:
            side.client = old_client_hello(found.body)
            side.fields = side.client.fields
            self._role(side, side.to_server, found)
            return
        side.fields, first = old_server_hello(found.body)
        if first:
            side.certificate, _ = certificate(first)
            side.certificates = 1
        self._role(side, not side.to_server, found)
        self._end(side)
        other = self._sides[not side.to_server]
        if not other.done:  # what follows in SSL 2 is encrypted, and no record
            self._end(other)

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        messages = {to_server: self._spoken(side) for to_server, side in self._sides.items()}
        if messages[True] is not None or messages[False] is not None:
            self._sink.record(Record("tls", "tls", 1, messages[True], messages[False]))

    def _spoken(self, side: _Side) -> Message | None:
        if side.begin is None:
            return None
        fields, other = side.fields, self._sides[not side.to_server]
        if side.server is not None:
            self._resumption(fields, side.server, other.client)
        if side.client is None and self._retry:
            fields["hello_retry"] = True
        if side.requested:
            fields["client_certificate_requested"] = True
        if side.client is not None and (side.certificate is not None or (other.requested and side.changed)):
            fields["client_certificate"] = side.certificate is not None
        if side.certificate is not None:
            fields["certificate"] = side.certificate
            fields["certificates"] = side.certificates if side.certificates != -1 else None
        if side.alert is not None:
            level, description = side.alert
            fields["alert"] = _ALERTS.get(description) or str(description)
            fields["alert_level"] = _LEVELS.get(level) or str(level)
        return Message(Span(side.begin.place, side.begin.offset, side.end - side.begin.offset), fields)

    @staticmethod
    def _resumption(fields: dict[str, Value], server: ServerHello, client: ClientHello | None) -> None:
        if server.version > 0x0303:
            fields["resumed"] = server.psk
        elif client is not None and "hello_complete" not in fields:
            fields["resumed"] = bool(server.session) and server.session == client.session
