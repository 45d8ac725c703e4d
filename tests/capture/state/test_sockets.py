"""Netlink answers and the text tables of sockets, in bytes put together by hand from the kernel's headers."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.witness import witness
from syswire.capture import netlink, proc_net, sockets, unix_addresses
from syswire.capture.namespaces import within
from syswire.capture.sockets import Inet, SocketTable, Unix
from syswire.convert.scap.snapshot import L4_TCP, L4_UDP, Bound, Socket, UnixSocket

V4, V6, LOCAL = b"\x0a\0\0\x05", bytes.fromhex("fd00000000000000000000000000000a"), b"\x7f\0\0\x01"
MAPPED = bytes(10) + b"\xff\xff" + V4


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, 0) + body + bytes(-len(body) % 4)


def inet_answer(family: int, source: bytes, sport: int, target: bytes, dport: int, inode: int) -> bytes:
    """Struct inet_diag_msg of linux/inet_diag.h: ports and addresses in network order."""
    head = struct.pack("=4B", family, 1, 0, 0) + struct.pack(">HH", sport, dport)
    ids = source.ljust(16, b"\0") + target.ljust(16, b"\0") + struct.pack("=III", 0, 1, 2)
    return head + ids + struct.pack("=IIIII", 0, 0, 0, 1000, inode)


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def test_messages_and_their_end() -> None:
    data = message(20, b"one") + message(20, b"") + message(3, bytes(4))
    assert list(netlink.messages(data)) == [(20, b"one"), (20, b""), (3, bytes(4))]
    assert list(netlink.messages(data[:-1])) == [(20, b"one"), (20, b"")]
    assert list(netlink.messages(struct.pack("=IHHII", 8, 20, 0, 0, 0))) == []


def test_attributes() -> None:
    nested = 0x8000
    assert netlink.attributes(attribute(1, b"ab") + attribute(nested | 2, b"abcd")) == {1: b"ab", 2: b"abcd"}
    assert netlink.attributes(attribute(1, b"ab") + struct.pack("=HH", 400, 2)) == {1: b"ab"}
    assert netlink.attributes(struct.pack("=HH", 0, 1)) == {}


class Link:
    """Gives what is put into it, from the kernel (0) or another process."""

    def __init__(self, *received: tuple[bytes, int]) -> None:
        self.received = list(received)

    def sendto(self, request: bytes, to: tuple[int, int]) -> None:
        self.request = request

    def recvfrom(self, size: int) -> tuple[bytes, tuple[int, int]]:
        data, port = self.received.pop(0)
        return data, (port, 0)


def test_a_dump_ends_and_fails() -> None:
    whole = Link((message(20, b"a"), 0), (message(20, b"forged"), 4711), (message(3, bytes(4)), 0))
    assert list(netlink.ask(whole, 20, b"")) == [(20, b"a")]  # type: ignore[arg-type]
    for kind in (2, 3):
        refused = Link((message(kind, struct.pack("=i", -errno.ENOENT)), 0))
        with pytest.raises(FileNotFoundError):
            list(netlink.ask(refused, 20, b""))  # type: ignore[arg-type]


def test_inet_answers() -> None:
    answers = [
        (20, inet_answer(2, V4, 40000, LOCAL, 443, 77)),
        (20, inet_answer(10, V6, 80, bytes(16), 0, 78)),
        (20, b"short"),
        (19, inet_answer(2, V4, 1, LOCAL, 2, 79)),
    ]
    found = dict(sockets.inet_answers(answers, L4_TCP))
    assert found == {77: Inet(V4, 40000, LOCAL, 443, L4_TCP), 78: Inet(V6, 80, bytes(16), 0, L4_TCP)}


def test_the_question_for_mptcp() -> None:
    request = sockets.inet_request(2, 262)
    assert len(sockets.inet_request(2, 6)) == 56  # struct inet_diag_req_v2
    assert netlink.attributes(request[56:]) == {3: struct.pack("=I", 262)}


def test_unix_answers() -> None:
    head = struct.pack("=4BIII", 1, 1, 10, 0, 500, 1, 2)
    answers = [(20, head + attribute(0, b"/run/my sql.sock\0") + attribute(2, struct.pack("=I", 501))), (20, b"")]
    assert dict(sockets.unix_answers(answers)) == {500: Unix(b"/run/my sql.sock", 501, 2 << 32 | 1)}


@pytest.mark.parametrize(
    ("name", "path"), [(b"", b""), (b"/a\0", b"/a"), (b"/a", b"/a"), (b"\0abs", b"@abs"), (b"\0a\0b", b"@a@b")]
)
def test_unix_paths(name: bytes, path: bytes) -> None:
    assert sockets.unix_path(name) == path


def test_descriptors() -> None:
    table = SocketTable()
    table.put(1, Inet(V4, 80, bytes(4), 0, L4_TCP))
    table.put(2, Inet(MAPPED, 80, bytes(10) + b"\xff\xff" + LOCAL, 5555, L4_TCP))
    table.put(3, Inet(MAPPED, 53, bytes(16), 0, L4_UDP))
    table.put(4, Inet(V6, 80, V6, 1, L4_TCP))
    table.put(5, Unix(b"", 6))
    table.put(0, Unix(b"nobody's", 0))
    table.put(1, Unix(b"second", 0))
    assert table.descriptor(9, 1) == Bound(9, "10.0.0.5", 80, L4_TCP, 1)
    assert table.descriptor(9, 2) == Socket(9, "10.0.0.5", 80, "127.0.0.1", 5555, L4_TCP, 2)
    assert table.descriptor(9, 3) == Bound(9, "10.0.0.5", 53, L4_UDP, 3)
    assert table.descriptor(9, 4) == Socket(9, "fd00::a", 80, "fd00::a", 1, L4_TCP, 4)
    assert table.descriptor(9, 5) == UnixSocket(9, 5, 6, b"", 5)
    assert table.descriptor(9, 0) is None and table.descriptor(9, 7) is None


TCP = b"""  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0500000A:01BB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 812 1 ffff8881 20
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 813 1 0000000000000000
   2: 0500000A:01 not a line
