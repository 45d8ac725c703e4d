"""The trace's threads and descriptors against sysdig 0.29.3, event by event, on real captures and the sample.

Where sysdig names bytes that it never set (the destination of a bound socket's first datagram) the event is told apart
by its rule in UNSET: there the recorded tuple must stand instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest

from support.trace_fields import FIELDS, NONE, line
from syswire.convert.scap.encoding import Address, Tuple, UnixTuple, Value, strings
from syswire.convert.scap.snapshot import L4_UDP, Bound, File, Interface, Process, User
from syswire.convert.scap.writer import Form, ScapWriter
from syswire.convert.source import Source
from syswire.convert.trace.model import Event
from syswire.convert.trace.trace import open_trace

BREAK = "\x01"
FILES = ("502Error.scap", "curl_google.scap", "test_ipv6_client.scap")
UNSET = ("fd.name", "fd.cip", "fd.sip")


def theirs(sysdig: str, path: Path) -> dict[int, dict[str, str]]:
    """What sysdig says of each event, by number."""
    form = "*" + BREAK.join(f"%{name}" for name in FIELDS)
    env = {**os.environ, "TZ": "UTC"}
    done = run([sysdig, "-D", "-r", str(path), "-p", form], capture_output=True, env=env, check=False)
    told: dict[int, dict[str, str]] = {}
    record = ""
    for part in done.stdout.decode("utf-8", "surrogateescape").split("\n"):
        record = f"{record}\n{part}" if record else part  # a value may hold line breaks
        if record.count(BREAK) == len(FIELDS) - 1:
            values = dict(zip(FIELDS, record.split(BREAK), strict=True))
            told[int(values["evt.num"])] = values
            record = ""
    return told


def differences(path: Path, told: dict[int, dict[str, str]]) -> list[tuple[Event, str, str, str]]:
    """(event, field, ours, sysdig's) of all that differs; every event that sysdig shows is there."""
    found = []
    count = 0
    for event in open_trace(Source(path)):
        if event.consumed:
            continue
        count += 1
        want, have = told[event.num], line(event)
        if event.info.name == "syscall":
            have["evt.type"] = want["evt.type"]  # its name is in its data
        found += [(event, name, have[name], want[name]) for name in FIELDS if have[name] != want[name]]
    assert count == len(told) > 0
    return found


@pytest.mark.parametrize("name", FILES)
def test_real_captures(shared: Path, tool: Callable[[str], str], name: str) -> None:
    path = shared / "data" / "scap" / name
    found = differences(path, theirs(tool("sysdig"), path))
    for event, field, ours, sysdig in found:
        assert field in UNSET, (event.num, field, ours, sysdig)
        assert "145.216.3.255" in sysdig or ours == "127.0.0.1", (event.num, field, ours, sysdig)
    assert len({event.num for event, *_ in found}) == (73 if name == "502Error.scap" else 0)


def test_the_sample(data: Path, tool: Callable[[str], str]) -> None:
    path = data / "made" / "act1.scap.gz"
    assert differences(path, theirs(tool("sysdig"), path)) == []


class Told:
    """A capture told event by event."""

    def __init__(self) -> None:
        writer = self.writer = ScapWriter("little", Form.V2)
        faces = [Interface("lo", "127.0.0.1", "255.0.0.0", "127.255.255.255")]
        faces += [Interface("eth0", "192.168.5.9", "255.255.255.0", "192.168.5.255")]
        shared_table = Process(12, 10, 1, b"thr", b"/bin/a", flags=0x2001)
        self.blocks = [
            writer.section_header(),
            writer.interfaces(faces),
            writer.users([User(0, 0, "root")]),
            writer.processes([Process(10, 10, 1, b"a", b"/bin/a", b"/bin/a"), shared_table]),
            writer.descriptors(10, [File(1, b"/tmp/x"), Bound(5, "0.0.0.0", 514, L4_UDP)]),
        ]
        self.now = 1_700_000_000_000_000_000

    def event(self, code: int, tid: int, *values: Value) -> None:
        self.now += 1_000_000
        self.blocks.append(self.writer.event(self.now, tid, 0, code, list(values)))

    def call(self, code: int, tid: int, enter: tuple[Value, ...], leave: tuple[Value, ...]) -> None:
        self.event(code - 1, tid, *enter)
        self.event(code, tid, *leave)


def ips(source: str, sport: int, dest: str, dport: int) -> Tuple:
    return Tuple(Address(source, sport), Address(dest, dport))


def execve(comm: str, tid: int) -> tuple[Value, ...]:
    ids = (tid, tid, 1)
    return (0, f"/bin/{comm}", strings(["-z"]), *ids, "/xx", 1024, 0, 0, 1, 1, 1, comm, b"", strings(["A=1"]), 0, tid)


def clone(res: int, tid: int, pid: int, ptid: int, flags: int, vtid: int = 0) -> tuple[Value, ...]:
    common = ("/bin/c", strings(["-c"]), tid, pid, ptid, "", 1024, 0, 0, 1, 1, 1, "c", b"", flags, 0, 0)
    return (res, *common, vtid or tid, vtid or pid)


def judged(told: Told, path: Path, sysdig: str) -> None:
    path.write_bytes(b"".join(told.blocks))
    found = differences(path, theirs(sysdig, path))
    assert [(event.num, event.info.name, *rest) for event, *rest in found] == []


def test_descriptors(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    told.event(7, 10, 5, b"abcde")
    told.call(19, 10, (2, 2, 0), (7,))
    told.call(31, 10, (7, 5, ips("0.0.0.0", 1000, "10.0.0.1", 99)), (5, b"abcde"))
    told.call(35, 10, (7, 5), (5, b"abcde", ips("10.0.0.1", 99, "192.168.5.9", 1000)))
    told.call(35, 10, (7, 5), (5, b"abcde", ips("10.0.0.2", 99, "192.168.5.9", 1000)))
    told.call(19, 10, (2, 1, 0), (8,))
    told.call(21, 10, (8,), (0, Address("127.0.0.1", 80)))
    told.call(25, 10, (8, 5), (0,))
    told.call(247, 10, (), (9, ips("127.0.0.1", 4000, "127.0.0.1", 80), 0, 0, 5))
    told.call(247, 10, (), (-11, None, 0, 0, 5))
    told.call(125, 10, (9,), (20,))
    told.call(151, 10, (9, 1), (21,))
    told.call(5, 12, (9,), (0,))
    told.call(7, 12, (20, 5), (3, b"abc"))
    told.call(7, 10, (9, 5), (-9, b""))
    told.call(23, 10, (7, None), (-115, ips("192.168.5.9", 1, "9.9.9.9", 2)))
    told.call(23, 10, (7, None), (-111, ips("192.168.5.9", 1, "9.9.9.8", 2)))
    told.call(19, 10, (1, 1, 0), (30,))
    told.call(23, 10, (30, None), (0, UnixTuple(5, 6, b"/run/x")))
    told.call(247, 10, (), (31, UnixTuple(5, 6, b"/a/b"), 0, 0, 5))
    told.call(61, 10, (), (0, 11, 12, 99))
    told.call(43, 10, (1, 1, 0), (0, 13, 14, 5, 6))
    told.call(95, 12, (), (0, "/abc"))
    told.call(307, 12, (-100, "x", 1, 0), (40, -100, "x", 1, 0, 0))
    told.call(307, 10, (55, "x", 1, 0), (41, 55, "x", 1, 0, 0))
    told.call(307, 10, (-100, "x/../y/./z/", 1025, 0), (42, -100, "x/../y/./z/", 1025, 0, 0))
    told.call(97, 10, (42,), (0,))
    told.call(3, 10, ("rel", 1, 0), (43, "rel", 1, 0, 0))
    told.call(3, 10, ("none", 1, 0), (-2, "none", 1, 0, 0))
    told.event(4, 10, 43)
    told.call(19, 10, (2, 1, 0), (43,))
    told.call(5, 12, (43,), (0,))
    told.call(7, 10, (43, 5), (3, b"abc"))
    judged(told, tmp_path / "fds.scap", tool("sysdig"))


def test_threads(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    told.event(293, 77, *execve("unknown", 77))
    told.event(293, 10, *execve("known", 10))
    told.call(293, 10, ("sub/x",), execve("called", 10))
    told.call(7, 77, (1, 5), (5, b"abcde"))
    # the parent's return first
    told.call(223, 10, (), clone(100, 10, 10, 1, 0))
    told.event(223, 100, *clone(0, 100, 100, 10, 0))
    told.call(7, 100, (1, 5), (5, b"abcde"))
    told.call(5, 100, (1,), (0,))
    told.call(7, 10, (1, 5), (5, b"abcde"))
    # the child's first
    told.event(222, 10)
    told.event(223, 101, *clone(0, 101, 101, 10, 0))
    told.call(7, 101, (1, 5), (5, b"abcde"))
    told.event(223, 10, *clone(101, 10, 10, 1, 0))
    told.call(7, 101, (1, 5), (5, b"abcde"))
    # a thread
    told.call(223, 10, (), clone(102, 10, 10, 1, 0x2001))
    told.call(5, 102, (1,), (0,))
    told.call(7, 10, (1, 5), (5, b"abcde"))
    # in a container
    told.call(223, 10, (), clone(5, 10, 10, 1, 0, vtid=4))
    told.event(223, 105, *clone(0, 105, 105, 10, 0, vtid=5))
    told.call(7, 105, (5, 5), (5, b"abcde"))
    told.call(199, 105, (1000,), (0,))
    told.call(193, 105, (1, 0, 3), (0,))
    # ends, and a number used again
    told.event(186, 100, 0)
    told.call(7, 100, (5, 5), (5, b"abcde"))
    told.event(186, 10, 0)
    told.call(7, 12, (5, 5), (5, b"abcde"))
    told.call(7, 10, (5, 5), (5, b"abcde"))
    told.call(223, 105, (), clone(101, 105, 105, 10, 0))
    told.call(7, 101, (5, 5), (5, b"abcde"))
    judged(told, tmp_path / "threads.scap", tool("sysdig"))


def test_the_end_of_processes_and_old_versions(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    told.call(223, 10, (), clone(300, 10, 10, 1, 0))
    told.call(293, 300, ("./rel/bin",), execve("exec", 300))
    told.call(7, 300, (1, 1), (1, b"a"))
    told.call(223, 10, (), clone(301, 10, 10, 1, 0x2003))
    told.call(95, 301, (), (0, "/thr"))
    told.call(225, 300, (), clone(302, 300, 300, 10, 0))
    told.call(227, 300, (), clone(303, 300, 300, 10, 0x400000))
    told.event(186, 301, 0)
    told.event(186, 10, 0)
    told.call(7, 12, (1, 1), (1, b"a"))
    told.event(186, 12, 0)
    told.call(7, 10, (1, 1), (1, b"a"))
    told.event(186, 500, 0)
    told.call(13, 302, (), (0, "old", strings(["x"]), 302, 302, 300, "/o", 55))
    told.call(15, 302, (), (304, "old", strings(["x"]), 304, 304, 302, "/o", 55, 0, 7, 7))
    told.call(7, 304, (1, 1), (1, b"a"))
    told.event(183, 305, 0, "o2", strings(["x"]), 305, 305, 302, "/o", 55, 1, 1, 1, 1, 1, 0, 9, 9)
    told.call(7, 305, (1, 1), (1, b"a"))
    told.event(223, 307, *clone(0, 307, 307, 999, 0))
    told.call(7, 307, (1, 1), (1, b"a"))
    judged(told, tmp_path / "ends.scap", tool("sysdig"))


def opened(told: Told, name: str, dirfd: int | None = None) -> None:
    """An open as descriptor 50, or an openat as 51."""
    if dirfd is None:
        told.call(3, 10, (name, 1, 0), (50, name, 1, 0, 0))
    else:
        told.call(307, 10, (dirfd, name, 1, 0), (51, dirfd, name, 1, 0, 0))


def test_long_paths(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    for length in (1000, 1021, 1022, 1023, 2000):
        opened(told, "/" + "a" * (length - 1))
        opened(told, "b" * (length - 1))
        opened(told, "c" * length, 55)
        opened(told, "/" + "c" * (length - 1), -100)
    told.call(95, 10, (), (0, "/" + "c" * 600))
    opened(told, "b" * 500)
    opened(told, "/" + "c" * 900, -100)
    told.call(95, 10, (), (0, "c" * 600))
    told.call(95, 10, (), (0, "x"))
    told.call(95, 10, (), (0, "/"))
    opened(told, "a" * 700)
    opened(told, "b" * 500, 50)
    opened(told, "b" * 100, 50)
    judged(told, tmp_path / "long.scap", tool("sysdig"))


def test_types_that_are_not_on_a_descriptor(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    told.call(303, 10, (), (0, 1, "x", 0))
    told.call(305, 10, (), (0, 1, "x", 0))
    told.call(313, 10, (), (0, 1, "x", 0))
    told.call(317, 10, (), (0, 1, 0))
    told.call(77, 10, (1,), (0,))
    told.call(161, 10, (0, 5, 1, 2, 1, 0), (100, 1, 1, 1))
    told.call(333, 10, (1, 0, 5), (3, 5, 0))
    told.call(189, 10, (5, 1, 0, 5), (3, 0))
    told.call(167, 10, (1, 5, 0, 0), (3,))
    told.call(127, 10, (1, 0, 0), (9,))
    told.call(321, 10, (), (8, 0))
    told.call(243, 10, (1, 1), (0,))
    judged(told, tmp_path / "types.scap", tool("sysdig"))


def test_none_is_text(data: Path) -> None:
    """What parity compares must be able to differ: a trace has values, not only <NA>."""
    seen = dict.fromkeys(FIELDS, 0)
    for event in open_trace(Source(data / "made" / "act1.scap.gz")):
        for name, value in line(event).items():
            seen[name] += value != NONE
    assert min(seen.values()) > 100


def test_exits_without_their_enters(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """What an exit tells alone counts; what it would need its enter for does not."""
    told = Told()
    pair = ips("10.0.0.1", 9, "192.168.5.9", 80)
    alone: list[tuple[int, tuple[Value, ...]]] = [
        (3, (20, "rel", 1, 0, 0)), (59, (21, "/made", 0, 0)), (307, (22, 1, "under", 1, 0, 0)),
        (327, (23, -100, "/two", 1, 0, 0)), (27, (24, pair, 0)), (247, (25, pair, 0, 0, 5)), (61, (0, 26, 27, 7)),
        (43, (0, 28, 29, 7, 8)), (63, (30,)), (127, (31,)), (137, (32,)), (139, (33,)), (19, (34,)), (125, (35,)),
        (151, (36,)), (95, (0, "/there")), (93, (0, "/here")), (97, (0,)), (5, (0,)),
        (21, (0, Address("127.0.0.1", 9))),
        (23, (0, pair)), (199, (5,)), (159, (0, 12, 7, 7)), (275, (555,)), (35, (3, b"abc", pair)), (7, (3, b"abc")),
    ]  # fmt: skip
    for begun in (False, True):
        for code, values in alone:
            if begun:
                told.event(8, 10, 1, 5)
            told.event(code, 10, *values)
            told.call(7, 10, (values[0], 5), (0, b""))
            told.call(7, 10, (1, 5), (0, b""))
    judged(told, tmp_path / "alone.scap", tool("sysdig"))


def test_clones_by_threads_that_were_never_seen(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    told.event(223, 10, *clone(100, 10, 10, 1, 0))
    told.call(7, 100, (1, 5), (0, b""))
    told.event(223, 78, *clone(104, 78, 78, 1, 0))
    told.call(7, 104, (1, 5), (0, b""))
    told.call(7, 78, (1, 5), (0, b""))
    told.call(223, 79, (), clone(105, 79, 79, 1, 0x2001))
    told.call(7, 105, (1, 5), (0, b""))
    told.call(7, 79, (1, 5), (0, b""))
    # a child's return of a thread that is known already changes nothing, unless that was long ago
    told.call(7, 106, (1, 5), (0, b""))
    told.event(223, 106, *clone(0, 106, 106, 10, 0))
    told.call(7, 106, (1, 5), (0, b""))
    told.call(223, 10, (), clone(107, 10, 10, 1, 0))
    told.now += 3_000_000_000
    told.event(223, 107, *clone(0, 107, 107, 78, 0))
    told.call(7, 107, (1, 5), (0, b""))
    judged(told, tmp_path / "unseen.scap", tool("sysdig"))


def test_names_below_nothing(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """Relative names where the directory is not known: of a thread without one, and of a descriptor."""
    told = Told()
    names = (
        ".",
        "..",
        "./x",
        "../x",
        "a/../b",
        "a/./b/../c",
        "d//e/",
        "../../x",
        "x/..",
        "..x",
        "//",
        "a/../..",
        "/..",
    )
    for name in names:
        for tid in (10, 500):
            told.call(3, tid, (name, 1, 0), (50, name, 1, 0, 0))
            told.call(307, tid, (-100, name, 1, 0), (51, -100, name, 1, 0, 0))
            told.call(307, tid, (99, name, 1, 0), (52, 99, name, 1, 0, 0))
    judged(told, tmp_path / "below.scap", tool("sysdig"))


def test_a_number_that_a_child_took_first_is_not_taken_again(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """Where the child returned before its parent, no later clone of any parent makes that thread anew."""
    told = Told()
    told.event(223, 100, *clone(0, 100, 100, 10, 0))
    told.call(7, 100, (1, 5), (0, b""))
    told.now += 5_000_000_000
    told.call(223, 12, (), clone(100, 12, 10, 1, 0x2001))
    told.call(7, 100, (1, 5), (0, b""))
    told.event(186, 100, 0)
    told.call(223, 12, (), clone(100, 12, 10, 1, 0x2001))
    told.call(7, 100, (5, 5), (0, b""))
    judged(told, tmp_path / "taken.scap", tool("sysdig"))


def test_tuples_on_what_is_no_socket_and_an_execve_by_a_thread(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    six = Tuple(Address("fe80::1", 80), Address("2001:db8::7", 81))
    told.call(3, 10, ("/a", 1, 0), (20, "/a", 1, 0, 0))
    told.call(23, 10, (20, None), (0, six))
    told.call(5, 10, (20,), (-9,))
    told.call(3, 10, ("/b", 1, 0), (21, "/b", 1, 0, 0))
    told.call(23, 10, (21, None), (0, ips("10.0.0.1", 1, "10.0.0.2", 2)))
    told.call(5, 10, (21,), (-9,))
    told.call(61, 10, (), (0, 22, 23, 7))
    told.call(23, 10, (22, None), (0, UnixTuple(5, 6, b"/run/x")))
    told.call(31, 10, (23, 5, six), (5, b"abcde"))
    told.call(5, 10, (22,), (-9,))
    told.call(5, 10, (23,), (0,))
    told.call(61, 10, (), (0, 24, 25, 7))
    told.call(49, 10, (24, 5, UnixTuple(5, 6, b"/run/x")), (5, b"abcde"))
    told.call(5, 10, (24,), (0,))
    told.call(7, 12, (1, 5), (0, b""))
    told.call(293, 12, ("/x",), execve("thread", 12))
    told.call(7, 12, (1, 5), (0, b""))
    told.call(7, 10, (1, 5), (0, b""))
    judged(told, tmp_path / "kinds.scap", tool("sysdig"))
