"""Byte streams from both ends: values worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.rebuilt import CLIENT, MS, SERVER, T0, Capture, Converted
from syswire.convert.conversations.both_ends import rebuild
from syswire.convert.model.frame import MAX_TCP_PAYLOAD, NO_FRAME
from syswire.convert.model.rows import CHUNK, GAP_DROP, GAP_SENDFILE, GAP_SNAPLEN

BOUNDARY, IN_FRAME, FILLED = 1, 2, 4
SYN, FIN, RST, ACK, PSH = 2, 1, 4, 16, 8
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def times(result: Converted, conv: int = 1) -> list[float]:
    return [(piece.time - T0) / MS for piece in result.pieces(conv)]


def segments(result: Converted) -> list[tuple[int, int, int, int]]:
    """(to_server, TCP flags, known, length) of each frame."""
    return [(frame.flags & 1, frame.tcp_flags, frame.known, frame.length) for frame in result.frames]


def shape(result: Converted, conv: int = 1) -> list[tuple[int, int, int, int, int]]:
    """(to_server, stream offset, length, flags, reason) of each piece."""
    return [(way, offset, length, flags, reason) for _, way, offset, length, _, flags, reason, _ in result.runs(conv)]


def test_reader_fills_what_the_writer_cut(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    data = bytes(range(100))
    talk.send(CLIENT, 1, data, stored=10)
    talk.read(SERVER, 2, data[:40], stored=30)
    talk.read(SERVER, 3, data[40:], stored=20)
    result = capture.convert(tmp_path)
    assert shape(result) == [
        (1, 0, 10, BOUNDARY | IN_FRAME, 0),
        (1, 10, 20, IN_FRAME | FILLED, 0),
        (1, 30, 10, 0, GAP_SNAPLEN),
        (1, 40, 20, IN_FRAME | FILLED, 0),
        (1, 60, 40, 0, GAP_SNAPLEN),
    ]
    assert result.stream(1) == [data[:30], 10, data[40:60], 40]
    assert segments(result) == [(1, PSH | ACK, 30, 40), (1, PSH | ACK, 20, 60)]
    assert [piece.event for piece in result.pieces()] == [1, 2, 1, 3, 1], "each piece names the event that holds it"
    assert [piece.thread for piece in result.pieces()] == [10, 11, 10, 11, 10]
    totals = result.totals[0]
    assert (totals.bytes_to_server, totals.gaps, totals.missing_bytes, totals.shifted) == (100, 2, 50, 0)
    assert (totals.client_threads, totals.server_threads) == ((10,), (11,))


def test_a_write_that_returns_late_is_dated_at_the_read(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.read(SERVER, 3, REQUEST)
    talk.send(SERVER, 4, b"HTTP/1.1 204 X\r\n\r\n")
    talk.send(CLIENT, 5, REQUEST)
    talk.read(CLIENT, 6, b"HTTP/1.1 204 X\r\n\r\n")
    result = capture.convert(tmp_path)
    assert times(result) == [3, 4]
    assert [(piece.recorded - T0) / MS for piece in result.pieces()] == [5, 4]
    assert [piece.to_server for piece in result.pieces()] == [1, 0]
    assert [piece.thread for piece in result.pieces()] == [10, 11], "the writer's view gives the frame"
    assert (result.summary.shifted, result.totals[0].shifted) == (1, 1)


def test_a_write_is_dated_at_its_recorded_enter(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.read(CLIENT, 4, b"answer", thread=77)
    talk.send(CLIENT, 5, b"question", entered=1)
    result = capture.convert(tmp_path)
    assert [(piece.to_server, (piece.time - T0) / MS) for piece in result.pieces()] == [(1, 1), (0, 4)]
    assert result.summary.shifted == 0


def test_no_write_is_moved_before_what_its_thread_did(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.read(SERVER, 3, b"lost")  # its write was dropped
    talk.read(CLIENT, 4, b"hello", thread=10)
    talk.send(CLIENT, 5, b"next", thread=10)
    talk.read(SERVER, 6, b"next")
    result = capture.convert(tmp_path)
    assert result.stream(1) == [b"lostnext"]
    assert [(piece.to_server, (piece.time - T0) / MS) for piece in result.pieces()] == [(1, 3), (0, 4), (1, 5)]
    assert shape(result)[2] == (1, 4, 4, BOUNDARY | IN_FRAME, 0)


def test_bytes_in_flight_are_those_read_beyond_the_written(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp(preexisting=True)
    talk.send(CLIENT, 1, b"WXYZ")
    talk.read(SERVER, 2, b"abc")
    talk.read(SERVER, 3, b"defWX")
    talk.read(SERVER, 4, b"YZ")
    result = capture.convert(tmp_path)
    assert result.stream(1) == [b"abcdefWXYZ"]
    assert times(result) == [1, 1, 1], "they were on their way before the write"
    assert result.summary.shifted == 2


def test_orphan_bytes_are_headers_only(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp(preexisting=True)
    talk.send(SERVER, 1, b"the end of a body")
    talk.send(SERVER, 2, b"x" * 70_000)
    talk.send(SERVER, 3, b"HTTP/1.1 404 X\r\n\r\n")
    other = capture.tcp(preexisting=True)
    other.send(SERVER, 4, b"no HTTP at all")
    result = capture.convert(tmp_path)
    assert segments(result) == [
        (0, PSH | ACK, 0, 17),
        (0, PSH | ACK, 0, MAX_TCP_PAYLOAD),
        (0, PSH | ACK, 0, 70_000 - MAX_TCP_PAYLOAD),
        (0, PSH | ACK, 18, 18),
        (0, PSH | ACK, 14, 14),
    ]
    assert [run[4] is not None for run in result.runs()] == [True] * 4, "their bytes are known all the same"
    assert [run[5] for run in result.runs()] == [BOUNDARY, BOUNDARY, 0, BOUNDARY | IN_FRAME]


def test_adjacent_writes_up_to_a_cut_share_a_packet(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.send(SERVER, 1, b"one")
    talk.send(SERVER, 2, b"two")
    talk.send(SERVER, 3, b"three", stored=2)
    talk.send(SERVER, 4, b"four")
    talk.send(CLIENT, 5, b"x")
    talk.send(SERVER, 6, b"five")
    talk.send(SERVER, 20_000, b"six", stored=1)
    talk.send(SERVER, 20_001, b"", length=200_000, reason=GAP_SENDFILE)
    result = capture.convert(tmp_path)
    assert segments(result) == [
        (0, PSH | ACK, 8, 11),
        (0, PSH | ACK, 4, 4),
        (1, PSH | ACK, 1, 1),
        (0, PSH | ACK, 4, 4),  # 20 s before the cut: not put into its packet
        (0, PSH | ACK, 1, 3),
        (0, PSH | ACK, 0, 65_495),
        (0, PSH | ACK, 0, 65_495),
        (0, PSH | ACK, 0, 65_495),
        (0, PSH | ACK, 0, 3_515),
    ]
    assert [(piece.frame, piece.frame_offset, piece.length) for piece in result.pieces()] == [
        (0, 0, 3), (0, 3, 3), (0, 6, 2), (0, 8, 3), (1, 0, 4), (2, 0, 1), (3, 0, 4), (4, 0, 1), (4, 1, 2),
        (5, 0, 200_000),
    ]  # fmt: skip
    assert [piece.reason for piece in result.pieces() if not piece.known] == [GAP_SNAPLEN, GAP_SNAPLEN, GAP_SENDFILE]
    assert (result.totals[0].gaps, result.totals[0].missing_bytes) == (2, 3 + 2 + 200_000)


def test_large_writes_are_split_and_small_ones_never_joined(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.send(CLIENT, 1, b"a" * 100)
    talk.send(CLIENT, 2, b"b" * 131_000)
    talk.send(CLIENT, 3, b"c" * 100)
    result = capture.convert(tmp_path)
    assert [frame.known for frame in result.frames] == [100, 65_495, 65_495, 10, 100]
    assert [run[5] & BOUNDARY for run in result.runs()] == [1, 1, 0, 0, 1]


def test_known_bytes_after_a_gap_in_a_message_do_not_take_the_next_one_along(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    head = b"HTTP/1.1 200 X\r\n\r\n"
    talk.send(SERVER, 1, head + b"body", stored=20)
    talk.send(SERVER, 2, b"no line end")
    talk.send(SERVER, 3, b"a line\nend")
    talk.send(SERVER, 4, b"!")
    talk.send(SERVER, 5, head)
    talk.send(SERVER, 6, b"no line end")
    other = capture.tcp()
    other.send(SERVER, 7, b"no HTTP", stored=2)
    other.send(SERVER, 8, b"no line end")
    result = capture.convert(tmp_path)
    assert [(frame.known, frame.length) for frame in result.frames] == [
        (20, 22), (10, 11), (10, 10), (0, 1), (18, 18), (11, 11), (2, 7), (11, 11),
    ]  # fmt: skip
    assert [(length, flags) for _, _, length, flags, _ in shape(result)] == [
        (20, BOUNDARY | IN_FRAME), (2, 0),
        (10, BOUNDARY | IN_FRAME), (1, 0),
        (10, BOUNDARY | IN_FRAME),
        (1, BOUNDARY),
        (18, BOUNDARY | IN_FRAME),
        (11, BOUNDARY | IN_FRAME),
    ]  # fmt: skip
    assert result.stream(0) == [
        b"HTTP/1.1 200 X\r\n\r\nbo",
        2,
        b"no line enda line\nend!HTTP/1.1 200 X\r\n\r\nno line end",
    ]


def test_what_follows_a_request_is_a_beginning_even_in_small_pieces(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp(preexisting=True)
    talk.send(SERVER, 1, b"the end of a body")
    for number in range(2):
        talk.send(CLIENT, 2 + number * 10, REQUEST)
        talk.send(SERVER, 3 + number * 10, b"H")
        talk.send(SERVER, 4 + number * 10, b"TTP/1.1 200 X\r\n\r\nbody", stored=20)
    talk.send(SERVER, 20, b"HTTP/1.1 200 X\r\n\r\n")
    result = capture.convert(tmp_path)
    assert [(frame.known, frame.length) for frame in result.frames if not frame.flags & 1] == [
        (0, 17), (21, 22), (21, 22), (18, 18),
    ]  # fmt: skip


def test_gap_frames_have_a_budget(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.send(SERVER, 1, b"", length=65_495 * 3, reason=GAP_DROP)
    talk.send(SERVER, 2, b"", length=65_495 * 3 + 1, reason=GAP_DROP)
    talk.send(SERVER, 3, b"", length=5, reason=GAP_DROP)
    talk.send(SERVER, 4, b"end")
    result = capture.convert(tmp_path, gap_frames=4)
    assert [frame.length for frame in result.frames] == [65_495] * 4 + [3]
    assert result.summary.gap_frames_not_written == 4
    assert (result.frames[4].seq - result.frames[0].seq) % 2**32 == 65_495 * 6 + 6
    assert [piece.frame for piece in result.pieces()] == [0, 3, NO_FRAME, 4]
    assert result.reader.frame_number(NO_FRAME) == 0
    assert (result.totals[0].gaps, result.totals[0].missing_bytes) == (1, 65_495 * 6 + 6)


@pytest.mark.parametrize("length", [2**31 - 1, 2**31, 2**64 - 1])
def test_no_call_moves_more_than_linux_can(tmp_path: Path, length: int) -> None:
    capture = Capture()
    capture.tcp().send(SERVER, 1, b"abc", length=length)
    result = capture.convert(tmp_path, gap_frames=3)
    assert result.summary.overlong == (length > 2**31 - 1)
    assert result.totals[0].bytes_to_client == 2**31 - 1


def test_handshake_and_close(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.accept(1)
    talk.connect(2)
    talk.send(CLIENT, 3, b"q")
    talk.shutdown(CLIENT, 4)
    talk.send(SERVER, 5, b"a")
    talk.close(SERVER, 6)
    talk.close(CLIENT, 7)
    result = capture.convert(tmp_path)
    assert [(frame.flags & 1, frame.tcp_flags, (frame.time - T0) / MS) for frame in result.frames] == [
        (1, SYN, 1), (0, SYN | ACK, 1), (1, ACK, 1), (1, PSH | ACK, 3), (1, FIN | ACK, 4), (0, PSH | ACK, 5),
        (0, FIN | ACK, 6), (1, ACK, 6),
    ]  # fmt: skip
    client, server = result.frames[0].seq, result.frames[1].seq
    assert [((frame.seq - (client if frame.flags & 1 else server)) % 2**32) for frame in result.frames] == [
        0, 0, 1, 1, 2, 1, 2, 3,
    ]  # fmt: skip
    assert [((frame.ack - (server if frame.flags & 1 else client)) % 2**32) for frame in result.frames[1:]] == [
        1, 1, 1, 1, 3, 3, 3,
    ]  # fmt: skip


def test_a_close_waits_for_the_bytes_that_only_the_reader_shows(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.close(SERVER, 1)
    talk.read(CLIENT, 2, b"late")
    talk.eof(CLIENT, 3)
    result = capture.convert(tmp_path)
    assert [(frame.flags & 1, frame.tcp_flags) for frame in result.frames] == [(0, PSH | ACK), (0, FIN | ACK)]


def test_close_of_an_end_whose_peer_was_never_seen_ends_both(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.send(CLIENT, 1, b"q")
    talk.close(CLIENT, 2)
    result = capture.convert(tmp_path)
    assert [(frame.flags & 1, frame.tcp_flags) for frame in result.frames] == [
        (1, PSH | ACK), (1, FIN | ACK), (0, FIN | ACK), (1, ACK),
    ]  # fmt: skip


def test_initial_sequence_numbers_differ_by_conversation_and_not_by_run(tmp_path: Path) -> None:
    seen = []
    for run in ("a", "b"):
        capture = Capture()
        for number in range(20):
            talk = capture.tcp(port=40_000)
            talk.connect(number)
        folder = tmp_path / run
        folder.mkdir()
        seen.append([frame.seq for frame in capture.convert(folder).frames])
    assert seen[0] == seen[1]
    assert len(set(seen[0][::3])) == 20


def test_threads_of_an_end(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.connect(0)
    for number in range(3_000):
        talk.send(SERVER, 1 + number, b"x", thread=1 + number * 7 % 1500)
    result = capture.convert(tmp_path)
    assert result.totals[0].client_threads == (10,), "it moved no bytes, but it connected"
    assert result.totals[0].server_threads == tuple(1 + number * 7 % 1500 for number in range(1_000))


def test_conversations_without_chunks_have_totals_too(tmp_path: Path) -> None:
    capture = Capture()
    for _ in range(3):
        capture.tcp()
    capture.dialogues[1].send(CLIENT, 1, b"x")
    result = capture.convert(tmp_path)
    assert [(totals.conv, totals.first_frame_row, totals.last_frame_row) for totals in result.totals] == [
        (1, -1, -1), (2, 0, 0), (3, -1, -1),
    ]  # fmt: skip
    assert result.streams == [0xFFFFFFFF, 0, 0xFFFFFFFF]


def test_chunks_out_of_order_are_refused(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.send(CLIENT, 1, b"x")
    path = [str(tmp_path / name) for name in ("chunks", "convs", "pieces", "frames", "totals", "threads")]
    Path(path[0]).write_bytes(b"".join(CHUNK.pack(*chunk._replace(conv=2)) for chunk in capture.chunks))
    Path(path[1]).write_bytes(talk.row())
    with open(path[0], "rb") as payload, pytest.raises(ValueError, match="row 0 is out of order"):
        rebuild(path[0], path[1], *path[2:], payload_fd=payload.fileno(), scratch=str(tmp_path))
