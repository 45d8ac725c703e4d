"""What the records tell of descriptors: ends of sockets, files, pairs, against what the system tells the test."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import threading
from pathlib import Path

import pytest

from support.ring import ENTER, EXIT, HAS_DESCRIPTOR, Seen, recorded
from syswire.capture.probe.load import Probe

SOCKET, CONNECT, ACCEPT, ACCEPT4, SENDTO, RECVFROM, SHUTDOWN, BIND, LISTEN, SOCKETPAIR = (
    41,
    42,
    43,
    288,
    44,
    45,
    48,
    49,
    50,
    53,
)
OPEN, CLOSE, PIPE, DUP, DUP2, FCNTL, CREAT, OPENAT, DUP3, PIPE2, OPENAT2 = 2, 3, 22, 32, 33, 72, 85, 257, 292, 293, 437
CHDIR, FCHDIR, PRCTL, CLOSE_RANGE = 80, 81, 157, 436
LIBC = ctypes.CDLL(None)


def mine(records: list[Seen], *numbers: int, kind: int = EXIT) -> list[Seen]:
    """This thread's records of some calls."""
    return [r for r in records if r.tid == threading.get_native_id() and r.nr in numbers and r.kind == kind]


def address(record: Seen) -> tuple[int, bytes]:
    """Family and rest of the socket address in the text."""
    return struct.unpack_from("<H", record.text)[0], record.text[2:]


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_tcp_connection(probe: Probe, family: socket.AddressFamily, host: str) -> None:
    raw = socket.inet_pton(family, host).ljust(16, b"\0")
    with recorded(probe) as ring:
        server = socket.socket(family, socket.SOCK_STREAM)
        server.bind((host, 0))
        server.listen(7)
        client = socket.socket(family, socket.SOCK_STREAM)
        client.connect(server.getsockname())
        peer, _ = server.accept()
        client.send(b"hello")
        peer.recv(100)
        client.shutdown(socket.SHUT_WR)
        there, here = server.getsockname()[1], client.getsockname()[1]
        numbers = server.fileno(), client.fileno(), peer.fileno()
        inode = os.fstat(peer.fileno()).st_ino
        for one in (server, client, peer):
            one.close()
    made = mine(ring.records, SOCKET)
    assert [(r.ret, r.args[0], r.about and (r.about.family, r.about.protocol, r.about.socket_type)) for r in made] == [
        (number, family, (family, 6, 1)) for number in numbers[:2]
    ]
    (bound,) = mine(ring.records, BIND)
    assert bound.about
    assert (bound.about.fd, bound.about.local_port, bound.about.local, bound.about.remote_port) == (
        numbers[0],
        there,
        raw,
        0,
    )
    assert address(bound)[0] == family
    (listening,) = mine(ring.records, LISTEN)
    assert (listening.args[1], listening.about and listening.about.state) == (7, 10)
    (connected,) = mine(ring.records, CONNECT)
    about = connected.about
    assert about
    assert (about.fd, about.local_port, about.remote_port, about.local, about.remote) == (
        numbers[1],
        here,
        there,
        raw,
        raw,
    )
    assert struct.unpack_from(">H", connected.text, 2)[0] == there
    (begun,) = mine(ring.records, CONNECT, kind=ENTER)
    assert (begun.text, begun.about and begun.about.remote_port) == (connected.text, 0)
    (accepted,) = mine(ring.records, ACCEPT, ACCEPT4)
    about = accepted.about
    assert about
    assert (accepted.ret, about.fd, about.local_port, about.remote_port) == (numbers[2], numbers[2], there, here)
    assert (about.inode, about.mode >> 12, about.queue_max) == (inode, 0o14, 7)
    (sent,), (got,) = mine(ring.records, SENDTO), mine(ring.records, RECVFROM)
    assert sent.about
    assert got.about
    assert (sent.about.local_port, sent.about.remote_port, sent.text) == (here, there, b"")
    assert (got.about.local_port, got.about.remote_port) == (there, here)
    (shut,) = mine(ring.records, SHUTDOWN)
    assert (shut.args[:2], shut.about and shut.about.fd) == ((numbers[1], 1), numbers[1])
    assert [r.args[0] for r in mine(ring.records, CLOSE) if r.args[0] in numbers] == list(numbers)


