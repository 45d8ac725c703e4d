"""The fields of events. Expected values were read off sysdig 0.29.3 with the same events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.still_trace import StillTrace
from support.worded import Worded, code
from syswire.convert.filters.fields.evt import FIELDS, Near
from syswire.convert.scap.encoding import Value as Given
from syswire.convert.trace.model import Event, Fd

if TYPE_CHECKING:
    from syswire.convert.filters.fields.field import Value

ROWS = {row.name: row for row in FIELDS}


def made(number: int, values: list[Given]) -> Event:
    """One event of the process that `Worded` has."""
    file = Worded()
    file.event(number, values)
    return next(iter(StillTrace(file.data())))


def field(event: Event, name: str, argument: str | None = None) -> Value | tuple[Value, ...]:
    """The field's value at the event."""
    return ROWS[name].extract(event, argument)


def test_all_fields_of_sysdig_are_there(shared: Path) -> None:
    text = (shared / "facts" / "tables" / "sysdig_fields_0_29_3.txt").read_text("utf-8")
    names = {line.split()[0] for line in text.splitlines() if line.startswith(("evt.", "syscall."))}
    assert len(names) == 55
    assert names <= set(ROWS)
    assert all(row.description and len(row.description) < 100 for row in FIELDS)


def test_open_flags() -> None:
    event = made(code("open", "<"), [3, "/x", 4 | 2, 0o100, 1])
    assert [field(event, f"evt.is_open_{what}") for what in ("read", "write", "exec")] == [False, True, True]
    event = made(code("open", "<"), [3, "/x", 3, 0o777, 1])
    assert [field(event, f"evt.is_open_{what}") for what in ("read", "write", "exec")] == [True, True, False]
    event = made(code("open", ">"), ["/x", 7, 0o777])
    assert [field(event, f"evt.is_open_{what}") for what in ("read", "write", "exec")] == [False, False, False]
    assert field(made(code("creat", "<"), [3, "/x", 0o10, 1]), "evt.is_open_exec") is True


@pytest.mark.parametrize(
    ("number", "values", "source", "destination"),
    [
        (177, [0, -100, "a", 9, "b"], "/home/u/a", "/dir/b"),
        (319, [0, 9, "a", -100, "b", 0], "/dir/a", "/home/u/b"),
        (181, [0, "target", 9, "link"], "/dir/link", "/dir/link"),
        (307, [-2, 9, "x", 1, 0, 0], "/dir/x", "/dir/x"),
        (313, [0, -100, "/abs/../q", 0], "/q", "/q"),
        (327, [4, 99, "x", 4, 0o100, 0], "<UNKNOWN>/x", "<UNKNOWN>/x"),
        (102, [9, "x", 1, 0], "/dir/x", "/dir/x"),
        (306, [9, "x", 1, 0], None, None),
    ],
)
def test_absolute_paths(number: int, values: list[Given], source: str | None, destination: str | None) -> None:
    event = made(number, values)
    assert field(event, "evt.abspath") == source
    assert field(event, "evt.abspath", "src") == source
    assert field(event, "evt.abspath", "dst") == destination


def test_arguments() -> None:
    event = made(code("read", "<"), [-2, b"a\0b"])
    assert field(event, "evt.arg", "res") == "ENOENT"
    assert field(event, "evt.arg", "1") == "a.b"
    assert field(event, "evt.arg", "99") is None
    assert field(event, "evt.arg", "9" * 30) is None
    assert field(event, "evt.arg", "fd") is None
    assert field(event, "evt.rawarg", "res") == -2
    assert field(event, "evt.buffer") == b"a\0b"
    assert field(made(code("close", "<"), [0]), "evt.buffer") is None


def test_generic_events() -> None:
    event = made(0, [28, 273])
    name = field(event, "evt.type")
    assert field(event, "syscall.type") == name
    assert field(event, "evt.arg", "0") == name
    assert field(event, "evt.arg", "1") == "273"
    assert field(event, "evt.args") == ""
    assert field(event, "evt.category") == "file"


