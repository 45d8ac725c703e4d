"""Every chisel over a small trace, held to lines worked out by hand and to sysdig where it is installed."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.incident import trace
from syswire.convert.errors import UsageError
from syswire.convert.filters.judge import compile_filter
from syswire.convert.source import Source
from syswire.convert.trace.trace import open_trace
from syswire.reports.chisels import text
from syswire.reports.chisels.api import Chisel, Output, arity, describe, listing, make
from syswire.reports.chisels.table import ABSENT, CHISELS

NEEDED = {
    "spy_ip": ["10.0.0.7"], "spy_port": ["80"], "fdbytes_by": ["fd.name"], "fdcount_by": ["proc.name"],
    "fdtime_by": ["proc.name"], "netlower": ["1"], "fileslower": ["1"], "scallslower": ["1"], "around": ["out.scap"],
}  # fmt: skip


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trace as a file."""
    path = tmp_path_factory.mktemp("incident") / "incident.scap"
    path.write_bytes(trace())
    return path


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def run_chisel(path: Path, name: str, arguments: list[str], output: Output, filter: str = "") -> Chisel:
    """Run a chisel over a file."""
    found = open_trace(Source(path))
    chisel = make(name, arguments, output)
    chisel.capture_filter(filter)
    asked, wanted = compile_filter(chisel.filter or ""), compile_filter(filter)
    chisel.start(found)
    for event in found:
        chisel.tick(event.ts)
        if chisel.finished:
            break
        if wanted.judge(event) and asked.judge(event):
            chisel.event(event)
    chisel.end()
    return chisel


def lines(path: Path, name: str, *arguments: str, filter: str = "", containers: bool = False) -> list[str]:
    """What a chisel prints."""
    out: list[str] = []
    run_chisel(path, name, list(arguments), Output(out.append, containers=containers), filter)
    return "".join(out).splitlines()


def test_users_at_their_shells(incident: Path) -> None:
    assert lines(incident, "spy_users")[:4] == [
        "820 09:15:00 averylongusername) ls -l /tmp",
        "820 09:15:00 averylongusername) cd /etc",
        "820 09:15:00 averylongusername) /bin/sh script.sh",
        "   820 09:15:00 averylongusername) date ",
    ]
    assert "date " not in "\n".join(lines(incident, "spy_users", "0"))


def test_login_shells_are_told_once_each(incident: Path) -> None:
    assert lines(incident, "list_login_shells") == ["All shells:", "820", "4010", "4020"]
    assert lines(incident, "list_login_shells", "ls") == ["Shells containing ls:", "820"]


def test_functions_in_the_environment(incident: Path) -> None:
    assert lines(incident, "shellshock_detect") == [
        "TIME                  PROCNAME              PID     FUNCTION",
        "09:15:00.250033000    httpd                 960     () { :;}; /usr/bin/id",
    ]


def test_slow_calls_are_longer_than_the_threshold(incident: Path) -> None:
    assert [line.split(maxsplit=4)[4] for line in lines(incident, "fileslower", "1")[2:]] == [
        "1 /data/slow.bin", "1 /data/slow.bin", "12 /data/slow.bin", "2000 /data/slow.bin", "5 /var/log/x_log",
    ]  # fmt: skip


def test_last_second_is_printed(incident: Path) -> None:
    assert lines(incident, "iobytes_net")[-1] == "09:15:07 in:36 out:62 tot:98"


def test_memcached(incident: Path) -> None:
    assert [line.split(" ", 2)[2] for line in lines(incident, "memcachelog")] == [
        "method=get size=0B key=user:1", "method=set size=5B key=user:1", "method=gets size=0B key=k",
        "method=set size=5000B key=big",
    ]  # fmt: skip
    assert len(lines(incident, "memcachelog", "set", "6")) == 1


def test_spy_ip_labels_writes_as_writes(incident: Path) -> None:
    shown = lines(incident, "spy_ip", "10.0.0.7", filter="fd.port=80 and evt.buflen>10")
    assert shown == [
        "------ Read 36B", "GET /a HTTP/1.1..Host: h.x..A: b....",
        "------ Write 45B", "HTTP/1.1 200 OK..Content-Length: 12..A: b....", "",
    ]  # fmt: skip


def test_http(incident: Path) -> None:
    assert lines(incident, "httplog") == [
        "2026-11-20 09:15:06.319174031 < method=GET url=h.x/a response_code=200 latency=7ms size=12B"
    ]
    assert lines(incident, "httptop", "bytes")[2:] == ["12B                 GET                 h.x/a"]


def test_logs_and_what_is_saved_around(incident: Path, tmp_path: Path) -> None:
    out: list[str] = []
    chisel = run_chisel(incident, "spy_logs", [str(tmp_path / "x.scap"), "1"], Output(out.append))
    assert out[-1] == "Writing events for 6 log entries\n"
    assert chisel.saved is not None
    near = chisel.saved.wanted()
    written = [event.ts for event in open_trace(Source(incident)) if near(event)]
    moments = [ts for found in chisel.saved.moments.values() for ts in found]
    assert (len(moments), len(written)) == (6, 49)  # as many as sysdig writes
    assert set(moments) <= set(written)
    assert all(any(abs(ts - moment) <= 1_000_000 for moment in moments) for ts in written)


