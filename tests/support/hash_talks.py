"""Logins by challenge and answer; what must not be shown is the answer, however it is spelled."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5, sha1

Calls = list[tuple[bool, bytes]]
Talks = Iterator[tuple[str, int, Calls, bytes]]
"""(name, port, what is said, the answer's bytes)."""


def hashed(password: bytes) -> Talks:
    """One conversation of each kind."""
    stamp = b"<1896.697170952@h.example>"
    answer = md5(stamp + password).digest()
    asked = b"APOP ann " + answer.hex().encode() + b"\r\n"
    yield "apop", 110, [(False, b"+OK POP3 " + stamp + b"\r\n"), (True, asked), (False, b"-ERR no\r\n")], answer
    answer = hmac.digest(password, stamp, "md5")
    calls: Calls = [
        (False, b"220 mx ESMTP\r\n"), (True, b"EHLO me\r\n"), (False, b"250-mx\r\n250 AUTH CRAM-MD5\r\n"),
        (True, b"AUTH CRAM-MD5\r\n"), (False, b"334 " + b64encode(stamp) + b"\r\n"),
        (True, b64encode(b"ann " + answer.hex().encode()) + b"\r\n"), (False, b"535 no\r\n"),
    ]  # fmt: skip
    yield "cram-md5", 25, calls, answer
    first = md5(b"ann:r:" + password).hexdigest()
    answer = md5(f"{first}:abc:{md5(b'GET:/').hexdigest()}".encode()).digest()
    fields = b'username="ann", realm="r", nonce="abc", uri="/", response="' + answer.hex().encode() + b'"'
    request = b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Digest " + fields + b"\r\n\r\n"
    yield "digest", 80, [(True, request), (False, b"HTTP/1.1 401 no\r\nContent-Length: 0\r\n\r\n")], answer
    answer = md5(password + b"a1B2c3D4e5F6g7H8i9J0kQ").digest()
    calls = [
        (False, b"@RSYNCD: 31.0\n"), (True, b"@RSYNCD: 31.0\n"), (True, b"store\n"),
        (False, b"@RSYNCD: AUTHREQD a1B2c3D4e5F6g7H8i9J0kQ\n"),
        (True, b"ann " + b64encode(answer).rstrip(b"=") + b"\n"), (False, b"@ERROR: auth failed on module store\n"),
    ]  # fmt: skip
    yield "rsync", 873, calls, answer
    answer = sha1(password).digest()[:16]  # 16 bytes of any look
    calls = [
        (False, b"RFB 003.008\n"), (True, b"RFB 003.008\n"), (False, b"\1\2"), (True, b"\2"),
        (False, bytes(range(16))), (True, answer), (False, b"\0\0\0\1\0\0\0\2no"),
    ]  # fmt: skip
    yield "vnc", 5900, calls, answer
