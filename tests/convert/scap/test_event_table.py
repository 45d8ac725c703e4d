"""The generated event table: its shape, and that it is what the generator makes of the schema's tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from syswire.convert.scap import event_table as table

# From the schema's history: how many event types each release knew.
SYSDIG_0_29_3, SCHEMA_4_5_1 = 336, 454


def test_codes_have_no_hole() -> None:
    assert len(table.EVENTS) == SCHEMA_4_5_1
    assert table.SYSDIG_MAX == SYSDIG_0_29_3
    assert [row[5] for row in table.EVENTS] == [code < SYSDIG_0_29_3 for code in range(SCHEMA_4_5_1)]


def test_directions_alternate() -> None:
    assert all(row[1] == "><"[code & 1] for code, row in enumerate(table.EVENTS))


def test_known_rows() -> None:
    read = table.event_type(7)
    assert (read.name, read.direction, read.nparams_in_0_29_3) == ("read", "<", 2)
    assert [name for name, _, _ in read.params] == ["res", "data", "fd", "size"]
    assert [kind for _, kind, _ in read.params] == [table.PT_ERRNO, table.PT_BYTEBUF, table.PT_FD, table.PT_UINT32]
    assert read.flags & table.EF_READS_FROM_FD
    assert read.flags & table.EF_USES_FD
    assert table.event_type(389).name == "accept4"
    assert table.event_type(389).nparams_in_0_29_3 is None


def test_named_codes() -> None:
    assert table.Code.SYSCALL_READ_X == 7
    assert table.Code.SOCKET_CONNECT_E == 22
    named = {name: code for name, code in vars(table.Code).items() if name.isupper() and isinstance(code, int)}
    assert sorted(named.values()) == list(range(SCHEMA_4_5_1))


@pytest.mark.parametrize("code", [-1, SCHEMA_4_5_1])
def test_a_code_outside_the_table(code: int) -> None:
    with pytest.raises(IndexError):
        table.event_type(code)


def test_old_types_only_grew() -> None:
    for row in table.EVENTS:
        if row[6] is not None:
            assert row[6] <= len(row[4])


def test_parameter_sizes() -> None:
    assert len(table.PARAM_SIZES) == 49
    sizes = {table.PT_UINT8: 1, table.PT_PORT: 2, table.PT_BOOL: 4, table.PT_ERRNO: 8, table.PT_IPV6ADDR: 16}
    sizes |= {table.PT_BYTEBUF: 0, table.PT_SOCKTUPLE: 0, table.PT_SYSCALLID: 2, table.PT_MODE: 4, table.PT_FD32: 4}
    assert {kind: table.PARAM_SIZES[kind] for kind in sizes} == sizes
    assert {table.PT_ERRNO, table.PT_FD, table.PT_PID, table.PT_INT16} < table.PARAM_SIGNED
    assert table.PT_UINT64 not in table.PARAM_SIGNED


def test_large_payloads() -> None:
    assert table.LARGE_PAYLOAD == (322, 324, 402)
    flagged = [code for code, row in enumerate(table.EVENTS) if row[3] & table.EF_LARGE_PAYLOAD]
    assert flagged == list(table.LARGE_PAYLOAD)


def test_system_calls() -> None:
    assert table.SYSCALLS[:4] == ("unknown", "restart_syscall", "exit", "read")
    assert len(table.SYSCALLS) > table.SYSDIG_SYSCALLS
    assert all(code < table.SYSDIG_SYSCALLS for code in table.SYSDIG_SYSCALL_NAMES)


def test_the_committed_table_is_what_the_generator_writes(root: Path, shared: Path) -> None:
    script = root / "scripts" / "generate_event_table.py"
    tables = shared / "facts" / "tables"
    assert subprocess.run([sys.executable, script, tables, "--check"], check=False).returncode == 0


def test_it_says_what_the_schema_says(shared: Path) -> None:
    events = json.loads((shared / "facts" / "tables" / "events.json").read_text("utf-8"))
    for event, row in zip(events, table.EVENTS, strict=True):
        assert (event["name"], event["direction"], event["category"]) == row[:3]
        assert [(param["name"], param["format"]) for param in event["params"]] == [(p[0], p[2]) for p in row[4]]
