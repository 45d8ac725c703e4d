"""Frames made by hand with struct, and a plain reader of pcap files: what the compiled layers are compared with."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import NamedTuple

IPV4, IPV6, VLAN, SERVICE, QINQ = 0x0800, 0x86DD, 0x8100, 0x88A8, 0x9100
TCP, UDP = 6, 17
A4, B4 = "192.0.2.1", "198.51.100.2"
A6, B6 = "2001:db8::1", "2001:db8::2"


class PlainFrame(NamedTuple):
    """One record of a pcap file; `number` counts from 1, `position` is that of the data in the file."""

    number: int
    linktype: int
    time: int
    data: bytes
    original: int
    position: int


def ethernet(payload: bytes, kind: int = IPV4, tags: Sequence[int] = ()) -> bytes:
    """An Ethernet frame without its check sequence; `tags` are the types of VLAN tags, outermost first."""
    tagged = b"".join(struct.pack(">HH", tag, number + 1) for number, tag in enumerate(tags))
    return bytes.fromhex("020000000002 020000000001") + tagged + struct.pack(">H", kind) + payload


def ipv4(
    payload: bytes,
    protocol: int = TCP,
    source: str = A4,
    target: str = B4,
    *,
    ident: int = 0,
    place: int = 0,
    more: bool = False,
    total: int | None = None,
    options: bytes = b"",
) -> bytes:
    """An IPv4 packet with a checksum of zero; `place` in bytes, `options` padded to a multiple of four."""
    header = 20 + len(options)
    flags = (0x2000 if more else 0) | place // 8
    length = header + len(payload) if total is None else total
    fixed = struct.pack(">BBHHHBBH", 0x40 | header // 4, 0, length, ident, flags, 64, protocol, 0)
    return fixed + IPv4Address(source).packed + IPv4Address(target).packed + options + payload


def ipv6(
    payload: bytes, following: int = TCP, source: str = A6, target: str = B6, *, length: int | None = None
) -> bytes:
    """An IPv6 packet; `following` is the next header."""
    fixed = struct.pack(">IHBB", 6 << 28, len(payload) if length is None else length, following, 64)
    return fixed + IPv6Address(source).packed + IPv6Address(target).packed + payload


def fragment6(payload: bytes, following: int, ident: int, place: int, more: bool) -> bytes:
    """A fragment header of IPv6 and what follows it."""
    return struct.pack(">BBHI", following, 0, place | more, ident) + payload


def tcp(
    payload: bytes = b"",
    ports: tuple[int, int] = (40000, 80),
    *,
    seq: int = 1000,
    ack: int = 2000,
    flags: int = 0x18,
    options: bytes = b"",
    offset: int | None = None,
) -> bytes:
    """A TCP segment with a checksum of zero; `offset` in words of four bytes, by `options` if not given."""
    words = 5 + len(options) // 4 if offset is None else offset
    return struct.pack(">HHIIBBHHH", *ports, seq, ack, words << 4, flags, 0x2000, 0, 0) + options + payload


def udp(payload: bytes = b"", ports: tuple[int, int] = (5000, 53), *, length: int | None = None) -> bytes:
    """A UDP datagram with a checksum of zero."""
    return struct.pack(">HHHH", *ports, 8 + len(payload) if length is None else length, 0) + payload


def pcap(frames: Iterable[tuple[bytes, int]], linktype: int = 1) -> bytes:
    """A pcap file, little endian, of frames with their lengths on the wire, a microsecond apart."""
    parts = [struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype)]
    for time, (frame, original) in enumerate(frames):
        parts += [struct.pack("<IIII", time // 10**6, time % 10**6, len(frame), original), frame]
    return b"".join(parts)


def read_pcap(path: Path) -> Iterator[PlainFrame]:
    """The records of a plain pcap file with micro- or nanoseconds, as far as they are whole."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    fine = b"\x3c" in data[:4]
    linktype: int = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at, number = 24, 0
    while at + 16 <= len(data):
        seconds, rest, captured, original = struct.unpack_from(order + "4I", data, at)
        if at + 16 + captured > len(data):
            return
        number += 1
        time = seconds * 10**9 + rest * (1 if fine else 1000)
        yield PlainFrame(number, linktype, time, data[at + 16 : at + 16 + captured], original, at + 16)
        at += 16 + captured
