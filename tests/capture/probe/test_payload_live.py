"""Payload, byte for byte, of every call that moves some, against what the test itself sent."""

from __future__ import annotations

import os
import random
import socket
import struct
from array import array
from pathlib import Path

import pytest

from support.messages import receive_from, receive_message, receive_messages, send_messages
from support.ring import ENTER, ENTER_SENT, EXIT, FAULT, HAS_DESCRIPTOR, IO, MORE, PEEK, REST, SENDS, Seen, recorded
from syswire.capture.probe.load import Probe

READ, WRITE, READV, WRITEV, SENDTO, RECVFROM, SENDMSG, RECVMSG = 0, 1, 19, 20, 44, 45, 46, 47
PREAD, PWRITE, SENDFILE, SPLICE, RECVMMSG, SENDMMSG = 17, 18, 40, 275, 299, 307
PREADV, PWRITEV = 327, 328  # as Python calls them: preadv2, pwritev2
SNAPLEN = 4096


def some(size: int, seed: int = 1) -> bytes:
    """Bytes that differ everywhere."""
    return random.Random(seed * 1_000_003 + size).randbytes(size)


def on(records: list[Seen], fd: int, nr: int, kind: int = EXIT) -> list[Seen]:
    """This process's records of a call on a descriptor."""
    return [
        r for r in records if r.pid == os.getpid() and r.nr == nr and r.kind == kind and r.about and r.about.fd == fd
    ]


@pytest.mark.parametrize("size", [1, 7, 8, 100, 4095, 4096, 4097, 65_536, 200_000])
def test_write_and_read(probe: Probe, size: int) -> None:
    data = some(size)
    one, other = socket.socketpair()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    with one, other, recorded(probe) as ring:
        assert os.write(one.fileno(), data) == size
        got = os.read(other.fileno(), size)
        numbers = one.fileno(), other.fileno()
    (written,) = on(ring.records, numbers[0], WRITE)
    (read,) = on(ring.records, numbers[1], READ)
    assert (written.ret, written.true_size, written.data) == (size, size, data[:SNAPLEN])
    assert (read.ret, read.true_size, read.data) == (len(got), len(got), got[:SNAPLEN])
    assert written.flags == ENTER_SENT | HAS_DESCRIPTOR | SENDS | IO
    assert read.flags == ENTER_SENT | HAS_DESCRIPTOR | IO
    (begun,) = on(ring.records, numbers[0], WRITE, ENTER)
    assert begun.args[0] == numbers[0]
    assert begun.args[2] == size
    assert begun.ts < written.ts < read.ts


@pytest.mark.parametrize("count", [1, 8, 39, 40, 41, 300, 1024])
def test_vectors(probe: Probe, count: int) -> None:
    pieces = [some((number + 1) % 5, number) for number in range(count)]
    whole = b"".join(pieces)
    one, other = socket.socketpair()
    with one, other, recorded(probe) as ring:
        os.writev(one.fileno(), pieces)
        os.readv(other.fileno(), [bytearray(max(len(piece), 1)) for piece in pieces])
        one.sendmsg(pieces)
        other.recvmsg_into([bytearray(max(len(piece), 1)) for piece in pieces])
        numbers = one.fileno(), other.fileno()
    for fd, nr in ((0, WRITEV), (1, READV), (0, SENDMSG), (1, RECVMSG)):
        (seen,) = on(ring.records, numbers[fd], nr)
        assert seen.data == whole
        assert seen.true_size == len(whole)
        (begun,) = on(ring.records, numbers[fd], nr, ENTER)
        assert begun.true_size == (len(whole) if nr in {WRITEV, SENDMSG} else 0)


def test_what_is_asked_for_and_where_to(probe: Probe) -> None:
    """More than was taken, with the address of one message; of a call that fails, too."""
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with recorded(probe) as ring:
            one.sendmsg([some(300), some(500)], [], 0, ("127.0.0.1", port))
            with pytest.raises(OSError, match="too long"):
                one.sendmsg([some(60_000), some(60_000)], [], 0, ("127.0.0.1", port))
            fd = one.fileno()
    begun = on(ring.records, fd, SENDMSG, ENTER)
    assert [r.true_size for r in begun] == [800, 120_000]
    assert {r.text[:8] for r in begun} == {struct.pack("<H", 2) + struct.pack(">H", port) + bytes((127, 0, 0, 1))}


