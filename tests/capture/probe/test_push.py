"""Settings: their limits, and the contents of the probe's maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from syswire.capture.probe.classes import CALLS, STEP, STEPS
from syswire.capture.probe.push import Settings
from syswire.convert.errors import UsageError


@pytest.mark.parametrize(
    "wrong",
    [
        {"snaplen": 0},
        {"snaplen": 65_001},
        {"ring_bytes": 1000},
        {"ring_bytes": (1 << 30) + 1},
        {"ports": (65_536,)},
        {"ports": tuple(range(5000))},
        {"addresses": (b"12345",)},
    ],
)
def test_limits(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Settings(**wrong)


@pytest.mark.parametrize(("size", "pages"), [(1 << 16, 16), ((1 << 16) + 1, 32), (16 << 20, 4096), (3 << 20, 1024)])
def test_the_ring_is_a_power_of_two(size: int, pages: int) -> None:
    assert Settings(ring_bytes=size).ring_pages == pages


def test_keys() -> None:
    keys = Settings(
        pids=(1, 258),
        comms=(b"apache2", b"a-name-that-is-too-long"),
        ports=(80, 0x1234),
        own_pid=7,
        addresses=(b"\x7f\0\0\1",),
    ).keys()
    assert keys["own"] == [b"\7\0\0\0"]
    assert keys["wanted_pids"] == [b"\1\0\0\0", b"\2\1\0\0"]
    assert keys["wanted_comms"] == [b"apache2" + bytes(9), b"a-name-that-is-\0"]
    assert keys["wanted_ports"] == [b"P\0", b"\x34\x12"]
    plain = b"\2\0\0\0\x7f\0\0\1" + bytes(12)
    mapped = b"\x0a\0\0\0" + bytes(10) + b"\xff\xff\x7f\0\0\1"
    assert keys["wanted_addresses"] == [plain, mapped]


def test_switches() -> None:
    assert not any(Settings().switches().values())
    assert Settings(files=True, ports=(1,)).switches() == {
        "ALL_FILES": True,
        "WANT_PIDS": False,
        "WANT_COMMS": False,
        "WANT_PORTS": True,
        "WANT_ADDRESSES": False,
    }


def test_the_numbers_of_calls(shared: Path) -> None:
    table = json.loads((shared / "facts" / "tables" / "syscalls_x64.json").read_text())
    ours = {call.number: call.name for call in CALLS}
    assert ours == {number: table[str(number)]["name"] for number in ours}


def test_the_table_of_calls() -> None:
    numbers = [call.number for call in CALLS]
    assert len(set(numbers)) == len(numbers)
    assert {call.entry & STEP for call in CALLS if call.name != "io_uring_enter"} <= set(STEPS.values())
