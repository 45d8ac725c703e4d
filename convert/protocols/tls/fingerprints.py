"""JA3 and JA3S (Salesforce) and JA4 (FoxIO): what tells one TLS implementation from another."""

from __future__ import annotations

from hashlib import md5, sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
_SNI, _ALPN = 0, 16


def grease(number: int) -> bool:
    """A number that means nothing and is sent to see whether it is ignored (RFC 8701)."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def meant(numbers: Iterable[int]) -> list[int]:
    """Those that are not GREASE."""
    return [number for number in numbers if not grease(number)]


def _dashed(numbers: Iterable[int]) -> str:
    return "-".join(map(str, meant(numbers)))


def md5_hex(text: str) -> str:
    """A fingerprint as it is passed on: MD5 is what the definitions say, nothing depends on its strength."""
    return md5(text.encode("ascii"), usedforsecurity=False).hexdigest()


def ja3_text(
    version: int, ciphers: Sequence[int], extensions: Sequence[int], groups: Sequence[int], formats: Sequence[int]
) -> str:
    """What a JA3 is the MD5 of: the hello's version, its lists in their order, less GREASE."""
    lists = (_dashed(ciphers), _dashed(extensions), _dashed(groups), "-".join(map(str, formats)))
    return f"{version},{','.join(lists)}"


def ja3s_text(version: int, cipher: int, extensions: Sequence[int]) -> str:
    """What a JA3S is the MD5 of."""
    return f"{version},{cipher},{_dashed(extensions)}"


def _ends(protocol: bytes) -> str:
    """First and last character of the first application protocol, of its hex where they are no letters or digits."""
    if not protocol:
        return "00"
    first, last = protocol[:1], protocol[-1:]
    if first.isalnum() and last.isalnum():
        return (first + last).decode("ascii")
    return protocol.hex()[0] + protocol.hex()[-1]


def _hexes(numbers: Iterable[int]) -> str:
    return ",".join(f"{number:04x}" for number in numbers)


def _short(text: str) -> str:
    return sha256(text.encode("ascii")).hexdigest()[:12] if text else "0" * 12


def ja4(
    version: int,
    ciphers: Sequence[int],
    extensions: Sequence[int],
    protocols: Sequence[bytes],
    signatures: Sequence[int],
) -> tuple[str, str]:
    """(JA4, its raw form JA4_r) of a hello over TCP. `version`: the highest that is offered, GREASE aside."""
    ciphers, extensions, signatures = meant(ciphers), meant(extensions), meant(signatures)
    name = "d" if _SNI in extensions else "i"
    counts = f"{min(len(ciphers), 99):02d}{min(len(extensions), 99):02d}"
    head = f"t{_VERSIONS.get(version, '00')}{name}{counts}{_ends(protocols[0] if protocols else b'')}"
    first = _hexes(sorted(ciphers))
    second = _hexes(sorted(number for number in extensions if number not in (_SNI, _ALPN)))
    if signatures and second:
        second += f"_{_hexes(signatures)}"
    return f"{head}_{_short(first)}_{_short(second)}", f"{head}_{first}_{second}"
