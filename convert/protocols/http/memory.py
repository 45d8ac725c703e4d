"""What has to be remembered of one HTTP conversation to judge the next request: challenges and cookies."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from typing import TYPE_CHECKING

from ..ntlm.exchange import NtlmExchange
from .cookies import Jar

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_BLOB = 1 << 16
_CHALLENGE = re.compile(r"(?:^|[,\s])(?:NTLM|Negotiate|Nego2|Kerberos)[ \t]+([A-Za-z0-9+/]{16,}={0,2})", re.IGNORECASE)


class Memory:
    """Of one conversation. NTLM (MS-NTHT) authenticates connections, so what the server said last is what counts."""

    def __init__(self) -> None:
        self.jar = Jar()
        self._ntlm: dict[bool, NtlmExchange] = {}

    def ntlm(self, proxy: bool) -> NtlmExchange:
        """The exchange with the server, or with the proxy."""
        return self._ntlm.setdefault(proxy, NtlmExchange())

    def hear(self, headers: Iterable[tuple[str, str]]) -> None:
        """A response's headers: what challenges they hold."""
        for name, value in headers:
            low = name.lower()
            if low not in {"www-authenticate", "proxy-authenticate"} or len(value) > LONGEST_BLOB:
                continue
            found = _CHALLENGE.search(value)
            if found is not None and (blob := unbased(found[1])) is not None:
                self.ntlm(low == "proxy-authenticate").server(blob)


def unbased(token: str) -> bytes | None:
    """The bytes of base64 as these schemes spell it, padded or not; None where it is none."""
    digits = token.rstrip("=")
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    try:
        return b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (Error, ValueError):
        return None
