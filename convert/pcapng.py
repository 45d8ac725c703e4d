"""Writes the pcapng: header blocks, interfaces, names, then the packets that frames.pyx builds.

Which process is beside a packet is said in three layers: comments, which every Wireshark shows (the whole identity on
a conversation's first packet), Darwin process blocks with a packet option that points to one (Wireshark 4.6 and
later), and the packet option for process and thread ids. Nothing here looks at a clock: the same rows give the same
bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

from .frames import MOST_OPTION_BYTES, PacketBlocks
from .redaction.patches import Patches

LINKTYPE_RAW = 101
COMMENT_BYTES = 16_384  # a comment may have 65,535; shorter ones are still read by people
NAME_BYTES = 255
NAMES_BYTES = 32_768  # of one name resolution block
SHARED_BLOCKS = 65_536  # process blocks that are found again; beyond, a thread version has its own

SECTION_HEADER, INTERFACE, NAMES, DARWIN_PROCESS = 0x0A0D0D0A, 1, 4, 0x80000001
OPT_COMMENT = 1
SHB_OS, SHB_APPLICATION = 3, 4
IF_NAME, IF_DESCRIPTION, IF_TSRESOL = 2, 3, 9
NANOSECONDS = b"\x09"
PROCESS_NAME = 2

# Control characters, and those that reorder or break the text of a terminal or a report.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")

Identity = tuple[int, int, str]


class Writable(Protocol):
    """Where the file goes."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""


@dataclass(frozen=True)
class Interface:
    """An interface of the pcapng: the host, or a container."""

    name: str
    description: str = ""


@dataclass(frozen=True)
class Header:
    """What stands before the packets.

    Attributes:
        comments: Tool and version, the source's name and SHA-256, how the packets came to be.
        os: The machine that was recorded, as far as the capture tells.
        application: The tool and its version.
        containers: By container index from 1: interface 0 is "host", the last one "unix".
        names: (address, name), such as the synthetic address of a unix socket and its path.
    """

    comments: Sequence[str]
    os: str
    application: str
    containers: Sequence[Interface] = ()
    names: Iterable[tuple[str, str]] = field(default=())


def clean(text: str, limit: int = COMMENT_BYTES) -> str:
    r"""Text that is safe in a comment: no control or reordering characters, valid UTF-8, at most `limit` bytes.

    Characters that are left out are shown as \xNN or \uNNNN; newline and tab stay.
    """
    text = UNSAFE.sub(_escaped, text[: limit + 1])
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= limit:
        return data.decode()
    return data[: limit - 3].decode("utf-8", "ignore") + "..."


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def option(code: int, value: bytes) -> bytes:
    """One option, padded."""
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def comment_options(comments: Iterable[str]) -> bytes:
    """Comments as options, as many as there is room for."""
    out = bytearray()
    for text in comments:
        encoded = option(OPT_COMMENT, clean(text).encode())
        if len(out) + len(encoded) > MOST_OPTION_BYTES:
            break
        out += encoded
    return bytes(out)


def block(kind: int, body: bytes, options: bytes = b"") -> bytes:
    """One block; the end of the options is added."""
    body += bytes(-len(body) % 4)
    if options:
        body += options + bytes(4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def section_header(header: Header) -> bytes:
    """The section header block, little endian, version 1.0, of unknown length."""
    options = comment_options(header.comments)
    options += option(SHB_OS, clean(header.os).encode()) + option(SHB_APPLICATION, clean(header.application).encode())
    return block(SECTION_HEADER, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), options)


def interface(entry: Interface) -> bytes:
    """An interface description block."""
    options = option(IF_NAME, clean(entry.name, NAME_BYTES).encode())
    if entry.description:
        options += option(IF_DESCRIPTION, clean(entry.description, NAME_BYTES).encode())
    return block(INTERFACE, struct.pack("<HHI", LINKTYPE_RAW, 0, 0), options + option(IF_TSRESOL, NANOSECONDS))


