"""A capture told call by call, written in the old form (enter, exit) or the new one (exit only), and decoded again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from syswire.convert.decode import decode
from syswire.convert.decoded import Decoded
from syswire.convert.model.process import ThreadVersion
from syswire.convert.model.rows import CHUNK, CONV, Chunk, Conv
from syswire.convert.scap import event_table as table
from syswire.convert.scap.encoding import Address, ByteOrder, Tuple, UnixTuple, Value
from syswire.convert.scap.identity_store import IdentityStore
from syswire.convert.scap.snapshot import Descriptor, Interface, Process, User
from syswire.convert.scap.writer import Form, ScapWriter
from syswire.convert.source import Source

Age = Literal["old", "new"]
AGES: list[Age] = ["old", "new"]
START = 1_700_000_000_000_000_000
MS = 1_000_000
TCP, UDP = 6, 17
INET, INET6, UNIX = 2, 10, 1


@dataclass
class Recording:
    """The blocks of one file. Each call takes a millisecond: its enter (old form) 0.4 ms before its exit."""

    age: Age = "new"
    byte_order: ByteOrder = "little"
    form: Form = Form.V2
    flags: int | None = None
    now: int = START
    blocks: list[bytes] = field(default_factory=list)
    events: int = 0

    def __post_init__(self) -> None:
        self.writer = ScapWriter(self.byte_order, self.form)
        self.blocks.append(self.writer.section_header())

    def __bytes__(self) -> bytes:
        return b"".join(self.blocks)

    # -- the head of the file

    def machine(
        self,
        processes: Iterable[Process],
        descriptors: dict[int, list[Descriptor]] | None = None,
        *,
        interfaces: Iterable[Interface] = (),
        users: Iterable[User] = (),
    ) -> None:
        self.blocks.append(self.writer.interfaces(interfaces))
        self.blocks.append(self.writer.users(users))
        self.blocks.append(self.writer.processes(processes))
        for tid, listed in (descriptors or {}).items():
            self.blocks.append(self.writer.descriptors(tid, listed))

    # -- events

    def raw(self, code: int, tid: int, values: Iterable[Value], ts: int | None = None) -> None:
        self.events += 1
        self.blocks.append(
            self.writer.event(self.now if ts is None else ts, tid, 0, code, list(values), flags=self.flags)
        )

    def call(self, code: int, tid: int, /, **values: Value) -> int:
        """A call by its exit code and its parameters' names; returns the time of the exit."""
        row = table.event_type(code)
        names = [param[0] for param in row.params]
        self.now += MS
        if self.age == "new":
            assert set(values) <= set(names), (row.name, set(values) - set(names))
            self.raw(code, tid, [values.get(name) for name in names])
            return self.now
        enter = [param[0] for param in table.event_type(code - 1).params]
        known = names[: row.nparams_in_0_29_3]
        assert set(values) <= {*enter, *names}
        self.raw(code - 1, tid, [values.get(name) for name in enter], self.now - 4 * MS // 10)
        self.raw(code, tid, [values.get(name) for name in known])
        return self.now

    def socket(self, tid: int, fd: int, domain: int = INET, kind: int = 1, proto: int = 0) -> None:
        self.call(19, tid, fd=fd, domain=domain, type=kind, proto=proto)

    def bind(self, tid: int, fd: int, addr: Value, res: int = 0) -> None:
        self.call(21, tid, res=res, fd=fd, addr=addr)

    def connect(self, tid: int, fd: int, pair: Value, res: int = 0) -> int:
        return self.call(23, tid, res=res, tuple=pair, fd=fd)

    def accept(self, tid: int, fd: int, pair: Value, code: int = 247) -> int:
        return self.call(code, tid, fd=fd, tuple=pair)

    def write(self, tid: int, fd: int, data: bytes, res: int | None = None) -> int:
        return self.call(9, tid, res=len(data) if res is None else res, data=data, fd=fd, size=len(data))

    def read(self, tid: int, fd: int, data: bytes, res: int | None = None) -> int:
        return self.call(7, tid, res=len(data) if res is None else res, data=data, fd=fd, size=4096)

    def sendto(self, tid: int, fd: int, data: bytes, pair: Value = None) -> int:
        return self.call(31, tid, res=len(data), data=data, fd=fd, size=len(data), tuple=pair)

    def recvfrom(self, tid: int, fd: int, data: bytes, pair: Value = None) -> int:
        return self.call(35, tid, res=len(data), data=data, fd=fd, size=4096, tuple=pair)

    def close(self, tid: int, fd: int, res: int = 0) -> int:
        return self.call(5, tid, res=res, fd=fd)

    def dup(self, tid: int, old: int, new: int) -> None:
        self.duplicate(367, tid, old, new, {"oldfd": old})

    def dup2(self, tid: int, old: int, new: int) -> None:
        self.duplicate(363, tid, old, new, {"oldfd": old, "newfd": new})

    def dup3(self, tid: int, old: int, new: int, *, cloexec: bool = False) -> None:
        """The old form does not tell the flag."""
        self.duplicate(365, tid, old, new, {"oldfd": old, "newfd": new, "flags": 4096 if cloexec else 0})

    def duplicate(self, code: int, tid: int, old: int, new: int, values: dict[str, Value]) -> None:
        if self.age == "old":
            self.call(125, tid, res=new, fd=old)
        else:
            self.call(code, tid, res=new, **values)

    def fork(
        self, tid: int, child: int, code: int = 223, *, parent: bool = True, own: bool = True, **values: Value
    ) -> None:
        """Both returns of a fork, the parent's first unless told otherwise by two calls."""
        flags = values.pop("flags", 0)
        shares = isinstance(flags, int) and bool(flags & 0x2000)
        common = {"exe": "/bin/x", "comm": "x", "args": b"", "flags": flags, "uid": 0, "gid": 0} | values
        if parent:
            self.exit_only(
                code, tid, {"res": child, "tid": tid, "pid": tid, "ptid": 1, "vtid": tid, "vpid": tid} | common
            )
        if own:
            pid = tid if shares else child
            ids: dict[str, Value] = {"tid": child, "pid": pid, "ptid": 1 if shares else tid, "vtid": child, "vpid": pid}
            self.exit_only(code, child, {"res": 0} | ids | common)

    def exit_only(self, code: int, tid: int, values: dict[str, Value]) -> None:
        """An exit without its enter, in both forms."""
        row = table.event_type(code)
        names = [param[0] for param in row.params]
        self.now += MS
        known = names if self.age == "new" else names[: row.nparams_in_0_29_3]
        self.raw(code, tid, [values.get(name) for name in known])

    def exec(self, tid: int, path: str, args: bytes = b"", **values: Value) -> int:
        comm = path.rsplit("/", 1)[-1]
        given: dict[str, Value] = {"res": 0, "exe": path, "args": args, "tid": tid, "pid": tid, "ptid": 1, "cwd": ""}
        return self.call(293, tid, filename=path, **{**given, "comm": comm, **values})

    def exit(self, tid: int) -> int:
        self.now += MS
        self.raw(186, tid, [0])
        return self.now

    # -- decoded

    def decoded(self) -> Conversations:
        return decoded(bytes(self))


class Conversations(NamedTuple):
    """What phase 1 made of a capture."""

    chunks: list[Chunk]
    convs: list[Conv]
    payload: list[bytes]
    """Stored bytes by chunk."""
    threads: list[ThreadVersion]
    raw: bytes
    """The chunk rows as written."""
    result: Decoded

    def named(self, chunk: Chunk) -> str:
        return self.threads[chunk.thread - 1].name.decode() if chunk.thread else ""

    def told(self, conv: int | None = None) -> list[tuple[str, str, str, bytes]]:
        """(kind, end, which way, stored bytes) of each chunk, of all or one conversation."""
        kinds = ("data", "connect", "accept", "close", "shutdown", "reset", "eof")
        return [
            (kinds[chunk.kind], "server" if chunk.end else "client", ">" if chunk.to_server else "<", stored)
            for chunk, stored in zip(self.chunks, self.payload, strict=True)
            if conv in (None, chunk.conv)
        ]


def decoded(capture: bytes | Path) -> Conversations:
    """Phase 1 alone, over the bytes of a file or over a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = capture if isinstance(capture, Path) else Path(folder) / "capture.scap"
        if isinstance(capture, bytes):
            path.write_bytes(capture)
        return decode_source(Source(path), Path(folder))


def decode_source(source: Source, folder: Path) -> Conversations:
    """Phase 1 over an opened source; spool files go to `folder`."""
    result = decode(source, folder)
    raw = Path(result.chunks).read_bytes()
    chunks = [Chunk(*row) for row in CHUNK.iter_unpack(raw)]
    convs = [Conv(*row) for row in CONV.iter_unpack(Path(result.convs).read_bytes())]
    payload_fd = os.open(result.payload, os.O_RDONLY)
    try:
        payload = [os.pread(payload_fd, chunk.stored, chunk.payload) if chunk.stored else b"" for chunk in chunks]
    finally:
        os.close(payload_fd)
        source.close()
    with open(result.identities, "rb") as spool:
        threads = list(IdentityStore(spool, result.offsets, result.ends))
    return Conversations(chunks, convs, payload, threads, raw, result)


def tcp(client: str, client_port: int, server: str, server_port: int) -> Tuple:
    """A pair of addresses as connect and accept record it."""
    return Tuple(Address(client, client_port), Address(server, server_port))


def unix(source: int, destination: int, path: bytes = b"") -> UnixTuple:
    return UnixTuple(source, destination, path)
