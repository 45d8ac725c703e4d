"""SMB 1, 2 and 3: session setups with what became of them, shares, and files that are opened.

Requests and responses are matched by the message's number. File data is passed over by its length. What is encrypted
(SMB 3's transform header) is not looked into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import UNKNOWN, Sighting
from ..dcerpc.pdu import Pdu
from . import smb1, smb2
from .frames import ENCRYPTED, MESSAGE, SMB1, SMB2, SmbFramer, begins
from .logins import MORE_PROCESSING, Attempt, Logins, outcome
from .messages import NEGOTIATE, PIPE, SETUP, Said

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..api import Sink
    from ..sql.packets import Packet

_MOST_PENDING = 1024
_MOST_RECORDS = 10_000
"""Shares and files of one conversation; logins are always handed out."""


class Smb:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._listed = 0
        self._client = SmbFramer(lambda packet: self._took(packet, True))
        self._server = SmbFramer(lambda packet: self._took(packet, False))
        self._logins = Logins()
        self._pending: dict[tuple[int, int], Attempt] = {}
        self._dialect: Value = None
        self._told_encrypted = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        (self._client if to_server else self._server).feed(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        if length > 0:
            (self._client if to_server else self._server).gap(length, offset)

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        for framer, to_server in ((self._client, True), (self._server, False)):
            rest = framer.rest()
            if rest is not None:
                self._took(rest, to_server)
        for attempt in list(self._pending.values()):
            self._finish(attempt, None, None)
        self._pending.clear()

    def _took(self, packet: Packet, to_server: bool) -> None:
        """One message."""
        if packet.tag != MESSAGE:
            return
        body, begin = packet.body, packet.body[:4]
        if begin == SMB2:
            commands = smb2.split(body, to_server)
        elif begin == SMB1:
            commands = smb1.split(body, to_server)
        else:
            if begin == ENCRYPTED and not self._told_encrypted:
                self._told_encrypted = True
                self._sink.weird("smb-encrypted", packet.span)
            elif not begins(begin):  # the direction began within a message
                (self._client if to_server else self._server).lose()
            return
        for said in commands:
            if said.kind == PIPE:
                self._pipe(said, packet, to_server)
            elif to_server:
                self._asked(said, packet)
            else:
                self._answered(said, packet)

    # Requests.

    def _asked(self, said: Said, packet: Packet) -> None:
        if said.kind == NEGOTIATE:
            return
        before = self._pending.pop(said.key, None)
        if before is not None:
            self._finish(before, None, None)
        if len(self._pending) >= _MOST_PENDING:
            key = next(iter(self._pending))
            self._finish(self._pending.pop(key), None, None)
        self._pending[said.key] = self._logins.asked(said, packet, packet.span)

    # Responses.

    def _answered(self, said: Said, packet: Packet) -> None:
        if said.kind == NEGOTIATE:
            self._logins.heard(said)
            self._dialect = said.fields.get("dialect", self._dialect)
            return
        if said.kind == SETUP:
            self._logins.heard(said)
        attempt = self._pending.pop(said.key, None)
        if attempt is not None and attempt.kind != said.kind:
            self._finish(attempt, None, None)
        elif attempt is not None:
            self._finish(attempt, said, packet.span)

    def _finish(self, attempt: Attempt, said: Said | None, span: Span | None) -> None:
        """Hand out what was asked, and the answer where it was seen."""
        if attempt.leg and (said is None or said.status in {MORE_PROCESSING, 0}):
            return  # nothing is known of who logs in
        if not attempt.sightings and attempt.kind != SETUP:
            self._listed += 1
            if self._listed > _MOST_RECORDS:
                return
        verdict, response = UNKNOWN, None
        if said is not None and span is not None:
            verdict = outcome(said.status, said.fields) if said.status != MORE_PROCESSING else UNKNOWN
            result = verdict if attempt.kind == SETUP else "error" if said.status else "ok"
            fields: dict[str, Value] = {"result": result, "nt_status": f"{said.status:#010x}"}
            response = Message(span, fields | said.fields)
        if attempt.kind == SETUP:
            if self._dialect is not None:
                attempt.fields["dialect"] = self._dialect
            self._hand("login", attempt.request(), response)
        else:
            operation: dict[str, Value] = {"operation": attempt.kind}
            attempt.fields = operation | attempt.fields
            self._hand("smb", attempt.request(), response)
        self._sight(attempt.sightings, verdict)

    # Pipes.

    def _pipe(self, said: Said, packet: Packet, to_server: bool) -> None:
        """An RPC within: only its authentication is looked at."""
        pdu = Pdu.read(said.blob)
        token = pdu.token(said.blob) if pdu is not None else None
        if pdu is None or token is None:
            return
        if not to_server:
            self._logins.heard(said)
            return
        sightings = self._logins.piped(said, packet, said.blob)
        if sightings:
            fields: dict[str, Value] = {"mechanism": "NTLM", "user": None, "within": "rpc", "secret": True}
            user = sightings[0].username
            fields["user"] = user.encode("utf-8", "replace").decode("latin-1") if user else None
            self._hand("login", Message(packet.span, fields), None)
            self._sight(sightings, UNKNOWN)

    def _hand(self, kind: str, request: Message | None, response: Message | None) -> None:
        self._ordinal += 1
        self._sink.record(Record(kind, "smb", self._ordinal, request, response))

    def _sight(self, sightings: list[Sighting], verdict: str) -> None:
        for sighting in sightings:
            sighting.protocol, sighting.outcome, sighting.exchange = "smb", verdict, self._ordinal
            self._sink.sighting(sighting)
