"""Parameters byte by byte: those that sysdig 0.29.3 does not show, and what the drain counts."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from support.drained import head, made
from support.made_records import (
    CHILD,
    ENTER,
    FAULT,
    IO,
    MORE,
    PEEK,
    REST,
    SENDS,
    About,
    Identity,
    Record,
    address,
    both,
    inet,
    one,
)
from support.plain_scap import Event, events
from syswire.capture.drain import Drain

TALK = inet(("10.0.0.1", 40000), ("10.0.0.2", 80))
PAIR_OUT = bytes((2, 10, 0, 0, 1, 0x40, 0x9C, 10, 0, 0, 2, 80, 0))
PAIR_IN = bytes((2, 10, 0, 0, 2, 80, 0, 10, 0, 0, 1, 0x40, 0x9C))


def i64(number: int) -> bytes:
    """A parameter of eight bytes."""
    return struct.pack("<q", number)


def u32(number: int) -> bytes:
    """A parameter of four bytes."""
    return struct.pack("<I", number)


def last(records: bytes, **more: Any) -> Event:
    """The last event of some records."""
    return made(records, **more)[-1]


APPENDED = [
    ("read", (3, 1, 100), 4, b"data", [i64(4), b"data", i64(3), u32(100)]),
    ("write", (3, 1, 4), 4, b"data", [i64(4), b"data", i64(3), u32(4)]),
    ("pread64", (3, 1, 9, 1 << 40), 4, b"data", [i64(4), b"data", i64(3), u32(9), i64(1 << 40)]),
    ("readv", (3, 1, 2), 4, b"data", [i64(4), u32(4), b"data", i64(3)]),
    ("writev", (3, 1, 2), 4, b"data", [i64(4), b"data", i64(3), b""]),
    ("preadv", (3, 1, 2, 7), 4, b"data", [i64(4), u32(4), b"data", i64(3), i64(7)]),
    ("pwritev", (3, 1, 2, 7), 4, b"data", [i64(4), b"data", i64(3), b"", i64(7)]),
    ("sendto", (3, 1, 4), 4, b"data", [i64(4), b"data", i64(3), u32(4), PAIR_OUT]),
    ("recvfrom", (3, 1, 99), 4, b"data", [i64(4), b"data", PAIR_IN, i64(3), u32(99)]),
    ("sendmsg", (3, 1, 0), 4, b"data", [i64(4), b"data", i64(3), b"", PAIR_OUT]),
    ("recvmsg", (3, 1, 0), 4, b"data", [i64(4), u32(4), b"data", PAIR_IN, b"", i64(3)]),
    ("sendfile", (3, 5, 1 << 33, 99), 4, b"", [i64(4), i64(1 << 33), i64(3), i64(5), i64(99)]),
    ("prctl", (15, 1), 0, b"", [i64(0), u32(15), b"\0", i64(0)]),
    ("splice", (3, 0, 5, 0, 99, 2), 4, b"", [i64(4), i64(3), i64(5), i64(99), u32(2)]),
    ("socket", (2, 1 | 0o2004000, 6), 3, b"", [i64(3), u32(2), u32(1 | 0o2004000), u32(6), u32(4096 | 64)]),
    ("close", (3,), 0, b"", [i64(0), i64(3)]),
    ("listen", (3, 128), 0, b"", [i64(0), i64(3), u32(128)]),
    ("shutdown", (3, 2), 0, b"", [i64(0), i64(3), b"\2"]),
    ("shutdown", (3, 0x70000), 0, b"", [i64(0), i64(3), b"\xff"]),
    ("fcntl", (3, 0, 10), 10, b"", [i64(10), i64(3), b"\1", i64(10)]),
    ("fcntl", (3, 77777, 0), -22, b"", [i64(-22), i64(3), b"\0", i64(0)]),
    ("setuid", (33,), 0, b"", [i64(0), u32(33)]),
    ("fchdir", (3,), 0, b"", [i64(0), i64(3)]),
    ("close_range", (3, 0xFFFFFFFF, 4), 0, b"", [i64(0), u32(3), u32(0xFFFFFFFF), u32(4)]),
    ("read", (3, 1, 1 << 33), 4, b"data", [i64(4), b"data", i64(3), u32(0xFFFFFFFF)]),
    ("read", (0xFFFFFFFF, 1, 9), -9, b"", [i64(-9), b"", i64(-1), u32(9)]),
]


@pytest.mark.parametrize(("call", "args", "ret", "data", "params"), APPENDED)
def test_exits_carry_what_newer_readers_look_for(
    call: str, args: tuple[int, ...], ret: int, data: bytes, params: list[bytes]
) -> None:
    """Descriptor, size and peer stand behind the parameters of old."""
    assert last(both(call, 1, 2, ret, args, about=TALK, data=data)).params == params


def test_addresses_are_appended() -> None:
    """bind's descriptor; connect's descriptor and the address it was asked for."""
    text = address("10.0.0.2", 80)
    given = bytes((2, 10, 0, 0, 2, 80, 0))
    assert last(one("bind", 1, 2, 0, (3, 1, 16), text=text)).params == [i64(0), given, i64(3)]
    event = last(both("connect", 1, 2, -115, (3, 1, 16), about=inet(("10.0.0.1", 40000), ("0.0.0.0", 0)), text=text))
    assert event.params == [i64(-115), PAIR_OUT, i64(3), given]
    (enter, _) = made(both("connect", 1, 2, 0, (3, 1, 28), text=address("fd00::2", 443)))
    assert enter.params == [i64(3), b"\x0a\xfd" + bytes(14) + b"\2" + struct.pack("<H", 443)]


@pytest.mark.parametrize("text", [b"", b"\2", b"\2\0\0", b"\x0a\0" + bytes(20), b"\x10\0" + bytes(10), b"\0\0"])
def test_addresses_cut_short_or_of_other_families(text: bytes) -> None:
    """Are absent."""
    assert last(one("bind", 1, 2, 0, (3, 1, 16), text=text)).params[1] == b""


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"\1\0", b""),
        (b"\1\0/run/a", b"/run/a"),
        (b"\1\0/run/a\0junk", b"/run/a"),
        (b"\1\0\0name", b"name"),
        (b"\1\0\0", b""),
        (b"\1\0" + b"p" * 200, b"p" * 108),
    ],
)
def test_names_of_unix_sockets(text: bytes, path: bytes) -> None:
    """Up to a NUL, never more than the 108 bytes that the kernel has for them."""
    assert last(one("bind", 1, 2, 0, (3, 1, 16), text=text)).params[1] == b"\1" + path + b"\0"


def test_messages_are_events_of_their_own() -> None:
    """One exit a message, each with its bytes; what the probe could not visit is one with their sum."""
    its = {"about": inet(("10.0.0.1", 5353), ("0.0.0.0", 0), kind=2, protocol=17), "flags": IO | SENDS | 1}
    records = Record("sendmmsg", 10, kind=ENTER, args=(3, 1, 4)).packed()
    for part, (data, ip) in enumerate(((b"one", "9.9.9.9"), (b"three", "8.8.8.8"))):
        more = its | {"flags": IO | SENDS | MORE | 1}
        records += Record("sendmmsg", 20, 4, (3, 1, 4), data=data, text=address(ip, 53), part=part, **more).packed()  # type: ignore[arg-type]
    rest = its | {"flags": IO | SENDS | REST | 1}
    records += Record("sendmmsg", 20, 4, (3, 1, 4), moved=70, part=2, **rest).packed()  # type: ignore[arg-type]
    enter, first, second, third = made(records)
    assert (enter.code, enter.params) == (50, [])
    pair = bytes((2, 10, 0, 0, 1, 0xE9, 0x14))
    assert first.params == [i64(3), i64(3), u32(3), b"one", pair + bytes((9, 9, 9, 9, 53, 0))]
    assert second.params == [i64(5), i64(3), u32(5), b"three", pair + bytes((8, 8, 8, 8, 53, 0))]
    assert third.params == [i64(70), i64(3), u32(70), b"", b""]
    failed = Record("recvmmsg", 30, -11, (3, 1, 4), **its).packed()  # type: ignore[arg-type]
    assert last(failed).params == [i64(-11), i64(3), u32(0), b"", b"", b""]


def test_what_is_only_looked_at_is_no_payload() -> None:
    """A generic event at enter and exit, with the call's number in scap and on the machine; counted on its own."""
    looks = {"about": TALK, "data": b"data", "flags": IO | PEEK}
    records = both("recvfrom", 1, 2, 4, (3, 1, 99, 2), **looks) + one("recvmsg", 3, 4, 4, (3, 1, 2), **looks)
    records += Record("recvmsg", 5, -11, (3, 1, 2), about=TALK, flags=IO | PEEK).packed()
    for part, more in ((0, MORE), (1, MORE), (2, 0)):
        many = looks | {"flags": IO | PEEK | more, "moved": 10}
        records += Record("recvmmsg", 6, 3, (3, 1, 3, 2), part=part, **many).packed()  # type: ignore[arg-type]
    records += both("read", 7, 8, 4, (3, 1, 9), **looks)  # a call that cannot look
    drain = Drain(-1, 0, 2, 0)
    drain.inject(records)
    told, found = drain.counts, events(head() + drain.take(None))
    one_each = [(0, 250, 45), (1, 250, 45), (0, 256, 47), (1, 256, 47), (1, 256, 47), (1, 257, 299)]
    assert [
        (event.code, *(int.from_bytes(param, "little") for param in event.params)) for event in found[:6]
    ] == one_each
    assert [event.code for event in found[6:]] == [6, 7]
    assert (told["peeked_calls"], told["peeked_bytes"]) == (4, 4 + 4 + 30)
    assert (told["calls"], told["exits"], told["enters"], told["alone"]) == (5, 7, 2, 2)
    assert (told["moved_bytes"], told["payload_bytes"], told["truncated_bytes"]) == (4, 2, 2)


