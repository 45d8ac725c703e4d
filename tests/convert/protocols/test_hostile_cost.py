"""What hostile talk may cost: work that is done once, text and lists that are held, bytes that are inflated."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest

from support.parsing import Found, talk
from syswire.convert.model.span import Span
from syswire.convert.protocols.imap.deflate import FREE_OUTPUT, Inflater
from syswire.convert.protocols.imap.syntax import Phrase, Piece
from syswire.convert.protocols.mail.lines import DottedBody, Incoming
from syswire.convert.protocols.mysql import packets
from syswire.convert.protocols.postgresql.parser import PostgreSql
from syswire.convert.protocols.postgresql.values import Bound, value
from syswire.convert.protocols.redis.parser import Redis
from syswire.convert.protocols.stream_buffer import StreamBuffer
from syswire.convert.protocols.telnet import login
from syswire.convert.protocols.telnet.parser import Telnet
from syswire.convert.protocols.telnet.prompts import judge
from syswire.convert.protocols.telnet.typed import Typing


class Counted(bytearray):
    """Bytes that count how many of them were looked through."""

    looked = 0

    def find(self, what: object, begin: object = 0, end: object = None, /) -> int:
        assert isinstance(what, bytes)
        assert isinstance(begin, int)
        stop = end if isinstance(end, int) else len(self)
        Counted.looked += min(stop, len(self)) - begin
        return super().find(what, begin, stop)


def test_a_line_that_comes_byte_by_byte_is_looked_through_once() -> None:
    buffer = StreamBuffer()
    buffer._data = Counted()
    Counted.looked = 0
    for at in range(5000):
        buffer.feed(b"\r" if at == 4998 else b"\n" if at == 4999 else b"x", at, None)
        assert buffer.find(b"\r\n", 10_000) == (4998 if at == 4999 else -1)
    assert Counted.looked < 3 * 5000


@pytest.mark.parametrize(("gap", "end"), [(0, 6), (3, 2)])
def test_what_was_looked_through_does_not_hide_what_follows(gap: int, end: int) -> None:
    """ "abc\\r" waits; with a gap it is forgotten."""
    buffer = StreamBuffer()
    buffer.feed(b"abc\r", 0, None)
    assert buffer.find(b"\r\n", 100) == -1
    if gap:
        buffer.gap(gap, 4)
    buffer.feed(b"de\r\n", 4 + gap, None)
    assert buffer.find(b"\r\n", 100) == end
    assert buffer.find(b"e", 100) == end - 1
    assert buffer.find(b"\r\n", end) == -1
    assert buffer.find(b"\r\n", 100) == end


def test_many_odd_dots_are_looked_behind_once() -> None:
    taken = bytearray()
    body, incoming = DottedBody(taken.extend, False), Incoming()
    incoming._data = Counted()
    odd = b"x\r\n" + b"\n.\n" * 2000
    incoming.feed(odd + b"\r\n.\r\n", 0, None)
    Counted.looked = 0
    looked = 0
    while body.read(incoming) == 2:  # ODD
        before = Counted.looked
        assert not body.undecided(incoming)
        looked += Counted.looked - before
        body.go_on(incoming)
    assert looked <= len(odd) + 5
    assert bytes(taken) == odd + b"\r\n"
    assert not len(incoming)


def test_the_uid_of_a_fetch_line_is_looked_for_once() -> None:
    phrase = Phrase()
    phrase.add(Piece(b"* 1 FETCH (UID 7 BODY[] {1}", Span(None, 0, 28), False, True))
    assert phrase.uid() == b"7"
    phrase.pieces[0] = phrase.pieces[0]._replace(text=b"")
    assert phrase.uid() == b"7"


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        (b"one two \x17", b"one "),
        (b"one two\x17", b"one "),
        (b"one\x17", b""),
        (b"  \x17", b""),
        (b"a" * 3000 + b" b" + b"\x17b" * 5000, b"a" * 3000 + b" b"),
    ],
)
def test_a_word_is_erased(typed: bytes, left: bytes) -> None:
    typing = Typing(lambda: None)
    lines = list(typing.feed(typed + b"\r", typed + b"\r", 0, None))
    assert [line.text for line in lines] == [left]


def test_what_a_server_said_is_not_looked_through_for_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user, a line that may be a password, much said by the server, and then nothing but lines."""
    calls = [(False, b"login: "), (True, b"a\r\n"), (True, b"b\r\n"), (False, b"$ " * 2000)]
    cleaned: list[int] = []

    def plain(text: bytes) -> bytes:
        cleaned.append(len(text))
        return text

    monkeypatch.setattr(login, "plain", plain)
    found = talk(Telnet, [*calls, (True, b"c\r\n" * 3000)])
    assert sum(cleaned) < 10 * 4096
    assert [record.kind for record in found.records] == ["login", "session"]


