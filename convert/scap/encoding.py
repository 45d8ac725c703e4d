"""Values of event parameters to bytes, by the event table's types.

Holds no state and knows no blocks. Source of the layouts: the scap format as libscap writes it (schema 4.5.1). Numbers
are in the byte order of the file; IP addresses are in network order always; ports are in the order of the file.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from . import event_table as table

ByteOrder = Literal["little", "big"]

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
TEXT_TYPES = frozenset((table.PT_CHARBUF, table.PT_FSPATH, table.PT_FSRELPATH))
# Where a parameter's type is one of these, a str is text that gets its NUL; elsewhere it would be a mistake.


class Address(NamedTuple):
    """An IP endpoint: SOCKADDR of family 2 or 10, by the kind of the address."""

    ip: str
    port: int


class UnixAddress(NamedTuple):
    """SOCKADDR of family 1; the leading NUL of an abstract name is left out."""

    path: bytes


class Tuple(NamedTuple):
    """SOCKTUPLE of two IP endpoints, of connect from local to remote, of accept and receives from remote to local."""

    source: Address
    destination: Address


class UnixTuple(NamedTuple):
    """SOCKTUPLE of family 1: the kernel's addresses of the two sockets, and the path (may be empty)."""

    source: int
    destination: int
    path: bytes = b""


class Dynamic(NamedTuple):
    """A parameter whose type is chosen by a number before it (sockopt, ptrace, bpf, keyctl); value is encoded."""

    choice: int
    value: bytes


class Polled(NamedTuple):
    """One entry of an FDLIST: a descriptor and its PPM_POLL* flags."""

    fd: int
    flags: int


Value = None | int | str | bytes | float | Address | UnixAddress | Tuple | UnixTuple | Dynamic | Sequence[Polled]


def strings(items: Iterable[str | bytes]) -> bytes:
    """Arguments, environment or cgroups: each string ended by a NUL."""
    encoded = (item.encode("utf-8", "surrogateescape") if isinstance(item, str) else item for item in items)
    return b"".join(item + b"\0" for item in encoded)


def packed_ip(ip: str) -> bytes:
    """4 or 16 bytes in network order; raises ValueError for what is no address."""
    return ipaddress.ip_address(ip).packed


class Encoder:
    """Encodes parameter values in one byte order."""

    def __init__(self, byte_order: ByteOrder = "little") -> None:
        self.byte_order: ByteOrder = byte_order
        self.prefix = "<" if byte_order == "little" else ">"

    def parameter(self, kind: int, value: Value) -> bytes:
        """The bytes of one parameter of type `kind` (PT_*).

        None is an absent parameter (length 0). Bytes are taken as they are, whatever the type. A str gets its NUL and
        is for text types only. Raises ValueError or TypeError where the value does not suit the type.
        """
        if value is None:
            return b""
        if isinstance(value, bytes):
            return value
        if isinstance(value, str):
            if kind not in TEXT_TYPES:
                raise TypeError(f"text for a parameter of type {kind}")
            return value.encode("utf-8", "surrogateescape") + b"\0"
        if isinstance(value, int):
            return self._integer(kind, value)
        if isinstance(value, float):
            return struct.pack(self.prefix + "d", value)
        if isinstance(value, Dynamic):
            return bytes((value.choice,)) + value.value
        if isinstance(value, (Address, UnixAddress)):
            return self.socket_address(value)
        if isinstance(value, (Tuple, UnixTuple)):
            return self.socket_tuple(value)
        return self.polled(value)

    def parameters(self, code: int, values: Sequence[Value]) -> list[bytes]:
        """The parameters of an event of type `code`; more than the table names must come as bytes."""
        kinds = [param[1] for param in table.EVENTS[code][4]]
        kinds += [table.PT_BYTEBUF] * (len(values) - len(kinds))
        return [self.parameter(kind, value) for kind, value in zip(kinds, values, strict=False)]

    def _integer(self, kind: int, value: int) -> bytes:
        size = table.PARAM_SIZES[kind]
        if size == 0:
            raise TypeError(f"a number for a parameter of type {kind}")
        signed = kind in table.PARAM_SIGNED
        if not signed and value < 0:
            value += 1 << (8 * size)  # -1 is the usual way to say "none" of an unsigned type
        try:
            return value.to_bytes(size, self.byte_order, signed=signed)
        except OverflowError as error:
            raise ValueError(f"{value} does not fit a parameter of {size} bytes") from error

    def socket_address(self, address: Address | UnixAddress) -> bytes:
        """SOCKADDR."""
        if isinstance(address, UnixAddress):
            return bytes((AF_UNIX,)) + address.path + b"\0"
        ip = packed_ip(address.ip)
        return bytes((AF_INET if len(ip) == 4 else AF_INET6,)) + ip + self._port(address.port)

    def socket_tuple(self, pair: Tuple | UnixTuple) -> bytes:
        """SOCKTUPLE: address, port, address, port (the descriptor list has another order)."""
        if isinstance(pair, UnixTuple):
            head = struct.pack(self.prefix + "BQQ", AF_UNIX, pair.source, pair.destination)
            return head + pair.path + b"\0"
        source, destination = packed_ip(pair.source.ip), packed_ip(pair.destination.ip)
        if len(source) != len(destination):
            raise ValueError("a socket tuple of two families")
        family = AF_INET if len(source) == 4 else AF_INET6
        head = bytes((family,)) + source + self._port(pair.source.port)
        return head + destination + self._port(pair.destination.port)

    def polled(self, entries: Sequence[Polled]) -> bytes:
        """FDLIST."""
        head = struct.pack(self.prefix + "H", len(entries))
        return head + b"".join(struct.pack(self.prefix + "qh", entry.fd, entry.flags) for entry in entries)

    def _port(self, port: int) -> bytes:
        return port.to_bytes(2, self.byte_order)
