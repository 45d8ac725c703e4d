"""Parameters as text, line by line against sysdig 0.29.3 over files of every event type and every wording."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest

from support import plain_scap
from support.every_event import every_event
from support.still_trace import StillTrace
from support.worded import flagged, worded
from syswire.convert.trace import arguments

CRASHES = frozenset((268, 269))
"""Tracer events hold addresses of the recording process: sysdig follows them and dies."""
STATEFUL = re.compile(rb"\(<|\(some text\)|\(x+\)")
"""What the rules of state add to a line; the trace of this test has none."""


def sysdigs(program: str, path: Path) -> dict[int, bytes]:
    """Each event's parameters by its number; the number is marked because parameters may hold ends of lines."""
    done = run([program, "-D", "-r", path, "-p", "*\x01%evt.num\x01%evt.args\x02"], capture_output=True, check=True)
    return {int(number): text for number, text in re.findall(rb"\x01(\d+)\x01(.*?)\x02\n", done.stdout, re.DOTALL)}


def assert_same(program: str, path: Path, least: int) -> None:
    """All lines equal but those that state adds to; where a parameter is absent, sysdig reads what follows it."""
    theirs = sysdigs(program, path)
    compared = 0
    for event in StillTrace(path.read_bytes()):
        wanted = theirs.get(event.num)
        if wanted is None or not event.info.known_to_sysdig:
            continue
        found = arguments.args(event).encode("utf-8", "surrogateescape")
        absent = b"" in event.params or b"=NULL " in found
        if found != wanted and (absent or (STATEFUL.search(wanted) and not STATEFUL.search(found))):
            continue
        assert (event.code, found) == (event.code, wanted)
        compared += 1
    assert compared >= least


@pytest.mark.parametrize(("make", "least"), [(worded, 420), (flagged, 2400)])
def test_wordings(make: Callable[[], bytes], least: int, tool: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "worded.scap"
    path.write_bytes(make())
    assert_same(tool("sysdig"), path, least)


def test_every_event_type(tool: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "every.scap"
    data, _ = every_event("old", kinds=("sample", "low", "high"))
    path.write_bytes(without(data, CRASHES))
    assert_same(tool("sysdig"), path, 700)


def without(data: bytes, codes: frozenset[int]) -> bytes:
    """The file without the events of these types."""
    out, place = [], 0
    for record in plain_scap.records(data):
        size = int.from_bytes(data[record.offset + 4 : record.offset + 8], "little")
        out.append(data[place : record.offset])
        place = record.offset
        if isinstance(record, plain_scap.Event) and record.code in codes:
            place += size
    return b"".join((*out, data[place:]))
