"""Every call is accounted for: recorded, left out by a condition, not fitting the ring, not followed."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.ring import ENTER, EXIT, IO, Reader, recorded
from syswire.capture.probe.load import Probe, Settings

OUTCOMES = ("emitted", "dropped", "not_socket", "filtered", "compat", "uring", "failed")
CALL32 = bytes.fromhex("b814000000cd80c3")  # mov eax, 20 (getpid of i386); int 0x80; ret


def gained(probe: Probe, ring: Reader, before: dict[str, int]) -> dict[str, int]:
    """What the counters counted meanwhile."""
    return {name: value - before[name] for name, value in ring.counters.items()}


def balanced(counted: dict[str, int], ring: Reader) -> None:
    """Every call has one outcome, and the ring gave all records that were put into it."""
    assert counted["seen"] == sum(counted[name] for name in OUTCOMES)
    assert counted["records"] == len(ring.records)
    assert counted["enters"] == sum(r.kind == ENTER for r in ring.records)
    assert counted["failed"] == 0


def test_the_counters_add_up(probe: Probe) -> None:
    before = probe.counters()
    one, other = socket.socketpair()
    with one, other, recorded(probe) as ring:
        for number in range(300):
            one.send(bytes(number))
            other.recv(1000, socket.MSG_DONTWAIT) if number else None
            os.close(os.dup(0))
        subprocess.run(["/bin/true"], check=True)
        Path("/proc/self/status").read_bytes()
    counted = gained(probe, ring, before)
    balanced(counted, ring)
    assert counted["dropped"] == 0
    assert counted["not_socket"] > 0
    calls = {(r.pid, r.tid, r.ts) for r in ring.records if r.kind != ENTER}
    assert counted["emitted"] == len(calls)


def test_calls_that_are_not_followed(probe: Probe) -> None:
    before = probe.counters()
    program = f"""import ctypes, mmap, os
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex('{CALL32.hex()}'))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
for _ in range(5): assert call() == os.getpid()
"""
    with recorded(probe) as ring:
        child = subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False)  # dies without 32-bit calls
        for _ in range(3):
            ctypes.CDLL(None).syscall(426, -1, 0, 0, 0, 0, 0)  # io_uring_enter
    counted = gained(probe, ring, before)
    balanced(counted, ring)
    assert counted["uring"] == 3
    assert counted["compat"] == (0 if child.returncode else 5)


def test_a_full_ring_is_counted() -> None:
    try:
        probe = Probe(Settings(ring_bytes=1 << 16))
    except Exception as error:
        pytest.skip(str(error))
    one, other = socket.socketpair()
    with probe, one, other, recorded(probe) as ring:
        for number in range(200):
            one.send(bytes([number]) * 4000)
            other.recv(4000)
        ring.take()
        one.send(b"room again")
        fd = one.fileno()
    counted = gained(probe, ring, dict.fromkeys(ring.counters, 0))
    balanced(counted, ring)
    assert counted["dropped"] > 300
    assert counted["records_dropped"] >= counted["dropped"]
    sent = [
        r
        for r in ring.records
        if r.about and r.about.fd == fd and r.pid == os.getpid() and r.nr == 44 and r.kind == EXIT
    ]
    assert sent[-1].data == b"room again"
    mine = sum(len(r.data) for r in ring.of(os.getpid(), 44, 45))
    assert counted["bytes_dropped"] >= 2 * 200 * 4000 + 10 - mine


def talk(host: str, count: int = 3) -> tuple[int, int]:
    """Say something over TCP; both ports."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server, socket.socket(family) as client:
        client.connect(server.getsockname())
        peer, _ = server.accept()
        with peer:
            for _ in range(count):
                client.send(b"words")
                peer.recv(10)
            return server.getsockname()[1], client.getsockname()[1]


def moved(ring: Reader) -> set[tuple[int, int]]:
    """Ports of the sockets on which this process moved bytes, by the records."""
    seen = [r.about for r in ring.records if r.pid == os.getpid() and r.flags & IO]
    return {(about.local_port, about.remote_port) for about in seen if about and about.family in {2, 10}}


def both(ports: tuple[int, int]) -> set[tuple[int, int]]:
    """A connection as its two ends see it."""
    return {ports, ports[::-1]}


def test_conditions() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    settings = Settings(ports=(port,), addresses=(socket.inet_aton("127.0.0.5"),), comms=(b"a-name-that-is-cut",))
    try:
        probe = Probe(settings)
    except Exception as error:
        pytest.skip(str(error))
    name = ctypes.create_string_buffer(b"a-name-that-is-cut")
    counted = []

    def work() -> None:
        ctypes.CDLL(None).prctl(15, name)
        for family, host in (
            (socket.AF_INET, "127.0.0.5"),
            (socket.AF_INET6, "::ffff:127.0.0.5"),
            (socket.AF_INET, "127.0.0.6"),
        ):
            with socket.socket(family) as server, socket.socket(family) as client:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind((host, port))
                server.listen()
                client.connect((host, port))
                peer, _ = server.accept()
                with peer:
                    client.send(b"words")
                    peer.recv(10)
                counted.append((host, client.getsockname()[1]))

    with probe, recorded(probe) as ring:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        elsewhere = talk("127.0.0.5")
    balanced(gained(probe, ring, dict.fromkeys(ring.counters, 0)), ring)
    expected = {pair for _host, other in counted[:2] for pair in both((port, other))}
    assert len(counted) == 3
    assert moved(ring) == expected
    assert ring.counters["filtered"] >= 6 + 2
    opened = {r.about.local_port for r in ring.records if r.pid == os.getpid() and r.nr == 49 and r.about}
    assert opened >= {port, elsewhere[0]}  # what changes state is recorded all the same


def test_a_condition_on_processes() -> None:
    program = "import socket; a, b = socket.socketpair(); a.send(b'x'); b.recv(1); input()"
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()\n" + program], stdin=subprocess.PIPE, text=True
    )
    try:
        probe = Probe(Settings(pids=(child.pid,)))
    except Exception as error:
        child.kill()
        child.wait()
        pytest.skip(str(error))
    with probe, recorded(probe) as ring:
        talk("127.0.0.1")
        child.communicate("\n\n", timeout=20)
    balanced(gained(probe, ring, dict.fromkeys(ring.counters, 0)), ring)
    assert {r.pid for r in ring.records if r.flags & IO} == {child.pid}
    assert [r.data for r in ring.of(child.pid, 44, 45)] == [b"x", b"x"]
