"""The star shows exactly the events that the plain evaluator lets pass, with the same state, and sums the same sums."""

from __future__ import annotations

import gzip
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple, cast

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from support.generated_traces import Age, generated
from support.made import CAPTURES
from support.made_filters import ASKED, filters
from syswire.convert.filters.judge import compile_filter
from syswire.convert.source import Source
from syswire.convert.star.star import Star
from syswire.convert.trace.model import Event, Fd, Thread, Trace
from syswire.convert.trace.trace import open_trace
from syswire.reports.chisels.base import Output
from syswire.reports.chisels.sums import SUMS, Sum, SumTable, by_field
from syswire.reports.listing.lines import lines, prepare

STATE_ONLY = 1
SEEN = (
    "*%evt.num|%proc.name|%proc.pid|%proc.ppid|%proc.exe|%proc.cmdline|%proc.cwd|%thread.tid|%thread.vtid|%user.uid|"
    "%user.name|%group.gid|%container.id|%proc.vmsize|%thread.pfminor|%proc.sid|%proc.loginshellid|"
    "%fd.num|%fd.name|%fd.type|%fd.typechar|%fd.l4proto|%fd.cip|%fd.cport|%fd.sip|%fd.sport|%fd.lip|%fd.connected|"
    "%fd.name_changed|%fd.dev|%evt.latency|%evt.deltatime|%evt.failed|%evt.res|%evt.buflen|%evt.rawres|%evt.count.error"
)
"""A format beside the default line."""
FD = ("num", "kind", "name", "old_name", "role", "l4", "sip", "dip", "sport", "dport", "source", "dest", "connected",
      "failed", "dev", "ino", "openflags", "created", "closing", "cloexec")  # fmt: skip
THREAD = ("tid", "pid", "ptid", "vtid", "vpid", "comm", "exe", "exepath", "args", "env", "own_cwd", "uid", "gid",
          "loginuid", "sid", "pgid", "flags", "fdlimit", "vmsize", "vmrss", "clone_ts", "exec_ts", "container",
          "invalid", "last_fd", "children", "exiting")  # fmt: skip

Opened = Callable[[], Trace]


class Told(NamedTuple):
    """What a pass saw, and how things stood in the end."""

    seen: list[tuple[str | None, ...]]
    threads: dict[int, object]
    losses: object
    damage: object
    last_ts: int


def of_fd(fd: Fd) -> tuple[object, ...]:
    return tuple(getattr(fd, name) for name in FD)


def of_thread(thread: Thread) -> tuple[object, ...]:
    fds = {num: of_fd(fd) for num, fd in thread.own_fds.items()}
    return (*(getattr(thread, name) for name in THREAD), fds)


def state(trace: Trace) -> dict[int, object]:
    return {tid: of_thread(thread) for tid, thread in trace.threads.items()}


def counted(event: Event) -> bool:
    return not event.consumed and not event.block_flags & STATE_ONLY


def watcher(trace: Trace) -> tuple[list[tuple[str | None, ...]], Callable[[Event], None]]:
    """A list, and what notes an event in it."""
    prepare(trace, verbose=True)
    forms = [lines(), lines(SEEN)]
    seen: list[tuple[str | None, ...]] = []
    return seen, lambda event: seen.append((*(form(event) for form in forms), str(event.offset)))


def plain(open_it: Opened, texts: Sequence[str]) -> Told:
    """The oracle."""
    trace = open_it()
    seen, note = watcher(trace)
    judges = [compile_filter(text).judge for text in texts]
    last = 0
    for event in trace:
        if counted(event):
            last = event.ts
            if all(judge(event) for judge in judges):
                note(event)
    return Told(seen, state(trace), trace.losses, trace.damage, last)


def starred(open_it: Opened, texts: Sequence[str]) -> Told:
    """The same by the star."""
    trace = open_it()
    seen, note = watcher(trace)
    star = Star(trace, [compile_filter(text) for text in texts], note)
    star.run()
    return Told(seen, state(trace), trace.losses, trace.damage, star.last_ts)


class Held(io.BytesIO):
    """A capture in memory, with as much of a Source as traces use."""

    name = "made"
    damage = None


def opener(content: bytes) -> Opened:
    return lambda: open_trace(cast(Source, Held(content)))


def made(seed: int, size: int, age: Age) -> bytes:
    """A trace; some are cut, some have two sections."""
    content = generated(seed, size, age)
    turn = Random(seed).randrange(10)
    if turn == 0:
        return content[: -1 - Random(seed + 1).randrange(100)]
    return content + generated(seed + 1, size, age) if turn == 1 else content


def same(open_it: Opened, texts: Sequence[str]) -> None:
    want, have = plain(open_it, texts), starred(open_it, texts)
    for first, second in itertools.zip_longest(want.seen, have.seen):
        assert second == first, texts
    assert have.threads == want.threads, texts
    assert have[2:] == want[2:], texts