"""
TCP6 = b"""  sl  local_address rem_address st tx rx tr when re uid to inode
   0: 000000FD00000000000000000A000000:0050 00000000000000000000000001000000:C350 08 0:0 00:0 0 0 0 900 1 0
"""
UNIX = b"""Num       RefCount Protocol Flags    Type St Inode Path
ffff88810098db00: 00000003 00000000 00000000 0001 03  1163 /run/a file
00000000ab12cd34: 00000002 00000000 00010000 0001 01  1164
0000000000000000: 00000002 00000000 00010000 0005 01  1165 @abstract
"""


def test_text_tables() -> None:
    first, second = proc_net.inet(TCP)
    assert first == (V4, 443, LOCAL, 40000, 1, 812)
    assert second == (bytes(4), 22, bytes(4), 0, 10, 813)
    (third,) = proc_net.inet(TCP6)
    assert third.local == bytes.fromhex("fd00000000000000000000000000000a")
    assert third.remote == bytes(15) + b"\x01"
    assert (third.local_port, third.remote_port, third.inode) == (80, 50000, 900)
    assert list(proc_net.unix(UNIX)) == [
        (0xFFFF88810098DB00, 1163, b"/run/a file"), (0xAB12CD34, 1164, b""), (0, 1165, b"@abstract"),
    ]  # fmt: skip
    assert not list(proc_net.inet(b"")) and not list(proc_net.unix(b"Num\n\xff\n"))


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine whose netlink says nothing and whose /proc has the tables."""
    raw = TCP.replace(b" 812 ", b" 999 ")
    for name, text in (("tcp", TCP), ("tcp6", TCP6), ("unix", UNIX), ("raw", raw)):
        path = tmp_path / "self/net" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/kptr_restrict").write_text("0\n")
    return tmp_path


def refused(protocol: int, kind: int, body: bytes) -> Iterator[tuple[int, bytes]]:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_without_netlink(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "dump", refused)
    table = SocketTable()
    sockets.read_own(table, str(proc))
    assert table.inet[812] == Inet(V4, 443, LOCAL, 40000, L4_TCP)
    assert table.inet[900].remote_port == 50000
    assert (table.inet[999].transport, table.inet[999].local_port) == (5, 0)  # raw: no ports
    assert table.unix == {1163: Unix(b"/run/a file", 0), 1164: Unix(b"", 0), 1165: Unix(b"@abstract", 0)}
    assert table.addresses == {}
    assert table.notes == [
        "netlink tells no tcp sockets (Operation not permitted): /proc is read",
        "netlink tells no udp sockets (Operation not permitted): /proc is read",
        "netlink tells no unix sockets (Operation not permitted): /proc is read, without their peers",
    ]


