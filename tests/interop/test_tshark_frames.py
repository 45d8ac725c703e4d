"""What tshark says of the packets: nothing to complain about, every HTTP message found, the same stream numbers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.random_http import random_http
from support.rebuilt import CLIENT, SERVER, Capture, Converted, Dialogue

CHECKS = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
BAD = (
    "_ws.malformed || tcp.checksum.status == 0 || udp.checksum.status == 0 || ip.checksum.status == 0"
    " || (tcp.analysis.flags && !tcp.analysis.reused_ports) || _ws.expert.severity >= 6291456"
)
REQUEST = b"GET /missing HTTP/1.1\r\nHost: example.com\r\n\r\n"


def response(status: int, body: bytes, length: int | None = None) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (
        status, len(body) if length is None else length, body,
    )  # fmt: skip


class Tshark:
    def __init__(self, program: str, file: Path) -> None:
        self.command = [program, "-r", str(file), *CHECKS]

    def fields(self, condition: str, *fields: str, more: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        wanted = [part for name in fields for part in ("-e", name)]
        done = subprocess.run(
            [*self.command, *more, "-Y", condition, "-T", "fields", *wanted], capture_output=True, text=True, check=True
        )
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def complaints(self, allowed: str = "") -> list[tuple[str, ...]]:
        condition = BAD if not allowed else f"({BAD}) && !({allowed})"
        return self.fields(condition, "frame.number", "_ws.col.Info", "_ws.expert.message")

    def messages(self) -> list[tuple[str, ...]]:
        return self.fields("http", "tcp.stream", "http.request.uri", "http.response.code")


Read = Callable[[Capture], tuple[Tshark, Converted]]


@pytest.fixture
def read(tmp_path: Path, tool: Callable[[str], str]) -> Read:
    def convert(capture: Capture) -> tuple[Tshark, Converted]:
        result = capture.convert(tmp_path)
        shark = Tshark(tool("tshark"), result.pcapng)
        seen = {int(conv): int(stream) for conv, stream in conversations(shark)}
        assert seen == {conv + 1: stream for conv, stream in enumerate(result.streams) if stream != 0xFFFFFFFF}
        assert len(shark.fields("frame", "frame.number")) == result.count == len(result.frames)
        return shark, result

    return convert


def conversations(shark: Tshark) -> list[tuple[str, ...]]:
    """(conversation, tcp.stream) of the first frames, which tell their conversation in a comment."""
    found = shark.fields('tcp && frame.comment matches "^conversation"', "frame.comment", "tcp.stream")
    return [(comment.split()[1], stream) for comment, stream in found]


def exchange(talk: Dialogue, at: float, status: int = 200, body: bytes = b"hello") -> None:
    answer = response(status, body)
    talk.send(CLIENT, at + 0.2, REQUEST, entered=at + 0.1)
    talk.read(SERVER, at + 0.3, REQUEST)
    talk.send(SERVER, at + 0.5, answer, entered=at + 0.4)
    talk.read(CLIENT, at + 0.6, answer)


def whole(talk: Dialogue, at: float, statuses: list[int], body: bytes = b"hello") -> None:
    talk.connect(at)
    talk.accept(at + 0.1)
    for number, status in enumerate(statuses):
        exchange(talk, at + 1 + number, status, body)
    talk.close(CLIENT, at + 50)
    talk.eof(SERVER, at + 50.1)
    talk.close(SERVER, at + 50.2)


def statuses(shark: Tshark) -> list[str]:
    return [code for _, _, code in shark.messages() if code]


@pytest.mark.parametrize("family", [4, 6, 1])
def test_whole_conversation(read: Read, family: int) -> None:
    capture = Capture()
    talk = capture.unix(path=7) if family == 1 else capture.tcp(*(("fd00::5", "fd00::80") if family == 6 else ()))
    whole(talk, 0, [200, 404, 500])
    shark, _ = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["200", "404", "500"]
    flags = [row[0] for row in shark.fields("tcp", "tcp.flags")]
    assert flags[:3] == ["0x0002", "0x0012", "0x0010"]
    assert flags[-3:] == ["0x0011", "0x0011", "0x0010"]


def test_reused_tuple_has_a_stream_of_its_own(read: Read) -> None:
    capture = Capture()
    for number in range(3):
        whole(capture.tcp(port=40_000), number * 100, [200, 404])
    shark, _ = read(capture)
    assert shark.complaints() == []
    assert [stream for stream, _, code in shark.messages() if code] == ["0", "0", "1", "1", "2", "2"]


def test_tuple_used_again_without_a_handshake_goes_on_in_the_same_stream(read: Read) -> None:
    capture = Capture()
    whole(capture.tcp(port=40_000), 0, [200, 404])
    exchange(capture.tcp(port=40_000), 100, 500)
    exchange(capture.tcp(port=40_000), 200, 503)
    shark, result = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["200", "404", "500", "503"]
    assert result.streams == [0, 0, 0]


def test_body_cut_in_its_own_write(read: Read) -> None:
    capture = Capture(snaplen=80)
    talk = capture.tcp()
    talk.connect(0)
    for number in range(4):
        talk.send(CLIENT, 10 * number + 1, REQUEST)
        talk.send(SERVER, 10 * number + 2, response(404, b"", 5000))
        talk.send(SERVER, 10 * number + 3, b"x" * 5000)
    shark, _ = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["404"] * 4


def test_head_cut(read: Read) -> None:
    capture = Capture(snaplen=30)
    talk = capture.tcp()
    talk.connect(0)
    talk.send(CLIENT, 1, REQUEST)
    talk.send(SERVER, 2, response(404, b"x" * 400))
    talk.send(CLIENT, 3, b"GET / HTTP/1.0\r\n\r\n")
    talk.send(SERVER, 4, b"HTTP/1.1 204 X\r\n\r\n")
    shark, _ = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["204"] or statuses(shark) == ["404", "204"]


def test_sendfile_body(read: Read) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.connect(0)
    for number in range(3):
        talk.send(CLIENT, 10 * number + 1, REQUEST)
        talk.send(SERVER, 10 * number + 2, response(206, b"", 1_000_000))
        talk.send(SERVER, 10 * number + 3, b"", length=1_000_000, reason=3)
    shark, result = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["206"] * 3
    assert result.totals[0].missing_bytes == 3_000_000


def test_large_bodies(read: Read) -> None:
    capture = Capture()
    whole(capture.tcp(), 0, [200, 404], b"0123456789" * 30_000)
    whole(capture.tcp("fd00::5", "fd00::80"), 100, [200, 404], b"0123456789" * 30_000)
    shark, _ = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["200", "404"] * 2


def test_404_after_orphan_bytes(read: Read) -> None:
    capture = Capture()
    for pieces in (1, 3):
        talk = capture.tcp(preexisting=True)
        at = pieces * 100
        for number in range(pieces):
            talk.send(SERVER, at + number, b"</p>the end of a body" * 20)
        exchange(talk, at + 10, 404)
        exchange(talk, at + 20, 200)
    shark, result = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["404", "200"] * 2
    assert [piece.flags & 2 for piece in result.pieces(2)][:4] == [0, 0, 0, 2]


def test_gap_in_the_middle_and_drop(read: Read) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.connect(0)
    talk.send(CLIENT, 1, REQUEST)
    talk.send(SERVER, 2, response(404, b"a" * 100, 300))
    talk.send(SERVER, 3, b"", length=100, reason=2)
    talk.send(SERVER, 4, b"c" * 100)
    talk.send(CLIENT, 5, REQUEST)
    talk.send(SERVER, 6, response(200, b"hello"))
    shark, _ = read(capture)
    assert shark.complaints() == []
    assert statuses(shark) == ["404", "200"]


@pytest.mark.parametrize("only", [None, CLIENT, SERVER])
def test_reply_recorded_before_the_request(read: Read, only: int | None) -> None:
    capture = Capture()
    talk = capture.tcp("127.0.0.1", "127.0.0.1")
    talk.connect(0)
    for number in range(5):
        at = 10 * number + 1
        if only != CLIENT:
            talk.read(SERVER, at + 2, REQUEST)
            talk.send(SERVER, at + 4, response(404, b"no"), entered=at + 3)
        if only != SERVER:
            talk.send(CLIENT, at + 5, REQUEST, entered=at + 1)
            talk.read(CLIENT, at + 6, response(404, b"no"))
    shark, result = read(capture)
    assert shark.complaints() == []
    assert [(uri, code) for _, uri, code in shark.messages()] == [("/missing", ""), ("", "404")] * 5
    assert statuses(shark) == ["404"] * 5
    assert result.stream(1) == [REQUEST * 5]
    assert result.stream(0) == [response(404, b"no") * 5]


def test_lone_syn(read: Read) -> None:
    capture = Capture()
    capture.tcp().connect(0, pending=True)
    refused = capture.tcp()
    refused.connect(1, pending=True)
    refused.reset(CLIENT, 2)
    refused.close(CLIENT, 3)
    closed = capture.tcp()
    closed.connect(4, pending=True)
    closed.close(CLIENT, 5)
    later = capture.tcp()
    later.connect(6, pending=True)
    exchange(later, 7, 404)
    shark, _ = read(capture)
    assert shark.complaints("tcp.flags.reset == 1") == []
    assert shark.fields("tcp.stream < 3", "tcp.stream", "tcp.flags") == [
        ("0", "0x0002"), ("1", "0x0002"), ("1", "0x0014"), ("2", "0x0002"),
    ]  # fmt: skip
    assert [row[0] for row in shark.fields("tcp.stream == 3", "tcp.flags")] == [
        "0x0002", "0x0012", "0x0010", "0x0018", "0x0018",
    ]  # fmt: skip


def test_reset(read: Read) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.connect(0)
    exchange(talk, 1, 404)
    talk.reset(CLIENT, 9)
    talk.close(CLIENT, 10)
    whole(capture.tcp(port=40_001), 20, [200])
    shark, _ = read(capture)
    assert shark.complaints("tcp.flags.reset == 1") == []
    assert shark.fields("tcp.flags.reset == 1", "ip.src", "tcp.flags") == [("10.0.0.80", "0x0014")]
    assert statuses(shark) == ["404", "200"]


def test_bytes_in_flight_when_the_capture_began(read: Read) -> None:
    capture = Capture()
    talk = capture.tcp("127.0.0.1", "127.0.0.1", preexisting=True)
    talk.read(SERVER, 1, b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.send(SERVER, 2, response(404, b"one"))
    talk.read(CLIENT, 3, response(404, b"one"))
    exchange(talk, 4, 500)
    shark, result = read(capture)
    assert shark.complaints() == []
    assert shark.messages() == [("0", "/first", ""), ("0", "", "404"), ("0", "/missing", ""), ("0", "", "500")]
    assert result.totals[0].bytes_to_server == len(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n" + REQUEST)


@pytest.mark.parametrize("addresses", [("10.0.0.5", "10.0.0.53"), ("fd00::5", "fd00::53"), ()])
def test_datagrams(read: Read, addresses: tuple[str, ...]) -> None:
    capture = Capture(snaplen=100)
    talk = capture.udp(*addresses, server_port=9999) if addresses else capture.unix(datagram=True, path=7)
    for number in range(3):
        talk.send(CLIENT, number * 10 + 1, b"question")
        talk.read(SERVER, number * 10 + 2, b"question")
        talk.send(SERVER, number * 10 + 3, b"answer" * 100)
        talk.send(SERVER, number * 10 + 4, b"")
        talk.send(SERVER, number * 10 + 5, b"z" * 70_000)
    shark, result = read(capture)
    assert shark.complaints() == []
    assert [row[0] for row in shark.fields("udp", "udp.length")][:6] == ["16", "608", "8", "65515", "4501", "16"]
    assert result.streams == [0xFFFFFFFF]


def test_long_stream_without_acknowledgement_passes_4_gib(read: Read) -> None:
    capture = Capture()
    talk = capture.tcp()
    talk.connect(0)
    for number in range(5):
        talk.send(SERVER, number + 1, b"data", length=1_000_000_000, reason=3)
    exchange(talk, 100, 404)
    shark, result = read(capture)
    assert shark.complaints() == []
    assert result.totals[0].bytes_to_client == 5_000_000_000 + len(response(404, b"hello"))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_status_of_conversations_cut_and_split_at_random(read: Read, seed: int) -> None:
    capture, expected = random_http(seed, 150)
    shark, result = read(capture)
    assert shark.complaints() == []
    conversation = {stream: conv for conv, stream in enumerate(result.streams, 1)}
    found: dict[int, list[str]] = {conv: [] for conv in expected}
    for stream, _, codes in shark.messages():
        found[conversation[int(stream)]] += [code for code in codes.split(",") if code]
    assert found == expected