@pytest.mark.parametrize("word", [b"SET", b"AUTH"])
def test_commands_of_many_words_are_held_for_what_they_take(word: bytes) -> None:
    """Commands of 1,000 words each, none of which is answered."""
    command = word + b"".join(b" %03x" % number for number in range(1000)) + b"\r\n"
    taken = 0

    class Silent(Found):
        def record(self, r: object, /) -> None:
            nonlocal taken
            taken += 1

        def sighting(self, s: object, /) -> None:
            pass

    parser = Redis(Silent())
    tracemalloc.start()
    try:
        for number in range(130):
            parser.data(True, command, number * len(command), None, True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000
    assert taken >= 100


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"Login incorrect\r\n", "refused"),
        (b"password: is  wrong", None),
        (b"access was   denied", "refused"),
        (b"login" + b" " * 4000, None),
        (b"login" + b" " * 4000 + b"failed", "refused"),
    ],
)
def test_verdicts_with_many_blanks(said: bytes, verdict: str | None) -> None:
    assert judge(said, b"") == verdict


def numeric(count: int, weight: int, scale: int) -> bytes:
    return struct.pack("!HhHH", count, weight, 0, scale) + b"\0\1" * count


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (numeric(1, 0, 0), "1"),
        (numeric(1, 2, 0), "100000000"),
        (numeric(2, 0, 3), "1.000"),
        (numeric(2, 0, 4), "1.0001"),
        (numeric(1, -1, 4), "0.0001"),
        (numeric(1, -2, 9), "0.000000010"),
        (numeric(0, 0, 2), "0.00"),
        (numeric(1, 4096, 0), numeric(1, 4096, 0).hex()),
        (numeric(1, 0, 16383), numeric(1, 0, 16383).hex()),
    ],
)
def test_a_number_of_few_bytes_is_no_long_text(data: bytes, told: str) -> None:
    assert value(Bound(True, data), 1700) == told


def test_errors_without_end_are_not_kept() -> None:
    def message(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("!I", len(body) + 4) + body

    errors = b"".join(message(b"E", b"SERROR\0C42601\0Mno %d\0\0" % number) for number in range(3000))
    calls = [
        (True, struct.pack("!II", 16, 196608) + b"user\0a\0\0"),
        (False, message(b"R", bytes(4)) + message(b"Z", b"I")),
        (True, message(b"Q", b"select 1\0")),
        (False, errors),
    ]
    fields = talk(PostgreSql, calls).answered[-1]
    assert fields is not None
    results = fields["results"]
    assert isinstance(results, list)
    assert len(results) < 1000
    assert isinstance(results[-1], dict)
    assert results[-1]["message"] == "no 2999"
    assert fields["results_complete"] is False


def test_imap_inflates_no_bomb() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(40 << 20)) + packer.flush()
    inflater = Inflater()
    out = sum(len(data) for data, *_ in inflater.feed(bomb, 0, None))
    assert inflater.broken()
    assert FREE_OUTPUT < out < 4 * FREE_OUTPUT


@pytest.mark.parametrize("cut", [1, 700, 100_000])
def test_mysql_inflates_no_bomb(cut: int) -> None:
    """A packet of 15 MB in 15 kB: as many of its bytes come out whatever the cuts, and the next packet is read."""

    class Taken:
        synced = True
        size = 0

        def feed(self, data: bytes, offset: int, place: object, width: int = 0) -> int:
            self.size += len(data)
            return len(data)

        def lose(self) -> None:
            self.lost = self.size

    taken = Taken()
    inflater = packets.Inflater(taken)  # type: ignore[arg-type]
    packed = zlib.compress(bytes(15_000_000), 9)
    stream = struct.pack("<I", len(packed))[:3] + b"\0" + struct.pack("<I", 15_000_000)[:3] + packed
    stream += b"\5\0\0\1\0\0\0hello"
    for at in range(0, len(stream), cut):
        inflater.feed(stream[at : at + cut], at, None)
    assert taken.lost == packets.FREE_OUTPUT + packets.MOST_RATIO * len(packed)
    assert taken.size == taken.lost + 5
