"""A real capture in the newest schema, from end to end: curl asks a python3 web server, and posts a password.

curl was given both passwords and the cookie as arguments, so that each password is seen twice: there, and on the wire.
"""

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


def test_two_passwords_a_cookie_and_nothing_else(case: Made) -> None:
    told = {
        (one["rule"], one["username"], one["secret"], one["outcome"], one["instances_total"])
        for one in by_kind(case, "credential")
    }
    assert told == {
        ("http-form-password", "alice", "S3same-0pen", "unknown", 1),
        ("http-basic", "bob", "T0pSecret", "accepted", 1),
        ("process-arguments", "alice", "S3same-0pen", "unknown", 1),
        ("process-arguments", "bob", "T0pSecret", "unknown", 1),
    }
    assert len(by_kind(case, "credential")) == 4
    for one in by_kind(case, "credential"):
        assert (one["form"], one["secret_complete"], one["secret_length"]) == ("cleartext", True, len(one["secret"]))
        assert one["secret_fingerprint"] and one["confidence"] == "certain"
    (cookie,) = by_kind(case, "session")
    assert (cookie["rule"], cookie["field"], cookie["secret"]) == ("http-session-cookie", "session", "deadbeefcafe0001")
    assert (cookie["form"], cookie["severity"], cookie["instances_total"]) == ("token", "low", 1)
    assert sorted((one["secret"], one["location"]) for one in case.records("sighting")) == [
        ("S3same-0pen", "arguments"),
        ("S3same-0pen", "form-body"),
        ("T0pSecret", "arguments"),
        ("T0pSecret", "authorization-basic"),
        ("deadbeefcafe0001", "cookie"),
    ]


def test_one_missing_page(case: Made) -> None:
    (one,) = by_kind(case, "http_error")
    assert (one["status"], one["method"], one["path"], one["host"]) == (404, "GET", "/missing.html", "127.0.0.1:8000")
    assert (one["severity"], one["instances_total"]) == ("info", 1)


def test_nothing_else_above_info(case: Made) -> None:
    above = [one["rule"] for one in case.findings() if one["severity"] != "info"]
    assert sorted(above) == [
        *("http-basic", "http-form-password", "http-session-cookie"),
        *("process-arguments", "process-arguments", "secret-spread", "secret-spread"),
    ]
    assert {one["kind"] for one in case.findings()} == {"credential", "http_error", "session", "spread"}


def test_both_processes_were_seen(case: Made) -> None:
    pids = set()
    for one in case.findings():
        if one["kind"] == "spread" or one["rule"] == "process-arguments":
            continue
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


def listed(case: Made) -> list[dict[str, Any]]:
    """Every event of the capture as the reference library tells it."""
    with gzip.open(case.capture.with_name("a_http.expected.jsonl.gz"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_arguments_are_those_of_the_reference_library(case: Made) -> None:
    events = listed(case)
    found = [one for one in by_kind(case, "credential") if one["rule"] == "process-arguments"]
    held = {"S3same-0pen": ".login=alice&pass=S3same-0pen.", "T0pSecret": ".-u.bob:T0pSecret."}
    for one in found:
        (instance,) = one["instances"]
        event, client = events[instance["event"] - 1], one["client_process"]
        assert (event["evt.type"], event["evt.dir"], event["evt.res"]) == ("execve", "<", "SUCCESS")
        assert (event["proc.name"], event["proc.pid"]) == ("curl", client["pid"])
        assert event["proc.cmdline"] == client["cmdline"]
        assert held[one["secret"]] in event["evt.args"].split(" tid=")[0]
        assert (one["server_process"], instance["stream"], instance["frame"]) == (None, None, None)
        assert (one["client_attribution"], one["server_attribution"]) == ("observed", "none")


def test_each_password_went_from_the_arguments_to_the_socket(case: Made) -> None:
    """Once each: as it is in the form, and in base64 within `Ym9iOlQwcFNlY3JldA==`, bob:T0pSecret."""
    events = listed(case)
    told = {}
    for one in by_kind(case, "spread"):
        (hop,) = one["hops"]
        event = events[hop["where"]["event"] - 1]
        assert (hop["way"], hop["place"], hop["count"]) == ("socket", "local-socket", 1)
        assert hop["from_sighting"]["stream"] is None and hop["from_sighting"]["process"] is not None
        assert (event["proc.name"], event["proc.pid"]) == ("curl", hop["process"]["pid"])
        assert (event["evt.type"], event["evt.is_io_write"], event["fd.sport"]) == ("sendto", True, 8000)
        assert event["fd.cport"] == hop["client"]["port"]
        # Every unprintable byte is one dot there, so that places in the text are those in the bytes.
        text = event["evt.args"].split("data=", 1)[1]
        start = hop["where"]["stream_offset"]
        told[hop["spelling"]] = text[start : start + hop["where"]["length"]]
    # Of base64 only the digits that hold nothing but bits of the password: bits 32 to 104 hold digits 6 to 17.
    assert told == {"plain": "S3same-0pen", "base64": "Ym9iOlQwcFNlY3JldA=="[6:17]}


def test_events_and_processes_are_those_of_the_reference_library(case: Made) -> None:
    """The event behind every place, in the listing beside the capture: its process, descriptor, direction and bytes."""
    events = listed(case)
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
