"""Digest authentication (RFC 7616, RFC 2617; of SIP: RFC 3261, 22.4): its parameters, and lines from which to guess.

The line is hashcat's for mode 11400, which joins method and URI as HTTP does too where its scheme is left empty; John's
`hdaa` where a value holds the asterisk that divides that line. What neither reads (MD5-sess, SHA-256) is written in the
same grammar, with the algorithm in its place, and said to be for none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from ...model.sighting import CERTAIN, HASH, LIKELY

if TYPE_CHECKING:
    from ...model.record import Value

LONGEST = 1 << 14
"""Characters of a header's value that are read."""
HASHCAT = 11400
JOHN = "hdaa"
_SCHEME = re.compile(r"digest(?:[ \t]+|\Z)", re.IGNORECASE)
_PARAMETER = re.compile(r'[\s,]*([A-Za-z0-9!#$%&\'*+.^_`|~\-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^,\s"]*))', re.DOTALL)
_QUOTED = re.compile(r'\\(["\\])')
_HEX = re.compile(r"[0-9A-Fa-f]+")
_EXTENDED = re.compile(r"([A-Za-z0-9_\-]*)'[^']*'(.*)", re.DOTALL)
_ANY_SIZE = frozenset((32, 40, 64, 128))  # of an algorithm that is not known, such as AKAv1-MD5 (RFC 3310)
_SIZES = {"MD5": 32, "SHA-256": 64, "SHA-512-256": 64, "SHA-1": 40, "SHA": 40}


class DigestAnswer(NamedTuple):
    """An answer to a Digest challenge; all that is needed to guess the password stands in the request."""

    username: str
    line: bytes
    """What hashcat or John reads; one byte a character of the wire."""
    hashcat: int | None
    john: str | None
    response: str
    """The hex digits, as they stand on the wire."""
    parts: tuple[bytes, ...]
    """The response in binary."""
    details: dict[str, Value]
    confidence: str


def parameters(value: str) -> dict[str, str] | None:
    """The parameters of `Digest k=v, k="v"` by lower-case name, without quotes; of equal names the first counts.

    None where the scheme is another. One character a byte.
    """
    scheme = _SCHEME.match(value)
    if scheme is None:
        return None
    found: dict[str, str] = {}
    at, end = scheme.end(), min(len(value), LONGEST)
    while (match := _PARAMETER.match(value, at, end)) is not None:
        quoted = match[2]
        found.setdefault(match[1].lower(), match[3] if quoted is None else _QUOTED.sub(r"\1", quoted))
        at = match.end()
    return found


def http_line(method: str, uri: str, params: dict[str, str], body_md5: str | None = None) -> DigestAnswer | None:
    """The answer in the parameters of an Authorization or Proxy-Authorization; None where there is none to guess from.

    `uri` counts where the parameters name none; `body_md5`: of the request's body, which qop=auth-int is about.
    """
    return _answer("", "", ("", params.get("uri") or uri, ""), method, params, body_md5)


def sip_line(method: str, uri: str, params: dict[str, str], server_ip: str, client_ip: str) -> DigestAnswer | None:
    """The same of SIP, whose URIs hashcat wants divided at their colons. Addresses are only for the reader's eye."""
    scheme, colon, rest = (params.get("uri") or uri).partition(":")
    resource, _, suffix = rest.partition(":")
    divided = ("", scheme, "") if not colon else (scheme, resource, suffix) if suffix else (scheme, rest, "")
    return _answer(server_ip, client_ip, divided, method, params, None)


def sighting_fields(answer: DigestAnswer) -> dict[str, Any]:
    """What a Sighting says of it: `Sighting(location, field=None, raw=..., span=..., **sighting_fields(answer))`."""
    return {
        "username": answer.username,
        "secret": answer.line,
        "form": HASH,
        "confidence": answer.confidence,
        "details": answer.details,
        "parts": answer.parts,
    }


def _username(params: dict[str, str]) -> str:
    """Decoded text: UTF-8 where it is that; RFC 7616 spells others by `username*`."""
    extended = _EXTENDED.fullmatch(params.get("username*", ""))
    raw = unquote_to_bytes(extended[2]) if extended is not None else params.get("username", "").encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _answer(
    server: str, client: str, uri: tuple[str, str, str], method: str, params: dict[str, str], body_md5: str | None
) -> DigestAnswer | None:
    response, algorithm = params.get("response", ""), params.get("algorithm") or "MD5"
    session = algorithm.upper().endswith("-SESS")
    size = _SIZES.get(algorithm.upper().removesuffix("-SESS"))
    if _HEX.fullmatch(response) is None or (len(response) != size if size else len(response) not in _ANY_SIZE):
        return None
    username = _username(params)
    named = params.get("username") or username.encode().decode("latin-1")
    realm, nonce, qop = params.get("realm", ""), params.get("nonce", ""), params.get("qop", "")
    count = params.get("nc", "") if qop else ""
    own = params.get("cnonce", "") if qop or session else ""
    prefix, resource, suffix = uri
    known = algorithm.upper() == "MD5" and nonce != ""
    if qop.lower() == "auth-int":  # what is hashed is METHOD:URI:MD5(body)
        known = known and body_md5 is not None and not suffix
        suffix = suffix or body_md5 or ""
    fields = [server, client, named, realm, method, prefix, resource, suffix, nonce, own, count, qop]
    digits = response.lower()
    hashcat = HASHCAT if known and not _holds(fields, "*") else None
    line = "*".join(["$sip$", *fields, "MD5" if known else algorithm, digits])
    john = None
    if known and hashcat is None and qop.lower() == "auth" and not prefix:
        told = [digits, named, realm, method, resource, nonce, count, own, qop]
        if not _holds(told, "$"):
            john, line = JOHN, "$response$" + "$".join(told)
    details: dict[str, Value] = {
        "mechanism": "Digest",
        "algorithm": algorithm,
        "realm": realm,
        "qop": qop or None,
        "hashcat": hashcat,
        "john": john,
        "challenge_seen": nonce != "",
    }
    confidence = CERTAIN if nonce and size else LIKELY
    parts = (bytes.fromhex(response),)
    return DigestAnswer(username, line.encode("latin-1"), hashcat, john, response, parts, details, confidence)


def _holds(fields: list[str], divider: str) -> bool:
    """Whether a field holds what divides the line, or ends it."""
    return any(divider in field or "\n" in field or "\r" in field for field in fields)
