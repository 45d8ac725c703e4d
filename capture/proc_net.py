"""The text tables of sockets under /proc/PID/net: pure functions, text in, lines out.

Addresses there are the kernel's 32-bit words printed as numbers of the machine's byte order (x86-64 and arm64: least
byte first), ports as numbers. Lines that do not look like that are passed over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

LONGEST = 1 << 27
"""Bytes of one table that are read: about 800,000 sockets."""


class InetLine(NamedTuple):
    """A line of tcp, udp, raw, icmp or their IPv6 tables; addresses packed in network order."""

    local: bytes
    local_port: int
    remote: bytes
    remote_port: int
    state: int
    inode: int


class UnixLine(NamedTuple):
    """A line of unix; the address is the kernel's, a hash of it, or 0, as the kernel is set."""

    address: int
    inode: int
    path: bytes


def inet(text: bytes) -> Iterator[InetLine]:
    """Lines of tcp, tcp6, udp, udp6, raw, raw6, icmp, icmp6."""
    for line in text.split(b"\n")[1:]:
        fields = line.split()
        if len(fields) < 10:
            continue
        try:
            local, local_port = _endpoint(fields[1])
            remote, remote_port = _endpoint(fields[2])
            yield InetLine(local, local_port, remote, remote_port, int(fields[3], 16), int(fields[9]))
        except ValueError:
            continue


def unix(text: bytes) -> Iterator[UnixLine]:
    """Lines of unix; a path may have blanks in it, a line break in one loses the line."""
    for line in text.split(b"\n")[1:]:
        fields = line.split(None, 7)
        if len(fields) < 7:
            continue
        try:
            yield UnixLine(int(fields[0].rstrip(b":"), 16), int(fields[6]), fields[7] if len(fields) > 7 else b"")
        except ValueError:
            continue


def _endpoint(text: bytes) -> tuple[bytes, int]:
    address, _, port = text.partition(b":")
    raw = bytes.fromhex(address.decode("ascii"))
    if len(raw) not in (4, 16):
        raise ValueError("neither IPv4 nor IPv6")
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return raw, int(port, 16)
