"""Which conversation a segment belongs to, who is its client, and which tcp.stream Wireshark counts it to."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support import packet_made as made
from support.conversations import ACK, FIN, PSH, RST, SYN, Read, Stream, Talk, capture, read
from syswire.convert.model.rows import GAP_NOT_CAPTURED

Capture = Callable[[list[bytes]], Read]


@pytest.fixture
def taken(tmp_path: Path) -> Capture:
    return lambda frames: read(capture(tmp_path / "made.pcap", frames), tmp_path / "spool")


def only(found: Read) -> Stream:
    (stream,) = found.streams
    return stream


def shark_streams(path: Path) -> list[int]:
    done = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", "-e", "tcp.stream"], capture_output=True, text=True, check=True
    )
    return [int(line) for line in done.stdout.split()]


def test_whole_connection(taken: Capture) -> None:
    talk = Talk()
    frames = [*talk.handshake(), talk(True, PSH | ACK, 1, 1, b"question"), talk(False, PSH | ACK, 1, 9, b"answer")]
    found = taken([*frames, *talk.close(8, 6)])
    stream = only(found)
    assert (stream.client, stream.server) == (("192.0.2.1", 40000), ("198.51.100.2", 80))
    assert (stream.to_server, stream.to_client) == (b"question", b"answer")
    assert (stream.opened, stream.closed) == (10**18, 10**18 + 6 * 10**9)
    assert stream.frames == (1, 8) and stream.tcp_stream == 0
    assert not found.losses and not stream.gaps_to_server and not stream.gaps_to_client


def test_syn_with_a_new_number_is_a_new_stream_and_a_repeated_one_is_not(taken: Capture) -> None:
    first, second = Talk(), Talk(numbers=(700_000_000, 800_000_000))
    one = [*first.handshake(), first(True, SYN, 0, 0), first(True, ACK, 1, 1, b"one")]
    two = [*second.handshake(), second(True, ACK, 1, 1, b"two")]
    found = taken([*one, *two])
    assert [stream.to_server for stream in found.streams] == [b"one", b"two"]
    assert [stream.tcp_stream for stream in found.streams] == [0, 1]
    assert [stream.frames for stream in found.streams] == [(1, 5), (6, 9)]


def test_answer_with_another_number_is_no_other_connection(taken: Capture) -> None:
    """SYN cookies and fast open: of two numbers that a server offers the one counts that is acknowledged."""
    talk, other = Talk(), Talk(numbers=(1000, 3_000_000_000))
    stream = only(
        taken(
            [
                talk(True, SYN, 0, 0),
                other(False, SYN | ACK, 0, 1),
                talk(False, SYN | ACK, 0, 1),
                talk(True, ACK, 1, 1, b"hi"),
                other(False, SYN | ACK, 0, 1),
                talk(False, ACK, 1, 3, b"ho"),
                other(False, SYN | ACK, 0, 1),
            ]
        )
    )
    assert (stream.to_server, stream.to_client, stream.gaps_to_client) == (b"hi", b"ho", [])


def test_data_in_syn(taken: Capture) -> None:
    talk = Talk()
    stream = only(
        taken([talk(True, SYN, 0, 0, b"early"), talk(False, SYN | ACK, 0, 6), talk(True, ACK, 6, 1, b" bird")])
    )
    assert stream.to_server == b"early bird"


def test_syn_behind_its_data(taken: Capture) -> None:
    talk = Talk()
    frames = [talk(True, ACK, 1, 1, b"abc"), *talk.handshake(), talk(False, ACK, 1, 4, b"xyz")]
    stream = only(taken(frames))
    assert (stream.to_server, stream.to_client, stream.client[1]) == (b"abc", b"xyz", 40000)


def test_numbers_wrap(taken: Capture) -> None:
    talk = Talk(numbers=(0xFFFFFFFF - 3, 0xFFFFFFFF))
    stream = only(
        taken(
            [
                *talk.handshake(),
                talk(True, ACK, 1, 1, b"0123456789"),
                talk(False, ACK, 1, 11, b"abc"),
                talk(True, ACK, 11, 4, b"more"),
            ]
        )
    )
    assert (stream.to_server, stream.to_client) == (b"0123456789more", b"abc")
    assert not stream.gaps_to_server and not stream.gaps_to_client


def test_begins_in_the_middle_with_the_lowest_number_not_first(taken: Capture) -> None:
    talk = Talk()
    stream = only(
        taken([talk(True, ACK, 500, 1, b"BBBB"), talk(True, ACK, 496, 1, b"AAAA"), talk(True, ACK, 504, 1, b"C")])
    )
    assert stream.to_server == b"AAAABBBBC" and not stream.gaps_to_server


def test_keep_alive_is_before_the_start(taken: Capture) -> None:
    """RFC 9293, 3.8.4: a probe repeats one byte that the other end has acknowledged."""
    talk = Talk()
    found = taken([talk(False, ACK, 1, 500), talk(True, ACK, 499, 1, b"\0"), talk(True, ACK, 500, 1, b"next")])
    assert only(found).to_server == b"next"
    assert (found.losses["before_start"].count, found.losses["before_start"].bytes) == (1, 1)
    assert found.losses["before_start"].frame == 2


def test_one_sided_capture_counts_what_the_other_side_acknowledged(taken: Capture) -> None:
    talk = Talk()
    stream = only(
        taken(
            [
                talk(True, SYN, 0, 0),
                talk(True, ACK, 1, 1, b"q1"),
                talk(True, ACK, 3, 101, b"q2"),
                talk(True, ACK, 5, 151),
            ]
        )
    )
    assert (stream.to_server, stream.to_client) == (b"q1q2", b"")
    assert stream.gaps_to_client == [(0, 100, GAP_NOT_CAPTURED), (100, 50, GAP_NOT_CAPTURED)]
    assert stream.order == [(1, 0), (0, 0), (1, 2), (0, 100)]  # each answer stands before the next question


def test_fin_tells_what_is_missing_at_the_end(taken: Capture) -> None:
    talk = Talk()
    stream = only(taken([*talk.handshake(), talk(True, ACK, 1, 1, b"abc"), talk(True, FIN | ACK, 14, 1)]))
    assert stream.gaps_to_server == [(3, 10, GAP_NOT_CAPTURED)]
    # An acknowledgement of one more than was seen is that of a FIN.
    (stream,) = taken_again(talk)
    assert stream.gaps_to_server == []


def taken_again(talk: Talk) -> list[Stream]:

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = [*talk.handshake(), talk(True, ACK, 1, 1, b"abc"), talk(False, ACK, 1, 5)]
        return read(capture(folder / "made.pcap", frames), folder / "spool").streams


def test_a_half_that_ends_without_a_word_has_no_gap(taken: Capture) -> None:
    """Its SYN was not acknowledged in the capture, and its FIN comes right behind it."""
    talk = Talk()
    found = taken([talk(True, SYN, 0, 0), talk(False, SYN | ACK, 0, 1), talk(False, FIN | ACK, 1, 1)])
    stream = only(found)
    assert (stream.to_client, stream.gaps_to_client) == (b"", [])
    assert "not_captured" not in found.losses


def test_lowest_acknowledgement_tells_where_a_half_that_is_not_captured_begins(taken: Capture) -> None:
    """Whatever the order in which the acknowledgements were captured."""
    talk = Talk()
    ordered = [talk(True, ACK, 1, 1, b"ab"), talk(True, ACK, 3, 1, b"cdef"), talk(True, ACK, 7, 3, b"gh")]
    stream = only(taken([ordered[2], *ordered[:2]]))
    assert stream.to_server == b"abcdefgh"
    assert stream.gaps_to_client == [(0, 2, GAP_NOT_CAPTURED)]


def test_far_numbers_belong_to_no_stream(taken: Capture) -> None:
    talk = Talk()
    frames = [*talk.handshake(), talk(True, ACK, 1 + (1 << 31) - 10, 1, b"far"), talk(True, ACK, 1, 1, b"near")]
    found = taken(frames)
    assert only(found).to_server == b"near" and not only(found).gaps_to_server
    lost = found.losses["out_of_window"]
    assert (lost.count, lost.bytes, lost.frame, lost.source_frame) == (1, 3, 4, 4)


def test_rst_that_does_not_belong_changes_nothing(taken: Capture) -> None:
    talk = Talk()
    frames = [
        *talk.handshake(),
        talk(False, RST, 2_000_000_000, 0),
        talk(True, ACK, 1, 1, b"a"),
        talk(False, ACK, 1, 2, b"b"),
    ]
    assert (only(taken(frames)).to_server, only(taken_frames(frames)).to_client) == (b"a", b"b")


def taken_frames(frames: list[bytes]) -> Read:

    with tempfile.TemporaryDirectory() as name:
        return read(capture(Path(name, "made.pcap"), frames), Path(name, "spool"))


def test_reply_that_was_captured_first_comes_second(taken: Capture) -> None:
    talk = Talk()
    frames = [*talk.handshake(), talk(False, ACK, 1, 4, b"reply"), talk(True, ACK, 1, 1, b"ask")]
    assert only(taken(frames)).order == [(1, 0), (0, 0)]


@pytest.mark.parametrize(
    ("frames", "client"),
    [
        ([Talk()(False, ACK, 1, 1, b"HTTP/1.1 200 OK\r\n\r\n")], 40000),  # a response
        ([Talk(server=(made.B4, 50000))(False, ACK, 1, 1, b"GET / HTTP/1.1\r\n\r\n")], 50000),  # a request
        ([Talk()(False, ACK, 1, 1, b"?")], 40000),  # a port below 1024
        ([Talk(server=(made.B4, 8080))(False, ACK, 1, 1, b"?")], 40000),  # a port below those of clients
        ([Talk(server=(made.B4, 50000))(False, ACK, 1, 1, b"?")], 50000),  # who spoke first
        ([Talk(server=(made.B4, 50000))(True, ACK, 1, 1, b"?")], 40000),
        ([Talk(client=(made.A4, 80), server=(made.B4, 50000))(False, SYN | ACK, 0, 1)], 80),  # the handshake
    ],
)
def test_who_is_the_client(taken: Capture, frames: list[bytes], client: int) -> None:
    assert only(taken(frames)).client[1] == client


def test_udp_divides_after_a_minute(tmp_path: Path) -> None:
    def frame(up: bool, data: bytes) -> bytes:
        ports, ends = ((5000, 53), (made.A4, made.B4)) if up else ((53, 5000), (made.B4, made.A4))
        return made.ethernet(made.ipv4(made.udp(data, ports), made.UDP, *ends))

    frames = [frame(True, b"a"), frame(False, b"b"), frame(True, b"c"), frame(False, b"d"), frame(False, b"")]
    second = 10**9
    times = [0, second, 61 * second, 61 * second + 60 * second + 1, 130 * second]
    found = read(capture(tmp_path / "x.pcap", frames, [10**18 + time for time in times]), tmp_path / "spool")
    assert [(stream.client[1], stream.to_server, stream.to_client) for stream in found.streams] == [
        (5000, b"ac", b"b"),
        (53, b"d", b""),  # who spoke first after the silence
    ]
    assert all(stream.tcp_stream is None and stream.protocol == 17 for stream in found.streams)
    assert found.streams[1].frames == (4, 5)


def test_both_ends_the_same(taken: Capture) -> None:
    talk = Talk(client=(made.A4, 7), server=(made.A4, 7), numbers=(1, 1))
    assert only(taken([talk(True, ACK, 1, 1, b"self")])).frames == (1, 1)


def test_evicted_conversations_keep_wireshark_s_numbers(tmp_path: Path) -> None:
    """More than 131,072 open connections: one that comes back is another stream of ours, not of Wireshark's."""
    segment = made.tcp(b"", (1024, 80), flags=ACK)
    sources = [f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(131_073)]
    # The sixteen that were idle longest are passed over before an open one has to go.
    order = [*sources, sources[16], "10.0.0.2"]
    frames = [made.ethernet(made.ipv4(segment, source=source, target=made.B4)) for source in order]
    found = read(capture(tmp_path / "many.pcap", frames, [10**18] * len(frames)), tmp_path / "spool")
    assert [stream.client[0] for stream in found.streams] == order
    assert [stream.tcp_stream for stream in found.streams] == [*range(131_073), 16, 131_073]
    assert found.losses["conversation_evicted"].count == 3


