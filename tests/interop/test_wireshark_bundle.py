"""tshark with our profile and script shows what the annotations and the findings say, counted apart from both."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.made import CAPTURES, SAMPLE, Made, made
from syswire.reports.findings import judge
from syswire.reports.wireshark import files

Run = Callable[..., list[str]]
QUIET = "Running as user"
"""How tshark greets root; all else that it says beside its output is a fault of ours."""


@pytest.fixture(params=CAPTURES, ids=lambda path: path.name)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory, request.param, "report", "--format", "jsonl")


@pytest.fixture
def run(case: Made, tool: Callable[[str], str], tmp_path: Path) -> Run:
    """tshark with arguments, in a configuration that holds the bundle alone: its lines."""
    manifest = json.loads((case.folder / "manifest.json").read_text("utf-8"))
    for name, content in files(judge(case.folder, manifest), manifest, revealed=False):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    script = f"lua_script:{tmp_path / 'syswire.lua'}"

    def ask(*arguments: str) -> list[str]:
        command = [tool("tshark"), "-C", "syswire", "-X", script, "-r", str(case.pcapng), *arguments]
        environment = {**os.environ, "WIRESHARK_CONFIG_DIR": str(tmp_path)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        told = [line for line in done.stderr.splitlines() if not line.startswith(QUIET)]
        assert (done.returncode, told) == (0, [])
        return done.stdout.splitlines()

    return ask


def streams_of(case: Made, wanted: Callable[[dict[str, Any]], bool]) -> set[int]:
    """tcp_stream numbers in which a process that is wanted is at an end, by the annotations."""
    ids = {process["id"] for process in case.records("process") if wanted(process)}
    return {
        stream["tcp_stream"]
        for stream in case.records("stream")
        if stream["tcp_stream"] is not None and {stream["client_process"], stream["server_process"]} & ids
    }


def test_processes_are_those_of_the_annotations(case: Made, run: Run) -> None:
    known = {process["id"]: process for process in case.records("process")}
    ends = [stream["server_process"] or stream["client_process"] for stream in case.records("stream")]
    chosen = next((known[end] for end in ends if end), None)
    if chosen is None:
        pytest.skip("no process is known at any end")
    frames = [line for line in run("-Y", "tcp", "-T", "fields", "-e", "tcp.stream") if line]
    for condition, field in (
        (f'syswire.process == "{chosen["name"]}"', "name"),
        (f"syswire.pid == {chosen['pid']}", "pid"),
    ):
        numbers = {number for number, process in known.items() if process[field] == chosen[field]}
        streams = streams_of(case, lambda process, numbers=numbers: process["id"] in numbers)  # type: ignore[misc]
        expected = sorted(int(line) for line in frames if int(line) in streams)
        shown = run("-Y", f"tcp && {condition}", "-T", "fields", "-e", "tcp.stream")
        assert sorted(map(int, shown)) == expected, condition


def test_findings_are_those_of_the_file(case: Made, run: Run) -> None:
    expected = set()
    for line in (case.folder / "findings.jsonl").read_text("utf-8").splitlines():
        finding = json.loads(line)
        assert finding["instances_total"] <= 100, "the file would not name every frame"
        expected |= {
            (where["frame"], finding["id"], finding["severity"])
            for where in finding["instances"]
            if where["frame"] is not None  # a secret in arguments is in an event, and in no frame
        }
    shown = set()
    options = ("-E", "separator=|", "-E", "aggregator=;")
    fields = ("-e", "frame.number", "-e", "syswire.finding", "-e", "syswire.severity")
    for line in run("-Y", "syswire.finding", "-T", "fields", *options, *fields):
        number, ids, levels = line.split("|")
        shown |= {(int(number), *pair) for pair in zip(ids.split(";"), levels.split(";"), strict=True)}
    assert shown == expected


@pytest.mark.parametrize("case", [SAMPLE], indirect=True, ids=["sample"])
def test_the_profile_is_read(run: Run, tmp_path: Path) -> None:
    """Columns, colours and every button: tshark takes each, and the buttons let by what the script's fields do."""
    summary = run("-Y", 'syswire.severity == "critical" || syswire.finding', "-c", "100000")
    assert summary and all("SW-" in line and "UTC" not in line for line in summary)
    rules = run("-Y", "syswire.finding", "--color", "-T", "fields", "-e", "frame.coloring_rule.name")
    assert rules and all(rule.startswith("syswire ") for rule in rules)
    rows = (tmp_path / "profiles/syswire/dfilter_buttons").read_text("ascii").splitlines()[1:]
    buttons = {}
    for row in rows:
        _, label, condition, _ = row.removeprefix('"').removesuffix('"').split('","')
        condition = condition.replace("\\x22", '"').replace("\\x5c", "\\")
        buttons[label] = run("-Y", condition, "-T", "fields", "-e", "frame.number")
    frames = ("-T", "fields", "-e", "frame.number")
    assert buttons["Findings"] == run("-Y", "syswire.finding", *frames)
    for level in ("critical", "high", "medium", "low", "info"):
        assert buttons[level] == run("-Y", f'syswire.severity == "{level}"', *frames)
    assert buttons["404"] and buttons["Credentials"]
