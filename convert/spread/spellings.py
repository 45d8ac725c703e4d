"""How a secret may be spelled where it goes next. Sans-IO; a closed list, see docs/formats.md (spread)."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import md5, sha1, sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

SPELLINGS = ("plain", "percent", "base64", "json", "hex", "md5", "sha1", "sha256")
LONGEST = 512
"""Of longer spellings the first so many bytes are looked for."""
SHORTEST = 8
"""Shorter spellings occur by chance."""

_UNRESERVED = ("", "~", "-_.~", "!'()*~", "*", "/")  # what encoders leave as it is, beside letters, digits and -_.
_PLAIN = re.compile(rb"[A-Za-z0-9_.-]+")  # no encoder changes these
_HASHES = (("md5", md5), ("sha1", sha1), ("sha256", sha256))


def spellings(secret: bytes) -> list[tuple[str, bytes]]:
    """(spelling, bytes) of all that a secret is looked for as; what is spelled in two ways has the first one's name."""
    found: dict[bytes, str] = {}
    for name, spelled in _all(secret):
        if len(spelled) >= SHORTEST:
            found.setdefault(spelled[:LONGEST], name)
    return [(name, spelled) for spelled, name in found.items()]


def _all(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield "plain", secret
    if not _PLAIN.fullmatch(secret):
        yield from (("percent", spelled) for spelled in _percent(secret))
        yield from (("json", spelled) for spelled in _escaped(secret))
    for part in _base64(secret):
        yield "base64", part
        yield "base64", part.replace(b"+", b"-").replace(b"/", b"_")
    yield "hex", secret.hex().encode()
    yield "hex", secret.hex().upper().encode()
    for name, make in _HASHES:
        digest = make(secret, usedforsecurity=False).digest()
        yield name, digest.hex().encode()
        yield name, digest.hex().upper().encode()
        yield name, digest


def _percent(secret: bytes) -> Iterator[bytes]:
    """Percent-encoded as encoders do it, the blank as %20 or as '+', in digits of either case."""
    for safe in _UNRESERVED:
        text = quote(secret, safe=safe)
        for spelled in (text, _lower(text)):
            yield spelled.encode()
            yield spelled.replace("%20", "+").encode()


def _lower(text: str) -> str:
    parts = text.split("%")
    return parts[0] + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts[1:])


def _escaped(secret: bytes) -> Iterator[bytes]:
    """Behind backslashes, as the strings of JSON, C and SQL have it."""
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        text = secret.decode("latin-1")
    for ascii_only in (True, False):
        spelled = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield spelled.encode()
        yield spelled.replace("/", "\\/").encode()
    marked = secret.replace(b"\\", b"\\\\")
    yield marked
    yield marked.replace(b"'", b"\\'").replace(b'"', b'\\"')
    yield secret.replace(b"'", b"''")


def _base64(secret: bytes) -> Iterator[bytes]:
    """The characters that depend on the secret alone, for the three places in a group of three bytes."""
    for lead in range(3):
        text = b64encode(bytes(lead) + secret)
        first, last = (0, 2, 3)[lead], 8 * (lead + len(secret)) // 6
        yield text[first:last]
