"""A real capture in the newest schema, from end to end: curl asks a python3 web server, and posts a password."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from support.made import Made, Record, made


@pytest.fixture
def case(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory, shared / "data" / "scap-modern" / "a_http.scap.gz", "report", "--reveal")


def by_kind(case: Made, kind: str) -> list[Record]:
    return [finding for finding in case.findings() if finding["kind"] == kind]


def test_two_passwords_and_nothing_else(case: Made) -> None:
    told = {
        (one["rule"], one["username"], one["secret"], one["outcome"], one["instances_total"])
        for one in by_kind(case, "credential")
    }
    assert told == {
        ("http-form-password", "alice", "S3same-0pen", "unknown", 1),
        ("http-basic", "bob", "T0pSecret", "accepted", 1),
    }
    for one in by_kind(case, "credential"):
        assert (one["form"], one["secret_complete"], one["secret_length"]) == ("cleartext", True, len(one["secret"]))
        assert one["secret_fingerprint"] and one["confidence"] == "certain"
    assert {one["secret"] for one in case.records("sighting")} == {"S3same-0pen", "T0pSecret"}


def test_one_missing_page(case: Made) -> None:
    (one,) = by_kind(case, "http_error")
    assert (one["status"], one["method"], one["path"], one["host"]) == (404, "GET", "/missing.html", "127.0.0.1:8000")
    assert (one["severity"], one["instances_total"]) == ("info", 1)


def test_nothing_else_above_info(case: Made) -> None:
    above = [one["rule"] for one in case.findings() if one["severity"] != "info"]
    assert sorted(above) == ["http-basic", "http-form-password"]
    assert {one["kind"] for one in case.findings()} == {"credential", "http_error"}


def test_both_processes_were_seen(case: Made) -> None:
    pids = set()
    for one in case.findings():
        client, server = one["client_process"], one["server_process"]
        assert (client["name"], client["exe"]) == ("curl", "/usr/bin/curl")
        assert (server["name"], server["exe"]) == ("python3", "/usr/bin/python3.11")
        assert (one["client_attribution"], one["server_attribution"]) == ("observed", "observed")
        assert one["client"]["ip"] == "127.0.0.1" and one["server"] == {"ip": "127.0.0.1", "port": 8000}
        pids.add(client["pid"])
    assert len(pids) == 3, "each curl is a process of its own"


def test_exchanges(case: Made) -> None:
    told = [
        (one["request"]["method"], one["request"]["target"], one["response"]["status"]) for one in case.records("http")
    ]
    assert told == [
        ("GET", "/", 200),
        ("GET", "/two.html", 200),
        ("GET", "/missing.html?id=42", 404),
        ("POST", "/login", 200),
        ("GET", "/two.html", 200),
    ]
    for one in case.records("http"):
        for part in (one["request"], one["response"]):
            assert part["headers_complete"] and part["body_complete"]


def test_events_and_processes_are_those_of_the_reference_library(case: Made) -> None:
    """The event behind every place, in the listing beside the capture: its process, descriptor, direction and bytes."""
    with gzip.open(case.capture.with_name("a_http.expected.jsonl.gz"), "rt", encoding="utf-8") as lines:
        events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    processes = {process["id"]: process for process in case.records("process")}
    for one in case.records("http"):
        tuple_name = "127.0.0.1:{port}->127.0.0.1:8000".format(**one["client"])
        for part, side, start in (("request", "client", one["request"]["method"]), ("response", "server", "HTTP/1.1")):
            event = events[one[part]["where"]["event"] - 1]
            process = processes[one[f"{side}_process"]]
            assert (event["proc.name"], event["proc.pid"]) == (process["name"], process["pid"])
            assert (event["proc.cmdline"], event["thread.tid"]) == (process["cmdline"], process["tid"])
            assert (event["fd.name"], event["evt.is_io_write"]) == (tuple_name, True)
            assert f"data={start} " in event["evt.args"]


def test_refused_connection(case: Made) -> None:
    """The first connect found nobody listening: no bytes, no server process, and no exchange."""
    first = case.records("stream")[0]
    assert (first["bytes_to_server"], first["bytes_to_client"], first["server_process"]) == (0, 0, None)
    assert (first["client_attribution"], first["server_attribution"]) == ("observed", "none")
