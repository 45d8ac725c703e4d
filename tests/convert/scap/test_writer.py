"""The scap writer: what it wrote the plain reader gives back, in both byte orders; layouts against bytes by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import plain_scap
from support.every_event import every_event
from syswire.convert.scap import event_table as table
from syswire.convert.scap import snapshot as snap
from syswire.convert.scap.encoding import (
    Address,
    ByteOrder,
    Dynamic,
    Encoder,
    Polled,
    Tuple,
    UnixAddress,
    UnixTuple,
    strings,
)
from syswire.convert.scap.event_table import Code
from syswire.convert.scap.writer import Form, ScapWriter

ORDERS: tuple[ByteOrder, ...] = get_args(ByteOrder)
POINTERS = (0xFFFF888000000001, 0xFFFF888000000002)


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def test_section_header_by_hand() -> None:
    assert ScapWriter().section_header() == hexed("0a0d0d0a 1c000000 4d3c2b1a 0100 0200 ffffffffffffffff 1c000000")
    assert ScapWriter("big").section_header() == hexed("0a0d0d0a 0000001c 1a2b3c4d 0001 0002 ffffffffffffffff 0000001c")


def test_event_by_hand() -> None:
    block = ScapWriter().event(0x1122, 0x33, 2, Code.SYSCALL_CLOSE_E, [7])
    assert block == hexed(
        "16020000 34000000 0200"  # type, total length, processor
        "2211000000000000 3300000000000000 24000000 0400 01000000"  # time, thread, length, type, number of parameters
        "0800 0700000000000000"  # length, descriptor
        "0000 34000000"  # padding, total length
    )


def test_event_before_format_1_2_by_hand() -> None:
    block = ScapWriter(form=Form.V1).event(0x1122, 0x33, 2, Code.SYSCALL_CLOSE_E, [7], flags=1)
    assert block == hexed(
        "08020000 34000000 0200 01000000 2211000000000000 3300000000000000 20000000 0400 0800 0700000000000000"
        "0000 34000000"
    )


@pytest.mark.parametrize(
    ("value", "little", "big"),
    [
        (Address("1.2.3.4", 80), "02 01020304 5000", "02 01020304 0050"),
        (Address("::1", 80), "0a" + "00" * 15 + "01 5000", "0a" + "00" * 15 + "01 0050"),
        (UnixAddress(b"/a"), "01 2f6100", "01 2f6100"),
        (
            Tuple(Address("1.2.3.4", 1), Address("5.6.7.8", 2)),
            "02 01020304 0100 05060708 0200",
            "02 01020304 0001 05060708 0002",
        ),
        (
            UnixTuple(1, 2, b"/a"),
            "01 0100000000000000 0200000000000000 2f6100",
            "01" + "00" * 7 + "01" + "00" * 7 + "02 2f6100",
        ),
        ([Polled(3, 5)], "0100 0300000000000000 0500", "0001 0000000000000003 0005"),
        (Dynamic(2, b"abcd"), "02 61626364", "02 61626364"),
        (None, "", ""),
        (b"raw", "726177", "726177"),
    ],
)
def test_parameters_by_hand(value: object, little: str, big: str) -> None:
    kind = table.PT_BYTEBUF
    assert Encoder("little").parameter(kind, value) == hexed(little)  # type: ignore[arg-type]
    assert Encoder("big").parameter(kind, value) == hexed(big)  # type: ignore[arg-type]


def test_text_ends_with_nul() -> None:
    assert Encoder().parameter(table.PT_FSPATH, "/ä\udcff") == b"/\xc3\xa4\xff\0"
    assert strings(["a", b"b"]) == b"a\0b\0"


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        (table.PT_UINT8, 256, ValueError),
        (table.PT_INT16, -32769, ValueError),
        (table.PT_BYTEBUF, 1, TypeError),
        (table.PT_UINT32, "1", TypeError),
        (table.PT_SOCKTUPLE, Tuple(Address("1.2.3.4", 1), Address("::1", 1)), ValueError),
        (table.PT_SOCKADDR, Address("no address", 1), ValueError),
    ],
)
def test_what_does_not_fit_is_refused(kind: int, value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        Encoder().parameter(kind, value)  # type: ignore[arg-type]


def test_minus_one_is_none_of_an_unsigned_type() -> None:
    assert Encoder().parameter(table.PT_UID, -1) == b"\xff" * 4


def test_a_parameter_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 65535"):
        ScapWriter().event(0, 0, 0, Code.SYSCALL_READ_X, [0, bytes(65536)])
    with pytest.raises(ValueError, match="64 KiB"):
        ScapWriter(form=Form.V1).event(0, 0, 0, Code.SYSCALL_READ_X, [0, bytes(65535)])


def test_large_blocks_only_where_needed() -> None:
    writer = ScapWriter()

    def block_type(block: bytes) -> int:
        number: int = struct.unpack_from("<I", block)[0]
        return number

    small = writer.event(0, 0, 0, Code.SYSCALL_READ_X, [0, bytes(60000)])
    large = writer.event(0, 0, 0, Code.SYSCALL_READ_X, [0, bytes(65535)])
    assert (block_type(small), block_type(large)) == (0x216, 0x221)
    assert block_type(writer.event(0, 0, 0, Code.SYSCALL_READ_X, [0, bytes(65535)], flags=1)) == 0x222
    assert block_type(writer.event(0, 0, 0, Code.CONTAINER_JSON_2_E, ["{}"], flags=0)) == 0x217
    for size in range(65480, 65510):
        block = writer.event(0, 0, 0, Code.SYSCALL_READ_X, [0, bytes(size)])
        assert (block_type(block) == 0x216) == (len(block) - 8 <= 65536)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("form", list(Form))
def test_every_event_comes_back(order: ByteOrder, form: Form) -> None:
    data, told = every_event("new", order, form)
    read = plain_scap.events(data)
    assert [one.ordinal for one in read] == list(range(1, len(told) + 1))
    assert [(one.ts, one.tid, one.cpu, one.code) for one in read] == [one[:4] for one in told]
    if form is Form.V2:
        assert [one.params for one in read] == [one.params for one in told]


@settings(max_examples=60, deadline=None)
@given(
    order=st.sampled_from(ORDERS),
    flags=st.none() | st.integers(0, 2**32 - 1),
    ts=st.integers(0, 2**64 - 1),
    tid=st.integers(-(2**63), 2**63 - 1),
    cpu=st.integers(0, 2**16 - 1),
    code=st.integers(0, 600),
    params=st.lists(st.binary(max_size=300), max_size=40),
    comments=st.lists(st.binary(min_size=1, max_size=50), max_size=3),
)
def test_any_event_comes_back(
    order: ByteOrder,
    flags: int | None,
    ts: int,
    tid: int,
    cpu: int,
    code: int,
    params: list[bytes],
    comments: list[bytes],
) -> None:
    writer = ScapWriter(order)
    block = writer.raw_event(ts, tid, cpu, code, params, flags=flags, comments=comments)
    (one,) = plain_scap.events(writer.section_header() + block)
    assert (one.ts, one.tid, one.cpu, one.code, one.flags) == (ts, tid, cpu, code, flags or 0)
    assert (one.params, one.comments) == (params, comments)


SNAPSHOT_PROCESS = snap.Process(
    *(7, 6, 5, b"comm", b"exe", b"/exe/path", strings(["a", "b"]), b"/cwd", 4, 3, 1024, 0x2001, 48, 49),
    *(1, 2, 3, 4, 5, strings(["E=1"]), 70, 60, b"cpu=/x\0", b"/root", 1000),
)
SNAPSHOT_DESCRIPTORS: list[snap.Descriptor] = [
    snap.Socket(5, "10.0.0.5", 80, "10.0.0.7", 4321, snap.L4_TCP, 11),
    snap.Socket(6, "2001:db8::5", 53, "2001:db8::7", 999, snap.L4_UDP, 12),
    snap.Bound(7, "0.0.0.0", 80),
    snap.Bound(8, "::", 443),
    snap.UnixSocket(9, *POINTERS, b"/run/x.sock", 13),
    snap.File(10, b"/etc/hosts", 3, 0xFD00, 14),
    snap.Named(11, snap.FD_FIFO, b"pipe:[15]", 15),
    snap.Named(12, snap.FD_EPOLL, b"", 0),
]


@pytest.mark.parametrize("order", ORDERS)
def test_the_header_comes_back(order: ByteOrder) -> None:
    w = ScapWriter(order)
    data = w.section_header() + w.machine(snap.Machine("lamp01", 4, 1 << 33, 32768, 123, 9))
    data += w.interfaces(
        [
            snap.Interface("lo", "127.0.0.1", "255.0.0.0", "0.0.0.0"),
            snap.Interface("eth0", "2001:db8::5", "ffff::", "::", None),
        ]
    )
    data += w.users([snap.User(48, 49, "apache", "/usr/share/httpd"), snap.Group(49, "apache")])
    data += w.processes([SNAPSHOT_PROCESS, snap.Process(1, 1, 0, b"init", b"/sbin/init")])
    data += w.descriptors(7, SNAPSHOT_DESCRIPTORS) + w.descriptors(8, [])
    section, machine, interfaces, users, processes, descriptors, none = plain_scap.headers(data)
    assert section.entries == [{"major": 1, "minor": 2, "order": "<" if order == "little" else ">"}]
    assert machine.entries == [
        {"num_cpus": 4, "memory": 1 << 33, "max_pid": 32768, "hostname": b"lamp01", "boot_time": 123, "flags": 9}
    ]
    assert [(one["type"], one["name"], one["linkspeed"]) for one in interfaces.entries] == [
        (1, b"lo", 0),
        (4, b"eth0", None),
    ]
    assert interfaces.entries[0]["netmask"] == bytes((255, 0, 0, 0))
    assert users.entries == [
        {
            "kind": 0,
            "uid": 48,
            "gid": 49,
            "name": b"apache",
            "home": b"/usr/share/httpd",
            "shell": b"/usr/sbin/nologin",
        },
        {"kind": 1, "gid": 49, "name": b"apache"},
    ]
    first = processes.entries[0]
    assert processes.version == 9
    fields: tuple[str, ...] = (
        "tid",
        "pid",
        "ptid",
        "comm",
        "exe",
        "exepath",
        "args",
        "cwd",
        "sid",
        "vpgid",
        "fdlimit",
        "flags",
    )
    fields += ("uid", "gid", "vmsize_kb", "vmrss_kb", "vmswap_kb", "pfmajor", "pfminor", "env", "vtid", "vpid")
    fields += ("cgroups", "root", "loginuid")
    assert {name: first[name] for name in fields} == {name: getattr(SNAPSHOT_PROCESS, name) for name in fields}
    assert processes.entries[1]["vtid"] == 1
    assert descriptors.entries[0] == none.entries[0] | {"tid": 7}
    assert [(one["fd"], one["type"]) for one in descriptors.entries[1:]] == [
        *((5, 3), (6, 4), (7, 5), (8, 6), (9, 8), (10, 16), (11, 7), (12, 12)),
    ]
    v4, v6, bound, _, unix, file, fifo, _ = descriptors.entries[1:]
    assert (v4["sip"], v4["sport"], v4["dip"], v4["dport"]) == (b"\n\0\0\5", 80, b"\n\0\0\7", 4321)
    assert (v6["l4proto"], v6["dport"], v6["inode"]) == (snap.L4_UDP, 999, 12)
    assert (bound["ip"], bound["port"], bound["l4proto"]) == (bytes(4), 80, snap.L4_TCP)
    assert (unix["source"], unix["destination"], unix["name"]) == (*POINTERS, b"/run/x.sock")
    assert (file["name"], file["open_flags"], file["dev"]) == (b"/etc/hosts", 3, 0xFD00)
    assert fifo["name"] == b"pipe:[15]"


def test_long_names_are_cut_to_what_readers_take() -> None:
    w = ScapWriter()
    process = snap.Process(1, 1, 0, b"c" * 2000, b"e", args=b"a" * 9000, env=b"b" * 9000, cgroups=b"g" * 9000)
    data = w.section_header() + w.machine(snap.Machine("h" * 300)) + w.processes([process])
    _, machine, processes = plain_scap.headers(data)
    entry = processes.entries[0]
    assert [len(entry[name]) for name in ("comm", "args", "env", "cgroups")] == [1024, 4096, 4096, 4096]
    assert machine.entries[0]["hostname"] == b"h" * 127


def test_a_socket_of_two_families_is_refused() -> None:
    with pytest.raises(ValueError, match="two families"):
        ScapWriter().descriptors(1, [snap.Socket(1, "1.2.3.4", 1, "::1", 1)])


def test_sysdig_reads_the_header(tool: Callable[[str], str], tmp_path: Path) -> None:
    w = ScapWriter()
    data = w.section_header() + w.machine(snap.Machine("lamp01"))
    data += w.interfaces([snap.Interface("lo", "127.0.0.1", "255.0.0.0", "0.0.0.0")])
    data += w.users([snap.User(48, 48, "apache")])
    data += w.processes([snap.Process(7, 7, 1, b"httpd", b"/usr/sbin/httpd", args=strings(["-k", "start"]), uid=48)])
    data += w.descriptors(7, [snap.Bound(3, "0.0.0.0", 80), snap.Socket(5, "10.0.0.5", 80, "10.0.0.7", 4321)])
    data += w.event(10**18, 7, 0, Code.SYSCALL_READ_E, [5, 100])
    data += w.event(10**18 + 5, 7, 0, Code.SYSCALL_READ_X, [3, b"abc", 5, 100])
    path = tmp_path / "a.scap"
    path.write_bytes(data)
    fields = "%proc.name|%proc.cmdline|%user.name|%fd.name|%fd.l4proto|%evt.buffer"
    done = run([tool("sysdig"), "-r", path, "-p", fields, "evt.dir=<"], capture_output=True, text=True, check=True)
    assert done.stdout == "httpd|httpd -k start|apache|10.0.0.7:4321->10.0.0.5:80|tcp|abc\n"