def test_vectors_beyond_the_snaplen(probe: Probe) -> None:
    pieces = [some(700, number) for number in range(20)]
    one, other = socket.socketpair()
    with one, other, recorded(probe) as ring:
        one.sendmsg(pieces)
        fd = one.fileno()
    (seen,) = on(ring.records, fd, SENDMSG)
    assert seen.data == b"".join(pieces)[:SNAPLEN]
    assert seen.true_size == 14_000


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_messages(probe: Probe, count: int) -> None:
    sent = [[some(10 + number, number), some(50, number), some(number, 99)] for number in range(count)]
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other, recorded(probe) as ring:
        assert send_messages(one, sent) == count
        got = receive_messages(other, [[7, 30, 100]] * count)
        numbers = one.fileno(), other.fileno()
    assert got == [b"".join(message) for message in sent]
    for fd, nr in ((0, SENDMMSG), (1, RECVMMSG)):
        seen = on(ring.records, numbers[fd], nr)
        assert [r.data for r in seen] == got
        assert [r.part for r in seen] == list(range(count))
        assert [r.true_size for r in seen] == [len(message) for message in got]
        assert [bool(r.flags & MORE) for r in seen] == [True] * (count - 1) + [False]
        assert {r.ret for r in seen} == {count}


def test_more_messages_than_steps(probe: Probe) -> None:
    count = 100
    sent = [[some(number + 1, number)] for number in range(count)]
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    with one, other, recorded(probe) as ring:
        other.setblocking(False)
        went = send_messages(one, sent)
        fd = one.fileno()
    seen = on(ring.records, fd, SENDMMSG)
    assert went > 40 or went < 20  # a short queue of datagrams leaves nothing to test, but must not fail
    *whole, last = seen
    assert [r.data for r in whole] == [message[0] for message in sent[: len(whole)]]
    assert sum(r.true_size for r in seen) == sum(len(message[0]) for message in sent[:went])
    if last.flags & REST:
        assert last.part == len(whole)
        assert last.data == b""


