"""Segments to streams: what is expected is worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.segments_made import BLOCK, MS, T0, Rebuilt, Talk, Trace, run
from syswire.convert.conversations.reassembly import Place
from syswire.convert.model.frame import NO_FRAME
from syswire.convert.model.rows import (
    GAP_NONE,
    GAP_NOT_CAPTURED,
    GAP_SNAPLEN,
    PIECE_BOUNDARY,
    PIECE_IN_FRAME,
    PIECE_JOINS,
)
from syswire.convert.model.segments import SEGMENT_CONTINUES, SEGMENT_START

ALONE = PIECE_IN_FRAME | PIECE_BOUNDARY
JOINED = ALONE | PIECE_JOINS
TAIL = PIECE_IN_FRAME | PIECE_JOINS
LOST, CUT = GAP_NOT_CAPTURED, GAP_SNAPLEN


@pytest.fixture
def trace() -> Trace:
    return Trace()


def place(frame: int) -> Place:
    return Place(frame, frame + 7, frame * BLOCK, T0 + frame * MS)


def test_what_a_piece_says(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp(client=1)
    talk.segment(1, 0, b"GET /", frame=4, ack=0, flags=SEGMENT_START)
    talk.segment(1, 5, b" HTTP/1.1\r\n", frame=5, ack=0)
    talk.segment(0, 0, b"HTTP/1.1 200 OK\r\n", frame=9, ack=16, flags=SEGMENT_START)
    made = trace.reassemble(tmp_path)
    first, second, reply = made.pieces()
    assert first._asdict() == {
        "time": T0 + 4 * MS, "recorded": T0 + 4 * MS, "event": 11, "block": 4 * BLOCK, "payload": 8,
        "stream_offset": 0, "frame": 3, "frame_offset": 0, "evt_num": 0, "conv": 1, "thread": 0, "length": 5,
        "known": 1, "to_server": 1, "reason": GAP_NONE, "flags": ALONE, "reserved": 0,
    }  # fmt: skip
    assert (second.flags, second.stream_offset, second.frame, second.payload) == (JOINED, 5, 4, 13)
    assert (reply.flags, reply.to_server, reply.stream_offset, reply.frame) == (ALONE, 0, 0, 8)
    (totals,) = made.totals
    assert (totals.conv, totals.bytes_to_server, totals.bytes_to_client) == (1, 16, 17)
    assert (totals.gaps, totals.missing_bytes, totals.shifted) == (0, 0, 0)
    assert (totals.first_frame_row, totals.last_frame_row) == (3, 8)
    assert (totals.client_threads, totals.server_threads) == ((), ())
    assert [run[4] for run in made.runs()] == [b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n"]
    assert made.done == (1, 3, 3, 0, 0, None, 0, 0, None, 0, 0, None)


def test_the_first_captured_copy_wins_whatever_comes_first_in_the_stream(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 4, b"efgh", frame=1)
    talk.segment(0, 0, b"abcdEF", frame=2)
    talk.segment(0, 2, b"CDefghij", frame=3)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"abcdefghij"]
    assert [(made.bytes_of(p), p.frame + 1, p.frame_offset, p.flags) for p in made.pieces()] == [
        (b"abcd", 2, 0, ALONE),
        (b"efgh", 1, 0, JOINED),
        (b"ij", 3, 6, TAIL),
    ]
    # Frame 2 lost EF against ef, frame 3 CD against cd.
    assert (made.done.conflicts, made.done.conflict_bytes) == (2, 4)
    assert made.done.first_conflict == place(2)


def test_a_winner_resumes_behind_one_captured_earlier(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 3, b"xyz", frame=1)
    talk.segment(0, 0, b"abcdefghi", frame=2)
    made = trace.reassemble(tmp_path)
    assert [(made.bytes_of(p), p.frame_offset, p.flags) for p in made.pieces()] == [
        (b"abc", 0, ALONE),
        (b"xyz", 0, JOINED),
        (b"ghi", 6, TAIL),
    ]
    assert (made.done.conflicts, made.done.conflict_bytes, made.done.first_conflict) == (1, 3, place(2))


def test_retransmissions_that_agree_are_no_conflict(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    for rel, data in ((0, b"abcd"), (0, b"abcd"), (2, b"cdef"), (0, b"abcdefgh"), (6, b"gh")):
        talk.segment(0, rel, data)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"abcdefgh"]
    assert (made.done.conflicts, made.done.conflict_bytes, made.done.first_conflict) == (0, 0, None)


def test_each_losing_copy_is_held_against_the_winner(trace: Trace, tmp_path: Path) -> None:
    # Frames 2 and 3 agree with each other, and differ from the winner; frame 4 differs from it in one byte.
    talk = trace.tcp()
    for data in (b"abcd", b"aXYd", b"aXYd", b"abYd", b"abcd"):
        talk.segment(0, 0, data)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"abcd"]
    assert (made.done.conflicts, made.done.conflict_bytes, made.done.first_conflict) == (3, 5, place(2))


def test_a_conflict_with_a_winner_that_came_later_in_the_stream(trace: Trace, tmp_path: Path) -> None:
    # Frame 3 lies in frame 2 and agrees with it; but frame 1 takes its second half.
    talk = trace.tcp()
    talk.segment(0, 4, b"1234", frame=1)
    talk.segment(0, 0, b"abcdefgh", frame=2)
    talk.segment(0, 2, b"cdef", frame=3)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"abcd1234"]
    assert (made.done.conflicts, made.done.conflict_bytes, made.done.first_conflict) == (2, 6, place(2))


def test_bytes_before_the_beginning(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"hello", frame=1)
    talk.segment(0, -1, b"\0", frame=2)  # a keep-alive
    talk.segment(0, -2, b"??HE", frame=3)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"hello"]
    assert made.done[9:] == (2, 3, place(2))
    assert (made.done.conflicts, made.done.conflict_bytes) == (1, 2)


def test_a_segment_across_the_beginning_wins_behind_it(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, -2, b"??he", frame=1)
    talk.segment(0, 0, b"hello", frame=2)
    made = trace.reassemble(tmp_path)
    assert [(made.bytes_of(p), p.frame_offset, p.flags) for p in made.pieces()] == [
        (b"he", 2, PIECE_IN_FRAME),
        (b"llo", 2, TAIL),
    ]


def test_holes(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.end = [(1 << 40) + 100, 0]
    talk.segment(0, 10, b"abc", frame=5)
    talk.segment(0, 20, b"def", frame=3)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [(LOST, 10), b"abc", (LOST, 7), b"def", (LOST, 77)]
    # The frame of a gap is that of what comes behind, at the end of what came before.
    assert [p.frame + 1 for p in made.pieces()] == [5, 5, 3, 3, 3]
    assert all(p.payload == 0 and p.flags == 0 for p in made.pieces() if not p.known)
    assert made.done[3:6] == (3, 94, place(3))
    (totals,) = made.totals
    assert (totals.gaps, totals.missing_bytes, totals.bytes_to_server) == (3, 94, 100)


def test_a_stream_not_seen_to_begin_begins_with_its_lowest_byte(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp(opened=(False, False))
    talk.segment(0, 400, b"later", frame=1)
    talk.segment(0, 390, b"first", frame=2)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"first", (LOST, 5), b"later"]


@pytest.mark.parametrize("opened", [True, False])
def test_a_half_without_a_segment_of_which_all_is_known(opened: bool, trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp(opened=(True, opened))
    talk.end = [0, (1 << 40) + 70]
    talk.segment(0, 0, b"q1", frame=1, ack=0)
    talk.segment(0, 2, b"q2", frame=2, ack=30)
    talk.segment(0, 4, b"q3", frame=3, ack=50)
    made = trace.reassemble(tmp_path)
    assert made.order() == [b"q1", -30, b"q2", -20, b"q3", -20]
    assert {p.frame for p in made.pieces() if not p.known} == {NO_FRAME}
    assert [p.stream_offset for p in made.pieces()] == [0, 0, 2, 30, 4, 50]
    assert (made.totals[0].gaps, made.totals[0].missing_bytes) == (1, 70)
    assert made.done[3:6] == (1, 70, None)


def test_a_half_of_which_nothing_is_known_is_empty(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp(opened=(True, False))
    talk.base, talk.end = [1 << 40, 0], [0, 5 << 40]
    talk.segment(0, 0, b"q", ack=100)
    assert trace.reassemble(tmp_path).order() == [b"q"]


def test_what_the_snaplen_cut(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"abc", frame=1, length=10)
    talk.segment(0, 10, b"", frame=2, length=5)
    talk.segment(0, 20, b"end", frame=3)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"abc", (CUT, 12), (LOST, 5), b"end"]
    assert [(p.frame + 1, p.frame_offset, p.flags) for p in made.pieces()] == [
        (1, 0, ALONE), (1, 3, 0), (2, 0, PIECE_BOUNDARY), (3, 0, 0), (3, 0, ALONE),
    ]  # fmt: skip
    assert (made.totals[0].gaps, made.totals[0].missing_bytes) == (1, 17)
    assert made.done[3:6] == (1, 5, place(3))


def test_what_one_copy_lacks_another_gives(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"ab", frame=1, length=10)
    talk.segment(0, 4, b"ef", frame=2, length=20)
    talk.segment(0, 1, b"bcde", frame=3, length=5)
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [b"abcdef", (CUT, 18)]
    assert [(p.frame + 1, p.frame_offset) for p in made.pieces()] == [(1, 0), (3, 1), (2, 0), (1, 6), (2, 6)]
    assert made.done.conflicts == 0


def test_a_reply_captured_before_its_question(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(1, 0, b"r1", frame=1, ack=2)
    talk.segment(0, 0, b"q1", frame=2, ack=0)
    talk.segment(1, 2, b"r2", frame=3, ack=4)
    talk.segment(0, 2, b"q2", frame=4, ack=2)
    assert trace.reassemble(tmp_path).order() == [b"q1", b"r1", b"q2", b"r2"]


def test_bytes_behind_a_late_segment_wait_for_it(trace: Trace, tmp_path: Path) -> None:
    # The second half of the question came first; the reply to the first question is handed out meanwhile.
    talk = trace.tcp()
    talk.segment(0, 2, b"2B", frame=1)
    talk.segment(1, 0, b"re", frame=2)
    talk.segment(0, 0, b"2A", frame=3)
    assert trace.reassemble(tmp_path).order() == [b"re", b"2A", b"2B"]


def test_a_piece_that_begins_below_the_acknowledgement_stays_whole(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(1, 0, b"reply", frame=1, ack=3)
    talk.segment(0, 0, b"question", frame=2, ack=0)
    talk.segment(0, 8, b"next", frame=3, ack=0)
    assert trace.reassemble(tmp_path).order() == [b"question", b"reply", b"next"]


def test_acknowledgements_that_contradict_each_other_end(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"a", frame=1, ack=1)
    talk.segment(1, 0, b"b", frame=2, ack=1)
    talk.segment(0, 1, b"c", frame=3, ack=1 << 39)
    talk.segment(1, 1, b"d", frame=4, ack=1 << 39)
    assert trace.reassemble(tmp_path).order() == [b"b", b"a", b"d", b"c"]


def test_start_lines_are_not_joined(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"GET /1", flags=SEGMENT_START)
    talk.segment(0, 6, b"rest")
    talk.segment(0, 10, b"GET /2", flags=SEGMENT_START)
    made = trace.reassemble(tmp_path)
    assert [p.flags for p in made.pieces()] == [ALONE, JOINED, ALONE]
    assert [run[4] for run in made.runs()] == [b"GET /1rest", b"GET /2"]


def test_bytes_are_not_joined_across_a_gap_or_a_reply(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"a")
    talk.segment(0, 2, b"b")
    talk.segment(1, 0, b"reply")
    talk.segment(0, 3, b"c")
    assert [p.flags for p in trace.reassemble(tmp_path).pieces()] == [ALONE, 0, ALONE, ALONE, ALONE]


def test_segments_out_of_fragments(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"first ", frame=3, flags=SEGMENT_START)
    talk.segment(0, 6, b"second", frame=3, flags=SEGMENT_CONTINUES)
    made = trace.reassemble(tmp_path)
    assert [p.flags for p in made.pieces()] == [ALONE, TAIL]
    assert made.done.conflicts == 0


def test_long_segments_are_parted(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    data = bytes(range(256)) * 300
    talk.segment(0, 0, data[:65535])
    talk.segment(0, 65535, data[65535:], length=1 << 31)  # held to what a packet can hold
    made = trace.reassemble(tmp_path)
    assert made.stream(1) == [data, (CUT, 65535 - (76800 - 65535))]
    assert [(p.length, p.frame_offset, p.flags) for p in made.pieces()] == [
        (65507, 0, ALONE), (28, 65507, TAIL), (11265, 0, JOINED), (54270, 11265, 0),
    ]  # fmt: skip


def test_a_gap_longer_than_a_piece(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 5 << 30, b"x")
    made = trace.reassemble(tmp_path)
    assert [p.length for p in made.pieces()] == [0x7FFFFFFF, 0x7FFFFFFF, (5 << 30) - 0xFFFFFFFE, 1]
    assert made.stream(1) == [(LOST, 5 << 30), b"x"]
    assert made.totals[0].gaps == 1


def test_datagrams(trace: Trace, tmp_path: Path) -> None:
    talk = trace.udp(client=1)
    talk.datagram(1, b"query", frame=2)
    talk.datagram(1, b"", frame=3)
    talk.datagram(0, b"ans", frame=4, length=9)
    talk.datagram(1, b"again", frame=5)
    talk.datagram(1, b"more", frame=6, flags=SEGMENT_START)
    talk.datagram(0, b"", frame=7, length=3)
    made = trace.reassemble(tmp_path)
    assert made.order() == [b"query", b"ans", -6, b"again", b"more", -3]
    assert [(p.stream_offset, p.frame + 1, p.frame_offset, p.flags) for p in made.pieces()] == [
        (0, 2, 0, ALONE), (0, 4, 0, ALONE), (3, 4, 3, 0), (5, 5, 0, ALONE), (10, 6, 0, ALONE),
        (9, 7, 0, PIECE_BOUNDARY),
    ]  # fmt: skip
    (totals,) = made.totals
    assert (totals.bytes_to_server, totals.bytes_to_client, totals.gaps, totals.missing_bytes) == (14, 12, 1, 9)
    assert made.done[3:6] == (0, 0, None)


def test_a_datagram_out_of_fragments_is_one_run(trace: Trace, tmp_path: Path) -> None:
    talk = trace.udp()
    talk.datagram(0, b"one ", frame=4)
    talk.datagram(0, b"two ", frame=4, flags=SEGMENT_CONTINUES)
    talk.datagram(0, b"three", frame=4, flags=SEGMENT_CONTINUES)
    talk.datagram(0, b"next", frame=5)
    made = trace.reassemble(tmp_path)
    assert [p.flags for p in made.pieces()] == [ALONE, TAIL, TAIL, ALONE]
    assert [run[4] for run in made.runs()] == [b"one two three", b"next"]


def test_conversations_one_after_the_other(trace: Trace, tmp_path: Path) -> None:
    def talk(number: int) -> Talk:
        return trace.tcp() if number % 3 else trace.udp()

    talks = [talk(number) for number in range(3000)]
    for number, one in enumerate(talks):
        if number % 5:
            one.segment(number % 2, 0, b"%d" % number)
    made = trace.reassemble(tmp_path)
    assert [totals.conv for totals in made.totals] == list(range(1, 3001))
    for number, totals in enumerate(made.totals):
        expected = [b"%d" % number] if number % 5 else []
        assert made.order(number + 1) == expected
        assert totals.first_frame_row == (number - number // 5 - 1 if expected else -1)
    assert made.done[:3] == (3000, 2400, 2400)


def broken(made: Rebuilt, name: str, data: bytes) -> None:
    Path(made.path[name]).write_bytes(data)
    run(made.path)


def test_rows_that_do_not_fit_are_refused(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"a")
    talk.segment(0, 1, b"b")
    talk.segment(1, 0, b"c")
    made = trace.reassemble(tmp_path)
    segments, flows = (Path(made.path[name]).read_bytes() for name in ("segments", "flows"))
    one, two, three = segments[:72], segments[72:144], segments[144:]
    for wrong, row in ((two + one + three, 1), (one + three + two, 1), (one + two + two, 2), (segments + three, 3)):
        with pytest.raises(ValueError, match=f"segments: row {row} is out of order or belongs to no conversation"):
            broken(made, "segments", wrong)
    with pytest.raises(ValueError, match="row 2 is out of order"):
        broken(made, "segments", one + two)
    with pytest.raises(ValueError, match="row 0 is out of order"):
        broken(made, "segments", b"")
    with pytest.raises(ValueError, match="not a whole number of rows of 72 bytes"):
        broken(made, "segments", segments[:-1])
    Path(made.path["segments"]).write_bytes(segments)
    with pytest.raises(ValueError, match="not as many rows"):
        broken(made, "flows", flows + flows)
    for number in (1, 3, 1 << 63, (1 << 64) - 2):
        with pytest.raises(ValueError, match="out of order or belongs to no conversation"):
            broken(made, "flows", number.to_bytes(8, "little") + flows[8:])


def test_a_payload_file_that_is_too_short(trace: Trace, tmp_path: Path) -> None:
    talk = trace.tcp()
    talk.segment(0, 0, b"abcd")
    talk.segment(0, 0, b"abcd")
    made = trace.reassemble(tmp_path)
    with pytest.raises(OSError, match=r"Input/output error"):
        broken(made, "payload", made.payload[:-1])
