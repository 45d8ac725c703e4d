"""Socket addresses and tuples of event parameters as text: sysdig 0.29.3's wording."""

from __future__ import annotations

import struct

from .buffers import printable
from .values import ip_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

AF_UNIX: Final = 1
AF_INET: Final = 2
AF_INET6: Final = 10
MAPPED: Final = bytes(10) + b"\xff\xff"
"""What an IPv4 address in an IPv6 one begins with."""

_PORT: Final = struct.Struct("<H")
_POINTERS: Final = struct.Struct("<QQ")


def mapped(ip: bytes) -> bool:
    """Whether libsinsp takes an IPv6 address for an IPv4 one, as it does that of all zeros."""
    return ip.startswith(MAPPED) or not any(ip)


def _end(data: bytes, place: int, size: int) -> tuple[bytes, int]:
    return data[place : place + size], _PORT.unpack_from(data, place + size)[0]


def address_text(data: bytes) -> str:
    """A SOCKADDR: address and port, or the path of a unix socket."""
    family = data[0]
    if family == AF_UNIX:
        return printable(data[1:].partition(b"\0")[0])
    if family in (AF_INET, AF_INET6):
        size = 4 if family == AF_INET else 16
        if len(data) < 3 + size:
            return "INVALID IPv4" if family == AF_INET else "INVALID IPv6"
        ip, port = _end(data, 1, size)
        return f"{ip_text(ip)}:{port}"
    return f"family {family}"


def tuple_text(data: bytes) -> str:
    """A SOCKTUPLE: both ends; of a unix socket the kernel's addresses of its ends, and the path."""
    family = data[0]
    if family == AF_UNIX:
        if len(data) < 17:
            return "NULL"
        source, destination = _POINTERS.unpack_from(data, 1)
        return f"{source:x}->{destination:x} {printable(data[17:].partition(bytes(1))[0])}"
    if family in (AF_INET, AF_INET6):
        size = 4 if family == AF_INET else 16
        if len(data) < 5 + 2 * size:
            return "INVALID IPv4" if family == AF_INET else "INVALID IPv6"
        source_ip, source_port = _end(data, 1, size)
        destination_ip, destination_port = _end(data, 3 + size, size)
        if size == 16 and mapped(source_ip) and mapped(destination_ip):
            source_ip, destination_ip = source_ip[12:], destination_ip[12:]
        return f"{ip_text(source_ip)}:{source_port}->{ip_text(destination_ip)}:{destination_port}"
    return f"family {family}"
