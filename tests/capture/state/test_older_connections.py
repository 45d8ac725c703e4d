"""Connections that are older than the recording: they have both addresses, both processes and what went over them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.command import PYTHON
from support.older import older
from support.recording_live import Recording, alone

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Facts, Path]]:
    folder = tmp_path_factory.mktemp("older")
    path = folder / "late.scap"
    with alone(), older(str(folder)) as (facts, talk):
        recording = Recording(path, "proc.pid", "in", f"({facts['server']},", f"{facts['client']})")
        try:
            talk()
            assert recording.end()[0] == 0
        finally:
            recording.kill()
    yield facts, path


def test_streams_and_who_spoke(recorded: tuple[Facts, Path], tmp_path: Path) -> None:
    facts, path = recorded
    subprocess.run(
        [*PYTHON, "convert", "-q", str(path), "-o", str(tmp_path / "case")], check=True, stdout=subprocess.PIPE
    )
    lines = (tmp_path / "case/late.annotations.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    pids = {one["id"]: one["pid"] for one in records if one["type"] == "process"}
    found = {one["request"]["target"]: one for one in records if one["type"] == "http"}
    assert sorted(found) == sorted(f"/{name}" for name in facts["names"])
    for name in facts["names"]:
        one = found[f"/{name}"]
        assert one["response"]["status"] == 404
        assert (pids[one["client_process"]], pids[one["server_process"]]) == (facts["client"], facts["server"])
        if name == "unix":
            assert one["server"]["path"].endswith("/older.sock")
        else:
            assert (one["client"]["port"], one["server"]["port"]) == (facts["ports"][name], facts["servers"][name])


def test_sysdig_knows_them_too(tool: Callable[[str], str], recorded: tuple[Facts, Path]) -> None:
    facts, path = recorded
    condition = f"proc.pid={facts['server']} and evt.type=read and evt.dir=< and evt.buffer contains GET"
    command = [tool("sysdig"), "-r", str(path), "-p%proc.pid|%fd.name|%evt.rawres", condition]
    rows = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    port = facts["ports"]["tcp4"], facts["servers"]["tcp4"]
    assert (
        f"{facts['server']}|127.0.0.1:{port[0]}->127.0.0.1:{port[1]}|{len('GET /tcp4 HTTP/1.1..Host: older....')}"
        in rows
    )
    assert len(rows) == len(facts["names"])
