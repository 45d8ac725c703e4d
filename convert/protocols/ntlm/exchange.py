"""NTLM's exchange, whichever protocol carries it: the server's challenge, and the line by which an answer is cracked.

MS-NLMP 3.3.1 (version 1, and with extended session security) and 3.3.2 (version 2). Nothing here raises on any bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from ...model.sighting import CERTAIN, HASH, LIKELY, POSSIBLE
from . import messages

if TYPE_CHECKING:
    from ...model.record import Value

NETNTLM_V1, NETNTLM_V2 = 5500, 5600
_SHORT = 256


class NtlmAnswer(NamedTuple):
    """A client's answer to a challenge."""

    username: str | None
    """DOMAIN\\user, or user where no domain is given; None where the name is empty."""
    line: str
    """What hashcat and John read; the challenge is left empty in it where it was not seen."""
    hashcat: int | None
    """The mode, 5500 or 5600. None: it does not read this form (LM alone)."""
    john: str
    """The format."""
    version: int
    challenge_seen: bool
    workstation: str
    parts: tuple[bytes, ...]
    """The responses as they stand on the wire, the longest first."""


class HashFields(TypedDict):
    """What a Sighting says of an answer, beside its place and its outcome."""

    username: str | None
    secret: bytes
    form: str
    confidence: str
    details: dict[str, Value]
    parts: tuple[bytes, ...]


class NtlmExchange:
    """One exchange after the other, in one conversation or one session of it."""

    def __init__(self) -> None:
        self._challenge: messages.Challenge | None = None

    @property
    def challenged(self) -> bool:
        """Whether a challenge was seen."""
        return self._challenge is not None

    def server(self, blob: bytes) -> None:
        """Anything that the server sent, raw or wrapped; a challenge in it is remembered."""
        found = messages.find(blob, messages.CHALLENGE)
        if found is not None and (challenge := messages.challenge(found[0])) is not None:
            self._challenge = challenge

    def challenge(self, challenge: bytes) -> None:
        """8 bytes that the carrier brings itself (SMB 1 without extended security)."""
        self._challenge = messages.Challenge(challenge, 0) if len(challenge) == 8 else None

    def client(self, blob: bytes) -> NtlmAnswer | None:
        """Anything that the client sent: its answer, None where there is none in it, or an anonymous one."""
        found = messages.find(blob, messages.AUTHENTICATE)
        if found is None:
            return None
        told = messages.authenticate(*found, self._challenge.flags if self._challenge is not None else None)
        return self.answer(told.lm, told.nt, told.domain, told.username, told.workstation) if told is not None else None

    def answer(self, lm: bytes, nt: bytes, domain: str, username: str, workstation: str) -> NtlmAnswer | None:
        """The same, of responses that the carrier brings one by one. None: they answer nothing."""
        challenge = self._challenge.challenge.hex() if self._challenge is not None else ""
        user, place = _safe(username), _safe(domain)
        hashcat: int | None = NETNTLM_V1
        if len(nt) > 24 and any(nt):
            hashcat, john, version = NETNTLM_V2, "netntlmv2", 2
            line = f"{user}::{place}:{challenge}:{nt[:16].hex()}:{nt[16:].hex()}"
        elif len(nt) == 24 and any(nt):
            # hashcat and John tell extended session security by the zeros behind the client's challenge.
            john, version = "netntlm", 1
            line = f"{user}::{place}:{lm.hex() if len(lm) == 24 else ''}:{nt.hex()}:{challenge}"
        elif not nt and len(lm) == 24 and any(lm):
            hashcat, john, version = None, "netlm", 1
            line = f"{user}:$NETLM${challenge}${lm.hex()}"
        else:
            return None
        parts = [one for one in dict.fromkeys((nt, lm, nt[:16])) if len(one) >= 16 and any(one)]
        name = f"{domain}\\{username}" if domain and username else username or None
        seen = self._challenge is not None
        return NtlmAnswer(name, line, hashcat, john, version, seen, workstation[:_SHORT], tuple(parts))


def sighting_fields(answer: NtlmAnswer) -> HashFields:
    """What a Sighting says of it: user, line, how sure it is, mechanism."""
    details: dict[str, Value] = {
        "mechanism": "NTLM",
        "version": answer.version,
        "hashcat": answer.hashcat,
        "john": answer.john,
        "challenge_seen": answer.challenge_seen,
    }
    if answer.workstation:
        details["workstation"] = answer.workstation.encode("utf-8", "replace").decode("latin-1")
    sure = CERTAIN if answer.challenge_seen else LIKELY
    return {
        "username": answer.username,
        "secret": answer.line.encode("utf-8", "replace"),
        "form": HASH,
        "confidence": sure if (answer.username or "").strip() else POSSIBLE,
        "details": details,
        "parts": answer.parts,
    }


def _safe(name: str) -> str:
    """A name for a line of fields: what would end the field or the line cannot be in a true one, and is escaped."""
    if name.isprintable() and ":" not in name:
        return name
    return "".join(c if c.isprintable() and c != ":" else f"\\u{ord(c):04x}" for c in name)