def name_blocks(names: Iterable[tuple[str, str]]) -> Iterable[bytes]:
    """Name resolution blocks."""
    body = bytearray()
    for address, name in names:
        packed = ip_address(address).packed
        value = packed + clean(name, NAME_BYTES).encode() + b"\0"
        body += option(1 if len(packed) == 4 else 2, value)
        if len(body) > NAMES_BYTES:
            yield block(NAMES, bytes(body) + bytes(4))
            body.clear()
    if body:
        yield block(NAMES, bytes(body) + bytes(4))


def process_block(pid: int, name: str) -> bytes:
    """A Darwin process block."""
    return block(DARWIN_PROCESS, struct.pack("<I", pid), option(PROCESS_NAME, clean(name, NAME_BYTES).encode()))


def write_pcapng(
    out: Writable,
    header: Header,
    *,
    frames: str,
    pieces: str,
    convs: str,
    payload_fd: int,
    identity: Callable[[int], Identity | None],
    flow_comments: Callable[[int], Iterable[str]],
    frame_comments: Mapping[int, Iterable[str]],
    patches: Patches | None = None,
) -> int:
    """Write the whole file; return how many frames it has.

    Args:
        out: Where to write; it gets pieces of about 1 MiB.
        header: What stands before the packets.
        frames: Frame rows in the order of the file (numbers.number_frames).
        pieces: Piece rows.
        convs: Conversation rows.
        payload_fd: The payload file.
        identity: Thread version id to (pid, tid, name), asked once for each that is beside a frame.
        flow_comments: Conversation id to the comments of its first frame.
        frame_comments: Frame number to the comments of that frame, after those of the conversation.
        patches: Bytes of the payload file that are written otherwise than they are there.

    Raises:
        OSError: Reading or writing failed, or the rows contradict each other.
    """
    interfaces = [Interface("host", "processes outside containers"), *header.containers]
    interfaces.append(Interface("unix", "unix domain sockets, under synthetic addresses"))
    out.write(section_header(header))
    for entry in interfaces:
        out.write(interface(entry))
    for names in name_blocks(header.names):
        out.write(names)
    with open(frames, "rb") as frame_file, open(pieces, "rb") as piece_file, open(convs, "rb") as conv_file:
        packets = PacketBlocks(
            frame_file.fileno(), piece_file.fileno(), conv_file.fileno(), payload_fd, len(interfaces), patches
        )
        _write_packets(out, packets, identity, flow_comments, frame_comments)
        return packets.index


def _write_packets(
    out: Writable,
    packets: PacketBlocks,
    identity: Callable[[int], Identity | None],
    flow_comments: Callable[[int], Iterable[str]],
    frame_comments: Mapping[int, Iterable[str]],
) -> None:
    processes = _ProcessBlocks()
    commented = iter(sorted(frame_comments))
    end = 1 << 63
    stop = next(commented, end)
    while True:
        state = packets.build(stop - 1)
        if state == 1:
            out.write(packets.view())
        elif state == 3:
            known = identity(packets.thread)
            if known is None:
                packets.know(packets.thread, 0, 0, None)
                continue
            pid, tid, name = known
            index, new = processes.index(pid, name)
            if new:
                out.write(packets.view())
                out.write(new)
            packets.know(packets.thread, pid & 0xFFFFFFFF, tid & 0xFFFFFFFF, index)
        elif state:
            comments: list[str] = [*flow_comments(packets.conv)] if packets.first else []
            if packets.index == stop - 1:
                comments += frame_comments[stop]
                stop = next(commented, end)
            packets.packet(comment_options(comments))
        else:
            break
    out.write(packets.view())


class _ProcessBlocks:
    """The process blocks written so far."""

    def __init__(self) -> None:
        self._count = 0
        self._indexes: dict[tuple[int, str], int] = {}

    def index(self, pid: int, name: str) -> tuple[int, bytes]:
        """The index of a process's block, and the block where it has to be written first."""
        found = self._indexes.get((pid, name))
        if found is not None:
            return found, b""
        index = self._count
        self._count += 1
        if len(self._indexes) < SHARED_BLOCKS:
            self._indexes[pid, name] = index
        return index, process_block(pid & 0xFFFFFFFF, name)
