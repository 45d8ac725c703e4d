"""Whatever happens, the old form, the new one and old event blocks tell the same; random calls break nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from support import plain_scap
from support.recording import Conversations, Recording, decoded, tcp, unix
from syswire.convert.model.rows import CHUNK_ENTERED
from syswire.convert.scap import event_table as table
from syswire.convert.scap.snapshot import Bound, Process, Socket
from syswire.convert.scap.writer import Form

TIDS = st.sampled_from([100, 101, 102])
FDS = st.integers(-1, 6)
RES = st.sampled_from([0, 0, 0, -1, -11, -104, -115])
ENDS = st.sampled_from([("127.0.0.1", 80), ("127.0.0.1", 4000), ("10.0.0.7", 4001), ("0.0.0.0", 0)])
SIX = st.sampled_from([("::1", 80), ("2001:db8::1", 4000), ("::ffff:127.0.0.1", 80), ("::", 0)])
PAIRS = st.one_of(
    st.none(),
    st.builds(lambda one, two: tcp(*one, *two), ENDS, ENDS),
    st.builds(lambda one, two: tcp(*one, *two), SIX, SIX),
    st.builds(unix, st.integers(0, 2), st.integers(0, 2), st.sampled_from([b"", b"/run/x"])),
)
DATA = st.sampled_from([b"", b"x", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
Step = tuple[str, tuple[Any, ...]]


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.tuples(*arguments))


STEPS = st.one_of(
    step("socket", TIDS, FDS, st.sampled_from([1, 2, 10, 16, 17]), st.sampled_from([1, 2, 3, 0x80001]), st.just(0)),
    step("connect", TIDS, FDS, PAIRS, RES),
    step("accept", TIDS, FDS, PAIRS),
    step("write", TIDS, FDS, DATA),
    step("read", TIDS, FDS, DATA, st.one_of(st.none(), st.integers(-104, 9000))),
    step("sendto", TIDS, FDS, DATA, PAIRS),
    step("recvfrom", TIDS, FDS, DATA, PAIRS),
    step("close", TIDS, FDS, RES),
    step("dup", TIDS, FDS, FDS),
    step("dup2", TIDS, FDS, FDS),
    step("fork", TIDS, TIDS),
    step("exec", TIDS, st.just("/bin/x")),
    step("exit", TIDS),
    step("sleep", st.sampled_from([1, 61_000])),
)
SEQUENCES = st.lists(STEPS, max_size=40)


def told(made: Recording, steps: list[Step]) -> Recording:
    made.machine(
        [Process(100, 100, 1, b"a", b"a"), Process(101, 100, 1, b"b", b"b", flags=0x2001)],
        {100: [Bound(3, "0.0.0.0", 80), Socket(4, "127.0.0.1", 80, "127.0.0.1", 4000)]},
    )
    for name, arguments in steps:
        if name == "sleep":
            made.now += arguments[0] * 1_000_000
        else:
            call: Callable[..., Any] = getattr(made, name)
            call(*arguments)
    return made


def essence(seen: Conversations) -> object:
    """All but when a call was entered and where in the file it stands."""
    chunks = [
        chunk._replace(time=0, event=0, block=0, payload=0, evt_num=0, flags=chunk.flags & ~CHUNK_ENTERED)
        for chunk in seen.chunks
    ]
    return chunks, seen.payload, seen.convs, seen.threads


@settings(max_examples=60, deadline=None)
@given(SEQUENCES)
@example([("connect", (100, 3, None, 0)), ("close", (100, 3, 0)), ("fork", (100, 100))])
def test_forms(steps: list[Step]) -> None:
    old, new = told(Recording("old"), steps), told(Recording("new"), steps)
    before, after = old.decoded(), new.decoded()
    assert (before.result.events, after.result.events) == (old.events, new.events)
    assert essence(before) == essence(after)
    flagged = told(Recording("old", flags=1), steps).decoded()
    assert essence(flagged) == essence(before)
    assert [chunk.time for chunk in flagged.chunks] == [chunk.time for chunk in before.chunks]
    first = told(Recording("old", form=Form.V1), steps).decoded()
    assert essence(first) == essence(before)
    assert [chunk.event for chunk in first.chunks] == [chunk.event for chunk in before.chunks]


CODES = st.one_of(st.sampled_from([5, 7, 9, 19, 21, 23, 31, 35, 43, 61, 125, 151, 186, 223, 247, 293, 307, 451]),
                  st.integers(0, len(table.EVENTS) + 3))  # fmt: skip
WORDS = st.one_of(st.integers(0, 7), st.sampled_from([2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, 2**64 - 115, 100, 101]))
VALUES = st.one_of(
    WORDS.map(lambda word: word.to_bytes(8, "little")),
    WORDS.map(lambda word: (word & 0xFFFFFFFF).to_bytes(4, "little")),
    st.binary(max_size=40),
    st.builds(lambda head, rest: head + rest, st.sampled_from([b"\1", b"\2", b"\x0a"]), st.binary(max_size=37)),
)
EVENTS = st.lists(
    st.tuples(CODES, st.sampled_from([100, 101, 0, -1, 2**62]), st.lists(VALUES, max_size=24)), max_size=60
)


@settings(max_examples=80, deadline=None)
@given(EVENTS, st.sampled_from([Form.V1, Form.V2]))
def test_any_events(events: list[tuple[int, int, list[bytes]]], form: Form) -> None:
    made = Recording(form=form)
    for number, (code, tid, params) in enumerate(events):
        if form is Form.V1 and code < len(table.EVENTS):
            params = params[: len(table.EVENTS[code][4])]
        made.blocks.append(made.writer.raw_event(made.now + number, tid, 0, code, params))
    seen = decoded(bytes(made))
    assert seen.result.events == len(events)
    assert len(seen.convs) == seen.result.conversations
    assert {chunk.conv for chunk in seen.chunks} == {conv.id for conv in seen.convs}
    assert all(chunk.stored <= chunk.length for chunk in seen.chunks)
    assert all(chunk.thread <= len(seen.threads) for chunk in seen.chunks)


@settings(max_examples=80, deadline=None)
@given(SEQUENCES, st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=8))
def test_damage_within_blocks(steps: list[Step], damage: list[tuple[int, int]]) -> None:
    """The frames of the blocks stay whole: every event is counted, whatever it holds."""
    made = told(Recording("old"), steps)
    blocks = [bytearray(block) for block in made.blocks]
    for place, value in damage:
        block = blocks[1 + place % (len(blocks) - 1)]
        if len(block) > 12:
            block[8 + (place >> 4) % (len(block) - 12)] = value
    seen = decoded(b"".join(blocks))
    assert seen.result.events == made.events


@settings(max_examples=60, deadline=None)
@given(SEQUENCES, st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8))
def test_damage_anywhere(steps: list[Step], place: int, value: bytes) -> None:
    """Up to where a plain reader stops all events are counted; no further byte is believed where a frame is broken."""
    data = bytearray(bytes(told(Recording("new"), steps)))
    at = 28 + place % (len(data) - 28)
    data[at : at + len(value)] = value
    plain = 0
    try:
        for record in plain_scap.records(bytes(data)):
            plain += isinstance(record, plain_scap.Event)
    except plain_scap.Damaged:
        pass
    assert decoded(bytes(data)).result.events >= plain
