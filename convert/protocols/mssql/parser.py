"""TDS, which Microsoft SQL Server and Sybase speak: logins with their passwords, SQL and what became of it.

A client waits for the answer before it asks again (attention apart), so requests and answers need no number. Where
PRELOGIN agrees on encryption for all, nothing more is read; where it is for the login alone, what follows it is.
MS-TDS; for TDS 4.2 and 5 the record that Sybase documents, and FreeTDS's notes on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, Sighting
from ...model.span import Span
from ..ntlm.exchange import NtlmExchange, sighting_fields
from ..ntlm.messages import has_message
from ..sql import secrets as sql_secrets
from . import answers, batch, login
from .packets import BATCH, LOGIN7, OLD_LOGIN, PRELOGIN, RPC, SSPI, TDS5_QUERY, TdsFramer

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from ..sql.packets import Packet

_TLS = b"\x16\x03"


class _Asked:
    """A request that waits for its answer."""

    def __init__(self, kind: str, message: Message, sightings: list[Sighting]) -> None:
        self.kind = kind
        self.message = message
        self.sightings = sightings
        self.sql = ""
        self.secrets: list[sql_secrets.Secret] = []


class MsSql:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._client = TdsFramer(self._said, True)
        self._server = TdsFramer(self._answered, False)
        self._last: bool | None = None
        self._quiet = False
        self._pending: _Asked | None = None
        self._prelogin: Packet | None = None
        self._encryption: str | None = None
        self._ntlm = NtlmExchange()
        self._user: str | None = None
        self._wide: bool | None = None
        """Texts are UTF-16 (TDS 7); None: the login was not seen."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        if self._quiet:
            return
        framer = self._turn(to_server)
        framer.feed(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        if self._quiet or length <= 0:
            return
        framer = self._turn(to_server)
        framer.gap(length, offset)
        if not framer.synced:
            self._flush()

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        if not self._quiet:
            rest = self._client.rest()
            if rest is not None and len(rest.body) > 8:
                self._said(rest)
            rest = self._server.rest()
            if rest is not None and rest.body:
                self._answered(rest)
        self._flush()
        self._quiet = True

    def _turn(self, to_server: bool) -> TdsFramer:
        framer = self._client if to_server else self._server
        if to_server is not self._last:
            self._last = to_server
            framer.anchor()
        return framer

    # The client.

    def _said(self, packet: Packet) -> None:
        if self._quiet:
            return
        kind, body = packet.tag, packet.body
        if kind == PRELOGIN:
            if not body.startswith(_TLS):
                self._prelogin = packet
        elif kind == LOGIN7 and len(body) >= 36:
            self._wide = True
            self._login(packet, login.login7(body, packet.complete))
        elif kind == OLD_LOGIN and login.is_old_login(body):
            self._wide = False
            self._login(packet, login.old_login(body))
        elif kind == SSPI:
            self._sspi(packet)
        elif kind == BATCH:
            self._query(packet, batch.batch(packet, self._wide, self._user))
        elif kind == TDS5_QUERY:
            self._query(packet, batch.language(packet, self._user))
        elif kind == RPC and self._wide is not False:
            self._query(packet, batch.call(packet, self._user))

    def _login(self, packet: Packet, told: login.Login) -> None:
        fields, sightings = told.fields, []
        if self._encryption is not None:
            fields["encryption"] = self._encryption
        self._user = told.username
        parts = (("login", told.password, told.secret), ("new-password", told.new_password, told.new_secret))
        for where, part, secret in parts:
            if part is not None:
                fields["secret"] = True
                span = packet.part(part.begin, part.begin + len(part.raw))
                whole = part.complete
                sightings.append(Sighting(where, None, told.username, secret, part.raw, whole, span, protocol="mssql"))
                sightings[-1].details = {"mechanism": "TDS 4/5" if told.old else "LOGIN7"}
        asked = self._ask("login", Message(packet.span, fields), sightings)
        if told.sspi:
            fields["mechanism"] = "NTLM" if has_message(told.sspi) else "SSPI"
            self._respond(asked, packet, told.sspi, told.sspi_at)

    def _sspi(self, packet: Packet) -> None:
        """What follows the server's challenge within a login."""
        asked = self._pending
        if asked is None or asked.kind != "login":
            asked = self._ask("login", Message(packet.span, {"mechanism": "SSPI"}), [])
        else:
            span = asked.message.span
            asked.message.span = Span(span.place, span.offset, packet.end - span.offset)
        self._respond(asked, packet, packet.body, 0)

    def _respond(self, asked: _Asked, packet: Packet, blob: bytes, begin: int) -> None:
        answer = self._ntlm.client(blob)
        if answer is None:
            return
        fields = asked.message.fields
        user = (answer.username or "").encode("utf-8", "replace").decode("latin-1")
        fields |= {"mechanism": "NTLM", "ntlm_version": answer.version, "user": user or None, "secret": True}
        if answer.workstation:
            fields["workstation"] = answer.workstation.encode("utf-8", "replace").decode("latin-1")
        self._user = answer.username
        raw = answer.parts[0]
        at = begin + max(blob.find(raw), 0)
        told = sighting_fields(answer)
        span = packet.part(at, at + len(raw))
        asked.sightings.append(
            Sighting("login", None, raw=raw, secret_complete=True, span=span, protocol="mssql", **told)
        )

    def _query(self, packet: Packet, told: batch.Asked) -> None:
        for sighting in told.sightings:
            sighting.protocol = "mssql"
        asked = self._ask("query", Message(packet.span, told.fields), told.sightings)
        asked.sql, asked.secrets = told.sql, told.secrets

    def _ask(self, kind: str, message: Message, sightings: list[Sighting]) -> _Asked:
        self._flush()
        self._prelogin = None
        asked = self._pending = _Asked(kind, message, sightings)
        return asked

    # The server.

    def _answered(self, packet: Packet) -> None:
        if self._quiet:
            return
        body = packet.body
        if self._prelogin is not None and (packet.tag == PRELOGIN or login.is_prelogin(body)):
            self._agreed(self._prelogin, packet)
            return
        if packet.tag == PRELOGIN:
            return
        asked = self._pending
        if packet.tag == SSPI or (asked is not None and asked.kind == "login" and has_message(body)):
            self._ntlm.server(body)
            return
        answer = answers.read(body, packet.complete, self._wide is not False)
        fields = answer.result()
        verdict = answer.verdict
        if asked is None:
            if fields.keys() - {"result"}:
                self._hand("query", None, Message(packet.span, fields), [])
            return
        self._pending = None
        if asked.kind == "login":
            fields["result"] = verdict
        else:
            sql_secrets.mask_fields(fields, ("message",), asked.sql, asked.secrets)
            if asked.secrets:
                fields.pop("notices", None)
            verdict = REFUSED if answer.error is not None else ACCEPTED
        for sighting in asked.sightings:
            sighting.outcome = verdict
        self._hand(asked.kind, asked.message, Message(packet.span, fields), asked.sightings)

    def _agreed(self, asked: Packet, packet: Packet) -> None:
        """The answer to PRELOGIN: whether what follows is encrypted (MS-TDS 2.2.6.5)."""
        self._prelogin = None
        offered, chosen = login.encryption(asked.body), login.encryption(packet.body)
        if chosen is None or chosen == login.NOT_SUPPORTED or (offered == login.NOT_SUPPORTED and chosen == login.OFF):
            self._encryption = login.ENCRYPTION[login.NOT_SUPPORTED]
            return
        whole = chosen in {login.ON, login.REQUIRED}
        self._encryption = login.ENCRYPTION[login.ON if whole else login.OFF]
        request: dict[str, Value] = {"encryption": login.ENCRYPTION.get(offered) if offered is not None else None}
        response: dict[str, Value] = {"encryption": self._encryption}
        self._hand("login", Message(asked.span, request), Message(packet.span, response), [])
        self._sink.weird("mssql-encrypted", packet.span)
        self._quiet = whole

    # What goes out.

    def _flush(self) -> None:
        asked, self._pending = self._pending, None
        if asked is not None:
            self._hand(asked.kind, asked.message, None, asked.sightings)

    def _hand(self, kind: str, request: Message | None, response: Message | None, sightings: list[Sighting]) -> None:
        self._ordinal += 1
        self._sink.record(Record(kind, "mssql", self._ordinal, request, response))
        for sighting in sightings:
            sighting.exchange = self._ordinal
            self._sink.sighting(sighting)