def test_what_vectors_ask_for() -> None:
    """The enter's own record tells it; an enter that came with the exit, or whose vectors are out of reach, tells 0."""
    for call, place in (("writev", 1), ("pwritev", 1), ("sendmsg", 1)):
        enter = Record(call, 1, args=(3, 1, 2, 7), kind=ENTER, about=TALK, moved=70_000, flags=IO | SENDS).packed()
        assert last(enter).params[place] == u32(70_000)
        huge = Record(call, 1, args=(3, 1, 2, 7), kind=ENTER, about=TALK, moved=1 << 40, flags=IO | SENDS).packed()
        assert last(huge).params[place] == u32(0xFFFFFFFF)
        (begun, _) = made(one(call, 1, 2, 4, (3, 1, 2, 7), about=TALK, data=b"data", flags=IO | SENDS))
        assert begun.params[place] == u32(0)


def test_a_thread_gets_another_name() -> None:
    """prctl with the name up to its NUL."""
    enter, leave = made(one("prctl", 1, 2, 0, (15, 1), text=b"worker" + bytes(10)))
    assert (enter.code, enter.params) == (400, [])
    assert (leave.code, leave.params) == (401, [i64(0), u32(15), b"worker\0", i64(0)])


def test_what_has_no_event_of_its_own() -> None:
    """preadv2 is written as preadv, at the offset -1 as readv; pwritev2 likewise."""
    codes = [made(one(call, 1, 2, -5, (3, 1, 2, at)))[-1].code for call in ("preadv", "pwritev") for at in (7, -1)]
    assert codes == [121, 121, 123, 123]
    codes = [made(one(call, 1, 2, -5, (3, 1, 2, at)))[-1].code for call in (327, 328) for at in (7, -1)]  # type: ignore[arg-type]
    assert codes == [121, 117, 123, 119]


