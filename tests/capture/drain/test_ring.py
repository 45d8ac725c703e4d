"""The reading side of a BPF ring buffer, on a file laid out as the kernel does it (kernel/bpf/ringbuf.c)."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.made_records import Record
from syswire.capture.drain import Drain
from syswire.capture.ring import Ring

PAGE = mmap.PAGESIZE
BUSY, DISCARD = 1 << 31, 1 << 30


class Writer:
    """What the kernel does: the data lies twice in the file, since a mapping shows it twice."""

    def __init__(self, fd: int, size: int) -> None:
        os.ftruncate(fd, 2 * PAGE + 2 * size)
        self.fd, self.size, self.end = fd, size, 0

    def put(self, data: bytes, flags: int = 0, length: int | None = None) -> int:
        """Write a record with its header; returns where."""
        at = self.end
        whole = struct.pack("<II", (len(data) if length is None else length) | flags, 0) + data
        self._write(at, whole)
        self.end += (len(whole) + 7) & ~7
        self._publish()
        return at

    def commit(self, at: int, length: int) -> None:
        """Take the busy bit away."""
        self._write(at, struct.pack("<I", length))

    def consumed(self) -> int:
        """How far was read."""
        return int(struct.unpack("<Q", os.pread(self.fd, 8, 0))[0])

    def _publish(self) -> None:
        os.pwrite(self.fd, struct.pack("<Q", self.end), PAGE)

    def _write(self, at: int, data: bytes) -> None:
        place = at % self.size
        for piece, begin in ((data[: self.size - place], place), (data[self.size - place :], 0)):
            for copy in (0, self.size):
                os.pwrite(self.fd, piece, 2 * PAGE + copy + begin)


@contextmanager
def ring_file(size: int = PAGE) -> Iterator[Writer]:
    """A file that looks like a ring."""
    fd = os.memfd_create("ring")
    try:
        yield Writer(fd, size)
    finally:
        os.close(fd)


def test_records_come_in_their_order_and_around_the_end() -> None:
    """A thousand records of odd lengths go through a ring of a page."""
    with ring_file() as writer:
        ring = Ring(writer.fd, PAGE)
        for number in range(1000):
            data = bytes((number & 0xFF,)) * (number % 97)
            writer.put(data)
            if number % 7 == 0:
                assert ring.drain()[-1] == data
        ring.drain()
        assert (writer.consumed(), ring.waiting) == (writer.end, 0)


def test_what_is_being_written_and_what_was_discarded() -> None:
    """A busy record holds up all behind it; a discarded one is passed over."""
    with ring_file() as writer:
        ring = Ring(writer.fd, PAGE)
        writer.put(b"first")
        writer.put(b"gone", DISCARD)
        busy = writer.put(b"later", BUSY)
        writer.put(b"last")
        assert ring.drain() == [b"first"]
        assert writer.consumed() == busy
        writer.commit(busy, 5)
        assert ring.drain() == [b"later", b"last"]


@pytest.mark.parametrize("length", [9, PAGE, 0x3FFFFFFF])
def test_a_header_that_cannot_be_right_ends_the_reading(length: int) -> None:
    """A record longer than what was written: nothing behind it is to be trusted."""
    with ring_file() as writer:
        ring = Ring(writer.fd, PAGE)
        writer.put(b"eight by", length=length)
        with pytest.raises(ValueError, match="damaged"):
            ring.drain()
        assert ring.broken
        drain = Drain(writer.fd, 0, 80, 0, ring_bytes=PAGE)
        with pytest.raises(ValueError, match="damaged"):
            drain.poll(0)


def test_only_so_many_at_a_time() -> None:
    """The rest stays."""
    with ring_file() as writer:
        ring = Ring(writer.fd, PAGE)
        for number in range(5):
            writer.put(bytes((number,)))
        assert ring.drain(2) == [b"\0", b"\1"]
        assert ring.drain() == [b"\2", b"\3", b"\4"]


def test_what_is_no_ring() -> None:
    """Is refused in words."""
    with ring_file() as writer, pytest.raises(ValueError, match="no BPF ring"):
        Ring(writer.fd)
    with ring_file() as writer, pytest.raises(ValueError, match="power of two"):
        Ring(writer.fd, PAGE + 8)
    read, write = os.pipe()
    with pytest.raises(PermissionError):
        Ring(read, PAGE)
    os.close(read)
    os.close(write)


def test_a_drain_leaves_in_the_ring_what_it_has_no_room_for() -> None:
    """And takes it when there is room again: nothing is lost."""
    size = 1 << 16
    large = Record("read", 5, 4096, (3, 1, 4096), data=b"x" * 4096)
    with ring_file(size) as writer:
        drain = Drain(writer.fd, 0, 4096, 0, memory=1 << 20, ring_bytes=size)
        taken = out = 0
        for _ in range(60):
            for _ in range(9):
                if writer.end - writer.consumed() < size - 5000:
                    writer.put(large.packed())
                    out += 1
            taken += drain.poll(0)
        assert taken < out
        assert drain.poll(0) == 0
        while drain.take(0):
            taken += drain.poll(0)
        assert (taken, drain.counts["records"], drain.counts["events"]) == (out, out, out)
