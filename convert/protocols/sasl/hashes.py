"""The lines by which answers to challenges are cracked: APOP, CRAM-MD5, DIGEST-MD5, SCRAM.

hashcat 6.2 reads CRAM-MD5 as mode 50 (HMAC-MD5 with the password as key, of the challenge) and APOP as mode 20 (MD5 of
the challenge and the password). John (jumbo) reads the same as hmac-md5 and dynamic_4, and DIGEST-MD5 as dmd5. Neither
reads what SCRAM shows on the wire: its line holds all that is needed to try a password by RFC 5802, 3.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...model.record import Value

CRAM_MD5_MODE, APOP_MODE = 50, 20
_HEX_DIGEST = re.compile(rb"[0-9A-Fa-f]{32}\Z")
_PARAMETER = re.compile(
    rb'[\s,]*+([A-Za-z\-]{1,32})\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,"]*+))\s*+(?=,|\Z)', re.DOTALL
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MOST_PARAMETERS = 32


class Hash(NamedTuple):
    """A challenge and its answer."""

    line: bytes
    details: dict[str, Value]
    parts: tuple[bytes, ...]


def _details(mechanism: str, hashcat: int | None, john: str | None, seen: bool) -> dict[str, Value]:
    return {"mechanism": mechanism, "hashcat": hashcat, "john": john, "challenge_seen": seen}


def plain(data: bytes, also: bytes = b"") -> bool:
    """Whether bytes can stand in a line as they are: no control characters, and none of `also`."""
    return not any(byte < 0x20 or byte == 0x7F or byte in also for byte in data)


def _word(data: bytes, also: bytes = b"") -> bytes:
    """Bytes as they stand in a line: in hashcat's hexadecimal notation where they cannot as they are."""
    return data if plain(data, also) else b"$HEX[" + data.hex().encode() + b"]"


def keyed(mechanism: str, digest: bytes, challenge: bytes | None) -> Hash | None:
    """APOP or CRAM-MD5: 32 hexadecimal digits, and the challenge (None: not seen). None where they are no digest."""
    if _HEX_DIGEST.match(digest) is None:
        return None
    hashcat, john = (APOP_MODE, "dynamic_4") if mechanism == "APOP" else (CRAM_MD5_MODE, "hmac-md5")
    line = digest.lower() + b":" + _word(challenge or b"")
    details = _details(mechanism, hashcat, john, challenge is not None)
    return Hash(line, details, (bytes.fromhex(digest.decode()), digest))


def digest_parameters(data: bytes) -> dict[bytes, bytes] | None:
    """`name=value, name="value"` of DIGEST-MD5 (RFC 2831, 2.1), names in lower case; None: it is none."""
    found: dict[bytes, bytes] = {}
    data = data.rstrip(b" \t\r\n,")
    at = 0
    for _ in range(_MOST_PARAMETERS):
        match = _PARAMETER.match(data, at)
        if match is None:
            return None
        value = match[3] if match[2] is None else _ESCAPED.sub(rb"\1", match[2])
        found.setdefault(match[1].lower(), value)
        at = match.end()
        if at >= len(data):
            break
    return found


def digest(answer: dict[bytes, bytes], realm: bytes | None) -> Hash | None:
    """DIGEST-MD5: the client's parameters; `realm` of the server's where the client names none."""
    response = answer.get(b"response", b"")
    if _HEX_DIGEST.match(response) is None:
        return None
    given = [
        answer.get(b"username", b""),
        answer.get(b"realm", realm or b""),
        answer.get(b"nonce", b""),
        answer.get(b"digest-uri", b""),
        answer.get(b"cnonce", b""),
        answer.get(b"nc", b"00000001"),
        answer.get(b"qop", b"auth"),
    ]
    authzid = answer.get(b"authzid", b"")
    # John's own limits, of which it says nothing.
    fits = all(len(one) < most for one, most in zip(given, (64, 64, 64, 124, 33, 9, 10), strict=True))
    fits = fits and len(authzid) < 8 and all(plain(one, b"$") for one in (*given, authzid))
    words = [*given, response.lower(), *([authzid] if authzid else [])]
    line = b"$DIGEST-MD5$" + b"$".join(_word(one, b"$") for one in words)
    details = _details("DIGEST-MD5", None, "dmd5" if fits else None, bool(given[2]))
    return Hash(line, details, (bytes.fromhex(response.decode()), response))


def saslname(data: bytes) -> bytes:
    """A user's name in SCRAM and GS2 (RFC 5802, 5.1): commas and equal signs undone."""
    return data.replace(b"=2C", b",").replace(b"=3D", b"=")


def _attributes(data: bytes) -> dict[bytes, bytes]:
    """`a=value,b=value`; the first of a name counts."""
    found: dict[bytes, bytes] = {}
    for one in data.split(b",", 15):
        name, equal, value = one.partition(b"=")
        if equal and len(name) == 1:
            found.setdefault(name, value)
    return found


class Scram:
    """SCRAM's messages (RFC 5802, 5 and 7), as far as they were seen."""

    def __init__(self, mechanism: str) -> None:
        self._mechanism = mechanism
        self._client_first = b""
        self._server_first = b""
        self.user: bytes | None = None

    def server(self, data: bytes) -> None:
        """What the server sent."""
        if not self._server_first and data.startswith((b"r=", b"m=")):
            self._server_first = data[:4096]

    def client(self, data: bytes, user: bytes | None = None) -> Hash | None:
        """What the client sent: its proof where it has one. `user`: whom it is, where the wire does not say."""
        bare = _bare(data)
        if bare is not None:
            self._client_first = bare[:4096]
            name = _attributes(bare).get(b"n", b"")
            self.user = saslname(name) or None
            return None
        without, comma, proof = data.rpartition(b",p=")
        raw = _decoded(proof)
        if not comma or not raw or not without.startswith(b"c="):
            return None
        first = _attributes(self._server_first)
        seen = bool(self._server_first and self._client_first)
        iterations = first.get(b"i", b"")
        message = b",".join((self._client_first, self._server_first, without))
        words = (
            _word(self.user or user or b"", b"$"),
            iterations if iterations.isdigit() else b"",
            _word(first.get(b"s", b""), b"$"),
            b64encode(message),
            proof,
        )
        line = b"$" + self._mechanism.lower().encode("latin-1").removesuffix(b"-plus") + b"$" + b"$".join(words)
        return Hash(line, _details(self._mechanism, None, None, seen), (raw, proof))


def _bare(data: bytes) -> bytes | None:
    """What stands behind the GS2 header of a client's first message; None: it is none."""
    if not data.startswith((b"n,", b"y,", b"p=")):
        return None
    parts = data.split(b",", 2)
    return parts[2] if len(parts) == 3 and b"r=" in parts[2] else None


def _decoded(proof: bytes) -> bytes | None:
    """A proof undone, of the length of a digest; None: it is none."""
    try:
        raw = b64decode(proof, validate=True)
    except BinasciiError:
        return None
    return raw if 16 <= len(raw) <= 64 else None
