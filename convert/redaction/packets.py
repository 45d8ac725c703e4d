"""The patches of a packet capture: what is masked in its frames and blocks, and the checksums over that.

Every frame is searched once more as it is: a secret may stand where no stream is (in a fragment that was lost, behind
a link layer that is not read, in what an ICMP error quotes).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from ..packets.layers import Layers
from .blocks import texts
from .checksums import change, mended
from .fill import filled
from .patches import Patches
from .stretches import joined, overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from ..packets.buffer import Frame, FrameReader
    from ..redact import Redactor
    from .places import Divided, Places

_CHECK_BYTES = 4
_UDP_HEADER, _UDP_SUM = 8, 6

Patch = tuple[int, bytes]


class Masked(NamedTuple):
    """What is masked in one input."""

    patches: Patches
    bytes: int
    """That were masked; checksums are none of them."""
    frames: int
    unmended: int
    """Frames whose checksums may be wrong: it is not known where they stand."""


def patches_of(reader: FrameReader, file: BinaryIO, places: Places, redactor: Redactor) -> Masked:
    """Patches for the frames that `reader` gives, and for the other blocks of a pcapng; `file` is the payload file."""
    plain, framed = joined(places.plain), joined(places.blocks)
    done: list[Patch] = []
    size = frames = unmended = 0
    parts = sorted({position for each in places.divided for position, _ in each.parts})
    for frame in reader.frames():
        begin, end = frame.position, frame.position + len(frame.data)
        own = [*overlap(plain, begin, end)]
        fields = [*overlap(framed, begin, end)]
        found = redactor.holds(frame.data)
        if not (own or fields or found):
            continue
        layers = Layers()
        decoded = layers.decode_frame(frame.linktype, frame.data, frame.original)
        payload = decoded.parts[0][0] if decoded is not None and decoded.parts else 0
        if found:
            own += [
                (begin + max(first, payload), begin + last)
                for first, last in redactor.spans(frame.data)
                if last > payload
            ]
        made = filled(own, fields)
        if not made:
            continue
        frames += 1
        size += sum(len(new) for _, new in made)
        headers = layers.headers
        sums = _checksums(frame, made, headers)
        if not headers and ((at := bisect_left(parts, begin)) == len(parts) or parts[at] >= end):
            unmended += 1
        done += made + sums
    if reader.format == "pcapng":
        for position, data, secret in texts(file):
            hits = [(0, len(data))] if secret else redactor.spans(data) if redactor.holds(data) else []
            made = filled([(position + first, position + last) for first, last in hits], ())
            size += sum(len(new) for _, new in made)
            done += made
    done.sort()

    def read(position: int, length: int) -> bytes:
        file.seek(position)
        return file.read(length)

    done = sorted(done + [patch for each in places.divided if (patch := _divided(each, done, read)) is not None])
    return Masked(Patches(done), size, frames, unmended)


def _applied(data: bytearray, patches: Iterable[Patch], position: int) -> None:
    for at, new in patches:
        data[at - position : at - position + len(new)] = new


def _checksums(frame: Frame, made: list[Patch], headers: list[tuple[int, int]]) -> list[Patch]:
    """Patches for the checksums of the headers in a frame, the innermost first, and for a frame check sequence."""
    old, new = frame.data, bytearray(frame.data)
    _applied(new, made, frame.position)
    out: list[Patch] = []
    for header, within in reversed(headers):
        place = header + within
        if place + 2 > len(old):
            continue
        by = change(old[header:], bytes(new[header:]), odd=False)
        value = mended(int.from_bytes(old[place : place + 2], "big"), by, udp=within == _UDP_SUM).to_bytes(2, "big")
        if value != old[place : place + 2]:
            new[place : place + 2] = value
            out.append((frame.position + place, value))
    if len(old) > _CHECK_BYTES and old[-_CHECK_BYTES:] == crc32(old[:-_CHECK_BYTES]).to_bytes(4, "little"):
        out.append((frame.position + len(old) - _CHECK_BYTES, crc32(new[:-_CHECK_BYTES]).to_bytes(4, "little")))
    return out


def _divided(divided: Divided, done: list[Patch], read: Callable[[int, int], bytes]) -> Patch | None:
    """The patch for the UDP checksum of a datagram in fragments: it stands in the first one, before its bytes."""
    by = offset = 0
    for position, length in divided.parts:
        at = bisect_left(done, (position,))
        while at < len(done) and done[at][0] < position + length:
            begin, new = done[at]
            by += change(read(begin, len(new)), new, odd=bool((offset + begin - position) % 2))
            at += 1
        offset += length
    place = divided.parts[0][0] - _UDP_HEADER + _UDP_SUM
    old = read(place, 2)
    value = mended(int.from_bytes(old, "big"), by, udp=True).to_bytes(2, "big")
    return None if value == old else (place, value)