def test_datagrams_carry_their_address(probe: Probe) -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as one,
        socket.socket(type=socket.SOCK_DGRAM) as other,
        recorded(probe) as ring,
    ):
        other.bind(("127.0.0.1", 0))
        one.sendto(b"to you", other.getsockname())
        other.recvfrom(100)
        one.sendmsg([b"and again"], [], 0, other.getsockname())
        other.recvmsg(100)
        here, there = one.getsockname()[1], other.getsockname()[1]
    to = struct.pack("<H", 2) + struct.pack(">H", there) + bytes((127, 0, 0, 1)) + bytes(8)
    come = struct.pack("<H", 2) + struct.pack(">H", here) + bytes((127, 0, 0, 1)) + bytes(8)
    for nr, text, port, data in ((44, to, here, b"to you"), (46, to, here, b"and again"), (45, come, there, b"to you")):
        (seen,) = mine(ring.records, nr)
        assert seen.about
        assert (seen.text, seen.about.local_port, seen.about.remote_port, seen.data) == (text, port, 0, data)
        assert (seen.about.protocol, seen.about.socket_type) == (17, 2)
    (got,) = mine(ring.records, 47)
    assert (got.text, got.data) == (come, b"and again")
    assert [r.text for r in mine(ring.records, 44, 46, kind=ENTER)] == [to, to]