def test_sendfile_and_splice_tell_lengths(probe: Probe, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(some(5000))
    one, other = socket.socketpair()
    out, into = os.pipe()
    with one, other, path.open("rb") as file, recorded(probe) as ring:
        assert os.sendfile(one.fileno(), file.fileno(), 100, 3000) == 3000
        assert os.splice(other.fileno(), into, 3000) == 3000
        numbers = one.fileno(), other.fileno(), file.fileno()
    os.close(out)
    os.close(into)
    (sent,) = on(ring.records, numbers[0], SENDFILE)
    assert (sent.ret, sent.true_size, sent.data) == (3000, 3000, b"")
    assert sent.flags & SENDS
    assert sent.args[1:4] == (numbers[2], 3100, 3000)
    (begun,) = on(ring.records, numbers[0], SENDFILE, ENTER)
    assert begun.args[1:4] == (numbers[2], 100, 3000)
    (taken,) = on(ring.records, numbers[1], SPLICE)
    assert (taken.true_size, taken.data, taken.flags & SENDS) == (3000, b"", 0)


def test_failures_have_no_payload(probe: Probe) -> None:
    one, other = socket.socketpair()
    with one, other, recorded(probe) as ring:
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            one.recv(10)
        other.close()
        assert one.recv(10) == b""
        with pytest.raises(BrokenPipeError):
            one.send(b"too late")
        fd = one.fileno()
    assert [(r.ret, r.true_size, r.data) for r in on(ring.records, fd, RECVFROM)] == [(-11, 0, b""), (0, 0, b"")]
    (failed,) = on(ring.records, fd, SENDTO)
    assert (failed.ret, failed.true_size, failed.data, failed.flags & FAULT) == (-32, 0, b"", 0)


def test_what_receiving_leaves_or_throws_away(probe: Probe) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other, recorded(probe) as ring:
        one.send(b"0123456789")
        assert other.recv(4, socket.MSG_PEEK) == b"0123"
        longer = bytearray(b"....######")
        assert other.recv_into(memoryview(longer)[:4], 0, socket.MSG_TRUNC) == 10
        one.send(b"abcdefghij")
        assert other.recvmsg_into([bytearray(3), bytearray(3)], 0, socket.MSG_TRUNC)[0] == 10
        fd = other.fileno()
    seen = on(ring.records, fd, RECVFROM) + on(ring.records, fd, RECVMSG)
    told = [(r.ret, r.true_size, r.data, bool(r.flags & PEEK)) for r in seen]
    assert told == [(4, 4, b"0123", True), (10, 10, b"0123", False), (10, 10, b"abcdef", False)]
    assert [bool(r.flags & PEEK) for r in on(ring.records, fd, RECVFROM, ENTER)] == [True, False]


@pytest.mark.parametrize("room", [0, 2, 8, 16, 28])
def test_addresses_in_too_little_room(probe: Probe, room: int) -> None:
    """Of an address only what the kernel wrote is told, never what stands behind the room that it was given."""
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        other.settimeout(10)
        with recorded(probe) as ring:
            for _ in range(3):
                one.sendto(b"here", other.getsockname())
            told = [receive_from(other, room), receive_message(other, room)]
            assert receive_messages(other, [[8]], room) == [b"here"]
            fd = other.fileno()
        whole = struct.pack("<H", 2) + struct.pack(">H", one.getsockname()[1]) + bytes((127, 0, 0, 1)) + bytes(8)
    assert told == [16, 16], "the kernel tells the whole length"
    for nr in (RECVFROM, RECVMSG, RECVMMSG):
        (seen,) = on(ring.records, fd, nr)
        assert (seen.data, seen.text) == (b"here", whole[:room])


@pytest.mark.parametrize("count", [0, 1, 5])
def test_descriptors_passed_are_counted(probe: Probe, count: int) -> None:
    one, other = socket.socketpair()
    before = probe.counters()["descriptors_passed"]
    with one, other, recorded(probe) as ring:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        socket.send_fds(one, [b"x"], [1] * count)
        came = dict((kind, data) for _, kind, data in other.recvmsg(9, 256)[1])
        socket.send_fds(one, [b"x"], [1] * count)
        other.recv(9)  # without room for them: the kernel closes them
    passed = array("i", came.get(socket.SCM_RIGHTS, b""))
    for number in passed:
        os.close(number)
    assert (socket.SCM_CREDENTIALS in came, len(passed)) == (True, count)
    assert ring.counters["descriptors_passed"] - before == count


def test_a_stream_throws_bytes_away(probe: Probe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        peer, _ = server.accept()
        with peer, recorded(probe) as ring:
            client.send(b"0123456789")
            assert peer.recv_into(bytearray(6), 0, socket.MSG_TRUNC) == 6
            assert peer.recv(10) == b"6789"
            fd = peer.fileno()
    assert [(r.true_size, r.data) for r in on(ring.records, fd, RECVFROM)] == [(6, b""), (4, b"6789")]


@pytest.mark.parametrize("size", [65_000, 65_001, 200_000])
def test_the_largest_snaplen(large_probe: Probe, size: int) -> None:
    data = some(size)
    one, other = socket.socketpair()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    with one, other, recorded(large_probe) as ring:
        one.sendmsg([data[:1], data[1:30_000], data[30_000:]])
        fd = one.fileno()
    (seen,) = on(ring.records, fd, SENDMSG)
    assert seen.true_size == size
    assert seen.data == data[:65_000]


def test_files_too(large_probe: Probe, tmp_path: Path) -> None:
    path = tmp_path / "file"
    data = some(1000)
    with path.open("w+b", buffering=0) as file, recorded(large_probe) as ring:
        fd = file.fileno()
        os.write(fd, data)
        os.pwrite(fd, data[:100], 5)
        os.pread(fd, 200, 1)
        os.pwritev(fd, [data[:10], data[:20]], 0)
        os.preadv(fd, [bytearray(3), bytearray(4)], 0)
    after = bytearray(data)
    after[5:105] = data[:100]
    expected = {WRITE: data, PWRITE: data[:100], PREAD: bytes(after[1:201]), PWRITEV: data[:10] + data[:20]}
    expected[PREADV] = data[:7]
    assert {nr: [r.data for r in on(ring.records, fd, nr)] for nr in expected} == {
        nr: [some] for nr, some in expected.items()
    }


def test_files_are_left_out(probe: Probe, tmp_path: Path) -> None:
    before = probe.counters()["not_socket"]
    with (tmp_path / "file").open("wb", buffering=0) as file, recorded(probe) as ring:
        for _ in range(50):
            os.write(file.fileno(), b"x")
        fd = file.fileno()
    assert not on(ring.records, fd, WRITE)
    assert ring.counters["not_socket"] - before >= 50
