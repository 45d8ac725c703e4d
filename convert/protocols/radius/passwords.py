"""A password that RADIUS hides with the secret that client and server share (RFC 2865, 5.2); whose secret signed."""

from __future__ import annotations

import hmac
from hashlib import md5

_BLOCK = 16
_AUTHENTICATOR = slice(4, 20)
_MESSAGE_AUTHENTICATOR = 80


def reveal(hidden: bytes, authenticator: bytes, shared_secret: bytes) -> bytes:
    """The password without its padding.

    `hidden`: the value of User-Password; `authenticator`: the 16 bytes of its Access-Request. With another secret than
    the right one this gives noise. What stands behind the last whole block of 16 bytes is none of it.
    """
    before, found = authenticator, bytearray()
    for at in range(0, len(hidden) - len(hidden) % _BLOCK, _BLOCK):
        block = hidden[at : at + _BLOCK]
        key = md5(shared_secret + before, usedforsecurity=False).digest()
        found += bytes(a ^ b for a, b in zip(block, key, strict=True))
        before = block
    return bytes(found.rstrip(b"\0"))


def signed_with(packet: bytes, at: int, shared_secret: bytes) -> bool:
    """Whether a request's Message-Authenticator, whose 16 bytes begin at `at`, is that secret's (RFC 3579, 3.2)."""
    blank = packet[:at] + bytes(16) + packet[at + 16 :]
    return hmac.compare_digest(hmac.new(shared_secret, blank, "md5").digest(), packet[at : at + 16])


def answered_with(packet: bytes, authenticator: bytes, shared_secret: bytes) -> bool:
    """Whether a response to the request with that authenticator is signed with that secret (RFC 2865, 3)."""
    made = md5(packet[:4] + authenticator + packet[20:] + shared_secret, usedforsecurity=False).digest()
    return hmac.compare_digest(made, packet[_AUTHENTICATOR])
