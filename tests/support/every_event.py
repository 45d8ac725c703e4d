"""A file with every event type of the table, each with ordinary, lowest, highest and absent values.

In the old form an event has as many parameters as sysdig 0.29.3 knew of its type (all of them where it did not know
the type), in the new form all that the table names. `python tests/support/every_event.py FILE old|new` writes one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from syswire.convert.scap import event_table as table
from syswire.convert.scap.encoding import (
    Address,
    ByteOrder,
    Dynamic,
    Encoder,
    Polled,
    Tuple,
    UnixAddress,
    UnixTuple,
    Value,
    strings,
)
from syswire.convert.scap.snapshot import Interface, Machine, Process, User
from syswire.convert.scap.writer import Form, ScapWriter

Age = Literal["old", "new"]
Kind = Literal["sample", "low", "high", "absent", "narrow", "wide"]
KINDS: tuple[Kind, ...] = ("sample", "low", "high", "absent")
DAMAGED: tuple[Kind, ...] = ("narrow", "wide")
"""Numbers of three and of twenty bytes, and other values cut or followed by more, as only a damaged file has them."""
START = 1_700_000_000_000_000_000
LAST_SYSCALL = table.SYSDIG_SYSCALLS - 1
"""The last system call id that sysdig 0.29.3 has a name for; higher ones crash it."""

LARGE = 70_000
"""Bytes of the highest value where the parameter may be larger than 64 KiB."""
CONTAINER = '{"container": {}}'
SAFE: dict[int, dict[int, str]] = {
    260: {0: '{"reason": "ADDED", "items": []}'},
    272: {0: CONTAINER},
    324: {0: CONTAINER},
    330: {1: "/bin/every"},
}
"""Parameters (by type code and index) with which sysdig 0.29.3 goes on: it ends at other JSON, and crashes when an
execveat of a relative or absent path succeeds."""

SAMPLES: dict[int, tuple[Value, Value, Value]] = {
    table.PT_CHARBUF: ("some text", "", "x" * 1000),
    table.PT_FSPATH: ("/etc/hosts", "", "/" + "y" * 1000),
    table.PT_FSRELPATH: ("hosts", "", "../" + "z" * 1000),
    table.PT_BYTEBUF: (strings(["one", "two"]), b"\0", bytes(range(256)) * 16),
    table.PT_SOCKADDR: (Address("10.0.0.7", 4321), UnixAddress(b"/run/some.sock"), Address("2001:db8::7", 65535)),
    table.PT_SOCKTUPLE: (
        Tuple(Address("10.0.0.7", 4321), Address("10.0.0.5", 80)),
        UnixTuple(0xFFFF888000000001, 0xFFFF888000000002, b"/run/some.sock"),
        Tuple(Address("2001:db8::7", 65535), Address("::1", 1)),
    ),
    table.PT_FDLIST: ([Polled(3, 1), Polled(4, 5)], [], [Polled(number, 0x7F) for number in range(200)]),
    table.PT_DYN: (Dynamic(0, bytes(8)), Dynamic(0, b""), Dynamic(1, b"\xff" * 8)),
    table.PT_CHARBUFARRAY: (strings(["tag"]), b"\0", strings(["tag"] * 50)),
    table.PT_CHARBUF_PAIR_ARRAY: (strings(["name", "value"]), b"\0", strings(["name", "value"] * 50)),
    table.PT_IPV4ADDR: (bytes((10, 0, 0, 7)), bytes(4), b"\xff" * 4),
    table.PT_IPV6ADDR: (bytes(15) + b"\x01", bytes(16), b"\xff" * 16),
    table.PT_SYSCALLID: (4, 0, LAST_SYSCALL),
}


class Written(NamedTuple):
    """An event as it was given to the writer."""

    ts: int
    tid: int
    cpu: int
    code: int
    params: list[bytes]


def value(kind: int, which: Kind) -> Value:
    """A value of a parameter type."""
    if which == "absent":
        return None
    if which in DAMAGED:
        whole = Encoder().parameter(kind, value(kind, "high"))
        return whole[:3] if which == "narrow" else whole + b"\xff" * 12
    place = ("sample", "low", "high").index(which)
    if kind in SAMPLES:
        return SAMPLES[kind][place]
    bits = 8 * table.PARAM_SIZES[kind]
    if kind in table.PARAM_SIGNED:
        return (5, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)[place]
    return (5, 0, (1 << bits) - 1)[place]


def values(code: int, count: int, which: Kind) -> list[Value]:
    """Values for the first `count` parameters of an event type."""
    found = [value(param[1], which) for param in table.event_type(code).params[:count]]
    if code in table.LARGE_PAYLOAD and which == "high" and count:
        found[-1] = bytes(LARGE)
    for index, text in SAFE.get(code, {}).items():
        large = code in table.LARGE_PAYLOAD and which == "high"
        found[index] = f'{text[:-1]}, "padding": "{"x" * LARGE}"}}' if large else text
    return found


def events(age: Age, writer: ScapWriter, kinds: tuple[Kind, ...] = KINDS) -> Iterator[tuple[Written, bytes]]:
    """Every event, with the block that holds it: of each pair of codes the enter and then the exit, on one thread."""
    number = 0
    for enter in range(0, len(table.EVENTS), 2):
        for which in kinds:
            for code in (enter, enter + 1):
                row = table.event_type(code)
                known = row.nparams_in_0_29_3
                count = len(row.params) if age == "new" or known is None else known
                number += 1
                params = writer.encoder.parameters(code, values(code, count, which))
                if writer.form is Form.V1 and sum(map(len, params)) > 60_000:
                    params = [param[:1000] for param in params]
                tid, cpu = 1000 + (number - 1) // 2, number % 4
                written = Written(START + number * 1000, tid, cpu, code, params)
                yield written, writer.raw_event(*written)


def header(writer: ScapWriter) -> bytes:
    """A small header with the threads that the events name."""
    processes = [Process(tid, tid, 1, b"every", b"/usr/bin/every", uid=0) for tid in range(1000, 2000)]
    return b"".join(
        (
            writer.section_header(),
            writer.machine(Machine("every", 4, 1 << 30, boot_time=START - 1_000_000_000)),
            writer.interfaces([Interface("lo", "127.0.0.1", "255.0.0.0", "0.0.0.0")]),
            writer.users([User(0, 0, "root", "/root", "/bin/sh")]),
            writer.processes(processes),
        )
    )


def every_event(
    age: Age, byte_order: ByteOrder = "little", form: Form = Form.V2, kinds: tuple[Kind, ...] = KINDS
) -> tuple[bytes, list[Written]]:
    """The file, and what is in it."""
    writer = ScapWriter(byte_order, form)
    out, told = [header(writer)], []
    for written, block in events(age, writer, kinds):
        out.append(block)
        told.append(written)
    return b"".join(out), told


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(every_event("new" if sys.argv[2] == "new" else "old")[0])
