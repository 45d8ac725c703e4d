"""The order of time: sorted within the horizon, all counted, bounded memory; and records that are not what they say."""

from __future__ import annotations

import random
import struct
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.made_records import DESCRIPTOR, IO, About, Identity, Record, both, inet, one
from syswire.capture.drain import Drain

HEAD = struct.Struct("<II")


def times(blocks: bytes) -> list[tuple[int, int]]:
    """Time and thread of each block, after a check that they are whole."""
    at, found = 0, []
    while at < len(blocks):
        kind, size = HEAD.unpack_from(blocks, at)
        assert (kind, blocks[at + size - 4 : at + size]) == (0x216, blocks[at + 4 : at + 8])
        found.append(struct.unpack_from("<Qq", blocks, at + 10))
        at += size
    return found


def closing(ts: int, tid: int = 1) -> bytes:
    """A record that makes one event."""
    return Record("close", ts, 0, (3,), tid=tid).packed()


@settings(deadline=None, max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(1, 3000), st.integers(0, 400), st.integers(1, 300))
def test_within_the_horizon_all_is_in_order(chance: random.Random, count: int, horizon: int, batch: int) -> None:
    """Records that arrive at most `horizon` after later ones leave sorted, those of one time as they arrived."""
    arrivals = sorted(range(count), key=lambda number: number * 2 + chance.randint(0, horizon))
    drain = Drain(-1, 0, 80, 0)
    out: list[tuple[int, int]] = []
    newest = 0
    for begin in range(0, count, batch):
        for number in arrivals[begin : begin + batch]:
            drain.inject(closing(1000 + number * 2, number))
            newest = max(newest, 1000 + number * 2)
        out += times(drain.take(max(newest - horizon - 1, 0)))
    out += times(drain.take(None))
    assert out == [(1000 + number * 2, number) for number in range(count)]
    assert (drain.counts["events"], drain.counts["late"], drain.counts["waiting"]) == (count, 0, 0)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=400))
def test_late_ones_are_counted_and_come_next(steps: list[tuple[int, bool]]) -> None:
    """Against a plain model: a list, sorted stably, of which what is due is taken."""
    drain = Drain(-1, 0, 80, 0)
    waiting: list[tuple[int, int]] = []
    late = handed = 0
    for order, (number, takes) in enumerate(steps):
        if takes:
            due = sorted((one for one in waiting if one[0] <= number), key=lambda one: one[0])
            waiting = [one for one in waiting if one[0] > number]
            handed = max([handed, *(ts for ts, _ in due)])
            assert times(drain.take(number)) == due
        else:
            waiting.append((number, order))
            late += number < handed
            drain.inject(closing(number, order))
    assert times(drain.take(None)) == sorted(waiting, key=lambda one: one[0])
    assert drain.counts["late"] == late


def test_far_out_of_order_is_not_slow() -> None:
    """A hundred thousand in reverse: placed one by one they would be moved five thousand million times."""
    drain = Drain(-1, 0, 80, 0)
    drain.inject(b"".join(closing(ts) for ts in range(100_000, 0, -1)))
    assert [ts for ts, _ in times(drain.take(None))] == list(range(1, 100_001))


def test_what_is_younger_than_the_horizon_waits() -> None:
    """By the machine's clock, whatever the caller thinks is settled; at the end all goes."""
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    drain = Drain(-1, 5_000, 80, 10_000_000_000)
    drain.inject(closing(now) + closing(1))
    assert times(drain.take(1 << 63)) == [(5_001, 1)]
    assert times(drain.take(None)) == [(now + 5_000, 1)]


def test_memory_is_bounded() -> None:
    """No more is taken in than there is room for; what is taken out then does not wait for its horizon."""
    drain = Drain(-1, 0, 4096, 1 << 40, memory=4 << 20)
    talk = inet(("10.0.0.1", 1), ("10.0.0.2", 2))
    large = Record("read", 5, 4096, (3, 1, 4096), about=talk, data=b"x" * 4096, flags=IO)
    with pytest.raises(BufferError):
        drain.inject(b"".join(replace(large, ts=ts).packed() for ts in range(1, 2000)))
    made = drain.counts["events"]
    assert 900 < made < 1300
    assert drain.memory < 7 << 20
    with pytest.raises(BufferError):
        drain.inject(large.packed())
    out = times(drain.take(0))
    assert [ts for ts, _ in out] == list(range(1, len(out) + 1))
    assert drain.counts["hurried"] == len(out) > 300
    drain.inject(replace(large, ts=9999).packed())
    out += times(drain.take(None))
    assert (len(out), drain.counts["records"]) == (made + 1, made + 1)


