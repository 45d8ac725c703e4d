"""Changes to a frame: header fields, payload; and what it becomes when it is sent again, split, or in fragments."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .http1 import text
from .plain import change, number, put_number

if TYPE_CHECKING:
    from random import Random

HEADERS = {0: 4, 108: 4, 101: 0, 12: 0, 14: 0, 228: 0, 229: 0, 113: 16, 276: 20}
LINKTYPES = (0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 105, 147)
EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140, 6, 17, 58, 59, 1, 50)
FLAGS = (0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x00, 0x19, 0x29, 0xC2, 0xFF)
FEW_PORTS = (80, 4000, 4001, 53)
SHIFTS = (-2, -1, 1, 1, 2, 5, 100, 1460, 65536, 1 << 30, 1 << 31, -(1 << 31))


def network(frame: bytes, linktype: int) -> int:
    """Where the IP header begins, by a plain look; the end of the frame where there is none."""
    if linktype != 1:
        return min(HEADERS.get(linktype, len(frame)), len(frame))
    at = 12
    while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
        at += 4
    return min(at + 2, len(frame))


def mutate(frame: bytes, linktype: int, random: Random) -> list[bytes]:
    """What stands in the place of a frame; most often one again."""
    ip = network(frame, linktype)
    chance = random.random()
    if chance < 0.12 or len(frame) < ip + 20:
        return [change(frame, random)]
    if chance < 0.2:
        if linktype == 1:
            return [_tagged(frame, random)]
        return [put_number(frame, random, random.randrange(max(ip, 1)), random.choice((1, 2, 4)), little=False)]
    if frame[ip] >> 4 == 6:
        return _six(frame, ip, random)
    return _four(frame, ip, random)


def _tagged(frame: bytes, random: Random) -> bytes:
    """Another type, or more or fewer VLAN tags."""
    choice = random.randrange(4)
    if choice == 0:
        kind = random.choice((0x0800, 0x86DD, 0x8100, 0x88A8, 0x9100, 0x0806, 46, 1500, 0x8847))
        return frame[:12] + kind.to_bytes(2, "big") + frame[14:]
    if choice == 1:
        return frame[:12] + b"\x81\x00\x00\x01" * random.choice((1, 1, 2, 15, 16, 17)) + frame[12:]
    if choice == 2:
        snap = b"\xaa\xaa\x03\x00\x00\x00" + frame[12:]
        return frame[:12] + len(snap).to_bytes(2, "big") + snap
    return frame[:12] + frame[16:]


def _sized(frame: bytes, ip: int) -> bytes:
    """The frame with the length in its IP header put right, where it has one."""
    if len(frame) < ip + 6:
        return frame
    if frame[ip] >> 4 == 6:
        return frame[: ip + 4] + (max(len(frame) - ip - 40, 0) & 0xFFFF).to_bytes(2, "big") + frame[ip + 6 :]
    return frame[: ip + 2] + (len(frame) - ip & 0xFFFF).to_bytes(2, "big") + frame[ip + 4 :]


def _four(frame: bytes, ip: int, random: Random) -> list[bytes]:
    header = (frame[ip] & 15) * 4
    transport = ip + header
    chance = random.random()
    if chance < 0.22:
        at, size = random.choice(((0, 1), (2, 2), (4, 2), (6, 2), (9, 1), (12, 4), (16, 4)))
        return [put_number(frame, random, ip + at, size, little=False)]
    if chance < 0.27:
        options = random.choice(
            (b"\x01\x01\x01\x00", b"\x07\x04\x04\x00", b"\x07\xff\x04\x00", b"\x00" * 40, b"\x07\x00\x00\x00")
        )
        return [_sized(frame[:ip] + bytes((0x40 | 5 + len(options) // 4,)) + frame[ip + 1 : ip + 20] + options
                       + frame[transport:], ip)]  # fmt: skip
    if chance < 0.31:  # the other way round
        return [frame[: ip + 12] + frame[ip + 16 : ip + 20] + frame[ip + 12 : ip + 16] + frame[ip + 20 :]]
    if chance < 0.45:
        return _fragments(frame, ip, transport, random)
    return _transport(frame, ip, transport, frame[ip + 9], random)


def _fragments(frame: bytes, ip: int, transport: int, random: Random) -> list[bytes]:
    """The packet in fragments: in order or not, overlapping, with a hole, twice."""
    body = frame[transport:]
    ident = random.randrange(4).to_bytes(2, "big")
    found: list[bytes] = []
    at = 0
    while at < len(body) and len(found) < 12:
        size = 8 * random.choice((1, 1, 2, 3, 8, 64))
        part = body[at : at + size]
        if random.random() < 0.1:
            part = change(part, random)
        more = 0x2000 if at + size < len(body) else 0
        fields = (more | at // 8).to_bytes(2, "big")
        one = frame[: ip + 4] + ident + fields + frame[ip + 8 : transport] + part
        found.append(_sized(one, ip))
        at += size if random.random() < 0.8 else size - 8
        if size == 8 and random.random() < 0.1:
            at += 8
    if random.random() < 0.4:
        random.shuffle(found)
    return found


def _six(frame: bytes, ip: int, random: Random) -> list[bytes]:
    transport = ip + 40
    chance = random.random()
    following = frame[ip + 6]
    if chance < 0.2:
        at, size = random.choice(((0, 1), (4, 2), (6, 1), (8, 4), (24, 4)))
        return [put_number(frame, random, ip + at, size, little=False)]
    if chance < 0.5:
        kind = random.choice(EXTENSIONS)
        if kind == 44:
            place = random.choice((0, 0, 8, 16, 0xFFF8)) | random.randrange(2)
            more = struct.pack(">BBHI", following, 0, place, random.randrange(3))
        else:
            words = random.choice((0, 0, 1, 2, 255))
            more = bytes((following, words)) + bytes(6 + 8 * min(words, 4))
        added = frame[: ip + 6] + bytes((kind,)) + frame[ip + 7 : transport] + more * random.choice((1, 1, 2, 20))
        return [_sized(added + frame[transport:], ip)]
    return _transport(frame, ip, transport, following, random)


def _transport(frame: bytes, ip: int, at: int, protocol: int, random: Random) -> list[bytes]:
    if protocol == 17:
        place, size = random.choice(((0, 2), (2, 2), (4, 2)))
        if random.random() < 0.5:
            return [put_number(frame, random, at + place, size, little=False)]
        return [_sized(frame[: at + 8] + change(frame[at + 8 :], random), ip)]
    if protocol != 6 or len(frame) < at + 20:
        return [change(frame, random)]
    data = at + (frame[at + 12] >> 4) * 4
    (seq,) = struct.unpack_from(">I", frame, at + 4)
    moved = (seq + random.choice(SHIFTS)) % (1 << 32)
    shifted = frame[: at + 4] + moved.to_bytes(4, "big") + frame[at + 8 :]
    match random.randrange(12):
        case 0:
            place, size = random.choice(((0, 2), (2, 2), (4, 4), (8, 4), (12, 1), (13, 1), (14, 2)))
            return [put_number(frame, random, at + place, size, little=False)]
        case 1:
            return [frame[: at + 13] + bytes((random.choice(FLAGS),)) + frame[at + 14 :]]
        case 2:
            return [shifted]
        case 3:
            return [frame, shifted]  # again, somewhere else
        case 4:
            return [frame, _sized(frame[:data] + change(frame[data:], random), ip)]  # again, other bytes
        case 5:  # in two, perhaps overlapping, perhaps the second first
            payload = frame[data:]
            cut = random.randrange(len(payload) + 1)
            begin = max(cut - random.choice((0, 0, 1, 4)), 0)
            second = frame[: at + 4] + ((seq + begin) % (1 << 32)).to_bytes(4, "big") + frame[at + 8 : data]
            parts = [_sized(frame[: data + cut], ip), _sized(second + payload[begin:], ip)]
            return parts if random.random() < 0.6 else parts[::-1]
        case 6:
            (ack,) = struct.unpack_from(">I", frame, at + 8)
            new = (ack + random.choice(SHIFTS)) % (1 << 32) if random.random() < 0.8 else number(random, 4, ack)
            return [frame[: at + 8] + new.to_bytes(4, "big") + frame[at + 12 :]]
        case 7:
            port = random.choice(FEW_PORTS).to_bytes(2, "big")
            place = at + random.choice((0, 2))
            return [frame[:place] + port + frame[place + 2 :]]
        case 8:
            return [_sized(frame[:data], ip)]
        case 9:
            return [frame + random.randbytes(random.choice((1, 4, 18)))]
        case _:
            return [_sized(frame[:data] + text(frame[data:], random), ip)]