def test_a_process_in_full() -> None:
    """All parameters of execve and clone that the record tells."""
    who = Identity(
        *(7, 8, 9, 10, 11, 1000, 1001, 2000, 2001, 1002, 34816, (1, 2, 3), 4096, (5, 6), (70, 80, 90), 99),
        comm=b"fifteen-letters",
        filename=b"./run\0",
        arguments=b"run\0a\0\0b\0",
        cgroup=b"docker-" + b"0123456789abcdef" * 4 + b".scope\0",
    )
    group = b"unified=/docker-" + b"0123456789abcdef" * 4 + b".scope\0"
    common = [b"run\0", b"a\0\0b\0", i64(100), i64(100), i64(7), b"\0", i64(4096), i64(5), i64(6)]
    common += [u32(70), u32(80), u32(90), b"fifteen-letters\0", group]
    enter, leave = made(one("execve", 1, 2, 0, (), text=who.packed()))
    assert enter.params == [b"./run\0"]
    more = [b"", u32(34816), i64(11), u32(1002), u32(0), i64(1), i64(2), i64(3), i64(99), i64(0), i64(0)]
    assert leave.params == [i64(0), *common, *more, u32(1001), b"", i64(8), u32(2001), b"./run\0"]
    event = last(Record("clone", 3, 0, (0x10000 | 0x400,), kind=CHILD, text=who.packed()).packed())
    in_namespace = 1 << 29
    numbers = [u32(8192 | 1 | in_namespace), u32(1001), u32(2001), i64(9), i64(10), b""]
    assert event.params == [i64(0), *common, *numbers]


@pytest.mark.parametrize("cgroup", [b"", b"user.slice\0", b"init.scope\0", b"ABCDEF" * 12 + b"\0"])
def test_groups_that_name_no_container_are_absent(cgroup: bytes) -> None:
    """Only their last part is known, which is no path."""
    assert last(Record("fork", 3, 0, kind=CHILD, text=Identity(cgroup=cgroup).packed()).packed()).params[14] == b""


