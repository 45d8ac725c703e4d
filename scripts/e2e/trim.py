"""Leaves of a recording only what some processes and their descendants did, and looks for what else is still in it.

Plain and by the format alone: blocks, and of them the few fields that say whose they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from syswire.convert.scap import event_table

PROCESSES, DESCRIPTORS = 0x215, 0x218
EVENTS = {0x204: 2, 0x208: 6, 0x216: 2, 0x217: 6, 0x221: 2, 0x222: 6}
"""Event blocks, and the bytes before the event itself: the processor, and flags where there are any."""
BIRTHS = frozenset(
    code for code, one in enumerate(event_table.EVENTS) if one[0] in ("clone", "clone3", "fork", "vfork") and code & 1
)
ROOT = Path(__file__).resolve().parents[2]


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and whole bytes of each block."""
    at = 0
    while at < len(data):
        block_type, length = struct.unpack_from("<II", data, at)
        if length < 12 or length > len(data) - at:
            raise ValueError(f"a block that cannot be at offset {at}")
        yield block_type, data[at : at + length]
        at += length


def processes(block: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Of each entry of a process list: thread, process, parent thread, and its bytes."""
    at = 8
    while at + 28 <= len(block) - 4:
        length, tid, pid, parent = struct.unpack_from("<Iqqq", block, at)
        if not 28 <= length <= len(block) - 4 - at:
            break
        yield tid, pid, parent, block[at : at + length]
        at += length


def thread(block_type: int, block: bytes) -> int:
    """Whose an event is."""
    tid: int = struct.unpack_from("<q", block, 8 + EVENTS[block_type] + 8)[0]
    return tid


def owner(block_type: int, block: bytes) -> int | None:
    """The thread that a block belongs to; None where it is everybody's."""
    if block_type == DESCRIPTORS:
        tid: int = struct.unpack_from("<Q", block, 8)[0]
        return tid
    return thread(block_type, block) if block_type in EVENTS else None


def born(block_type: int, block: bytes) -> int:
    """The thread that this event tells the birth of: a clone's result in its parent; 0 if it is none."""
    at = 8 + EVENTS[block_type] + 16
    _, code, count = struct.unpack_from("<IHI", block, at)
    if code not in BIRTHS or not count:
        return 0
    child: int = struct.unpack_from("<q", block, at + 10 + 2 * count)[0]
    return max(child, 0)


def kept(data: bytes, roots: set[int]) -> set[int]:
    """The threads of these processes and of all that descends from them, at the start and later."""
    ours = set(roots)
    known = [entry for kind, block in blocks(data) if kind == PROCESSES for entry in processes(block)]
    size = 0
    while size != len(ours):
        size = len(ours)
        ours |= {tid for tid, pid, parent, _ in known if pid in ours or (parent in ours and tid == pid)}
    for kind, block in blocks(data):
        if kind in EVENTS and thread(kind, block) in ours and (child := born(kind, block)):
            ours.add(child)
    return ours


def trimmed(data: bytes, ours: set[int]) -> bytes:
    """The recording with nothing of other threads."""
    parts = []
    allowed = {None, *ours}
    for kind, block in blocks(data):
        if kind == PROCESSES:
            body = b"".join(entry for tid, _, _, entry in processes(block) if tid in ours)
            body += bytes(-len(body) % 4)
            ends = struct.pack("<I", len(body) + 12)
            block = struct.pack("<I", kind) + ends + body + ends
        if owner(kind, block) in allowed:
            parts.append(block)
    return b"".join(parts)


def foreign(data: bytes, ours: set[int], host: str) -> list[str]:
    """What stands in the recording that should not, one line for each; the host's name is that outside."""
    found = []
    for kind, block in blocks(data):
        if owner(kind, block) not in {None, *ours}:
            found.append(f"a block of thread {owner(kind, block)}")
        elif kind == PROCESSES:
            found += [f"thread {tid}" for tid, _, _, _ in processes(block) if tid not in ours]
    for what, text in sorted(secrets(ours, host)):
        if text.encode("utf-8", "surrogateescape") in data:
            found.append(f"{what}: {text[:60]}")
    return found


def secrets(ours: set[int], host: str) -> Iterator[tuple[str, str]]:
    """Strings of this machine: its paths, its name where that tells anything, and other processes' command lines."""
    yield "this checkout", str(ROOT)
    if len(host) > 5:
        yield "the machine's name", host
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) in ours:
            continue
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")
            for word in words:
                if telling(word):
                    yield f"an argument of process {folder.name}", word


def telling(word: str) -> bool:
    """Whether an argument tells of the process that has it: no program of the system, no word that many use."""
    if word.startswith("/"):
        return len(word) >= 8 and not word.startswith(
            ("/usr/", "/bin/", "/sbin/", "/lib", "/etc/", "/dev/", "/proc/", "/sys/")
        )
    return len(word) >= 24
