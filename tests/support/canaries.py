"""Captures in which a true secret was replaced by one that nothing else can say: byte for byte, in every spelling."""

from __future__ import annotations

import base64
import hashlib
import re
import string
from typing import Any
from urllib.parse import quote_from_bytes

LETTERS = (string.ascii_letters + string.digits).encode()
SHORTEST = 6
"""What is shorter may stand anywhere by chance."""


def canary(name: str, secret: bytes) -> bytes:
    """A secret of the same length and grammar: letters for letters, digits for digits, all else as it is."""
    digest = hashlib.shake_256(name.encode() + b"\0" + secret).digest(len(secret))
    out = bytearray()
    for old, new in zip(secret, digest, strict=True):
        kind = next(
            (
                chars
                for chars in (b"0123456789", string.ascii_lowercase.encode(), string.ascii_uppercase.encode())
                if old in chars
            ),
            None,
        )
        out.append(kind[new % len(kind)] if kind else old)
    return bytes(out)


def spellings(user: bytes, secret: bytes) -> list[bytes]:
    """How a secret may be written so that another of its length is written as long."""
    wholes = [b"\0" + user + b"\0" + secret, user + b"\0" + user + b"\0" + secret, user + b":" + secret, secret]
    wholes.append(user + b"\0\0" + secret)
    out = [quote_from_bytes(secret, safe="").encode(), secret, secret.decode("utf-8", "replace").encode("utf-16-le")]
    for whole in wholes:
        plain = base64.b64encode(whole)
        out += [plain, plain.rstrip(b"=")]
    return out


def replaced(data: bytes, name: str, entry: dict[str, Any]) -> tuple[bytes, bytes] | None:
    """The capture with the secret of an entry replaced wherever it stands whole, and the canary; None: it does not."""
    secret, user = entry["secret"].encode(), (entry["username"] or "").encode()
    made = canary(name, secret)
    if len(secret) < SHORTEST or made == secret:
        return None
    out = data
    for old, new in zip(spellings(user, secret), spellings(user, made), strict=True):
        if len(old) == len(new):
            out = re.sub(rb"(?<![A-Za-z0-9])" + re.escape(old) + rb"(?![A-Za-z0-9])", new.replace(b"\\", b"\\\\"), out)
    return None if out == data else (out, made)
