"""Domain names on the wire and as text (RFC 1035 section 3.1 and 4.1.4, RFC 4343)."""

from __future__ import annotations

import re

LONGEST = 255
"""Bytes of a name on the wire, with the lengths of its labels and the root's."""
_JUMPS = 64
"""Compression pointers that one name may follow: each must lead backwards, and chains of them cost."""
_PLAIN = re.compile(rb"[A-Za-z0-9_*/+:=,!#%&'<>?\[\]^`{|}~-]*").fullmatch
_SPECIAL = frozenset(b'"().;\\@$')
_LDH = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


class Broken(ValueError):
    """The message does not hold what its counts and lengths say."""


def label_text(label: bytes) -> str:
    """A label in presentation format: a backslash before what is special in a zone file, odd bytes in decimal."""
    if label.isalnum() or _PLAIN(label):
        return label.decode("ascii")
    return "".join(
        f"\\{chr(byte)}" if byte in _SPECIAL else chr(byte) if 0x21 <= byte <= 0x7E else f"\\{byte:03d}"
        for byte in label
    )


def read_name(message: bytes, at: int) -> tuple[str, int]:
    """The name at `at` as text without the dot of the root (which alone is "."), and where what follows begins.

    Raises Broken where it runs over the end, is longer than a name can be, or has pointers that do not lead back.
    """
    labels: list[str] = []
    size, jumps, behind = 1, 0, -1
    floor = at  # every pointer leads in front of the run of labels that it ends
    while True:
        if at >= len(message):
            raise Broken
        length = message[at]
        if length >= 0xC0:
            if at + 1 >= len(message):
                raise Broken
            if behind < 0:
                behind = at + 2
            at = (length & 0x3F) << 8 | message[at + 1]
            jumps += 1
            if at >= floor or jumps > _JUMPS:
                raise Broken
            floor = at
            continue
        at += 1
        if not length:
            break
        size += length + 1
        if length > 63 or at + length > len(message) or size > LONGEST:
            raise Broken
        labels.append(label_text(message[at : at + length]))
        at += length
    return ".".join(labels) or ".", at if behind < 0 else behind


def skip_name(message: bytes, at: int) -> int:
    """Where what follows the name at `at` begins; raises Broken where it runs over the end."""
    while at < len(message):
        length = message[at]
        if length >= 0xC0:
            return at + 2
        if length > 63:
            break
        at += 1 + length
        if not length:
            return at
    raise Broken


def host_name(name: str) -> str | None:
    """The name in lower case where it is one of letters, digits and hyphens, as hosts have; else None."""
    lower = name.lower()
    return lower if _LDH.fullmatch(lower) else None