def test_unix_sockets(probe: Probe, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    name = struct.pack("<H", 1) + path.encode()
    with recorded(probe) as ring:
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        peer, _ = server.accept()
        client.send(b"question")
        peer.recv(100)
        client.sendmsg([b"an", b"other"])
        inodes = os.fstat(client.fileno()).st_ino, os.fstat(peer.fileno()).st_ino
        for one in (server, client, peer):
            one.close()
    (connected,) = mine(ring.records, CONNECT)
    (accepted,) = mine(ring.records, ACCEPT, ACCEPT4)
    assert connected.about
    assert accepted.about
    assert (connected.about.inode, accepted.about.inode) == inodes
    assert connected.about.unix_own == accepted.about.unix_peer != 0
    assert connected.about.unix_peer == accepted.about.unix_own != 0
    enters = mine(ring.records, CONNECT, SENDTO, 46, kind=ENTER)
    assert len(enters) == 3
    for seen in (connected, accepted, *mine(ring.records, BIND, SENDTO, RECVFROM, 46), *enters):
        assert seen.text.rstrip(b"\0") == name


def test_an_abstract_name(probe: Probe) -> None:
    with socket.socket(socket.AF_UNIX) as server, recorded(probe) as ring:
        server.bind("\0syswire-test")
    (bound,) = mine(ring.records, BIND)
    assert bound.text == struct.pack("<H", 1) + b"\0syswire-test"


def test_opens(probe: Probe, tmp_path: Path) -> None:
    path = bytes(tmp_path / "file")
    how = struct.pack("<3Q", os.O_RDONLY, 0, 8)
    folder = os.open(tmp_path, os.O_DIRECTORY)
    with recorded(probe) as ring:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        stat = os.fstat(number)
        assert LIBC.syscall(OPEN, path, os.O_RDONLY, 0) > 0
        assert LIBC.syscall(CREAT, path, 0o600) > 0
        assert LIBC.syscall(OPENAT2, folder, b"file", how, 24) > 0
        with pytest.raises(FileNotFoundError):
            os.open(path + b"-", os.O_RDONLY)
        with pytest.raises(FileNotFoundError):
            os.open(path + b"-" + b"/" * 3000, os.O_RDONLY)
    first, failed, long = mine(ring.records, OPENAT)
    assert first.about
    assert (first.ret, first.text, first.args[3], first.about.inode) == (number, path, 0o640, stat.st_ino)
    assert (first.about.mode, first.about.device) == (stat.st_mode, os.major(stat.st_dev) << 20 | os.minor(stat.st_dev))
    assert first.about.open_flags & 3 == os.O_RDWR
    assert 0 < first.enter_ts < first.ts
    assert [r.text for r in mine(ring.records, OPEN, CREAT)] == [path, path]
    (second,) = mine(ring.records, OPENAT2)
    assert (second.text, second.args[0], second.args[2:5]) == (b"file", folder, (0, 0, 8))
    assert failed.ret == -2
    assert not failed.flags & HAS_DESCRIPTOR
    assert long.text == path + b"-" + b"/" * 3000
    for r in mine(ring.records, OPEN, CREAT, OPENAT, OPENAT2):
        if r.ret >= 0:
            os.close(r.ret)
    os.close(folder)


def test_duplicates_and_pairs(probe: Probe) -> None:
    with recorded(probe) as ring:
        out, into = os.pipe()
        inode = os.fstat(out).st_ino
        copies = [os.dup(out), fcntl.fcntl(out, fcntl.F_DUPFD, 100), fcntl.fcntl(out, fcntl.F_DUPFD_CLOEXEC, 200)]
        fcntl.fcntl(out, fcntl.F_GETFL)
        assert LIBC.syscall(DUP2, out, 150) == 150
        assert LIBC.syscall(DUP3, out, 151, os.O_CLOEXEC) == 151
        assert LIBC.syscall(DUP, out) > 0
        one, other = socket.socketpair()
        numbers = one.fileno(), other.fileno()
        inodes = os.fstat(one.fileno()).st_ino
        one.close()
        other.close()
    (piped,) = mine(ring.records, PIPE, PIPE2)
    assert piped.about
    assert (struct.unpack("<2i", piped.text), piped.about.fd, piped.about.inode) == ((out, into), out, inode)
    made = mine(ring.records, DUP, DUP2, FCNTL, DUP3)
    assert [r.ret for r in made if r.nr == FCNTL][-2:] == copies[-2:]
    assert {r.about.inode for r in made if r.about} == {inode}
    assert {150, 151} < {r.ret for r in made}
    assert all(r.args[1] in {0, 1030} for r in made if r.nr == FCNTL)
    (pair,) = mine(ring.records, SOCKETPAIR)
    assert pair.about
    assert (struct.unpack("<2i", pair.text), pair.about.inode) == (numbers, inodes)
    assert pair.about.unix_own
    assert pair.about.unix_peer
    for number in {r.ret for r in made} | {out, into}:
        os.close(number)


def test_directories(probe: Probe, tmp_path: Path) -> None:
    before = os.open(".", os.O_DIRECTORY)
    with recorded(probe) as ring:
        os.chdir(tmp_path)
        os.fchdir(before)
    os.close(before)
    (there,) = mine(ring.records, CHDIR)
    (back,) = mine(ring.records, FCHDIR)
    assert (there.text, there.ret) == (bytes(tmp_path), 0)
    assert back.args[0] == before


def test_close_range(probe: Probe) -> None:
    with recorded(probe) as ring:
        number = fcntl.fcntl(0, fcntl.F_DUPFD, 900)
        assert LIBC.close_range(number, number + 5, 0) == 0
        assert LIBC.close_range(number, number - 1, 0) == -1
    seen = mine(ring.records, CLOSE_RANGE)
    assert [(r.ret, r.args[:3]) for r in seen] == [(0, (number, number + 5, 0)), (-22, (number, number - 1, 0))]
    assert 0 < seen[0].enter_ts < seen[0].ts


def test_a_thread_renames_itself(probe: Probe) -> None:
    """By prctl; its other commands are not followed. The kernel keeps fifteen bytes."""
    names = [b"short", b"a name that is far too long"]
    told = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
    kept, old = [], told.read_bytes().rstrip(b"\n")
    with recorded(probe) as ring:
        for name in (*names, old):
            assert LIBC.prctl(15, name, 0, 0, 0) == 0
            kept.append(told.read_bytes().rstrip(b"\n"))
        assert LIBC.prctl(3, 0, 0, 0, 0) >= 0  # PR_GET_DUMPABLE
        assert LIBC.prctl(15, ctypes.c_void_p(8), 0, 0, 0) == -1
    seen = mine(ring.records, PRCTL)
    assert [(r.ret, r.args[0], r.text.rstrip(b"\0")) for r in seen] == [
        *((0, 15, name) for name in kept),
        (-14, 15, b""),
    ]
    assert kept[:2] == [b"short", b"a name that is "]