@pytest.mark.parametrize("name", [row.name for row in CHISELS])
def test_json_and_csv_have_the_columns(incident: Path, name: str) -> None:
    arguments = NEEDED.get(name, [])
    for containers in (False, True):
        out: list[str] = []
        run_chisel(incident, name, arguments, Output(out.append, mode="json", containers=containers), "evt.num>0")
        objects = [json.loads(line) for line in "".join(out).splitlines()]
        columns = list(make(name, arguments, Output(out.append, containers=containers)).columns)
        for found in objects:
            if "data" in found and "info" in found:
                assert [one["name"] for one in found["info"] if one] == columns
                assert all(len(row) == len(columns) for row in found["data"])
            else:
                assert list(found) == columns
        out.clear()
        run_chisel(incident, name, arguments, Output(out.append, mode="csv", containers=containers), "evt.num>0")
        rows = list(csv.reader(io.StringIO("".join(out))))
        assert rows[0] == columns
        assert all(len(row) == len(columns) for row in rows)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("topcons", [], "did you mean topconns?"),
        ("spectrogram", [], "live terminal"),
        ("spy_ip", [], "needs host_ip: -c spy_ip host_ip"),
        ("spy_ip", ["foo"], "takes an IP address, not foo"),
        ("spy_port", ["99999"], "a port between 0 and 65535"),
        ("topconns", ["x"], "takes no arguments, not x"),
        ("fdbytes_by", ["fd.nam"], "did you mean fd.name?"),
        ("fdcount_by", ["fd.ip"], "for filters only"),
        ("httptop", ["size"], "ncalls, bytes or time"),
        ("netlower", ["abc"], "a number of milliseconds"),
        ("spy_file", ["X"], "R, W or RW"),
        ("lsof", ["evt.type=open"], "is of events"),
        ("spy_users", ["deep"], "a number of generations"),
        ("lscontainers", ["x"], "desc or nothing"),
    ],
)
def test_wrong_usage(name: str, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?").replace("[", r"\[")) as raised:
        make(name, arguments, Output(lambda _: None))
    assert "\n" not in str(raised.value)


def test_around_needs_a_filter(incident: Path) -> None:
    with pytest.raises(UsageError, match="needs a filter"):
        run_chisel(incident, "around", ["x.scap"], Output(lambda _: None))


def test_help_tells_all() -> None:
    shown = listing()
    for row in CHISELS:
        assert f"\n{row.name}" in shown
        assert all(argument.name in describe(row.name) for argument in row.arguments)
    assert arity("spy_ip") == (1, 1)
    assert not {row.name for row in CHISELS} & set(ABSENT)


def test_numbers_are_written_as_sysdig_does() -> None:
    sizes = {0: "0B", 1024: "1024B", 1025: "1.00KB", 10880: "10.63KB", 1048577: "1.00M", 1 << 40: "1024.00G"}
    assert {size: text.size(size) for size in sizes} == sizes
    times = {999: "999ns", 9999: "9.99us", 10_001: "10us", 9_999_999: "9.99ms", 59_999_000_000: "59.99s"}
    assert {ns: text.interval(ns) for ns in times} == times


@pytest.mark.skipif(shutil.which("sysdig") is None, reason="sysdig is not installed")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("echo_fds", ["disable_color"]), ("spy_port", ["80"]), ("spy_logs", []),
        ("spy_file", []), ("stderr", []), ("stdin", []), ("stdout", []),
        ("httplog", []), ("bottlenecks", []), ("netlower", ["1"]), ("fileslower", ["1"]),
        ("scallslower", ["1"]), ("proc_exec_time", ["disable_colors"]),
        ("lsof", []), ("netstat", []), ("ps", []), ("topconns", []),
        ("topports_server", []), ("topprocs_net", []), ("topfiles_bytes", []),
        ("topscalls", []), ("topscalls_time", []), ("fdbytes_by", ["fd.name"]),
        ("fdcount_by", ["proc.name"]),
    ],
)  # fmt: skip
def test_same_as_sysdig(incident: Path, name: str, arguments: list[str]) -> None:
    command = ["sysdig", "-r", str(incident), "-c", name, *arguments]
    theirs = subprocess.run(
        command, capture_output=True, check=True, timeout=60, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}
    )
    expected = theirs.stdout.decode("utf-8", "surrogateescape")
    for color in (text.RED, text.BLUE, text.GREEN, text.RESET):
        expected = expected.replace(color, "")
    out: list[str] = []
    run_chisel(incident, name, arguments, Output(out.append))
    assert sorted("".join(out).split("\n")) == sorted(expected.split("\n"))
