"""How bytes and times of the evidence are written as text."""

from __future__ import annotations

import os

MOST_KEPT = 8192
_addresses: dict[bytes, str] = {}
_seconds: dict[int, str] = {}


def address(raw: bytes) -> str:
    """An IPv4 (4 bytes) or IPv6 (16 bytes) address in its usual notation (RFC 5952 for IPv6)."""
    found = _addresses.get(raw)
    if found is None:
        import ipaddress

        if len(_addresses) >= MOST_KEPT:
            _addresses.clear()
        found = _addresses[raw] = str(ipaddress.ip_address(raw))
    return found


def readable(raw: bytes) -> tuple[str, bool]:
    r"""UTF-8 as it is; anything else byte by byte, what is not UTF-8 as \xNN and backslashes doubled.

    Returns the text and whether it had to be escaped.
    """
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return escaped_text(raw), True


def escaped_text(raw: bytes) -> str:
    r"""Bytes as text, what is not UTF-8 as \xNN and backslashes doubled."""
    return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def spelled(name: str) -> str:
    r"""A file name of the machine as text that can be written anywhere: bytes that are not UTF-8 as \xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _second(seconds: int) -> str:
    found = _seconds.get(seconds)
    if found is None:
        from datetime import UTC, datetime

        if len(_seconds) >= MOST_KEPT:
            _seconds.clear()
        found = _seconds[seconds] = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return found


def timestamp(ns: int) -> str:
    """Nanoseconds since the epoch as RFC 3339 in UTC with nine digits; times past the year 9999 as its end."""
    seconds, rest = divmod(min(ns, 253402300799_999999999), 1_000_000_000)
    return f"{_second(seconds)}.{rest:09d}Z"


def printable(text: str) -> str:
    """Text that is safe on a terminal: control and reordering characters shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
