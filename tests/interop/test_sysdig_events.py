"""Every event against sysdig 0.29.3 (number, time, cpu, thread, direction, name), and against the plain reader.

sysdig 0.29.3 says nothing of event types from 336 on, consumes container events at the head of a file, and crashes on
files of the newest schema: there the plain reader is the judge alone.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import get_args

import pytest

from support import plain_scap
from support.every_event import DAMAGED, Age, every_event
from support.listing import listing, type_name
from syswire.convert.scap import event_table
from syswire.convert.scap.encoding import ByteOrder
from syswire.convert.scap.writer import Form

FIELDS = "%evt.num %evt.rawtime %evt.cpu %thread.tid %evt.dir %evt.type"
OLD_FILES = ("502Error.scap", "curl_google.scap", "test_ipv6_client.scap")
NEW_FILES = ("a_http.scap.gz", "b_redis.scap.gz", "d_tree.scap.gz", "e_syscalls.scap.gz")
Line = tuple[int, int, int, int, str, str]


def ours(path: Path) -> list[Line]:
    """What the compiled reader says of the events that sysdig numbers; the name of a generic event is in its data."""
    plain = plain_scap.events(plain_scap.load(path))
    lines = []
    for row, event in zip(listing(path).rows, plain, strict=True):
        if not row.evt_num:
            assert row.type >= event_table.SYSDIG_MAX
            continue
        syscall = event.value(0) if row.type in (0, 1) else None
        name = type_name(row.type, syscall if isinstance(syscall, int) else None)
        lines.append((row.evt_num, row.ts, row.cpu, row.tid, "<" if row.type & 1 else ">", name))
    return lines


def sysdigs(program: str, path: Path) -> list[Line]:
    """What sysdig says, internal events too."""
    done = run([program, "-D", "-r", path, "-p", FIELDS], capture_output=True, text=True, check=True)
    lines = []
    for line in done.stdout.splitlines():
        number, time, cpu, thread, direction, name = line.split(" ")
        lines.append((int(number), int(time), int(cpu), int(thread), direction, name))
    return lines


def assert_same(program: str, path: Path, hidden: int = 0) -> None:
    """Every line equal; `hidden` container events at the head of the file are numbered and not shown by sysdig."""
    mine, theirs = ours(path), sysdigs(program, path)
    assert all(line[5] == "container" for line in mine[:hidden])
    assert mine[hidden:] == theirs


@pytest.mark.parametrize(("name", "hidden"), [(OLD_FILES[0], 22), (OLD_FILES[1], 0), (OLD_FILES[2], 0)])
def test_real_captures(tool: Callable[[str], str], shared: Path, name: str, hidden: int) -> None:
    assert_same(tool("sysdig"), shared / "data" / "scap" / name, hidden)


def test_the_sample(tool: Callable[[str], str], data: Path) -> None:
    assert_same(tool("sysdig"), data / "made" / "act1.scap.gz")


@pytest.mark.parametrize("age", get_args(Age))
def test_every_event_type(tool: Callable[[str], str], tmp_path: Path, age: Age) -> None:
    path = tmp_path / "every.scap"
    path.write_bytes(every_event(age)[0])
    mine, theirs = ours(path), sysdigs(tool("sysdig"), path)
    # A generic event without a system call: sysdig takes the bytes behind its empty parameter for the number.
    nameless = {line[0] for line in mine if line[5] == "syscall"}
    assert len(nameless) == 2
    assert [line for line in mine if line[0] not in nameless] == [line for line in theirs if line[0] not in nameless]
    assert [line[:5] for line in mine] == [line[:5] for line in theirs]


def assert_as_the_plain_reader(path: Path) -> None:
    """Ordinal, time, thread, place, type and cpu of every event."""
    read = listing(path)
    plain = plain_scap.events(plain_scap.load(path))
    assert [(row.ordinal, row.ts, row.tid, row.block, row.type, row.cpu) for row in read.rows] == [
        (one.ordinal, one.ts, one.tid, one.offset, one.code, one.cpu) for one in plain
    ]
    assert read.reader.damage is None
    assert read.reader.walker.damaged_events == 0


@pytest.mark.parametrize("order", get_args(ByteOrder))
@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("age", get_args(Age))
def test_every_event_type_against_the_plain_reader(tmp_path: Path, age: Age, form: Form, order: ByteOrder) -> None:
    path = tmp_path / "every.scap"
    path.write_bytes(every_event(age, order, form)[0])
    assert_as_the_plain_reader(path)


@pytest.mark.parametrize("order", get_args(ByteOrder))
@pytest.mark.parametrize("age", get_args(Age))
def test_parameters_of_wrong_lengths(tmp_path: Path, age: Age, order: ByteOrder) -> None:
    path = tmp_path / "damaged.scap"
    path.write_bytes(every_event(age, order, kinds=DAMAGED)[0])
    assert_as_the_plain_reader(path)


@pytest.mark.parametrize("name", OLD_FILES)
def test_real_captures_against_the_plain_reader(shared: Path, name: str) -> None:
    assert_as_the_plain_reader(shared / "data" / "scap" / name)


@pytest.mark.parametrize("name", NEW_FILES)
def test_modern_captures_against_the_plain_reader(shared: Path, name: str) -> None:
    assert_as_the_plain_reader(shared / "data" / "scap-modern" / name)


def test_compressed_it_is_the_same(shared: Path, tmp_path: Path) -> None:
    data = plain_scap.load(shared / "data" / "scap" / OLD_FILES[1])
    path = tmp_path / "members.gz"
    path.write_bytes(gzip.compress(data[:5000]) + gzip.compress(data[5000:]))
    assert listing(path).rows == listing(shared / "data" / "scap" / OLD_FILES[1]).rows