@pytest.mark.parametrize("seed", range(12))
def test_shuffled_frames_give_the_same_streams(tmp_path: Path, seed: int) -> None:
    """Frames in any order within a window of eight: the bytes, the ends and the gaps are the same."""
    chance = random.Random(seed)
    frames, wanted = [], {}
    for number in range(4):
        talk = Talk((made.A4, 41000 + number), numbers=(chance.getrandbits(32), chance.getrandbits(32)))
        asked, told = chance.randbytes(chance.randrange(1, 4000)), chance.randbytes(chance.randrange(1, 20000))
        frames += talk.handshake()
        for up, data in ((True, asked), (False, told)):
            for at in range(0, len(data), 700):
                ack = 1 if up else 1 + len(asked)
                frames.append(talk(up, ACK | PSH, 1 + at, ack, data[at : at + 700]))
        frames += talk.close(len(asked), len(told))
        wanted[41000 + number] = asked, told
    windows = [frames[at : at + 8] for at in range(0, len(frames), 8)]
    shuffled = [frame for window in windows for frame in chance.sample(window, len(window))]
    assert shuffled != frames
    found = read(capture(tmp_path / "shuffled.pcap", shuffled), tmp_path / "spool")
    assert {stream.client[1]: (stream.to_server, stream.to_client) for stream in found.streams} == wanted
    assert not any(stream.gaps_to_server or stream.gaps_to_client for stream in found.streams)
    assert not found.losses


def test_numbers_of_streams_are_wireshark_s(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """Re-used tuples, lost SYNs, odd flags: each conversation's number is that of its first frame in tshark."""
    tool("tshark")
    chance = random.Random(5)
    frames = []
    for _ in range(300):
        talk = Talk(
            (made.A4, chance.choice([1, 2, 3])), numbers=(chance.choice([5, 9]) << 28, chance.choice([5, 9]) << 28)
        )
        flags = chance.choice([SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST, SYN | FIN, SYN | RST | ACK, 0])
        frames.append(talk(chance.random() < 0.7, flags, chance.randrange(4), chance.randrange(4), chance.randbytes(2)))
    path = capture(tmp_path / "odd.pcap", frames)
    shark = shark_streams(path)
    found = read(path, tmp_path / "spool")
    assert len(shark) == len(frames) and len(set(shark)) > 20
    assert [stream.tcp_stream for stream in found.streams] == [shark[stream.frames[0] - 1] for stream in found.streams]
