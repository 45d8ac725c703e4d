"""What the probe is asked to do, and the conditions that it judges in the kernel, as contents of its maps."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ...convert.errors import UsageError

SNAPLEN_MOST: Final = 65_000  # blocks beyond about 65,400 bytes are refused by old readers
_PAGE: Final = 4096
_IPV4, _IPV6 = 2, 10
_MAPPED: Final = bytes(10) + b"\xff\xff"
_MOST: Final = {"pids": 4096, "comms": 1024, "ports": 4096, "addresses": 2048}


@dataclass(frozen=True)
class Settings:
    """What to record.

    snaplen: payload kept of a call, bytes. files: payload of everything, not of sockets only. ring_bytes: the ring's
    size, rounded up to a power of two. own_pid: a process that is never recorded, nor its children.
    pids (of processes), comms (of threads, cut to 15 bytes), ports, addresses (4 or 16 bytes): conditions for calls
    that move bytes; each kind that is not empty has to hold with one of its values, ports and addresses at either
    end. Calls that change state (open, close, clone ...) are always recorded. So are those on sockets that have no
    peer, whatever ports and addresses ask: the address may come with the call.
    """

    snaplen: int = 4096
    files: bool = False
    ring_bytes: int = 16 << 20
    pids: tuple[int, ...] = ()
    comms: tuple[bytes, ...] = ()
    ports: tuple[int, ...] = ()
    addresses: tuple[bytes, ...] = ()
    own_pid: int = 0

    def __post_init__(self) -> None:
        """Raise UsageError for values out of range."""
        if not 0 < self.snaplen <= SNAPLEN_MOST:
            raise UsageError(f"the snaplen must be from 1 to {SNAPLEN_MOST}")
        if not 1 << 16 <= self.ring_bytes <= 1 << 30:
            raise UsageError("the ring must have from 64 KiB to 1 GiB")
        for name, most in _MOST.items():
            if len(getattr(self, name)) > most:
                raise UsageError(f"a filter can push at most {most} {name} into the kernel")
        if any(not 0 <= port <= 0xFFFF for port in self.ports):
            raise UsageError("ports are from 0 to 65535")
        if any(len(address) not in {4, 16} for address in self.addresses):
            raise UsageError("addresses have 4 or 16 bytes")

    @property
    def ring_pages(self) -> int:
        """Pages of the ring: a power of two."""
        return 1 << (max(self.ring_bytes, _PAGE) // _PAGE - 1 + bool(self.ring_bytes % _PAGE)).bit_length()

    def switches(self) -> dict[str, bool]:
        """The parts of the program that are compiled in or left out."""
        return {
            "ALL_FILES": self.files,
            "WANT_PIDS": bool(self.pids),
            "WANT_COMMS": bool(self.comms),
            "WANT_PORTS": bool(self.ports),
            "WANT_ADDRESSES": bool(self.addresses),
        }

    def keys(self) -> dict[str, list[bytes]]:
        """Map name to its keys as bytes. An IPv4 address stands also for itself in IPv6 sockets (::ffff:a.b.c.d)."""
        addresses = []
        for address in self.addresses:
            if len(address) == 4:
                addresses += [struct.pack("<I16s", _IPV4, address), struct.pack("<I16s", _IPV6, _MAPPED + address)]
            else:
                addresses.append(struct.pack("<I16s", _IPV6, address))
        return {
            "own": [struct.pack("<I", self.own_pid)] if self.own_pid else [],
            "wanted_pids": [struct.pack("<I", pid) for pid in self.pids],
            "wanted_comms": [struct.pack("<16s", comm[:15]) for comm in self.comms],
            "wanted_ports": [struct.pack("<H", port) for port in self.ports],
            "wanted_addresses": addresses,
        }