def test_kinds() -> None:
    switch = made(code("switch", ">", 1), [5, 1, 1, 1, 1, 1])
    assert field(switch, "syscall.type") is None
    assert field(switch, "evt.type") == "switch"
    read = made(code("read", ">"), [3, 1])
    assert field(read, "evt.type.is", "read") == 1
    assert field(read, "evt.type.is", "write") == 0
    assert [field(read, f"evt.{name}") for name in ("is_io", "is_io_read", "is_io_write", "io_dir", "is_wait")] == [
        True, True, False, "read", False,
    ]  # fmt: skip
    poll = made(code("poll", ">"), [[], 0])
    assert [field(poll, f"evt.{name}") for name in ("is_io", "io_dir", "is_wait", "dir")] == [False, None, True, ">"]


@pytest.mark.parametrize(
    ("kind", "category", "counted"),
    [
        ("file", "file", "file"), ("ipv4", "net", "net"), ("unix", "ipc", "net"), ("fifo", "ipc", "other"),
        ("eventpoll", "unknown", "other"), (None, "unknown", "other"),
    ],
)  # fmt: skip
def test_by_descriptor(kind: str | None, category: str, counted: str) -> None:
    event = made(code("read", "<"), [-11, b""])
    event.fd = None if kind is None else Fd(3, kind)
    event.res = -11
    assert field(event, "evt.category") == category
    assert [name for name in ("file", "net", "memory", "other") if field(event, f"evt.count.error.{name}")] == [counted]
    assert field(event, "evt.failed") is True
    assert field(event, "evt.res") == "EAGAIN"


def test_a_number_that_is_cut_is_missing() -> None:
    """It is no number, and bytes in its place could not be compared with one."""
    assert field(made(code("read", "<"), [b"\x05\0\0", b"abc"]), "evt.rawarg", "res") is None
    assert field(made(code("read", "<"), [5, b"abc"]), "evt.rawarg", "res") == 5
    assert field(made(code("read", "<"), [5, b"abc"]), "evt.rawarg", "data") == b"abc"


def test_exit_that_was_not_understood_fails_nobody() -> None:
    event = made(code("read", "<"), [-11, b""])
    event.res, event.parsed = -11, False
    assert field(event, "evt.failed") is False
    assert field(event, "evt.count.error") is None
    assert field(event, "evt.rawres") == -11


def test_deltas_are_between_the_events_that_were_asked() -> None:
    file = Worded()
    for _ in range(4):
        file.event(code("close", ">"), [3])
    events = list(StillTrace(file.data()))
    assert [field(event, "evt.deltatime") for event in (events[0], events[0], events[1], events[3])] == [
        0,
        0,
        1001,
        2002,
    ]
    assert field(events[3], "evt.deltatime.ns") == 0


def test_around() -> None:
    event = made(code("close", ">"), [3])
    near = field(event, "evt.around", str(event.ts - 2_000_000))
    assert near == 2
    assert near != 1
    assert near == 100
    assert isinstance(near, Near)
    assert field(event, "evt.around", "x") is None


def test_packets_are_no_calls() -> None:
    event = made(code("read", "<"), [3, b"abc"])
    assert (field(event, "evt.latency"), field(event, "syscall.type")) == (0, "read")
    event.trace.format = "pcap"
    names = ("evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "syscall.type")
    assert [field(event, name) for name in names] == [None] * 5


@pytest.mark.parametrize(
    ("data", "info"),
    [
        (b"<13>hello world", "syslog sev=notice msg=hello world"),
        (b"<0>", "syslog sev=emerg msg="),
        (b"<999>x", "syslog sev=debug msg=x"),
        (b"no priority", "res=11 data=no priority "),
        (b"<13", "res=3 data=<13 "),
    ],
)
def test_messages_to_syslog(data: bytes, info: str) -> None:
    event = made(code("write", "<"), [len(data), data])
    event.fd, event.res = Fd(4, "unix", "5->6 /dev/log"), len(data)
    assert field(event, "evt.is_syslog") is True
    assert field(event, "evt.info") == info
    assert field(event, "evt.args") != "" and field(made(code("read", "<"), [1, b"x"]), "evt.is_syslog") is False
