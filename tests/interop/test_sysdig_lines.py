"""Lines of real captures against sysdig 0.29.3: the default one, forms of buffers and of time, formats, JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import run

import pytest

from support.made import SAMPLE
from syswire.convert.source import Source
from syswire.convert.trace.trace import open_trace
from syswire.reports.listing.json import json_lines
from syswire.reports.listing.lines import lines, prepare

Lines = list[bytes]
FILES = ("act1", "curl_google", "test_ipv6_client")
EVENT_FIELDS = (
    "num time time.s time.iso8601 datetime datetime.s rawtime rawtime.s rawtime.ns reltime reltime.s "
    "reltime.ns latency latency.s latency.ns latency.human deltatime deltatime.s deltatime.ns dir type "
    "category cpu args arg[0] arg[1] info buffer buflen res rawres failed is_io is_io_read is_io_write "
    "io_dir is_wait wait_latency is_syslog count count.error count.error.file count.error.net "
    "count.error.memory count.error.other count.exit abspath is_open_read is_open_write is_open_exec "
    "arg.res arg.fd arg.name rawarg.res"
)
FORMATS = (
    "*" + "|".join(f"%evt.{name}" for name in EVENT_FIELDS.split()) + "|%syscall.type",
    "%evt.num %proc.name %evt.buffer",
    r"%evt.num\t%evt.rawres\n%evt.res",
    "%evt.num|%10proc.name|%5evt.cpu|%3evt.type|%20fd.name|",
    "just text",
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both programs show the time of UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(params=FILES)
def capture(request: pytest.FixtureRequest, shared: Path) -> Path:
    """The sample, and two captures that are not ours."""
    name: str = request.param
    return SAMPLE if name == "act1" else shared / "data" / "scap" / f"{name}.scap"


def ours(path: Path, format: str | None = None, *, data: str = "", mode: str = "h", as_json: bool = False) -> Lines:
    """What the listing gives, line by line."""
    trace = open_trace(Source(path))
    prepare(trace, data=data, json=as_json, time_mode=mode)
    line = json_lines(format) if as_json else lines(format, mode)
    found = [text for event in trace if not event.hidden and (text := line(event)) is not None]
    return "\n".join(found).encode("utf-8", "surrogateescape").split(b"\n")


def sysdigs(program: str, path: Path, *switches: str) -> Lines:
    """What sysdig prints, line by line."""
    done = run([program, "-r", path, *switches], capture_output=True, check=True, env={**os.environ, "TZ": "UTC"})
    return done.stdout.removesuffix(b"\n").split(b"\n")


def test_default_lines(capture: Path, tool: Callable[[str], str]) -> None:
    assert ours(capture) == sysdigs(tool("sysdig"), capture)


@pytest.mark.parametrize("letter", ["A", "x", "X", "b"])
def test_forms_of_buffers(letter: str, capture: Path, tool: Callable[[str], str]) -> None:
    assert ours(capture, data=letter) == sysdigs(tool("sysdig"), capture, f"-{letter}")


@pytest.mark.parametrize("mode", ["r", "d", "D"])
def test_times(mode: str, capture: Path, tool: Callable[[str], str]) -> None:
    assert ours(capture, mode=mode) == sysdigs(tool("sysdig"), capture, "-t", mode)


@pytest.mark.parametrize("format", FORMATS)
def test_formats(format: str, capture: Path, tool: Callable[[str], str]) -> None:
    assert ours(capture, format) == sysdigs(tool("sysdig"), capture, "-p", format)


def test_json(capture: Path, tool: Callable[[str], str]) -> None:
    assert ours(capture, as_json=True) == sysdigs(tool("sysdig"), capture, "-j")
    format = "%evt.num %evt.time %evt.buffer %evt.is_io %evt.latency.ns"
    assert ours(capture, format, as_json=True) == sysdigs(tool("sysdig"), capture, "-j", "-p", format)
