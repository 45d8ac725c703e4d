"""Tickets in other protocols: the AP-REQ that SPNEGO (RFC 4178) or GSS-API (RFC 4121, 4.1) carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from ...model.sighting import CERTAIN, HASH, LIKELY
from ..asn1 import ber
from ..asn1.ber import OCTETS, OID, SEQUENCE, Tlv
from .lines import RC4, fits, service
from .messages import AP_REQ, Ticket, decode

if TYPE_CHECKING:
    from ...model.record import Value

_SPNEGO = bytes.fromhex("2b0601050502")
_KERBEROS = (bytes.fromhex("2a864886f712010202"), bytes.fromhex("2a864882f712010202"))
_AP_REQ_TOKEN = b"\x01\x00"
_SESSION_KEY = 1 << 30
"""ap-options: the ticket is encrypted with a session key."""
_LONGEST = 1 << 16
_COMPUTERS = frozenset(("host", "cifs", "ldap", "gc", "dns", "rpcss", "wsman", "termsrv", "restrictedkrbhost", "rpc"))
"""Classes of services that a computer's own account mostly runs, whose password nobody guesses."""
_NOBODYS = frozenset(("krbtgt", "kadmin"))
"""Their keys are random ones."""


class KerberosAnswer(NamedTuple):
    """A service's ticket: from it the password of the service's account can be guessed."""

    service: str
    """service/host, one byte a character, as on the wire."""
    realm: str
    etype: int
    line: bytes
    hashcat: int | None
    john: str | None
    confidence: str
    cipher: bytes
    at: int
    """Where the cipher stands in what was given."""


class TicketFields(TypedDict):
    """What a Sighting says of an answer, beside its place and its outcome."""

    username: str | None
    secret: bytes
    form: str
    confidence: str
    details: dict[str, Value]
    parts: tuple[bytes, ...]


def in_spnego(blob: bytes) -> KerberosAnswer | None:
    """The ticket in what a client sent: SPNEGO's first or later token, GSS-API's, or an AP-REQ itself. Never raises."""
    if not 16 < len(blob) <= _LONGEST:
        return None
    found = _ap_req(blob, 0, len(blob), 0)
    if found is None:
        return None
    message = decode(blob[found.at : found.end])
    if message is None or message.kind != AP_REQ or message.ticket is None or message.options & _SESSION_KEY:
        return None
    return answer(blob[found.at : found.end], message.ticket, "", found.at)


def answer(data: bytes, ticket: Ticket, client: str, base: int = 0) -> KerberosAnswer | None:
    """What a ticket gives away; None where its key is nobody's password."""
    names, etype = ticket.service, ticket.encrypted.etype
    cipher = ber.value(data, ticket.encrypted.cipher)
    if not names or names[0].lower() in _NOBODYS or names[-1].endswith("$") or not fits(etype, cipher):
        return None
    line = service(etype, ticket.realm, names, client, cipher)
    sure = CERTAIN if etype == RC4 and names[0].lower() not in _COMPUTERS else LIKELY
    at = base + ticket.encrypted.cipher.begin
    return KerberosAnswer("/".join(names), ticket.realm, etype, *line, sure, cipher, at)


def sighting_fields(found: KerberosAnswer, username: str | None = None) -> TicketFields:
    """To be put into Sighting(...) with the carrier's own place (`at`, `cipher`); the client's name is encrypted."""
    details: dict[str, Value] = {
        "mechanism": "Kerberos TGS-REP",
        "etype": found.etype,
        "service": found.service,
        "realm": found.realm,
        "hashcat": found.hashcat,
        "john": found.john,
        "challenge_seen": True,
    }
    return TicketFields(
        username=username, secret=found.line, form=HASH, confidence=found.confidence, details=details, parts=()
    )


def _ap_req(blob: bytes, at: int, end: int, depth: int) -> Tlv | None:
    """Where an AP-REQ stands."""
    outer = ber.read(blob, at, end)
    if outer is None or depth > 3:
        return None
    if outer.tag == 0x6E:
        return outer
    if outer.tag in (0xA0, 0xA1):
        return _token(blob, outer, depth)
    if outer.tag != 0x60:
        return None
    name = ber.expect(blob, outer.begin, outer.end, OID)
    if name is None:
        return None
    shown = ber.value(blob, name)
    if shown == _SPNEGO:
        inner = ber.read(blob, name.end, outer.end)
        return _token(blob, inner, depth) if inner is not None and inner.tag in (0xA0, 0xA1) else None
    if shown in _KERBEROS and blob[name.end : name.end + 2] == _AP_REQ_TOKEN:
        return ber.expect(blob, name.end + 2, outer.end, 0x6E)
    return None


def _token(blob: bytes, outer: Tlv, depth: int) -> Tlv | None:
    """What NegTokenInit or NegTokenResp carries for the mechanism."""
    parts = ber.fields(blob, ber.inside(blob, outer, SEQUENCE), 8) or {}
    held = ber.inside(blob, parts.get(0xA2), OCTETS)
    return None if held is None else _ap_req(blob, held.begin, held.end, depth + 1)
