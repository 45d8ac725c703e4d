"""A talk between sockets, recorded here and now, as sysdig shows it: probe, ring, drain and file together."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.plain_scap import events
from syswire.capture.drain import Drain
from syswire.capture.probe.load import Probe, Settings
from syswire.convert.errors import MachineError
from syswire.convert.scap.writer import ScapWriter

SNAPLEN = 1000
TALK = r"""
import json, os, socket, sys
told = {"pid": os.getpid()}
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
served, _ = server.accept()
told["four"] = "{}:{}->{}:{}".format(*client.getsockname(), *client.getpeername())
client.sendall(b"ping")
served.recv(100)
os.write(served.fileno(), b"pong" * 500)
got = 0
while got < 2000:
    got += len(client.recv(2000 - got))
client.sendmsg([b"ve", b"ct", b"ors"])
served.recvmsg(100)
os.writev(client.fileno(), [b"a" * 700, b"b" * 700])
got = 0
while got < 1400:
    got += os.readv(served.fileno(), [bytearray(9), bytearray(1400 - got)])
six = socket.create_server(("::1", 0), family=socket.AF_INET6)
caller = socket.create_connection(six.getsockname()[:2])
called, _ = six.accept()
told["six"] = "{}:{}->{}:{}".format(*caller.getsockname()[:2], *caller.getpeername()[:2])
caller.sendall(b"six")
called.recv(9)
listener = socket.socket(socket.AF_UNIX)
listener.bind("\0" + sys.argv[1])
listener.listen()
near = socket.socket(socket.AF_UNIX)
near.connect("\0" + sys.argv[1])
far, _ = listener.accept()
near.send(b"unix")
far.recv(9)
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(("127.0.0.1", 0))
b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
b.sendto(b"datagram", a.getsockname())
a.recvfrom(99)
told["udp"] = "127.0.0.1:{}->127.0.0.1:{}".format(b.getsockname()[1], a.getsockname()[1])
child = os.fork()
if child == 0:
    client.send(b"from the child")
    os.execv("/bin/true", ["true", "an argument"])
os.waitpid(child, 0)
told["child"] = child
print(json.dumps(told))
"""


class Recorded(NamedTuple):
    """What was recorded, and what the process said of itself."""

    file: Path
    told: dict[str, Any]
    counts: dict[str, int]
    counters: dict[str, int]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """The talk, recorded; skipped, with the reason, where BPF is not allowed."""
    try:
        probe = Probe(Settings(snaplen=SNAPLEN))
    except MachineError as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("live") / "live.scap"
    talk_file = path.with_name("talk.py")
    talk_file.write_text(TALK, "utf-8")
    command = [sys.executable, "-S", str(talk_file), f"syswire-test-{time.time_ns()}"]
    with probe, path.open("wb") as file:
        drain = Drain(probe.ring_fd, probe.clock_offset, SNAPLEN, 200_000_000)
        file.write(ScapWriter().section_header())
        probe.attach()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as talk:
            while talk.poll() is None:
                drain.poll(10)
                file.write(drain.take(time.time_ns()))
            assert talk.stdout is not None
            told = json.load(talk.stdout)
        probe.detach()
        while drain.poll(0):
            pass
        file.write(drain.take(None))
        counters = dict(probe.counters())
    yield Recorded(path, told, drain.counts, counters)


@pytest.fixture
def show(tool: Callable[[str], str], recorded: Recorded) -> Callable[..., list[str]]:
    """show(filter): sysdig's lines of the process, descriptor and parameters."""
    sysdig = tool("sysdig")

    def lines(where: str, form: str = "%proc.name|%evt.dir|%evt.type|%fd.name|%evt.rawres|%evt.buffer") -> list[str]:
        filters = f"({where}) and (proc.pid={recorded.told['pid']} or proc.pid={recorded.told['child']})"
        command = [sysdig, "-b", "-r", str(recorded.file), "-p", "*" + form, filters]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        return [line.rstrip() for line in done.stdout.decode().splitlines()]

    return lines