def test_addresses_in_the_kernel(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are shown, they are what a unix socket is known by, as in events; hashed ones are not."""
    monkeypatch.setattr(netlink, "dump", refused)
    (proc / "sys/kernel/kptr_restrict").write_text("1\n")
    table = SocketTable()
    sockets.read_own(table, str(proc))
    assert table.addresses == {1163: 0xFFFF88810098DB00}
    assert table.descriptor(3, 1163) == UnixSocket(3, 0xFFFF88810098DB00, 0, b"/run/a file", 1163)


def btf(*types: bytes, names: bytes = b"\0other\0bpf_iter_unix\0") -> bytes:
    """Kernel types by Documentation/bpf/btf.rst: header, types, names (`other` is at 1, the iterator at 7)."""
    body = b"".join(types)
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(names)) + body + names


def kind(number: int, name: int = 0, members: int = 0) -> bytes:
    return struct.pack("<III", name, number << 24 | members, 0)


def test_the_number_of_the_iterator(tmp_path: Path) -> None:
    types = (
        kind(1, 1) + bytes(4),  # an integer
        kind(4, 7, 2) + bytes(24),  # a struct that has the iterator's name
        kind(13, 0, 1) + bytes(8),  # its prototype
        kind(2),
        kind(12, 7),  # the function: the fifth type
        kind(12, 1),
    )
    for place, (content, number) in enumerate(
        ((btf(*types), 5), (btf(*types[:4]), 0), (btf(*types[:2])[:60], 0), (btf(*types, names=b"\0"), 0), (b"", 0))
    ):
        path = tmp_path / str(place)
        path.write_bytes(content)
        assert unix_addresses.function_number(str(path)) == number
    assert unix_addresses.function_number(str(tmp_path / "none")) == 0


def test_addresses_of_real_sockets() -> None:
    """In the kernel's half, all different, and those that /proc shows where it shows them."""
    first, second = socket.socketpair()
    with first, second:
        table = SocketTable()
        sockets.read_own(table)
        if not table.addresses:
            pytest.skip("the kernel tells no addresses")
        inodes = [os.fstat(one.fileno()).st_ino for one in (first, second)]
        addresses = [table.addresses[inode] for inode in inodes]
        assert len(set(table.addresses.values())) == len(table.addresses)
        assert all(address >> 47 == 0x1FFFF and address % 8 == 0 for address in addresses)
        assert table.descriptor(5, inodes[0]) == UnixSocket(5, addresses[0], addresses[1], b"", inodes[0])
        shown = {line.inode: line.address for line in proc_net.unix(Path("/proc/net/unix").read_bytes())}
        if shown[inodes[0]] >> 47:
            assert [shown[inode] for inode in inodes] == addresses


def test_no_addresses_where_the_kernel_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(unix_addresses, "_iterated", refuse)
    assert unix_addresses.addresses() == {}


def test_another_namespace_is_left_again(tmp_path: Path) -> None:
    before = Path("/proc/self/ns/net").readlink()
    with witness(str(tmp_path), namespace=True) as facts:
        if "refused" in facts:
            pytest.skip(f"no network namespace: {facts['refused']}")
        seen: list[str] = []
        within(f"/proc/{facts['pid']}/ns/net", lambda: seen.append(str(Path("/proc/thread-self/ns/net").readlink())))
        assert seen == [facts["namespace"]]
    assert Path("/proc/thread-self/ns/net").readlink() == before
    with pytest.raises(FileNotFoundError):
        within(str(tmp_path / "gone"), lambda: None)
    with pytest.raises(ZeroDivisionError):
        within("/proc/self/ns/net", lambda: [1 // 0].clear())


def test_another_namespace_where_we_may_not_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text tables have the same, but for the peers of unix sockets."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with witness(str(tmp_path), namespace=True) as facts:
        if "refused" in facts:
            pytest.skip(f"no network namespace: {facts['refused']}")
        there, text = SocketTable(), SocketTable()
        sockets.read_other(there, b"net", facts["pid"])
        monkeypatch.setattr(sockets, "within", refuse)
        sockets.read_other(text, b"net", facts["pid"])
        assert text.inet == there.inet and len(text.inet) >= 5
        assert {inode: one.path for inode, one in text.unix.items()} == {
            inode: one.path for inode, one in there.unix.items()
        }
        client, accepted = (end["inode"] for end in facts["sockets"]["unix"][1:])
        assert there.unix[client].peer == accepted and text.unix[client].peer == 0


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MOST_SOCKETS", 2)
    table = SocketTable()
    for inode in range(1, 6):
        table.put(inode, Unix(b"", 0))
    assert (len(table.unix), table.left_out) == (2, 3)
