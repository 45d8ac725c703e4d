"""Blocks of a scap file as bytes: section header, machine, interfaces, users, processes, descriptors, events.

Sans-IO: every method returns the bytes of whole blocks, to be written one after the other: section header, machine,
interfaces, users, processes, one descriptor list a process, then events in time order. Readers accept nothing but
event blocks once the first event was read, so all else goes before.

Event blocks are written without a flags field unless flags are asked for: tshark passes over blocks with flags without
a word. Invariant: what a writer wrote, a reader of the same format gives back value by value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from enum import Enum

from . import event_table as table
from .encoding import ByteOrder, Encoder, Value
from .snapshot import (
    Descriptor,
    Group,
    Interface,
    Machine,
    Process,
    User,
    descriptor_entry,
    interface_entry,
    machine_body,
    process_entry,
    user_entry,
)

SECTION_HEADER = 0x0A0D0D0A
MAGIC = 0x1A2B3C4D
MAJOR, MINOR = 1, 2
# tshark reads minor versions 0 and 2 only.

MACHINE_INFO, INTERFACE_LIST, USER_LIST, PROCESS_LIST, DESCRIPTOR_LIST = 0x201, 0x219, 0x220, 0x215, 0x218
EVENT_V1, EVENT_FLAGS_V1 = 0x204, 0x208
EVENT_V2, EVENT_FLAGS_V2 = 0x216, 0x217
EVENT_V2_LARGE, EVENT_FLAGS_V2_LARGE = 0x221, 0x222

FLAG_STATE_ONLY = 1
"""The event is there for the state that it changes and is not to be shown."""

SMALL_BLOCK = 65536
# Readers refuse an event block with more bytes than this between its lengths, unless its type says that it is large.
MAX_PARAMETER = 0xFFFF

_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class Form(Enum):
    """How event blocks are written: as since format 1.2 (the number of parameters is stored), or as before."""

    V1 = 1
    V2 = 2


class ScapWriter:
    """Builds the blocks of one file in one byte order."""

    def __init__(self, byte_order: ByteOrder = "little", form: Form = Form.V2) -> None:
        self.encoder = Encoder(byte_order)
        self.form = form
        self._prefix = self.encoder.prefix
        self._u32 = struct.Struct(self._prefix + "I")
        self._block_head = struct.Struct(self._prefix + "II")
        self._event_head = struct.Struct(self._prefix + "QqIH")

    def block(self, block_type: int, body: bytes) -> bytes:
        """Any block: type, total length, body padded to 4 bytes, total length."""
        body += _PADDING[len(body) & 3]
        total = len(body) + 12
        return self._block_head.pack(block_type, total) + body + self._u32.pack(total)

    def section_header(self, minor: int = MINOR) -> bytes:
        """The first block of a file, with no options (sysdig 0.29.3 cannot pass over them)."""
        body = struct.pack(self._prefix + "IHHQ", MAGIC, MAJOR, minor, 0xFFFFFFFFFFFFFFFF)
        return self.block(SECTION_HEADER, body)

    def machine(self, machine: Machine) -> bytes:
        """Machine information."""
        return self.block(MACHINE_INFO, machine_body(self._prefix, machine))

    def interfaces(self, interfaces: Iterable[Interface]) -> bytes:
        """Interface list V2."""
        return self.block(INTERFACE_LIST, b"".join(interface_entry(self._prefix, one) for one in interfaces))

    def users(self, users: Iterable[User | Group]) -> bytes:
        """User list V2: users, then groups."""
        return self.block(USER_LIST, b"".join(user_entry(self._prefix, one) for one in users))

    def processes(self, processes: Iterable[Process]) -> bytes:
        """Process list V9."""
        return self.block(PROCESS_LIST, b"".join(process_entry(self._prefix, one) for one in processes))

    def descriptors(self, tid: int, descriptors: Iterable[Descriptor]) -> bytes:
        """Descriptor list V2 of one process, named by the tid of its main thread."""
        entries = b"".join(descriptor_entry(self._prefix, one) for one in descriptors)
        return self.block(DESCRIPTOR_LIST, struct.pack(self._prefix + "Q", tid) + entries)

    def event(
        self,
        ts: int,
        tid: int,
        cpu: int,
        code: int,
        values: Sequence[Value] = (),
        *,
        flags: int | None = None,
        comments: Sequence[bytes] = (),
    ) -> bytes:
        """One event: time in ns since the epoch, thread, processor, type code, and the parameters' values.

        Flags make it a block with a flags field, None one without; comments are kept behind the event. Raises
        ValueError where a value or the whole does not fit its field.
        """
        return self.raw_event(ts, tid, cpu, code, self.encoder.parameters(code, values), flags=flags, comments=comments)

    def raw_event(
        self,
        ts: int,
        tid: int,
        cpu: int,
        code: int,
        params: Sequence[bytes],
        *,
        flags: int | None = None,
        comments: Sequence[bytes] = (),
        large: bool | None = None,
    ) -> bytes:
        """One event whose parameters are encoded already; `large` forces the block type, None takes it by the size.

        Raises ValueError where a parameter is longer than its length field can say, or a V1 block would be too large.
        """
        wide = code in table.LARGE_PAYLOAD
        if not wide and any(len(param) > MAX_PARAMETER for param in params):
            raise ValueError(f"a parameter of event type {code} is longer than {MAX_PARAMETER} bytes")
        lengths = struct.pack(f"{self._prefix}{len(params)}{'I' if wide else 'H'}", *map(len, params))
        counted = self.form is Form.V2
        size = (26 if counted else 22) + len(lengths) + sum(map(len, params))
        parts = [struct.pack(self._prefix + "H", cpu)]
        if flags is not None:
            parts.append(self._u32.pack(flags))
        parts.append(self._event_head.pack(ts, tid, size, code))
        if counted:
            parts.append(self._u32.pack(len(params)))
        parts.append(lengths)
        parts += params
        body = b"".join(parts)
        if comments:
            body += _PADDING[len(body) & 3] + self._options(comments)
        if large is None:
            large = (len(body) + 3 & ~3) + 4 > SMALL_BLOCK
        if large and not counted:
            raise ValueError("event blocks before format 1.2 hold 64 KiB at most")
        return self.block(self._event_block(flags is not None, large), body)

    def _event_block(self, flagged: bool, large: bool) -> int:
        if self.form is Form.V1:
            return EVENT_FLAGS_V1 if flagged else EVENT_V1
        if large:
            return EVENT_FLAGS_V2_LARGE if flagged else EVENT_V2_LARGE
        return EVENT_FLAGS_V2 if flagged else EVENT_V2

    def _options(self, comments: Sequence[bytes]) -> bytes:
        """Comments as pcapng options, ended by the option 0."""
        out = b""
        for comment in comments:
            out += struct.pack(self._prefix + "HH", 1, len(comment)) + comment + _PADDING[len(comment) & 3]
        return out + struct.pack(self._prefix + "HH", 0, 0)