def test_a_clone_that_failed_has_no_process() -> None:
    """Numbers are 0 and users none; old readers print what stands there."""
    params = last(both("clone", 1, 2, -11, (0x11,))).params
    assert params[:4] == [i64(-11), b"\0", b"", i64(100)]
    assert params[16:21] == [u32(0xFFFFFFFF), u32(0xFFFFFFFF), i64(0), i64(0), b""]


def test_the_clock() -> None:
    """The offset makes times of the epoch, for enters and exits."""
    drain = Drain(-1, 1_700_000_000_000_000_000, 80, 0)
    drain.inject(one("close", 5, 7, 0, (3,)))
    blocks = drain.take(None)
    assert struct.unpack_from("<Q", blocks, 10) == (1_700_000_000_000_000_005,)
    assert struct.unpack_from("<Q", blocks, 10 + struct.unpack_from("<I", blocks, 4)[0]) == (1_700_000_000_000_000_007,)


def test_counts_are_exact() -> None:
    """Records, calls, bytes and what was cut, each to the unit."""
    drain = Drain(-1, 0, 10, 0)
    drain.inject(both("write", 1, 2, 100, (3, 1, 100), about=TALK, data=b"x" * 30, moved=100, flags=IO | SENDS))
    drain.inject(both("write", 3, 4, 10, (3, 1, 10), about=TALK, data=b"x" * 10, flags=IO | SENDS))
    drain.inject(both("write", 5, 6, -32, (3, 1, 10), about=TALK, flags=IO | SENDS))
    drain.inject(both("sendfile", 7, 8, 5000, (3, 5, 0, 5000), about=TALK, moved=5000, flags=IO | SENDS))
    drain.inject(Record("read", 9, 7, (3, 1, 9), about=TALK, data=b"four", moved=7, flags=IO | FAULT).packed())
    drain.inject(Record("recvmmsg", 10, 2, (3, 1, 9), data=b"a", flags=IO | MORE).packed())
    drain.inject(Record("recvmmsg", 10, 2, (3, 1, 9), data=b"b", flags=IO, part=1).packed())
    drain.inject(Record(9999, 11).packed() + Record(500, 11).packed() + Record("close", 12, kind=9).packed())
    drain.inject(one("close", 13, 14, 0, (3,)) + Record(0xFFFF, 15, 9, kind=3).packed())
    drain.inject(Record("fork", 16, kind=CHILD).packed())
    told = drain.counts
    blocks = drain.take(None)
    wanted = {
        "records": 17, "enters": 4, "exits": 8, "calls": 7, "children": 1, "deaths": 1, "malformed": 1, "unknown": 2,
        "unwritten": 0, "events": 15, "block_bytes": len(blocks), "alone": 2, "moved_bytes": 5119, "payload_bytes": 26,
        "truncated_events": 2, "truncated_bytes": 93, "length_only_events": 1, "length_only_bytes": 5000, "faults": 1,
        "peeked_calls": 0, "peeked_bytes": 0,
        "rests": 0, "late": 0, "hurried": 0, "waiting": 15, "waiting_bytes": len(blocks),
    }  # fmt: skip
    assert told == wanted
    assert drain.counts == wanted | {"waiting": 0, "waiting_bytes": 0}


def test_the_largest_payload_is_one_that_old_readers_take() -> None:
    """65,000 bytes whatever the snaplen, in a block of no more than 65,536 between its lengths."""
    talk = inet(("fd00::1", 40000), ("fd00::2", 80))
    records = both("recvfrom", 1, 2, 70_000, (3, 1, 70_000), about=talk, data=b"x" * 70_000, flags=IO)
    drain = Drain(-1, 0, 0xFFFFFFFF, 0)
    drain.inject(records)
    assert (drain.counts["truncated_events"], drain.counts["truncated_bytes"]) == (1, 5_000)
    blocks = drain.take(None)
    first = struct.unpack_from("<I", blocks, 4)[0]
    kind, size = struct.unpack_from("<II", blocks, first)
    assert (kind, size <= 65_536 + 8, len(blocks)) == (0x216, True, first + size)


def test_texts_too_long_for_a_parameter_are_counted() -> None:
    """And not written."""
    drain = Drain(-1, 0, 80, 0)
    drain.inject(one("open", 1, 2, 3, (1, 0, 0), about=About(3), text=b"p" * 65_000))
    drain.inject(one("open", 1, 2, 3, (1, 0, 0), about=About(3), text=b"p" * 500_000))
    assert (drain.counts["unwritten"], drain.counts["events"], drain.take(None)) == (4, 0, b"")
