"""Who logs in over SMB, by which means, and the sightings of what was sent for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, CERTAIN, LIKELY, REFUSED, UNKNOWN, Sighting
from ..ntlm.exchange import NtlmExchange, sighting_fields
from ..ntlm.messages import has_message
from .messages import NEGOTIATE, PIPE, SETUP, Plain, Said, narrow, wide, wire

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..ntlm.exchange import NtlmAnswer
    from ..sql.packets import Packet

MORE_PROCESSING = 0xC0000016
_REFUSED = (
    "c0000022 c000005e c0000061 c0000064 c000006a c000006c c000006d c000006e c000006f c0000070 c0000071 c0000072"
    " c0000133 c000015b c000018d c0000193 c0000199 c0000224 c0000234"
)
_REFUSALS = frozenset(int(word, 16) for word in _REFUSED.split())
"""NT's status of a wrong name or password, of an account that may not log in, of no right (MS-ERREF 2.3.1)."""
_MOST_SESSIONS = 64
_KERBEROS = (bytes.fromhex("2a864886f7120102020100"), bytes.fromhex("2a864882f7120102020100"))
"""The identifiers of Kerberos, and a token's that is an AP-REQ (RFC 4121, 4.1)."""


def outcome(status: int, fields: dict[str, Value]) -> str:
    """Of a login, by the answer's status. A guest is let in whatever the password."""
    if not status:
        return UNKNOWN if "guest" in fields or "anonymous" in fields else ACCEPTED
    return REFUSED if status in _REFUSALS else UNKNOWN


class Attempt:
    """A request that waits for its response; of a session setup also what logs in."""

    __slots__ = ("fields", "kind", "leg", "session", "sightings", "span", "tree")

    def __init__(self, said: Said, span: Span) -> None:
        self.kind = said.kind
        self.fields: dict[str, Value] = {}
        self.span = span
        self.session, self.tree = said.session, said.tree
        self.sightings: list[Sighting] = []
        self.leg = False
        """It only begins a login, of which nothing is known yet."""

    def request(self) -> Message:
        """As a record has it."""
        return Message(self.span, self.fields)


class Logins:
    """The exchanges of one conversation's sessions."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, int, int], NtlmExchange] = {}
        self._last = NtlmExchange()
        self._plain = NtlmExchange()
        self._mode: int | None = None
        """SecurityMode of SMB 1: bit 0 a user logs in, bit 1 no passwords in the clear."""

    # The server.

    def heard(self, said: Said) -> None:
        """A response: its challenge."""
        if said.kind == NEGOTIATE:
            mode = said.fields.get("mode")
            if isinstance(mode, int):
                self._mode = mode
            if said.plain is not None:
                self._plain.challenge(said.plain.oem)
        elif said.blob and has_message(said.blob):
            self._last = NtlmExchange()
            self._last.server(said.blob)
            if self._last.challenged:
                if len(self._sessions) >= _MOST_SESSIONS:
                    self._sessions.pop(next(iter(self._sessions)))
                self._sessions[self._name(said)] = self._last

    def _name(self, said: Said) -> tuple[str, int, int]:
        return said.kind, said.session, said.tree if said.kind == PIPE else 0

    # The client.

    def asked(self, said: Said, packet: Packet, span: Span) -> Attempt:
        """A session setup, or a tree connect with a password."""
        attempt = Attempt(said, span)
        if said.plain is not None:
            self._plainly(said.plain, attempt, packet)
        elif said.kind == SETUP:
            self._wrapped(said, attempt, packet)
        attempt.fields |= said.fields
        return attempt

    def piped(self, said: Said, packet: Packet, blob: bytes) -> list[Sighting]:
        """What was written to a pipe; the answer in an RPC's verifier."""
        answer = self._exchange(said).client(blob)
        return [] if answer is None else [self._sighting(answer, said, packet)]

    def _exchange(self, said: Said) -> NtlmExchange:
        return self._sessions.get(self._name(said), self._last)

    def _wrapped(self, said: Said, attempt: Attempt, packet: Packet) -> None:
        fields, blob = attempt.fields, said.blob
        answer = self._exchange(said).client(blob)
        if answer is not None:
            _tell(answer, fields)
            attempt.sightings.append(self._sighting(answer, said, packet))
        elif has_message(blob):
            fields["mechanism"] = "NTLM"
            anonymous = b"NTLMSSP\0\3" in blob
            attempt.leg = not anonymous
            if anonymous:
                fields |= {"user": None, "anonymous": True}
        elif any(mark in blob for mark in _KERBEROS):
            fields["mechanism"] = "Kerberos"
        else:
            attempt.leg = True

    def _sighting(self, answer: NtlmAnswer, said: Said, packet: Packet) -> Sighting:
        raw = answer.parts[0]
        at = max(said.blob.find(raw), 0) + said.blob_at
        told = sighting_fields(answer)
        return Sighting("login", None, raw=raw, secret_complete=True, span=packet.part(at, at + len(raw)), **told)

    def _plainly(self, plain: Plain, attempt: Attempt, packet: Packet) -> None:
        """Responses to the challenge of Negotiate, or passwords (MS-CIFS 3.2.4.2.4)."""
        fields = attempt.fields
        user, domain = plain.username, plain.domain
        if attempt.kind == SETUP:
            fields["user"] = wire(f"{domain}\\{user}" if domain and user else user) or None
        oem, unicode = plain.oem, plain.unicode
        clear = self._mode is not None and not self._mode & 2
        if not clear and (len(oem) == 24 or len(unicode) >= 24):
            answer = self._plain.answer(oem, unicode, domain, user, "")
            if answer is not None:
                _tell(answer, fields)
                raw = answer.parts[0]
                at = plain.unicode_at if raw == unicode else plain.oem_at
                attempt.sightings.append(
                    Sighting(
                        "login",
                        None,
                        raw=raw,
                        secret_complete=True,
                        span=packet.part(at, at + len(raw)),
                        **sighting_fields(answer),
                    )
                )
            return
        raw, at = (unicode, plain.unicode_at) if unicode.strip(b"\0") else (oem, plain.oem_at)
        password = (wide(raw) if raw is unicode else narrow(raw)).rstrip("\0")
        if not password or not (clear or (self._mode is None and password.isprintable())):
            return
        fields |= {"mechanism": "plaintext", "secret": True}
        sighting = Sighting(
            "login", None, user or None, password.encode("utf-8", "replace"), raw, True, packet.part(at, at + len(raw))
        )
        sighting.confidence = CERTAIN if clear else LIKELY
        sighting.details = {"mechanism": "plaintext"}
        attempt.sightings.append(sighting)


def _tell(answer: NtlmAnswer, fields: dict[str, Value]) -> None:
    fields |= {"mechanism": "NTLM", "ntlm_version": answer.version, "user": wire(answer.username or "") or None}
    if answer.workstation:
        fields["workstation"] = wire(answer.workstation)
    fields["secret"] = True
