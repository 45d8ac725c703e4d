"""The sample: generated anew it is the same, and what its truth says agrees with independent readers."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import Any
from urllib.parse import unquote_plus

import pytest

from support import plain_scap

SNAPLEN = 4096
CARRIERS = ("read", "write", "writev", "sendto", "recvfrom")


@pytest.fixture(scope="module")
def lamp(data: Path) -> Path:
    return data / "made"


@pytest.fixture(scope="module")
def truth(lamp: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((lamp / "truth.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def events(lamp: Path) -> list[plain_scap.Event]:
    return plain_scap.events(plain_scap.load(lamp / "act1.scap.gz"))


def payload(event: plain_scap.Event) -> bytes:
    """The data of an I/O exit: the second parameter of all that the sample uses."""
    return event.params[1]


def test_generated_anew_it_is_the_same(lamp: Path, tmp_path: Path) -> None:
    run([sys.executable, lamp / "generate.py", "--out", tmp_path], check=True)
    packed = (tmp_path / "act1.scap.gz").read_bytes()
    assert packed[4:8] == bytes(4), "no time in the gzip header"
    assert gzip.decompress(packed) == plain_scap.load(lamp / "act1.scap.gz")
    assert (tmp_path / "truth.json").read_bytes() == (lamp / "truth.json").read_bytes()


def test_size(lamp: Path, events: list[plain_scap.Event], truth: dict[str, Any]) -> None:
    assert (lamp / "act1.scap.gz").stat().st_size < 400_000
    assert 3_000 <= len(events) == truth["events"] <= 10_000


def test_large_files_can_be_made(lamp: Path, tmp_path: Path) -> None:
    run([sys.executable, lamp / "generate.py", "--out", tmp_path, "--mb", "2"], check=True)
    data = (tmp_path / "act1.scap").read_bytes()
    assert 2_000_000 <= len(data) < 2_500_000
    assert len(plain_scap.events(data)) == json.loads((tmp_path / "truth.json").read_text())["events"]


def test_times_and_types(events: list[plain_scap.Event]) -> None:
    assert [one.ts for one in events] == sorted(one.ts for one in events)
    assert max(one.code for one in events) < 336
    assert all(len(one.params[1]) <= SNAPLEN for one in events if one.name in CARRIERS and one.code & 1)


def test_every_exit_follows_its_enter(events: list[plain_scap.Event]) -> None:
    inside: dict[int, int] = {}
    orphans = []
    for one in events:
        if one.code & 1 and inside.pop(one.tid, None) != one.code - 1:
            orphans.append(one)
        elif not one.code & 1 and one.name != "procexit":
            assert one.tid not in inside
            inside[one.tid] = one.code
    births = [one for one in orphans if one.name == "clone" and one.value(0) == 0]
    assert len(orphans) == len(births) + 1, "only children of clone, and one poll that began before the capture"


def test_credentials_stand_where_the_truth_says(truth: dict[str, Any], events: list[plain_scap.Event]) -> None:
    locations = {one["location"] for one in truth["credentials"]}
    assert locations == {"form-body", "url-query", "authorization-basic"}
    for one in truth["credentials"]:
        assert one["events"]
        found = [payload(events[number - 1]).decode("latin-1") for number in one["events"]]
        if one["location"] == "authorization-basic":
            assert all(
                base64.b64encode(f"{one['username']}:{one['secret']}".encode()).decode() in text for text in found
            )
        else:
            assert all(one["secret"] in unquote_plus(text) for text in found), one
    cut = [one for one in truth["credentials"] if not one["secret_complete"]]
    assert [one["username"] for one in cut] == ["heidi"]
    assert payload(events[cut[0]["events"][0] - 1]).endswith(b"&pass=" + cut[0]["secret"].encode())


def test_statuses_stand_where_the_truth_says(truth: dict[str, Any], events: list[plain_scap.Event]) -> None:
    assert {one["status"] for one in truth["errors"]} == {404, 500, 503}
    for one in truth["exchanges"]:
        for number in one["response"]["events"]:
            assert b"HTTP/1.1 %d " % one["response"]["status"] in payload(events[number - 1])
    listed = [one for one in truth["exchanges"] if one["response"]["status"] in (404, 500, 503)]
    assert len(truth["errors"]) == len(listed)


def test_all_status_lines_in_the_file_are_in_the_truth(truth: dict[str, Any], events: list[plain_scap.Event]) -> None:
    known = {number for one in truth["exchanges"] for number in one["response"]["events"]}
    begins = {
        one.ordinal for one in events if one.name in CARRIERS and one.code & 1 and payload(one).startswith(b"HTTP/1.")
    }
    assert begins == known


def test_what_the_brief_of_the_sample_asks_for(truth: dict[str, Any]) -> None:
    links, exchanges = truth["connections"], truth["exchanges"]
    assert {one["protocol"] for one in links} == {"tcp", "udp", "unix"}
    assert sum(one["preexisting"] for one in links) == 5
    assert sum(bool(one["client_pids"] and one["server_pids"]) for one in links) > 10
    assert any(one["request"] is None for one in exchanges)
    assert {one["request"]["method"] for one in exchanges if one["request"]} == {"GET", "HEAD", "POST"}
    assert {one["response"]["status"] for one in exchanges} == {200, 302, 304, 401, 403, 404, 500, 503}
    cut = [one for one in exchanges if not one["response"]["body_complete"]]
    assert sorted(one["response"]["body_length"] for one in cut) == [6_000, 20_000, 20_000, 30_000]
    assert sum(":" in one["client"].get("ip", "") for one in links) == 1


def sysdig_rows(tool: Callable[[str], str], path: Path, *arguments: str) -> list[list[Any]]:
    """The rows that a chisel prints as JSON."""
    done = run([tool("sysdig"), "-r", path, "-j", *arguments], capture_output=True, text=True, check=True)
    rows: list[list[Any]] = json.JSONDecoder().raw_decode(done.stdout)[0]["data"]
    return rows


def test_sysdig_counts_the_same(tool: Callable[[str], str], lamp: Path, truth: dict[str, Any]) -> None:
    path = lamp / "act1.scap.gz"
    processes = sysdig_rows(tool, path, "-c", "topprocs_net")
    assert sorted([name, int(pid), count] for name, pid, count in processes) == truth["sysdig"]["topprocs_net"]
    connections = sysdig_rows(tool, path, "-c", "topconns", "proc.name=httpd")
    told = truth["sysdig"]["topconns_httpd"]
    assert len(connections) == 30, "as many as the chisel prints"
    assert all(row in told for row in connections)
    assert [row[2] for row in connections] == sorted((row[2] for row in told), reverse=True)[:30]


def test_sysdig_shows_the_form(tool: Callable[[str], str], lamp: Path) -> None:
    wanted = "fd.ip=10.0.0.7 and proc.name=httpd and evt.is_io_read=true and evt.buffer contains login"
    done = run(
        [tool("sysdig"), "-r", lamp / "act1.scap.gz", "-A", "-c", "echo_fds", wanted],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "login=alice&pass=Wonder-land7&Submit=Login" in done.stdout
    assert "(httpd)" in done.stdout
