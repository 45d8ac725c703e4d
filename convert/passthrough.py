"""Writes the pcapng of a packet capture: the source's own frames, byte for byte, with comments added.

It is a second pass over the same bytes with the same readers, so the frames are the ones that were decoded.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .packets.copier import Copier
from .packets.opening import PayloadFile, open_frames
from .packets.pcap import PcapReader
from .packets.pcapng import PcapngReader
from .pcapng import (
    IF_TSRESOL,
    INTERFACE,
    SECTION_HEADER,
    SHB_APPLICATION,
    block,
    clean,
    comment_options,
    name_blocks,
    option,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .packets.buffer import FrameReader
    from .pcapng import Writable


def write_packets(
    out: Writable,
    *,
    payload_fd: int,
    comments: Sequence[str],
    application: str,
    flows: str,
    convs: str,
    frame_comments: Mapping[int, Iterable[str]],
    longest: int = 0,
    names: Callable[[], Iterable[tuple[str, str]]] = tuple,
    change: Callable[[memoryview, int], None] | None = None,
) -> int:
    """Write the whole file; return how many frames it has.

    Of a pcapng all blocks that tell of packets, interfaces, names, secrets and statistics are kept in their order, with
    their own options. On the first frame of each conversation comes `syswire stream N (tcp)` or (udp).

    Args:
        out: Where to write; it gets pieces of about 1 MiB.
        payload_fd: The payload file: the decompressed bytes of the capture.
        comments: Of the file; in a pcapng they follow those of its first section.
        application: The tool and its version, for files that do not say it themselves (pcap).
        flows: Path of Flow rows, in the order of their first frames.
        convs: Path of Conv rows.
        frame_comments: Frame number, from 1, to the comments of that frame, after that of the conversation.
        longest: Captured bytes of the longest frame, as the first pass found (FrameReader.longest). A pcap often
            promises shorter ones, which libpcap does not forgive in a pcapng; its snaplen is kept where it holds.
        names: Asked behind the last frame for (address, name) of a closing name resolution block.
        change: Called with what was read of the payload file and its position, to mask what is secret there.

    Raises:
        OSError: Reading or writing failed, or the rows contradict each other.
        ValueError: It is no capture file.
    """
    reader = open_frames(PayloadFile(payload_fd, change))
    options = comment_options(comments)
    section = options + option(SHB_APPLICATION, clean(application).encode())
    header, resolution = block(SECTION_HEADER, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), section), 1
    if isinstance(reader, PcapReader):
        interface, resolution = _interface(PayloadFile(payload_fd), longest)
        header += interface
    with open(flows, "rb") as flow_file, open(convs, "rb") as conv_file:
        copier = Copier(reader, flow_file.fileno(), conv_file.fileno(), header, options, resolution)
        commented = iter(sorted(frame_comments))
        stop = next(commented, 0)
        while state := copier.build(stop):
            if state == 1:
                out.write(copier.view())
            else:
                copier.packet(comment_options(frame_comments[stop]))
                stop = next(commented, 0)
        if not copier.begun:
            out.write(header)  # nothing could be read, which the file has to say itself
        out.write(copier.view())
        for number, resolved in enumerate(name_blocks(names())):
            if number == 0 and isinstance(reader, PcapngReader) and reader.big_endian:
                out.write(header)  # a section of its own: blocks are in the byte order of theirs
            out.write(resolved)
        return copier.frames


def _interface(payload: PayloadFile, longest: int) -> tuple[bytes, int]:
    """The interface description of a pcap, and how many ns are a unit of its time stamps."""
    probe: FrameReader = open_frames(payload)
    next(probe.frames(), None)
    if not probe.interfaces:
        return b"", 1
    interface = probe.interfaces[0]
    snaplen = interface.snaplen if interface.snaplen >= longest > 0 else 0
    description = struct.pack("<HHI", interface.linktype, 0, snaplen)
    return block(INTERFACE, description, option(IF_TSRESOL, bytes([interface.tsresol]))), 10 ** (9 - interface.tsresol)
