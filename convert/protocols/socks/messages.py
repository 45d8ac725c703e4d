"""The messages of SOCKS: how long each is and what it says (SOCKS4 and 4a; RFC 1928; RFC 1929)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

COMMANDS = {1: "connect", 2: "bind", 3: "udp-associate"}
_LONGEST = 256
"""Bytes of a text of SOCKS4, which ends with a NUL: names of users and hosts are shorter."""


class Malformed(Exception):
    """This is none of SOCKS's messages."""


class Asked(NamedTuple):
    """A request for a connection."""

    size: int
    version: str
    command: str
    address: str
    port: int
    username: str | None


class Answered(NamedTuple):
    """A reply to a request; address and port are those of the proxy's end."""

    size: int
    reply: int
    granted: bool
    address: str
    port: int


class Login(NamedTuple):
    """User and password (RFC 1929)."""

    size: int
    username: bytes
    password_at: int
    password: bytes


def greeting(data: bytes) -> tuple[int, list[int]] | None:
    """Size and offered methods; None: not all of it is there."""
    if len(data) < 2 or len(data) < 2 + data[1]:
        return None
    return 2 + data[1], list(data[2 : 2 + data[1]])


def login(data: bytes) -> Login | None:
    """User and password; None: not all of it is there. Raises Malformed."""
    if data and data[0] != 1:
        raise Malformed
    if len(data) < 2 or len(data) < 3 + data[1]:
        return None
    at = 3 + data[1]
    size = at + data[at - 1]
    return Login(size, data[2 : at - 1], at, data[at:size]) if len(data) >= size else None


def request(data: bytes) -> Asked | None:
    """A request of SOCKS5; None: not all of it is there. Raises Malformed."""
    if (data and data[0] != 5) or (len(data) > 1 and data[1] not in COMMANDS) or (len(data) > 2 and data[2] != 0):
        raise Malformed
    found = _address(data)
    return None if found is None else Asked(found[0], "5", COMMANDS[data[1]], found[1], found[2], None)


def answer(data: bytes) -> Answered | None:
    """A reply of SOCKS5; None: not all of it is there. Raises Malformed."""
    if (data and data[0] != 5) or (len(data) > 2 and data[2] != 0):
        raise Malformed
    if len(data) > 3 and data[1] != 0 and data[3] == 0:  # some refuse without any address
        return Answered(min(len(data), 10), data[1], False, "", 0) if len(data) >= 10 else None
    found = _address(data)
    return None if found is None else Answered(found[0], data[1], data[1] == 0, found[1], found[2])


def request_4(data: bytes) -> Asked | None:
    """A request of SOCKS4 or 4a; None: not all of it is there. Raises Malformed."""
    if (data and data[0] != 4) or (len(data) > 1 and data[1] not in (1, 2)):
        raise Malformed
    if len(data) < 9:
        return None
    end = _text_end(data, 8)
    if end is None:
        return None
    port, address, version = int.from_bytes(data[2:4], "big"), str(IPv4Address(data[4:8])), "4"
    username = data[8:end].decode("latin-1") or None
    size = end + 1
    if data[4:7] == b"\0\0\0" and data[7]:
        end = _text_end(data, size)
        if end is None:
            return None
        address, version, size = data[size:end].decode("latin-1"), "4a", end + 1
    return Asked(size, version, COMMANDS[data[1]], address, port, username)


def answer_4(data: bytes) -> Answered | None:
    """A reply of SOCKS4; None: not all of it is there. Raises Malformed."""
    if (data and data[0] != 0) or (len(data) > 1 and not 90 <= data[1] <= 93):
        raise Malformed
    if len(data) < 8:
        return None
    return Answered(8, data[1], data[1] == 90, str(IPv4Address(data[4:8])), int.from_bytes(data[2:4], "big"))


def _text_end(data: bytes, begin: int) -> int | None:
    end = data.find(b"\0", begin, begin + _LONGEST + 1)
    if end < 0 and len(data) > begin + _LONGEST:
        raise Malformed
    return end if end >= 0 else None


def _address(data: bytes) -> tuple[int, str, int] | None:
    """Size of the message, address or name, and port, where its fourth byte says which they are."""
    if len(data) < 5:
        return None
    if data[3] == 1:
        begin, end = 4, 8
    elif data[3] == 4:
        begin, end = 4, 20
    elif data[3] == 3:
        begin, end = 5, 5 + data[4]
    else:
        raise Malformed
    if len(data) < end + 2:
        return None
    raw = data[begin:end]
    port = int.from_bytes(data[end : end + 2], "big")
    if data[3] == 3:
        return end + 2, raw.decode("latin-1"), port
    return end + 2, str(IPv4Address(raw) if data[3] == 1 else IPv6Address(raw)), port