def moved(lines: list[str]) -> dict[tuple[str, str], tuple[int, str]]:
    """By call and descriptor: bytes in all, and what of them was stored, one after the other."""
    out: dict[tuple[str, str], tuple[int, str]] = {}
    for line in lines:
        name, _, call, fd, res, data = line.split("|", 5)
        assert name.startswith("python")
        size, before = out.get((call, fd), (0, ""))
        out[(call, fd)] = (size + int(res), before + b64decode(data).decode())
    return out


def test_who_said_what_to_whom(show: Callable[..., list[str]], recorded: Recorded) -> None:
    """Every call with its socket's name; bytes up to the snaplen, their number whole."""
    told = recorded.told
    found = moved(show("evt.is_io=true and evt.dir=< and fd.type in (ipv4,ipv6)"))
    four, six = told["four"], told["six"]
    assert found[("sendto", four)] == (18, "pingfrom the child")
    assert found[("recvfrom", four)][0] == 4 + 2000
    assert found[("recvfrom", four)][1].startswith("ping" + "pong" * 250)
    assert found[("write", four)] == (2000, "pong" * 250)
    assert (found[("sendmsg", four)], found[("recvmsg", four)]) == ((7, "vectors"), (7, "vectors"))
    assert found[("writev", four)] == (1400, "a" * 700 + "b" * 300)
    assert found[("readv", four)][0] == 1400
    assert (found[("sendto", six)], found[("recvfrom", six)]) == ((3, "six"), (3, "six"))
    assert found[("recvfrom", told["udp"])] == (8, "datagram")


def test_unix_sockets_have_their_path(show: Callable[..., list[str]]) -> None:
    """Both ends carry one name, which the send does not take away."""
    lines = show(
        "evt.is_io=true and evt.dir=< and fd.type=unix and fd.name contains syswire-test-", "%fd.name|%evt.buffer"
    )
    names = {line.rsplit("|", 1)[0] for line in lines}
    assert [line.rsplit("|", 1)[1] for line in lines] == [b64encode(b"unix").decode()] * 2
    assert len(names) == 1


def test_the_child_is_a_process_of_its_own(show: Callable[..., list[str]], recorded: Recorded) -> None:
    """It has its parent's sockets, then another program, and ends."""
    form = "%proc.name|%proc.ppid|%evt.dir|%evt.type|%fd.name|%proc.cmdline"
    pid, child = recorded.told["pid"], recorded.told["child"]
    lines = show(f"proc.pid={child} and evt.type in (clone,sendto,execve,procexit)", form)
    python, _, rest = lines[0].partition("|")
    assert rest.startswith(f"{pid}|<|clone|<NA>|{python} -S /")
    assert [line.split("|")[2:5] for line in lines[1:4]] == [
        [">", "sendto", recorded.told["four"]],
        ["<", "sendto", recorded.told["four"]],
        [">", "execve", "<NA>"],
    ]
    assert lines[4:] == [
        f"true|{pid}|<|execve|<NA>|true an argument",
        f"true|{pid}|>|procexit|<NA>|true an argument",
    ]


def test_all_is_counted(recorded: Recorded) -> None:
    """Probe and drain agree, and with the file; times are in order."""
    counts, counters = recorded.counts, recorded.counters
    assert counts["records"] == counters["records"]
    assert counts["calls"] + counts["children"] + counts["deaths"] == counters["emitted"]
    assert (counts["malformed"], counts["unknown"], counts["unwritten"], counts["waiting"]) == (0, 0, 0, 0)
    found = events(recorded.file.read_bytes())
    assert len(found) == counts["events"]
    assert sum(before.ts > after.ts for before, after in pairwise(found)) <= counts["late"]
    assert counts["truncated_bytes"] >= (2000 - SNAPLEN) + (1400 - SNAPLEN)
