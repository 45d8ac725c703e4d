"""What a challenge and its answer are to those that guess passwords: CHAP (RFC 1994) and Microsoft's (RFC 2433, 2759).

The line for CHAP is hashcat's mode 4800, `response:challenge:identifier`. Those of Microsoft are NetNTLMv1's, mode
5500, `user::domain:LM response:NT response:challenge`, since its two versions answer 8 bytes in the same way.
"""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import CERTAIN, HASH, LIKELY

if TYPE_CHECKING:
    from ...model.record import Value

MD5, MSCHAP, MSCHAP2 = 5, 0x80, 0x81
"""Algorithms of CHAP (IANA's PPP numbers)."""
_HASHCAT_CHALLENGE = 16
"""Bytes of the one length that mode 4800 takes."""
_LM, _NT = 24, 24
_RESPONSE_1 = 49
"""LM response, NT response, flag (RFC 2433, 4)."""
_USE_NT = 1


class Answer(NamedTuple):
    """A response to a challenge, from which the password can be guessed."""

    mechanism: str
    line: bytes
    hashcat: int | None
    john: str | None
    challenge_seen: bool
    parts: tuple[bytes, ...]

    def told(self) -> dict[str, Value]:
        """The details of its sighting."""
        return {
            "mechanism": self.mechanism,
            "hashcat": self.hashcat,
            "john": self.john,
            "challenge_seen": self.challenge_seen,
        }

    @property
    def form(self) -> str:
        """Of its sighting."""
        return HASH

    @property
    def confidence(self) -> str:
        """Of its sighting: without the challenge nothing can be tried."""
        return CERTAIN if self.challenge_seen else LIKELY


def md5(mechanism: str, identifier: int, challenge: bytes | None, response: bytes) -> Answer:
    """Of MD5 over identifier, password and challenge; CHAP, and EAP's type 4."""
    line = b"%s:%s:%02x" % (response.hex().encode(), (challenge or b"").hex().encode(), identifier)
    fits = challenge is None or len(challenge) == _HASHCAT_CHALLENGE
    return Answer(mechanism, line, 4800 if fits else None, "chap", challenge is not None, (response,))


def mschap(mechanism: str, user: bytes, challenge: bytes | None, lm: bytes, nt: bytes) -> Answer:
    """Of Microsoft's first version, whose challenge has 8 bytes; `lm` is empty where it is not to be used."""
    line = b"%s:::%s:%s:%s" % (_name(user), lm.hex().encode(), nt.hex().encode(), (challenge or b"").hex().encode())
    parts = (nt, lm) if lm else (nt,)
    return Answer(mechanism, line, 5500, "netntlm", challenge is not None, parts)


def mschap2(mechanism: str, user: bytes, challenge: bytes | None, peer: bytes, nt: bytes) -> Answer:
    """Of the second version: both ends' challenges and the user's name make 8 bytes (RFC 2759, 8.2)."""
    mixed = None
    if challenge is not None:
        mixed = sha1(peer + challenge + user.rpartition(b"\\")[2], usedforsecurity=False).digest()[:8]
    return mschap(mechanism, user, mixed, b"", nt)


def response(identifier: int, user: bytes, challenge: bytes | None, value: bytes) -> Answer | None:
    """What the value of a CHAP response is, by its length: 16 bytes of MD5, 49 of Microsoft's. None: neither."""
    if len(value) == 16:
        return md5("CHAP", identifier, challenge, value)
    if len(value) != _RESPONSE_1:
        return None
    if challenge is not None and len(challenge) == 8:
        lm, nt = value[:_LM], value[_LM : _LM + _NT]
        return mschap("MS-CHAP", user, challenge, lm if lm.strip(b"\0") else b"", nt)
    if challenge is None and value[16:24].strip(b"\0"):  # these are reserved in the second version
        return mschap("MS-CHAP", user, None, value[:_LM], value[_LM : _LM + _NT])
    return mschap2("MS-CHAPv2", user, challenge, value[:16], value[24:48])


def _name(user: bytes) -> bytes:
    """A user for the line, whose fields colons divide; it is not needed for guessing."""
    name = user.rpartition(b"\\")[2]
    return name if b":" not in name and name.isascii() and name.decode("ascii").isprintable() else b""
