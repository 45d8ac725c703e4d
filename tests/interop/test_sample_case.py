"""The sample from end to end: what is in it is found, all of it and nothing else, and no secret is shown."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from support import plain_scap
from support.outputs import Outputs, Record, payloads, syswire

Truth = dict[str, Any]


@pytest.fixture(scope="module")
def sample(data: Path) -> Path:
    return data / "made" / "act1.scap.gz"


@pytest.fixture(scope="module")
def truth(data: Path) -> Truth:
    loaded: Truth = json.loads((data / "made" / "truth.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def case(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    return syswire("report", sample, tmp_path_factory.mktemp("masked") / "case", "--format", "html,jsonl,csv")


@pytest.fixture(scope="module")
def revealed(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    return syswire("report", sample, tmp_path_factory.mktemp("clear") / "case", "--format", "jsonl", "--reveal")


def place(record: Record, side: str) -> tuple[Any, ...]:
    """An endpoint as a key: the client of a unix socket has no name."""
    end = record[side] or {}
    return end.get("ip"), end.get("port"), end.get("path") or None


def ends(record: Record) -> tuple[Any, ...]:
    """A stream's endpoints and bytes."""
    client = place(record, "client")[:2]
    return client, place(record, "server"), record["bytes_to_server"], record["bytes_to_client"]


def test_events_and_streams(case: Outputs, truth: Truth) -> None:
    (capture,) = case.records["capture"]
    assert capture["events"] == truth["events"]
    assert Counter(map(ends, case.records["stream"])) == Counter(map(ends, truth["connections"]))


def test_processes_of_streams(case: Outputs, truth: Truth) -> None:
    told = {ends(one): one for one in truth["connections"] if one["protocol"] != "unix"}
    for stream in case.records["stream"]:
        if stream["protocol"] != "unix":
            one = told[ends(stream)]
            assert {case.pid(process) for process in stream["client_processes"]} == set(one["client_pids"])
            assert {case.pid(process) for process in stream["server_processes"]} == set(one["server_pids"])
            if stream["protocol"] == "tcp":
                assert (stream["opened"] is None) == one["preexisting"]


def message_differences(told: Record | None, have: Record | None) -> list[str]:
    """Fields in which a request or response differs from the truth."""
    if told is None or have is None:
        return [] if told is have else ["one is missing"]
    wrong = [
        name
        for name in ("method", "target", "host", "status", "body_length", "body_complete")
        if told.get(name) != have.get(name)
    ]
    if told["body_length"] and told["body_sha256"] != have["body_sha256"]:
        wrong.append("body_sha256")
    if have["where"]["event"] not in told["events"]:
        wrong.append("event")
    if have["where"]["stream_offset"] != told["stream_offset"]:
        wrong.append("stream_offset")
    return wrong


def test_exchanges(revealed: Outputs, truth: Truth) -> None:
    connections = {one["number"]: ends(one) for one in truth["connections"]}
    told: dict[tuple[Any, ...], list[Record]] = {}
    for one in truth["exchanges"]:
        told.setdefault(connections[one["connection"]], []).append(one)
    have: dict[tuple[Any, ...], list[Record]] = {}
    for record in revealed.records["http"]:
        have.setdefault(ends(revealed.stream_of(record)), []).append(record)
    assert {key: len(found) for key, found in have.items()} == {key: len(found) for key, found in told.items()}
    for key, exchanges in told.items():
        for one, record in zip(exchanges, have[key], strict=True):
            assert message_differences(one["request"], record["request"]) == []
            assert message_differences(one["response"], record["response"]) == []
            assert revealed.pid(record["client_process"]) == one["client_pid"]
            assert revealed.pid(record["server_process"]) == one["server_pid"]


def sighting_key(one: Record) -> tuple[Any, ...]:
    fields = ("location", "field", "username", "secret", "secret_complete", "outcome", "method")
    return (*(one[name] for name in fields), place(one, "client"), place(one, "server"))


