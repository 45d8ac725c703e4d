"""Redis, FastCGI, FTP and Telnet on hostile input: any cuts, any bytes, losses, one side alone, talk without an end."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.parsing import Found, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.fastcgi.parser import FastCgi
from syswire.convert.protocols.ftp.parser import Ftp
from syswire.convert.protocols.redis.parser import Redis
from syswire.convert.protocols.telnet.parser import Telnet

Make = Callable[[Sink], Parser]
Calls = list[tuple[bool, bytes | int]]
Bytes = list[tuple[bool, bytes]]

REDIS: Bytes = [
    (True, b"*2\r\n$4\r\nAUTH\r\n$9\r\nopen-jar1\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"),
    (False, b"+OK\r\n$5\r\nvalue\r\n"),
    (True, b'AUTH ann "open-\\x6aar2"\r\nPING\r\n'),
    (False, b"-WRONGPASS no\r\n+PONG\r\n"),
    (True, b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n"),
    (False, b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"),
    (True, b"*1\r\n$5\r\nMULTI\r\n*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$10\r\nmasterauth\r\n$9\r\nopen-jar3\r\n"),
    (True, b"*1\r\n$4\r\nEXEC\r\n"),
    (False, b"+OK\r\n+QUEUED\r\n*1\r\n%1\r\n+x\r\n,1.5\r\n"),
]  # fmt: skip
FASTCGI: Bytes = [
    (True, b"\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\x16\2\0\x0b\x09PHP_AUTH_PWopen-jar1\0\0\1\4\0\1\0\0\0\0"),
    (
        True,
        b"\1\1\0\2\0\x08\0\0\0\1\1\0\0\0\0\0\1\4\0\2\0\x2f\0\0\x0c\x21CONTENT_TYPEapplication/x-www-form-urlencoded",
    ),
    (True, b"\1\4\0\2\0\0\0\0\1\5\0\2\0\x12\1\0password=open-jar2\0\1\5\0\2\0\0\0\0\1\5\0\1\0\0\0\0"),
    (False, b"\1\6\0\2\0\x16\0\0Status: 401 No\r\n\r\nbody\1\3\0\2\0\x08\0\0\0\0\0\0\0\0\0\0"),
    (False, b"\1\7\0\1\0\3\0\0err\1\6\0\1\0\6\0\0A: b\n\n\1\3\0\1\0\x08\0\0\0\0\0\0\0\0\0\0"),
]
FTP: Bytes = [
    (False, b"220-hi\r\n220 there\r\n"),
    (True, b"USER ann\r\n"),
    (False, b"331 ?\r\n"),
    (True, b"PASS open-jar1\r\n"),
    (False, b"530 no\r\n"),
    (True, b"USER bob\r\nPASS open-jar2\r\nPASV\r\n"),
    (False, b"331 ?\r\n230 in\r\n227 (127,0,0,1,9,9)\r\n"),
    (True, b"RETR x\r\n\xff\xf4\xff\xf2ABOR\r\n"),
    (False, b"150 (7 bytes)\r\n426 no\r\n226 ok\r\n"),
    (True, b"AUTH TLS\r\n"),
    (False, b"234 go\r\n\x16\3\3"),
    (True, b"\x16\3\1"),
]
TELNET: Bytes = [
    (False, b"\xff\xfd\x18\xff\xfb\x01login: "),
    (True, b"\xff\xfb\x18\xff\xfa\x18\0VT100\xff\xf0an"),
    (False, b"an"),
    (True, b"m\x7fn\r\0"),
    (False, b"nn\r\nPassword: "),
    (True, b"open-jar1\r\0"),
    (False, b"\r\nLogin incorrect\r\nlogin: "),
    (True, b"ann\r\0open-jar2\r\0"),
    (False, b"ann\r\nPassword: \r\nWelcome\r\n$ "),
    (True, b"ls -l\r\0"),
    (False, b"ls -l\r\ntotal 0\r\n$ "),
]
TALKS: list[tuple[Make, Bytes]] = [(Redis, REDIS), (FastCgi, FASTCGI), (Ftp, FTP), (Telnet, TELNET)]
NAMES = ["redis", "fastcgi", "ftp", "telnet"]
PASSWORDS = [b"open-jar1", b"open-jar2", b"open-jar3"]
each = pytest.mark.parametrize(("make", "calls"), TALKS, ids=NAMES)


def no_secret(found: Found) -> None:
    """No record holds a password."""
    text = repr([(r.request, r.response) for r in found.records])
    assert "open-jar" not in text and "open-\\\\x6aar" not in text


@each
@pytest.mark.parametrize("cuts", [[1], [2], [3], [1, 5, 2], [17]])
def test_cuts_and_boundaries_make_no_difference(make: Make, calls: Bytes, cuts: list[int]) -> None:
    whole = talk(make, calls)
    assert {s.secret for s in whole.sightings} >= {b"open-jar1", b"open-jar2"}
    assert talk(make, calls, cuts=cuts).said() == whole.said()
    assert talk(make, calls, cuts=cuts, boundaries=False).said() == whole.said()
    no_secret(whole)


@pytest.mark.parametrize(
    ("make", "name", "port"),
    [
        (Redis, "redis", 6390),
        (FastCgi, "fastcgi", 9009),
        (Ftp, "ftp-vsftpd", 2190),
        (Ftp, "ftp-pyftpdlib", 2191),
        (Telnet, "telnet", 2390),
    ],
)
def test_recordings_however_cut(make: Make, name: str, port: int, data: Path) -> None:
    for calls in recorded(data / "protocols" / f"{name}.pcap", port):
        whole = talk(make, calls)
        for cuts in ([1], [7, 3, 40]):
            assert talk(make, calls, cuts=cuts, boundaries=False).said() == whole.said()


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Make, Calls]:
    """A conversation with calls dropped, doubled, moved, lost, or changed within."""
    make, calls = draw(st.sampled_from(TALKS))
    out: Calls = []
    for up, data in calls:
        what = draw(st.integers(0, 15))
        begin, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        if what == 1:
            out.append((up, len(data)))
        elif what == 2:
            out += [(up, data[:begin]), (up, end - begin), (up, data[end:])]
        elif what == 3:
            out.append((up, data[:begin] + draw(st.binary(max_size=6)) + data[end:]))
        elif what == 4:
            out += [(up, data), (up, data)]
        elif what == 5:
            out.append((not up, data))
        elif what:
            out.append((up, data))
    return make, [(up, data) for up, data in out if data]


@given(damaged(), st.lists(st.integers(1, 40), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_damaged_talks_are_read_alike_however_cut(case: tuple[Make, Calls], cuts: list[int]) -> None:
    make, calls = case
    assert talk(make, calls, cuts=cuts, boundaries=False).said() == talk(make, calls).said()


@given(
    st.sampled_from([Redis, FastCgi, Ftp, Telnet]),
    st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=60)), max_size=12),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
)
@settings(max_examples=300, deadline=None)
@example(Redis, [(False, b"|1\r\n+a\r\n|1\r\n+b\r\n+c\r\n+d\r\n")], [1])
@example(Redis, [(True, b"*1\r\n*1\r\n$1\r\nx\r\n")], [1])
@example(FastCgi, [(True, b"\1\4\0\1\0\4\0\0\xff\xff\xff\xff")], [1])
@example(Telnet, [(True, b"\xff\xfa\xff\xf0\xff\xfa\x27\0\2"), (False, b"Password: "), (True, b"\x03\r\n\x1b")], [1])
def test_any_bytes_are_survived(make: Make, calls: Calls, cuts: list[int]) -> None:
    assert talk(make, calls, cuts=cuts, boundaries=False).said() == talk(make, calls).said()


@each
def test_one_side_alone(make: Make, calls: Bytes) -> None:
    client = talk(make, [call for call in calls if call[0]])
    assert client.records and all(r.response is None for r in client.records)
    assert all(s.outcome == "unknown" and s.secret in PASSWORDS for s in client.sightings)
    assert bool(client.sightings) == (make is not Telnet)  # what is typed is a password only where one was asked for
    no_secret(client)
    server = talk(make, [call for call in calls if not call[0]])
    assert all(r.request is None for r in server.records) and not server.sightings


@each
def test_a_capture_that_begins_or_ends_anywhere_makes_up_no_secret(make: Make, calls: Bytes) -> None:
    for at in range(1, len(calls)):
        for found in (talk(make, calls[at:]), talk(make, calls[:at])):
            assert {s.secret for s in found.sightings} <= set(PASSWORDS)
            no_secret(found)


ENDLESS: list[tuple[Make, bool, bytes, bytes]] = [
    (Redis, True, b"*2\r\n$3\r\nGET\r\n$900000000\r\n", b"x" * 4096),
    (Redis, True, b"*1000000\r\n", b"$4\r\nabcd\r\n" * 80),
    (Redis, True, b"", b"*1\r\n$4\r\nPING\r\n" * 60),
    (Redis, False, b"", b"*1\r\n" * 1000),
    (Redis, False, b"*9000000\r\n", b"*1\r\n+x\r\n" * 80),
    (Redis, True, b"", b"x" * 4096),
    (FastCgi, True, b"\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0", b"\1\4\0\1\x0f\xf8\0\0" + b"\1" * 4088),
    (FastCgi, True, b"", b"\1\5\0\1\x0f\xf8\0\0" + b"a" * 4088),
    (FastCgi, False, b"", b"\1\7\0\1\x0f\xf8\0\0" + b"a" * 4088),
    (FastCgi, True, b"", b"".join(b"\1\1" + bytes([n, 1]) + b"\0\x08\0\0\0\1\0\0\0\0\0\0" for n in range(40))),
    (Ftp, True, b"", b"NOOP a b c\r\n" * 300),
    (Ftp, True, b"USER ", b"x" * 4096),
    (Ftp, False, b"220-a\r\n", b"x" * 500 + b"\r\n"),
    (Telnet, True, b"", b"typed\r\n" * 80),
    (Telnet, True, b"\xff\xfa\x18", b"x" * 4096),
    (Telnet, False, b"login: ", b"\xff\xfd\x18" * 200),
]


@pytest.mark.parametrize(("make", "up", "begin", "piece"), ENDLESS)
def test_talk_without_an_end_in_bounded_memory(make: Make, up: bool, begin: bytes, piece: bytes) -> None:
    class Nothing(Found):
        def record(self, r: object, /) -> None:
            self.handed += 1

        def weird(self, name: object, span: object, /) -> None:
            pass

    parser = make(Nothing())
    offset = 0
    peaks = []
    tracemalloc.start()
    for part in (100, 200):
        for data in [begin, *[piece] * part] if part == 100 else [piece] * part:
            parser.data(up, data, offset, "p", True)
            offset += len(data)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[-1] < 12 << 20 and peaks[1] < 1.6 * peaks[0] + (1 << 19)
    parser.close()
