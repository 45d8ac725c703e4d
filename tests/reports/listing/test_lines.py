"""Lines and JSON objects of events; the expected ones were read off sysdig 0.29.3."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from support.still_trace import StillTrace
from support.worded import Worded, code
from syswire.convert.trace.model import Event
from syswire.reports.listing.json import json_lines, text_json
from syswire.reports.listing.lines import fitted, lines, prepare


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def events(data: str = "", *, verbose: bool = False, as_json: bool = False, mode: str = "h") -> list[Event]:
    """An enter and two exits."""
    file = Worded()
    file.event(code("read", ">"), [3, 100])
    file.event(code("read", "<"), [81, b"a" * 81])
    file.event(code("open", "<"), [-2, "/e\x01tc", 1, 0, 0])
    trace = StillTrace(file.data())
    prepare(trace, data=data, verbose=verbose, json=as_json, time_mode=mode)
    return list(trace)


def test_default_line() -> None:
    line = lines()
    assert [line(event) for event in events()] == [
        "1 01:46:40.000001001 0 proc (10) > read fd=3(<f>/etc/abc) size=100 ",
        f"2 01:46:40.000002002 0 proc (10) < read res=81 data={'a' * 77}... ",
        "3 01:46:40.000003003 0 proc (10) < open fd=-2(ENOENT) name=/etc flags=1(O_RDONLY) mode=0 dev=0 ",
    ]


@pytest.mark.parametrize(
    ("mode", "times"),
    [
        ("a", ["1000000000.000001001", "1000000000.000002002", "1000000000.000003003"]),
        ("r", ["0.000000000", "0.000001001", "0.000002002"]),
        ("D", ["0.000000000", "0.000001001", "0.000001001"]),
        ("d", ["0.000000000", "0.000000000", "0.000000000"]),
        ("n", ["0", "0", "0"]),
    ],
)
def test_times(mode: str, times: list[str]) -> None:
    line = lines(time_mode=mode)
    assert [str(line(event)).split(" ")[1] for event in events(mode=mode)] == times


def test_buffers() -> None:
    assert [lines("%evt.buffer")(event) for event in events("A")] == [None, "\n" + "a" * 81, None]
    assert lines("%evt.args")(events(verbose=True)[1]) == f"res=81 data={'a' * 81} "
    assert lines("%evt.arg.data")(events("b")[1]) == "YWFh" * 27
    assert str(lines("%evt.args")(events("x")[1])).startswith("res=81 data=\n\t0x0000: 6161 6161")


def test_missing_values() -> None:
    first = events()[0]
    assert lines("%evt.num %evt.buffer")(first) is None
    assert lines("*%evt.num %5evt.buffer|%2evt.buffer|")(first) == "1 <NA> |<N|"
    assert lines("just text")(first) == "just text"


def test_widths_count_bytes() -> None:
    assert fitted("abc", 5) == "abc  "
    assert fitted("abcdef", 5) == "abcde"
    assert fitted("éé", 3).encode("utf-8", "surrogateescape") == b"\xc3\xa9\xc3"
    assert fitted("é", 4).encode() == b"\xc3\xa9  "


def test_json() -> None:
    line = json_lines()
    text = str(line(events(as_json=True)[1]))
    assert text == (
        '{"evt.cpu":0,"evt.dir":"<","evt.info":"res=81 data=' + "a" * 81 + ' ","evt.num":2,'
        '"evt.outputtime":1000000000000002002,"evt.type":"read","proc.name":"proc","thread.tid":10}'
    )


def test_json_of_a_format() -> None:
    first, second, _ = events(as_json=True)
    line = json_lines("*%evt.num %evt.buffer %9evt.is_io %evt.time %evt.reltime %evt.num")
    assert json.loads(str(line(first))) == {
        "evt.num": 1, "evt.buffer": None, "evt.is_io": True, "evt.time": 1000000000000001001, "evt.reltime": 0,
    }  # fmt: skip
    assert json_lines("%evt.num %evt.buffer")(first) is None
    assert json_lines("text")(second) == "null"


def test_json_text() -> None:
    assert text_json('é"/\\\x7f\x1f\t<>&') == '"\\u00e9\\"/\\\\\x7f\\u001f\\t<>&"'
    assert text_json(b"\xff\xc3(\xe2\x82\xac\xf0\x9f\x98\x80z".decode("utf-8", "surrogateescape")) == (
        '"\\ufffd\\u00e8\\u20ac\\ud83d\\ude00z"'
    )
    assert text_json(b"\xe2\x82".decode("utf-8", "surrogateescape")) == '"\\ufffd\\ufffd"'