def test_credentials(revealed: Outputs, truth: Truth) -> None:
    sightings = revealed.records["sighting"]
    assert Counter(map(sighting_key, sightings)) == Counter(map(sighting_key, truth["credentials"]))
    by_offset = {(sighting_key(one), one["stream_offset"]): one for one in truth["credentials"]}
    for sighting in sightings:
        one = by_offset[sighting_key(sighting), sighting["where"]["stream_offset"]]
        assert sighting["where"]["event"] in one["events"]
        assert revealed.pid(sighting["server_process"]) == one["server_pid"]
        assert revealed.pid(sighting["client_process"]) == one["client_pid"]


def test_findings(revealed: Outputs, truth: Truth) -> None:
    findings = revealed.findings()
    credentials = [one for one in findings if one["kind"] == "credential"]
    told = Counter((one["username"], one["secret"], one["client"]["ip"]) for one in truth["credentials"])
    assert {
        (one["username"], one["secret"], one["client"]["ip"]): one["instances_total"] for one in credentials
    } == told
    errors = Counter[tuple[Any, ...]]()
    for one in findings:
        if one["kind"] == "http_error":
            errors[place(one, "client")[0], place(one, "server")] += one["instances_total"]
    assert errors == Counter((place(one, "client")[0], place(one, "server")) for one in truth["errors"])
    assert {one["kind"] for one in findings} == {"credential", "http_error"}


def test_where_points_at_the_event(case: Outputs, sample: Path) -> None:
    events = plain_scap.events(plain_scap.load(sample))
    checked = 0
    for record in [*case.records["http"], *case.records["sighting"]]:
        for where in (
            record.get("where"),
            (record.get("request") or {}).get("where"),
            (record.get("response") or {}).get("where"),
        ):
            if where is not None:
                event = events[where["event"] - 1]
                assert (event.offset, event.ordinal) == (where["offset"], where["evt_num"])
                checked += 1
    assert checked > 150


def test_frames_hold_the_bytes(revealed: Outputs) -> None:
    frames = payloads(revealed.pcapng)
    (capture,) = revealed.records["capture"]
    assert len(frames) == capture["frames"]
    for record in revealed.records["http"]:
        for part, start in (("request", "method"), ("response", "status")):
            if record[part] is not None:
                where = record[part]["where"]
                assert where["frame_has_bytes"]
                assert (
                    str(record[part][start]).encode() in frames[where["frame"] - 1].split(b"\r\n", 1)[0]
                    or start == "status"
                )
    for sighting in revealed.records["sighting"]:
        frame = frames[sighting["where"]["frame"] - 1]
        assert any(form in frame for form in encodings(sighting["username"], sighting["secret"]))


def encodings(username: str, secret: str) -> list[bytes]:
    """How a secret may stand in a file."""
    raw = secret.encode()
    forms = {raw, quote(secret, safe="").encode(), quote_plus(secret).encode(), raw.hex().encode()}
    forms |= {json.dumps(secret)[1:-1].encode(), json.dumps(secret, ensure_ascii=False)[1:-1].encode()}
    forms |= {secret.replace("&", "&amp;").encode(), base64.b64encode(f"{username}:{secret}".encode())}
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        forms.add(whole[4 if shift else 0 : len(whole) // 4 * 4 - 4])
    return sorted(form for form in forms if len(form) >= 4)


def test_no_secret_is_shown(case: Outputs, revealed: Outputs, truth: Truth) -> None:
    planted = {(one["username"], one["secret"]) for one in truth["credentials"]}
    assert len(planted) == 10
    for path in case.folder.iterdir():
        if path.suffix == ".pcapng":
            continue
        content = path.read_bytes()
        for username, secret in planted:
            assert not [form for form in encodings(username, secret) if form in content], (path.name, username)
    shown = (revealed.folder / "findings.jsonl").read_bytes()
    assert all(secret.encode() in shown for _, secret in planted), "where they are to be shown, they are found"


def test_a_second_run_writes_the_same(case: Outputs, sample: Path, tmp_path: Path) -> None:
    key = case.folder / "case.key"
    again = syswire("report", sample, tmp_path / "again", "--format", "html,jsonl,csv", "--case-key", str(key))
    for path in case.folder.iterdir():
        if path.name not in ("manifest.json", "case.key"):
            assert (again.folder / path.name).read_bytes() == path.read_bytes(), path.name
