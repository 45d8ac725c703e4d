"""Traces of scap files: every event as the plain reader has it, damage, sections, bounds on hostile files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import plain_scap
from support.damage import blocks, whole_events
from support.every_event import Age, every_event
from syswire.convert.errors import InputError
from syswire.convert.scap import event_table as table
from syswire.convert.scap.encoding import Address, ByteOrder, Tuple, Value, strings
from syswire.convert.scap.snapshot import Interface, Process, User
from syswire.convert.scap.writer import Form, ScapWriter
from syswire.convert.source import Source
from syswire.convert.trace import parsers, threads
from syswire.convert.trace.model import Event, Trace, decode, encode
from syswire.convert.trace.trace import open_trace

Row = tuple[int, int, int, int, int, int, tuple[bytes, ...]]


def read(path: Path, data: bytes) -> tuple[Trace, list[Event]]:
    path.write_bytes(data)
    trace = open_trace(Source(path))
    return trace, list(trace)


def row(event: Event) -> Row:
    return event.ordinal, event.offset, event.ts, event.tid, event.cpu, event.code, event.params


@pytest.mark.parametrize("age", ["old", "new"])
@pytest.mark.parametrize(("order", "form"), [("little", Form.V2), ("little", Form.V1), ("big", Form.V2)])
def test_every_event_as_recorded(tmp_path: Path, age: Age, order: ByteOrder, form: Form) -> None:
    data, told = every_event(age, order, form)
    trace, events = read(tmp_path / "a.scap", data)
    plain = [event for event in plain_scap.events(data) if event.code < len(table.EVENTS)]
    have = [row(event) for event in events]
    if order == "little":
        assert have == [(e.ordinal, e.offset, e.ts, e.tid, e.cpu, e.code, tuple(e.params)) for e in plain]
    else:  # numbers come in this machine's order
        little, _ = every_event(age, "little", form)
        assert [one[:5] for one in have] == [(e.ordinal, e.offset, e.ts, e.tid, e.cpu) for e in plain]
        assert [one[5:] for one in have] == [row(event)[5:] for event in read(tmp_path / "b.scap", little)[1]]
    assert len(have) == len(told)
    assert trace.damage is None
    assert [event.num for event in events if event.num] == list(range(1, sum(e.code < 336 for e in plain) + 1))
    assert all(bool(event.num) == (event.code < 336) for event in events)


def test_the_head(tmp_path: Path) -> None:
    data, _ = every_event("old")
    path = tmp_path / "a.scap"
    path.write_bytes(data)
    trace = open_trace(Source(path))
    assert (trace.format, trace.name) == ("scap", str(path))
    assert trace.machine is not None
    assert trace.machine.hostname == b"every"
    root = trace.users[0]
    assert (root.uid, root.gid, root.name, root.home, root.shell) == (0, 0, "root", "/root", "/bin/sh")
    assert [(face.name, face.address) for face in trace.interfaces] == [("lo", b"\x7f\0\0\1")]
    assert len(trace.threads) == 1000
    thread = trace.find(1500)
    assert thread is not None
    assert (thread.comm, thread.exe, thread.uid, thread.cwd, thread.pid) == ("every", "/usr/bin/every", 0, "/", 1500)
    assert [kind for kind, _ in trace.headers] == [0x201, 0x219, 0x220, 0x215]


def test_cut_anywhere_what_is_whole_is_given(data: Path, tmp_path: Path) -> None:
    whole = plain_scap.load(data / "made" / "act1.scap.gz")
    ends = [at for at, _ in blocks(whole)]
    for length in (*range(ends[5], ends[5] + 300, 17), ends[400], ends[400] + 1, ends[400] + 50):
        trace, events = read(tmp_path / "cut.scap", whole[:length])
        assert len(events) == whole_events(whole[:length])
        if length in ends:
            assert trace.damage is None
        else:
            begin = max(at for at in ends if at <= length)
            assert trace.damage is not None
            assert trace.damage.what == f"cut: the last {length - begin} bytes are not a whole block"
            assert trace.damage.offset == begin


def test_what_is_no_scap_file(tmp_path: Path) -> None:
    for bad in (b"x" * 100, b"\n\r\r\n", struct.pack("<III", 0x0A0D0D0A, 28, 7) + bytes(16)):
        with pytest.raises(InputError):
            read(tmp_path / "bad.scap", bad)


def test_two_captures_in_one_file(tmp_path: Path) -> None:
    data, told = every_event("old")
    trace, events = read(tmp_path / "two.scap", data + data)
    assert len(events) == 2 * len(told)
    assert events[-1].ordinal == 2 * len(told)
    assert trace.damage is None


class Told:
    """A small capture: process 10 and what it does."""

    def __init__(self) -> None:
        self.writer = ScapWriter("little", Form.V2)
        face = Interface("lo", "127.0.0.1", "255.0.0.0", "127.255.255.255")
        self.blocks = [
            self.writer.section_header(),
            self.writer.interfaces([face]),
            self.writer.users([User(7, 7, "seven")]),
            self.writer.processes([Process(10, 10, 1, b"n\xffme", b"/bin/a", args=strings(["-x"]), uid=7)]),
        ]
        self.now = 1_700_000_000_000_000_000

    def event(self, code: int, tid: int, *values: Value) -> None:
        self.now += 1000
        self.blocks.append(self.writer.event(self.now, tid, 0, code, list(values)))


def test_state_is_as_after_the_event(tmp_path: Path) -> None:
    told = Told()
    pair = Tuple(Address("127.0.0.1", 4000), Address("127.0.0.1", 80))
    told.event(18, 10, 2, 1, 0)
    told.event(19, 10, 5)
    told.event(22, 10, 5, None)
    told.event(23, 10, 0, pair)
    told.event(4, 10, 5)
    told.event(5, 10, 0)
    told.event(186, 10, 0)
    path = tmp_path / "a.scap"
    path.write_bytes(b"".join(told.blocks))
    seen = []
    for event in open_trace(Source(path)):
        thread = event.thread
        assert thread is not None
        assert encode(thread.comm or "") == b"n\xffme"
        seen.append((event.fd_num, event.fd and event.fd.name, event.res, 5 in thread.fds))
        if event.num == 4:
            assert event.fd is not None
            assert (event.fd.role, event.fd.l4, event.fd.sport, event.fd.dport) == ("client", "tcp", 4000, 80)
            assert event.enter is not None
            assert event.enter.num == 3
            assert (event.previous_ts, event.first_ts) == (event.ts - 1000, event.ts - 3000)
    name = "127.0.0.1:4000->127.0.0.1:80"
    assert seen == [
        (-1, None, None, False),
        (5, "", 5, True),
        (5, "", None, True),
        (5, name, 0, True),
        (5, name, None, True),
        (5, name, 0, True),  # gone before the next event, not before
        (None, None, None, False),
    ]


def test_large_tables_do_not_make_it_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """close_range on a table of 100 goes through it while that can be afforded, then is counted."""
    monkeypatch.setattr(threads, "EFFORT", 1000)
    monkeypatch.setattr("syswire.convert.trace.replay.EFFORT", 1000)
    monkeypatch.setattr("syswire.convert.trace.replay.EFFORT_EACH", 1)
    told = Told()
    for fd in range(100):
        told.event(19, 10, fd, 2, 1, 0, 0)
    for _ in range(50):
        told.event(451, 10, 0, 200, 300, 0)
    trace, events = read(tmp_path / "a.scap", b"".join(told.blocks))
    assert trace.exit_only
    assert len(events) == 150
    assert trace.losses["descriptors_refused"].count == 40
    told.event(451, 10, 0, 10, 19, 0)
    monkeypatch.setattr(threads, "EFFORT", 1 << 20)
    monkeypatch.setattr("syswire.convert.trace.replay.EFFORT", 1 << 20)
    trace, _ = read(tmp_path / "a.scap", b"".join(told.blocks))
    thread = trace.find(10)
    assert thread is not None
    assert sorted(thread.fds) == [*range(10), *range(20, 100)]


def test_texts_keep_their_bytes() -> None:
    every = bytes(range(256))
    assert encode(decode(every)) == every


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MAX_THREADS", 50)
    monkeypatch.setattr(threads, "EFFORT", 64)
    monkeypatch.setattr(parsers, "MAX_FDS", 40)
    monkeypatch.setattr("syswire.convert.trace.replay.EFFORT", 64)
    told = Told()
    for fd in range(100):
        told.event(18, 10, 2, 1, 0)
        told.event(19, 10, fd)
    for tid in range(100, 200):
        told.event(6, tid, 1, 1)
    ids = (10, 10, 1, "", 1024, 0, 0, 1, 1, 1, "c", b"", 0, 0, 0, 10, 10)
    for child in range(300, 310):
        told.event(222, 10)
        told.event(223, 10, child, "/bin/c", b"", *ids)
    trace, events = read(tmp_path / "a.scap", b"".join(told.blocks))
    assert len(events) == 320
    assert len(trace.threads) == 50
    assert {cause: loss.count for cause, loss in trace.losses.items()} == {
        "descriptors_refused": 60,
        "threads_refused": 51 + 10,
    }
    thread = trace.find(10)
    assert thread is not None
    assert len(thread.fds) == 40


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_in_parameters(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is in an event's parameters, the trace goes on."""
    told = Told()
    codes = st.integers(0, len(table.EVENTS) - 1)
    count = 0
    for code in data.draw(st.lists(codes, min_size=1, max_size=30)):
        for each in (code & ~1, code | 1):
            params = data.draw(st.lists(st.binary(max_size=40), max_size=len(table.EVENTS[each][4]) + 2))
            told.now += 1000
            told.blocks.append(told.writer.raw_event(told.now, 10, 0, each, params))
            count += 1
    trace, events = read(tmp_path / "any.scap", b"".join(told.blocks))
    assert len(events) == count
    assert trace.damage is None
