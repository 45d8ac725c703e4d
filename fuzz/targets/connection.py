"""A TCP connection played by the input's bytes: whatever is lost, repeated, cut or late, its streams come out right.

An input is 6 bytes of header (flags, the first sequence numbers) and steps of 4 bytes, see STEP. What the streams are
follows from the play; it is known without looking at the packets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support import packet_made as made
from syswire.convert.model.rows import GAP_NOT_CAPTURED, GAP_SNAPLEN

from ..mutate import pcap
from .streams import Run as Streams

if TYPE_CHECKING:
    from pathlib import Path

    Parts = list[bytes | tuple[int, int]]

HEADER = struct.Struct("<BBhh")
STEP = struct.Struct("<BBBB")
"""What is done, by which half (bit 0; the other bits say more), and two numbers."""
SEND, LOSE, AGAIN, EARLIER, CUT, FINISH, ALIVE = range(7)
PORTS = (4000, 80)
MOST_EARLIER = 8
LEAST = 2  # bytes of a segment: one alone may be taken for a keep-alive


@dataclass
class Half:
    """One sender. Places count from its first byte."""

    isn: int
    sent: int = 0
    acked: int = 0  # as far as a captured packet of the other half tells
    first_ack: int | None = None
    finished: bool = False
    finish_seen: bool = False
    begun: bool = False  # its SYN is in the capture
    claimed: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)


def content(half: int, begin: int, end: int) -> bytes:
    """What a half sends."""
    return bytes((at * 31 + at // 256 * 7 + half) & 0xFF for at in range(begin, end))


class Run:
    """Plays a connection, has its capture read, and compares."""

    def __init__(self, scratch: Path) -> None:
        self._streams = Streams(scratch)

    def __call__(self, data: bytes) -> None:
        """Raises where the streams that were read are not those that were played."""
        frames, halves = play(data)
        if not frames:
            return
        header = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        records = [pcap.Record(1, at, original, b"", frame) for at, (frame, original) in enumerate(frames)]
        _, found = self._streams.read(pcap.join(header, records))
        [((_, client_port, _, _), (to_client, to_server))] = found
        sides = (to_server, to_client) if client_port == PORTS[0] else (to_client, to_server)
        for half, (side, expected) in enumerate(zip(sides, map(expected_stream, (0, 1), halves), strict=True)):
            assert side == expected, half


def play(data: bytes) -> tuple[list[tuple[bytes, int]], tuple[Half, Half]]:
    """The captured frames, each with its length on the wire, and what both halves did."""
    flags, _, *near = HEADER.unpack(data[: HEADER.size].ljust(HEADER.size, b"\0"))
    halves = (Half(near[0] % (1 << 32)), Half(near[1] % (1 << 32)))
    frames: list[tuple[bytes, int]] = []

    def packet(half: int, begin: int, end: int, bits: int = 0x10, byte: bytes | None = None, cut: int = 0) -> None:
        me, other = halves[half], halves[1 - half]
        seq = (me.isn + (0 if bits & 2 else 1) + begin) % (1 << 32)
        ack = 0
        if bits & 0x10:
            other.acked = max(other.acked, other.sent)
            other.first_ack = other.sent if other.first_ack is None else other.first_ack
            ack = (other.isn + 1 + other.sent + other.finished) % (1 << 32)
        payload = content(half, begin, end) if byte is None else byte
        ports = (PORTS[half], PORTS[1 - half])
        segment = made.tcp(payload, ports, seq=seq, ack=ack, flags=bits)
        ends = (made.A4, made.B4) if half == 0 else (made.B4, made.A4)
        frame = made.ethernet(made.ipv4(segment, made.TCP, *ends))
        frames.append((frame[: len(frame) - min(cut, len(payload))], len(frame)))
        me.claimed.update(range(begin, end))
        me.known.update(range(begin, end - min(cut, end - begin)))

    if flags & 1:
        packet(0, 0, 0, 0x02)
        halves[0].begun = True
    if flags & 2:
        packet(1, 0, 0, 0x12)
        halves[1].begun = True
    for at in range(HEADER.size, len(data) - STEP.size + 1, STEP.size):
        what, how, size, more = STEP.unpack_from(data, at)
        half = how & 1
        me = halves[half]
        match what % 7:
            case 0 if not me.finished:  # SEND
                me.sent += size + LEAST
                packet(half, me.sent - size - LEAST, me.sent, 0x18)
            case 1 if not me.finished:  # LOSE
                me.sent += size + LEAST
            case 2 if me.sent:  # AGAIN
                begin = max(me.sent - more - LEAST, 0)
                packet(half, begin, min(begin + size + LEAST, me.sent))
            case 3 if len(frames) > 1:  # EARLIER
                moved = frames.pop()
                frames.insert(max(len(frames) - 1 - more % MOST_EARLIER, 0), moved)
            case 4 if not me.finished:  # CUT
                me.sent += size + LEAST
                packet(half, me.sent - size - LEAST, me.sent, 0x18, cut=more)
            case 5 if not me.finished:  # FINISH
                me.finished = True
                packet(half, me.sent, me.sent, 0x11)
                me.finish_seen = True
            case 6:  # an acknowledgement alone
                packet(half, me.sent + me.finished, me.sent + me.finished)
    return frames, halves


def expected_stream(half: int, one: Half) -> Parts:
    """What has to come out of a half."""
    first = 0 if one.begun else min(one.claimed, default=one.first_ack)
    if first is None:
        return []
    top = max(one.claimed, default=first - 1 if one.begun or one.first_ack is not None else -1) + 1
    last = max(top, one.sent if one.finish_seen else 0, one.acked if one.acked > top + 1 else 0, first)
    parts: Parts = []
    for at in range(first, last):
        before = parts[-1] if parts else None
        if at in one.known:
            byte = content(half, at, at + 1)
            if isinstance(before, bytes):
                parts[-1] = before + byte
            else:
                parts.append(byte)
            continue
        reason = GAP_SNAPLEN if at in one.claimed else GAP_NOT_CAPTURED
        if isinstance(before, tuple) and before[0] == reason:
            parts[-1] = (reason, before[1] + 1)
        else:
            parts.append((reason, 1))
    return parts
