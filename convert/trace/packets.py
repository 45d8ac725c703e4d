"""A packet capture as a trace: each TCP segment with payload, each UDP datagram is one event of the type `packet`.

Who is client and who is server is decided by the whole capture, as `convert` decides it: a compiled first pass writes
conversations and segments to spool files, the second walks the segments, which stand there in the order of the frames.
Events are told from the server's side: what the client sent was read, what the server sent was written. No process, no
thread, no descriptor number is known: they stay None.
"""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from socket import AF_INET, AF_INET6, inet_ntop
from typing import IO, TYPE_CHECKING

from ..conversations.flows import PacketFlows
from ..conversations.from_packets import gather
from ..model.rows import CONV, TCP, Conv
from ..model.segments import FLOW, SEGMENT, SEGMENT_CONTINUES, Flow, Segment
from ..packets.layers import Layers
from ..packets.opening import open_frames
from ..scap.event_table import EF_READS_FROM_FD, EF_USES_FD, EF_WRITES_TO_FD, PT_BYTEBUF, PT_ERRNO, EventType
from .model import Damage, Event, Fd, Interface, Loss, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..packets.buffer import FrameReader
    from ..source import Source

PARAMS = (("res", PT_ERRNO, "dec"), ("data", PT_BYTEBUF, "na"))
READ = EventType("packet", "<", "IO_READ", EF_USES_FD | EF_READS_FROM_FD, PARAMS, False, None)
WRITE = EventType("packet", "<", "IO_WRITE", EF_USES_FD | EF_WRITES_TO_FD, PARAMS, False, None)
READ_EXIT, WRITE_EXIT = 7, 9
"""Events have the codes of the exits of read and write, whose parameters they have."""

ROWS = 1024  # segments read at a time
HELD = 4096  # conversations kept in memory; others are read again from the spool file


class PacketTrace(Trace):
    """The trace of a pcap or pcapng; see the module."""

    def __init__(self, source: Source, format: str) -> None:
        super().__init__(source.name, format)
        self._source = source
        self._fds: OrderedDict[int, tuple[Fd, int]] = OrderedDict()
        self._files: list[IO[bytes]] = []
        self._closed = False

    def close(self) -> None:
        """Give the spool files back."""
        for file in self._files:
            file.close()
        self._files = []

    def __iter__(self) -> Iterator[Event]:
        convs, flows, segments = self._spool(), self._spool(), self._spool()
        payload = self._source.plain_fd
        if payload is None:
            payload = self._spool()
        reader = open_frames(self._source, -1 if self._source.plain_fd is not None else payload)
        layers = Layers()
        layers.logins = False  # they are no sockets
        found = PacketFlows(convs, flows, segments)
        gather(reader, layers, found, None)
        self._account(reader, layers, found)
        try:
            yield from self._events(convs, flows, segments, payload)
        finally:
            self.close()

    def _spool(self) -> int:
        """A file of the user's alone that vanishes when it is closed."""
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close()
        self._files.append(file)
        return file.fileno()

    def _account(self, reader: FrameReader, layers: Layers, flows: PacketFlows) -> None:
        """What the first pass learnt of the whole capture."""
        self.first_ts = reader.first_time or None
        for cause, (count, size, offset, *_) in [
            *reader.losses().items(),
            *layers.losses().items(),
            *flows.losses().items(),
        ]:
            if count:
                self.losses[cause] = Loss(count, size, offset)
        if flows.evicted:
            self.losses["conversation_evicted"] = Loss(flows.evicted)
        source = self._source.damage
        if source is not None and (reader.damage is not None or reader.frame == 0):
            self.damage = Damage(f"{source.what}, at stored byte {source.offset}", reader.offset)
        elif reader.damage is not None:
            self.damage = Damage(*reader.damage)
        self.interfaces: list[Interface] = []  # of addresses, which a packet capture does not tell

    def _events(self, convs: int, flows: int, segments: int, payload: int) -> Iterator[Event]:
        """One event a segment; a datagram that came in fragments has several rows and is one event."""
        previous: int | None = None
        first = self.first_ts or 0
        for rows in self._payloads(segments):
            row = rows[0]
            fd, client = self._conversation(convs, flows, row.half >> 1)
            info, code = (READ, READ_EXIT) if row.half & 1 == client else (WRITE, WRITE_EXIT)
            length = sum(one.length for one in rows)
            data = b"".join(os.pread(payload, one.stored, one.payload) for one in rows)
            event = Event(self, info, code, row.time, -1, (length.to_bytes(8, "little"), data))
            event.num = event.ordinal = row.source_frame
            event.offset = row.block
            event.cpu = None  # type: ignore[assignment]  # no packet tells
            event.fd = fd
            event.res = length
            event.previous_ts, event.first_ts = previous, first
            previous = row.time
            yield event

    def _payloads(self, segments: int) -> Iterator[list[Segment]]:
        """The rows of each segment or datagram."""
        at = 0
        rows: list[Segment] = []
        while data := os.pread(segments, SEGMENT.size * ROWS, at):
            at += len(data)
            for values in SEGMENT.iter_unpack(data[: len(data) - len(data) % SEGMENT.size]):
                row = Segment(*values)
                if rows and not row.flags & SEGMENT_CONTINUES:
                    yield rows
                    rows = []
                rows.append(row)
        if rows:
            yield rows

    def _conversation(self, convs: int, flows: int, number: int) -> tuple[Fd, int]:
        """The socket of a conversation as the server has it, and which half is the client's."""
        known = self._fds.get(number)
        if known is not None:
            self._fds.move_to_end(number)
            return known
        conv = Conv(*CONV.unpack(os.pread(convs, CONV.size, (number - 1) * CONV.size)))
        flow = Flow(*FLOW.unpack(os.pread(flows, FLOW.size, (number - 1) * FLOW.size)))
        size = 4 if conv.family == 4 else 16
        fd = Fd(-1, "ipv4" if size == 4 else "ipv6")
        fd.sip, fd.dip = conv.client_ip[:size], conv.server_ip[:size]
        fd.sport, fd.dport = conv.client_port, conv.server_port
        family = AF_INET if size == 4 else AF_INET6
        fd.name = f"{inet_ntop(family, fd.sip)}:{fd.sport}->{inet_ntop(family, fd.dip)}:{fd.dport}"
        fd.l4 = "tcp" if conv.protocol == TCP else "udp"
        fd.role, fd.connected = "server", True
        self._fds[number] = fd, flow.client
        if len(self._fds) > HELD:
            self._fds.popitem(last=False)
        return fd, flow.client


def open_packets(source: Source, format: str) -> PacketTrace:
    """The trace of a pcap or pcapng (`format`); iterating reads it."""
    return PacketTrace(source, format)
