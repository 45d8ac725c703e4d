"""Start lines: the compiled judgement is that of the regular expressions which say what RFC 9112 (3 and 4) allows."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from syswire.convert.protocols.http1.probe import METHODS, is_start_line, probe

REQUEST = re.compile(
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32} [^\x00-\x20][^\r\n]* HTTP/1\.[0-9][ \t]*\r*\Z",
)
STATUS = re.compile(rb"HTTP/1\.[0-9] +[0-9]{3}(?:[ \t][^\n]*)?\r*\Z")
CUT_TARGET = re.compile(rb"(?:/|\*|[A-Za-z][A-Za-z0-9+.\-]{1,15}://|[^/?#\x00-\x20]+:[0-9]{1,5})[^\x00-\x1f\x7f]*\r*\Z")
PARTS = st.sampled_from(
    (
        b"GET|M-SEARCH|a(b| |  |\t|/|/a?b=c|http://h/|h:80|*|HTTP/1.|HTTP/1.1|HTTP/1.0|HTTP/2.0|http/1.1|200|99|1000|OK|1|"
        b"\r|\r\r|\n|\x00|\x7f|\x80|\xff|" + b"x" * 32 + b"|" + b"x" * 33
    ).split(b"|")
)
LINE = st.one_of(st.lists(PARTS, max_size=10).map(b"".join), st.binary(max_size=30))


@settings(max_examples=3000, deadline=None)
@given(LINE)
@example(b"GET / HTTP/1.1")
@example(b"G / HTTP/1.1")
@example(b"G /  HTTP/1.1 \t\r")
@example(b"G / HTTP/1.1\r\t")
@example(b"G  / HTTP/1.1")
@example(b"G  HTTP/1.1")
@example(b"HTTP/1.1 200")
@example(b"HTTP/1.1 200\r\r")
@example(b"HTTP/1.1 200\rx")
@example(b"HTTP/1.1   200\tOK\rx")
def test_a_whole_line(line: bytes) -> None:
    assert is_start_line(True, line) == (REQUEST.match(line) is not None)
    assert is_start_line(False, line) == (STATUS.match(line) is not None)


VERSION = re.compile(rb"HTTP/[0-9](?:\.[0-9]+)?", re.IGNORECASE)
NOT_IN_TARGETS = re.compile(rb"[\x00-\x20\x7f]")


def loosely(to_server: bool, line: bytes) -> bool:
    """What can be nothing else though it is not by the letter, word by word."""
    words = re.split(rb"[ \t\x0b\x0c]+", line.rstrip(b"\r").rstrip(b" \t"))
    if not to_server:
        blank = line[len(words[0]) : len(words[0]) + 1]
        version = re.fullmatch(rb"HTTP/1\.[0-9]+", words[0], re.IGNORECASE)
        rest = line[len(words[0]) :].lstrip(b" \t")
        status = re.fullmatch(rb"[0-9]{3}(?:[ \t][^\n]*)?\r*", rest)
        return version is not None and blank in (b" ", b"\t") and status is not None
    if not re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}", words[0]):
        return False
    known = words[0] in METHODS
    inner = line.rstrip(b"\r")
    if len(words) > 1 and VERSION.fullmatch(words[-1]) and b"\r" not in inner and b"\n" not in line:
        spaced = line[len(words[0]) : len(words[0]) + 1] == b" "
        return known or (len(words) > 2 and words[-1][5:6] == b"1" and spaced and b"HTTP/1." in line)
    begin = re.match(rb"(?:GET|HEAD|POST) +(?:/|https?://)", line)
    if begin is None:
        return False
    target = line[begin.end() :].rstrip(b"\r").rstrip(b" \t")
    return NOT_IN_TARGETS.search(target) is None


def plainly(to_server: bool, head: bytes) -> bool:
    """What probe does, word by word."""
    head = head.lstrip(b"\r\n")
    line, end, _ = head[: 1 << 16].partition(b"\n")
    if not to_server:
        return STATUS.match(line) is not None or loosely(False, line)
    if end:
        return REQUEST.match(line) is not None or loosely(True, line)
    if len(line) < len(head):
        return REQUEST.match(line) is not None
    method, blank, target = line.partition(b" ")
    return blank != b"" and method in METHODS and CUT_TARGET.match(target) is not None


@settings(max_examples=3000, deadline=None)
@given(LINE, st.sampled_from([b"", b"\n", b"\r\n", b"\r\nHost: x", b"\n\n"]), st.sampled_from([b"", b"\r\n", b"\n\r"]))
def test_the_first_bytes_of_a_call(line: bytes, end: bytes, before: bytes) -> None:
    for to_server in (True, False):
        assert probe(to_server, before + line + end) == plainly(to_server, before + line + end)


def test_no_more_than_a_long_line_is_looked_at() -> None:
    line = b"GET /" + b"a" * 65_517 + b" HTTP/1.1"
    assert len(line) == 65_531
    for more, found in ((b"", True), (b"\r\n\r\n", True), (b"\r" * 6, True), (b" " * 5 + b"x", True)):
        head = line + more
        assert probe(True, head) == plainly(True, head) == found
    assert not probe(True, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n")