def test_memory_is_used_again() -> None:
    """Many times what may wait goes through."""
    drain = Drain(-1, 0, 4096, 0, memory=8 << 20)
    data = one("open", 1, 2, 3, (1, 0, 0), about=About(3), text=b"p" * 4000) * 100
    for _ in range(200):
        drain.inject(data)
        assert len(drain.take(None)) > 100 * 8000
    assert drain.memory < 10 << 20


GOOD = Record("write", 50, 5, (3, 1, 5), about=inet(("1.2.3.4", 5), ("6.7.8.9", 10)), data=b"hello", flags=IO)
WRONG = [
    replace(GOOD, size=len(GOOD.packed()) + 8),
    replace(GOOD, size=0),
    replace(GOOD, size=1 << 31),
    replace(GOOD, kind=0),
    replace(GOOD, kind=5),
    replace(GOOD, enter=51),
    replace(GOOD, moved=4),
    Record("write", 50, flags=DESCRIPTOR),
    Record("pipe", 50, 0, text=b"four"),
    Record("fork", 50, 0, text=b"no identity"),
]


@pytest.mark.parametrize("record", WRONG)
def test_records_that_contradict_themselves_are_counted(record: Record) -> None:
    """And nothing of them is used."""
    drain = Drain(-1, 0, 80, 0)
    drain.inject(record.packed())
    told = drain.counts
    assert (told["records"], told["malformed"], told["events"], drain.take(None)) == (1, 1, 0, b"")


def test_sizes_within_are_held_to_the_record() -> None:
    """Payload, text and the texts of an identity that run past the end."""
    whole = GOOD.packed()
    for place in (92, 104):  # data_size, text_size
        for size in (6 * 8 + 1, 1 << 16, 0xFFFFFFFF, 0xFFFFFFF8):
            drain = Drain(-1, 0, 80, 0)
            drain.inject(whole[:place] + struct.pack("<I", size) + whole[place + 4 :])
            assert (drain.counts["malformed"], drain.take(None)) == (1, b"")
    who = Identity(arguments=b"a\0").packed()
    for place in (144, 146, 148):
        drain = Drain(-1, 0, 80, 0)
        wrong = who[:place] + struct.pack("<H", 0xFFFF) + who[place + 2 :]
        drain.inject(Record("fork", 50, 0, kind=4, text=wrong).packed())
        assert (drain.counts["malformed"], drain.take(None)) == (1, b"")


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_bytes_make_whole_blocks_or_none(data: st.DataObject) -> None:
    """Records with bytes changed by chance: every one is counted, every block that comes out is whole."""
    who = Identity(arguments=b"a\0b\0", filename=b"/a\0", cgroup=b"g\0").packed()
    seeds = [
        GOOD.packed(),
        both(
            "sendto", 10, 20, 3, (3, 1, 3), about=inet(("::1", 1), ("::2", 2)), data=b"abc", text=b"\x0a\0" + bytes(26)
        ),
        Record("clone", 30, 0, (0x11,), kind=4, text=who).packed(),
        one("pipe", 40, 41, 0, (1,), about=About(5), text=bytes(8)),
        both("accept", 1, 2, 9, (3,), about=About(3, 1), text=b"\1\0/x"),
    ]
    raw = bytearray(b"".join(data.draw(st.lists(st.sampled_from(seeds), min_size=1, max_size=4))))
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), max_size=12)):
        raw[place] = value
    drain = Drain(-1, 0, 80, 0)
    drain.inject(bytes(raw))
    told = drain.counts
    assert len(times(drain.take(None))) == told["events"]
    kinds = ("enters", "exits", "children", "deaths", "malformed", "unknown")
    assert sum(told[kind] for kind in kinds) == told["records"] >= 1
