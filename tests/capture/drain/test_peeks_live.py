"""Bytes that a program only looked at, and names that threads give themselves: recorded by the command, and read."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.command import PYTHON
from support.messages import receive_messages
from support.recording import decoded
from support.recording_live import Recording, alone, counts
from syswire.capture.requirements import lacking
from syswire.convert.model.rows import CHUNK_DATA

pytestmark = pytest.mark.skipif(bool(lacking()), reason=f"this machine cannot record: {'; '.join(lacking())}")
PR_SET_NAME = 15


class Talk:
    """What was done while it was recorded."""

    def __init__(self, path: Path) -> None:
        """Record it."""
        recording = Recording(path)
        try:
            self.stream()
            self.datagram()
            self.passed()
            self.renamed()
            assert recording.end()[0] == 0
        finally:
            recording.kill()

    def stream(self) -> None:
        """Each byte is looked at, by each of the three calls, and then read once."""
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
            other, _ = server.accept()
            self.port = client.getsockname()[1]
            self.fd = other.fileno()
            with other:
                for text in (b"one ", b"two ", b"three"):
                    client.sendall(text)
                    assert other.recv(3, socket.MSG_PEEK) == text[:3]
                    assert other.recvmsg(99, 0, socket.MSG_PEEK)[0] == text
                    assert receive_messages(other, [[2, 90]], flags=socket.MSG_PEEK) == [text]
                    assert other.recv(99) == text

    def datagram(self) -> None:
        """A socket that is not connected sends by sendmsg."""
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
            one.bind(("127.0.0.1", 0))  # else it would get a port only after the call has begun
            other.bind(("127.0.0.1", 0))
            self.udp_fd = other.fileno()
            one.sendmsg([b"data", b"gram"], [], 0, other.getsockname())
            assert other.recv(99, socket.MSG_PEEK) == b"datagram"
            assert other.recv(99) == b"datagram"
            self.udp = f"127.0.0.1:{one.getsockname()[1]}->127.0.0.1:{other.getsockname()[1]}"

    def passed(self) -> None:
        """Two descriptors come through a unix socket."""
        one, other = socket.socketpair()
        with one, other:
            socket.send_fds(one, [b"x"], [0, 1])
            _, numbers, _, _ = socket.recv_fds(other, 9, 2)
        for number in numbers:
            os.close(number)

    def renamed(self) -> None:
        """The thread has another name for a while, and writes under it."""
        libc = ctypes.CDLL(None)
        before = Path("/proc/thread-self/comm").read_bytes().rstrip(b"\n")
        one, other = socket.socketpair()
        with one, other:
            assert libc.prctl(PR_SET_NAME, b"test-renamed", 0, 0, 0) == 0
            one.send(b"under another name")
            assert libc.prctl(PR_SET_NAME, before, 0, 0, 0) == 0
            one.send(b"under the old one")


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Talk]]:
    """A recording, and what it is of."""
    path = tmp_path_factory.mktemp("peeks") / "talk.scap"
    with alone():
        yield path, Talk(path)


def lines(*command: object) -> list[str]:
    """What a program prints of a capture; it has to end well."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True, timeout=60)
    return [line.rstrip() for line in done.stdout.splitlines()]


def test_each_byte_comes_once(talk: tuple[Path, Talk]) -> None:
    """In what convert makes of it: at the sender's end, and at the receiver's."""
    path, told = talk
    seen = decoded(path)
    (conv,) = (conv for conv in seen.convs if conv.client_port == told.port)
    moved = [
        (chunk.end, data)
        for chunk, data in zip(seen.chunks, seen.payload, strict=True)
        if chunk.conv == conv.id and chunk.kind == CHUNK_DATA
    ]
    for end in (0, 1):
        assert [data for which, data in moved if which == end] == [b"one ", b"two ", b"three"]


def test_peeks_are_events_and_counted(talk: tuple[Path, Talk], tool: Callable[[str], str]) -> None:
    """By the name of the call alone, in sysdig and in syswire's reader; counted in the file beside the recording."""
    path, told = talk
    mine = f"proc.pid={os.getpid()} and evt.dir=< and evt.type in (recvfrom,recvmsg,recvmmsg)"
    form = "*%evt.type %fd.num %evt.buffer"
    wanted = []
    for text in ("one ", "two ", "three"):
        wanted += [
            "recvfrom <NA> <NA>",
            "recvmsg <NA> <NA>",
            "recvmmsg <NA> <NA>",
            f"recvfrom {told.fd} {text.strip()}",
        ]
    wanted += ["recvfrom <NA> <NA>", f"recvfrom {told.udp_fd} datagram"]
    for command in ([tool("sysdig")], [*PYTHON, "read"]):
        found = lines(*command, "-r", path, "-p", form, f"{mine} and not fd.type=unix")
        assert found == wanted
    drained = counts(path)["drain"]
    assert drained["peeked_calls"] >= 10
    assert drained["peeked_bytes"] >= 3 * 3 + 2 * len("one two three") + len("datagram")


def test_a_datagram_by_sendmsg_has_its_ends(talk: tuple[Path, Talk], tool: Callable[[str], str]) -> None:
    """Also where the socket is not connected."""
    path, told = talk
    mine = f"proc.pid={os.getpid()} and evt.type=sendmsg and fd.l4proto=udp"
    form = "*%evt.dir %fd.name %evt.args"
    assert lines(tool("sysdig"), "-r", path, "-p", form, mine) == [f"< {told.udp} res=8 data=datagram"]
    sizes = lines(
        tool("sysdig"), "-r", path, "-p", "*%evt.args", f"proc.pid={os.getpid()} and evt.type=sendmsg and evt.dir=>"
    )
    assert sum(f"size=8 tuple={told.udp}" in line for line in sizes) == 1


def test_names_of_threads_are_followed(talk: tuple[Path, Talk]) -> None:
    """What it sent while it had the name is its."""
    path, _ = talk
    found = lines(
        *PYTHON,
        "read",
        path,
        "-p",
        "*%proc.name %evt.buffer",
        f"proc.pid={os.getpid()} and evt.buffer contains ' name' and evt.is_io_write=true",
    )
    assert len(found) == 1
    seen = decoded(path)
    assert [
        seen.named(chunk)
        for chunk, data in zip(seen.chunks, seen.payload, strict=True)
        if data == b"under another name"
    ] == ["test-renamed"]
    assert "test-renamed" not in {
        seen.named(chunk) for chunk, data in zip(seen.chunks, seen.payload, strict=True) if data == b"under the old one"
    }


def test_passed_descriptors_are_counted(talk: tuple[Path, Talk]) -> None:
    """By the probe."""
    assert counts(talk[0])["calls"]["probe"]["descriptors_passed"] >= 2
