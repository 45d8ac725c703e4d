"""Read the probe's ring in plain Python: a second reading of capture/record.h, slow and simple."""

from __future__ import annotations

import ctypes
import struct
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syswire.capture.probe.load import Probe

ENTER, EXIT, DEATH, CHILD = 1, 2, 3, 4
ENTER_SENT, HAS_DESCRIPTOR, FAULT, MORE, REST, SENDS, IO, PEEK = 1, 2, 4, 8, 16, 32, 64, 128
_HEAD = struct.Struct("<IBBHQQIIq6QHHIQII")
_DESCRIPTOR = struct.Struct("<iIQIIBBBBHH16s16sQQII")
_IDENTITY = struct.Struct("<12I6Q4I2Q16sHHHH")


@dataclass(frozen=True)
class About:
    """struct descriptor."""

    fd: int
    mode: int
    inode: int
    device: int
    open_flags: int
    family: int
    protocol: int
    socket_type: int
    state: int
    local_port: int
    remote_port: int
    local: bytes
    remote: bytes
    unix_own: int
    unix_peer: int
    queue_length: int
    queue_max: int


@dataclass(frozen=True)
class Seen:
    """One record of the ring."""

    kind: int
    part: int
    nr: int
    ts: int
    enter_ts: int
    pid: int
    tid: int
    ret: int
    args: tuple[int, ...]
    cpu: int
    flags: int
    true_size: int
    about: About | None
    data: bytes
    text: bytes


@dataclass(frozen=True)
class Identity:
    """struct identity and the three texts behind it."""

    ppid: int
    pgid: int
    sid: int
    vtid: int
    vpid: int
    vpgid: int
    uid: int
    euid: int
    gid: int
    egid: int
    loginuid: int
    tty: int
    cap_inheritable: int
    cap_permitted: int
    cap_effective: int
    fdlimit: int
    major_faults: int
    minor_faults: int
    vm_size: int
    vm_rss: int
    vm_swap: int
    env_size: int
    exe_inode: int
    cgroup: int
    comm: bytes
    filename: bytes
    arguments: bytes
    cgroup_name: bytes


def parse(block: bytes) -> Seen:
    """Take a record apart; the sizes in it have to agree."""
    (size, kind, part, nr, ts, enter_ts, pid, tid, ret, *rest) = _HEAD.unpack_from(block)
    args, (cpu, flags, data_size, true_size, text_size, reserved) = tuple(rest[:6]), rest[6:]
    assert size == len(block)
    assert size % 8 == 0
    assert reserved == 0
    place, about = _HEAD.size, None
    if flags & HAS_DESCRIPTOR:
        about = About(*_DESCRIPTOR.unpack_from(block, place))
        place += _DESCRIPTOR.size
    data = block[place : place + data_size]
    place += -(-data_size // 8) * 8
    text = block[place : place + text_size]
    assert place + -(-text_size // 8) * 8 == size
    return Seen(kind, part, nr, ts, enter_ts, pid, tid, ret, args, cpu, flags, true_size, about, data, text)


def identity(text: bytes) -> Identity:
    """Take the text of a clone or exec apart."""
    *numbers, comm, name, arguments, cgroup, _cut = _IDENTITY.unpack_from(text)
    place = _IDENTITY.size
    assert len(text) == place + name + arguments + cgroup
    texts = {
        "comm": comm.rstrip(b"\0"),
        "filename": text[place : place + name],
        "arguments": text[place + name : place + name + arguments],
        "cgroup_name": text[place + name + arguments :],
    }
    names = [one.name for one in fields(Identity) if one.name not in texts]
    return Identity(**dict(zip(names, numbers, strict=True)), **texts)


@dataclass
class Reader:
    """Collects what comes out of a probe's ring."""

    probe: Probe
    records: list[Seen] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    _ring: Any = None
    _lib: Any = None
    _callback: Any = None

    def open(self) -> None:
        """Open the ring by libbcc."""
        libbcc: Any = sys.modules["bcc.libbcc"]
        self._lib = libbcc.lib

        def take(_context: int, data: int, size: int) -> int:
            self.records.append(parse(ctypes.string_at(data, size)))
            return 0

        self._callback = libbcc._RINGBUF_CB_TYPE(take)
        self._ring = self._lib.bpf_new_ringbuf(self.probe.ring_fd, self._callback, None)
        assert self._ring

    def take(self) -> None:
        """Read all that is in the ring."""
        self._lib.bpf_consume_ringbuf(self._ring)

    def close(self) -> None:
        """Stop the probe, read the rest, and its counters."""
        self.probe.detach()
        self.take()
        self.counters = self.probe.counters()
        self._lib.bpf_free_ringbuf(self._ring)

    def of(self, pid: int, *numbers: int, kind: int | None = EXIT) -> list[Seen]:
        """Records of a process and of some calls (all without), in their order in the ring."""
        return [r for r in self.records if r.pid == pid and r.nr in (numbers or (r.nr,)) and kind in (None, r.kind)]


@contextmanager
def recorded(probe: Probe) -> Iterator[Reader]:
    """Attach a probe for the block inside; then the reader has all records and the counters."""
    reader = Reader(probe)
    reader.open()
    probe.attach()
    try:
        yield reader
    finally:
        reader.close()