seeds = st.integers(0, 10**9)
sizes = st.integers(0, 200)
ages = st.sampled_from(("old", "old", "told", "new"))
steady = settings(
    deadline=None, database=None, phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@settings(steady, max_examples=150)
@given(seeds, sizes, ages)
@example(36694, 45, "new")  # a result where the type has no parameters
def test_events_that_pass(seed: int, size: int, age: Age) -> None:
    open_it = opener(made(seed, size, age))
    for text in filters(seed, open_it(), 6):
        same(open_it, [text])


@pytest.mark.parametrize("seed", [7, 65602])
def test_each_field(seed: int) -> None:
    """Alone, denied, and beside a check of the thread: what is missing where a thread or a descriptor is not known."""
    open_it = opener(generated(seed, 120, "old"))
    for name, row, _ in ASKED:
        for text in (f"{name} exists", f"not {name} exists", f"proc.name=httpd or not {name} exists"):
            same(open_it, [text])
        if row.type in ("uint64", "int64", "uint32", "int32"):
            same(open_it, [f"{name} > 11"])


@settings(steady, max_examples=30)
@given(seeds, sizes, ages)
def test_two_filters_both_hold(seed: int, size: int, age: Age) -> None:
    open_it = opener(made(seed, size, age))
    first, second = filters(seed, open_it(), 2)
    same(open_it, [first, second])
    same(open_it, [])
    same(open_it, ["", first])


@settings(steady, max_examples=30)
@given(seeds, sizes, ages, st.integers(1, 20))
def test_it_ends_where_visit_has_seen_enough(seed: int, size: int, age: Age, most: int) -> None:
    open_it = opener(made(seed, size, age))
    text = filters(seed, open_it(), 1)[0]
    trace = open_it()
    seen, note = watcher(trace)

    def visit(event: Event) -> bool:
        note(event)
        return len(seen) == most

    Star(trace, [compile_filter(text)], visit).run()
    assert seen == plain(open_it, [text]).seen[:most]


# -- sums

TABLES: tuple[Sum, ...] = (
    *SUMS,
    *(by_field(name, key) for name in ("fdbytes_by", "fdtime_by")
      for key in ("fd.name", "fd.type", "fd.sport", "proc.name", "evt.type", "fd.cip", "user.name", "evt.num")),
)  # fmt: skip


def table_of(row: Sum, containers: bool) -> tuple[SumTable, list[str]]:
    printed: list[str] = []
    return SumTable(row, Output(printed.append, containers=containers)), printed


def summed(open_it: Opened, row: Sum, text: str, containers: bool) -> None:
    """The chisel, with a filter joined to it."""
    texts = [row.filter or "", text]
    oracle, expected = table_of(row, containers)
    judges = [compile_filter(one).judge for one in texts]
    for event in open_it():
        if counted(event) and all(judge(event) for judge in judges):
            oracle.event(event)
    oracle.end()
    table, printed = table_of(row, containers)
    Star(open_it(), [compile_filter(one) for one in texts], table.event, table.sums_itself).run()
    table.end()
    assert list(table.sums.items()) == list(oracle.sums.items()), (row.name, text)
    assert printed == expected


@settings(steady, max_examples=60)
@given(seeds, sizes, ages, st.booleans())
def test_sums(seed: int, size: int, age: Age, containers: bool) -> None:
    open_it = opener(made(seed, size, age))
    joined = filters(seed, open_it(), 3)
    for row in Random(seed).sample(TABLES, 8):
        for text in ("", Random(seed).choice(joined)):
            summed(open_it, row, text, containers)


# -- recorded captures

FILTERS = (
    "", "fd.type=ipv4", "proc.name=httpd and evt.is_io=true", "not (fd.name contains lib or proc.name=sshd)",
    "evt.type in (open, openat, close) and fd.name startswith /etc", "evt.latency > 1000000", "evt.failed=true",
    "evt.is_io_read=true and fd.sport=80 and evt.rawres > 100", "fd.ip=127.0.0.1 or evt.type=clone", "evt.num < 500",
    "proc.cmdline contains a and user.uid=0 and fd.num > 5", "evt.buffer contains HTTP", "thread.ismain=false",
)  # fmt: skip


@pytest.fixture(scope="module", params=CAPTURES, ids=lambda path: path.name)
def capture(request: pytest.FixtureRequest) -> Iterator[Opened]:
    path: Path = request.param
    content = path.read_bytes()
    whole = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    yield opener(whole)


@pytest.mark.slow
@pytest.mark.parametrize("text", FILTERS)
def test_events_of_captures(capture: Opened, text: str) -> None:
    same(capture, [text])


@pytest.mark.slow
@pytest.mark.parametrize("row", SUMS, ids=lambda row: row.name)
def test_sums_of_captures(capture: Opened, row: Sum) -> None:
    summed(capture, row, "", False)
    summed(capture, row, "proc.name contains h and evt.num > 100", True)
