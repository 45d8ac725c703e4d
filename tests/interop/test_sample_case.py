"""The sample from end to end: what is in it is found, all of it and nothing else, and no secret is shown."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import pytest

from support import plain_scap
from support.outputs import Outputs, Record, payloads, syswire

Truth = dict[str, Any]
ALICE, DAVE, FRANK = "Wonder-land7", "Tr0ub4dor&3", "L00pback.secret"
MYSQL = "/var/lib/mysql/mysql.sock"
SELECT = b"SELECT id, role FROM users WHERE login='alice' AND pass=SHA2('Wonder-land7',256)"
UPDATE = b"UPDATE users SET pass='Tr0ub4dor&3' WHERE login='dave'"
RESET = b"/reset.php?user=dave&password=Tr0ub4dor%263"
FORM = b"login=frank&pass=L00pback.secret&Submit=Login"


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


def in_requests(sighting: Record) -> bool:
    """Whether the truth lists it: it lists forms, Basic and addresses, and has the rest in its words of `also_in`."""
    return sighting["location"] in ("form-body", "authorization-basic", "url-query")


class Elsewhere(NamedTuple):
    """A secret that the generator put beside the requests that carry it (plant_elsewhere in its scenario.py)."""

    protocol: str
    location: str
    field: str | None
    username: str | None
    secret: str
    outcome: str
    client_ip: str | None
    server: tuple[Any, ...]
    pids: tuple[int | None, int | None]
    text: bytes


def elsewhere(truth: Truth) -> list[Elsewhere]:
    """All of them but the page that tells dave his password: what a server says to its client is no credential."""
    by = {one["client"]["ip"]: one for one in truth["credentials"] if one["secret"] in (ALICE, DAVE, FRANK)}
    (database,) = {
        pid for one in truth["connections"] if one["server"].get("port") == 3306 for pid in one["server_pids"]
    }
    nowhere = (None, None, None)
    reset, local = by["10.0.0.31"], by["127.0.0.1"]
    web, php = place(reset, "server"), reset["server_pid"]
    return [
        # A row that comes back does not say whether it let alice in; the unix socket's client has no address.
        *(
            Elsewhere("mysql", "query-text", None, "alice", ALICE, "unknown", None, (None, None, MYSQL), pids, SELECT)
            for pids in ((by[ip]["server_pid"], database) for ip in ("10.0.0.7", "10.0.0.23"))
        ),
        # The database answers OK to the UPDATE.
        Elsewhere(
            *("mysql", "query-text", None, "dave", DAVE, "accepted", "127.0.0.1", ("127.0.0.1", 3306, None)),
            *((php, database), UPDATE),
        ),
        # The browser asks for the style sheet of the page whose address held the password.
        Elsewhere("http", "referer", "password", "dave", DAVE, "unknown", "10.0.0.31", web, (None, php), RESET),
        # curl -d: no stream, no endpoint; the field is the form's.
        Elsewhere(
            "process", "arguments", "pass", "frank", FRANK, "unknown", None, nowhere, (local["client_pid"], None), FORM
        ),
    ]


def test_credentials(revealed: Outputs, truth: Truth) -> None:
    sightings = [one for one in revealed.records["sighting"] if in_requests(one)]
    assert Counter(map(sighting_key, sightings)) == Counter(map(sighting_key, truth["credentials"]))
    by_offset = {(sighting_key(one), one["stream_offset"]): one for one in truth["credentials"]}
    for sighting in sightings:
        one = by_offset[sighting_key(sighting), sighting["where"]["stream_offset"]]
        assert sighting["where"]["event"] in one["events"]
        assert revealed.pid(sighting["server_process"]) == one["server_pid"]
        assert revealed.pid(sighting["client_process"]) == one["client_pid"]


def test_credentials_beside_the_requests(revealed: Outputs, truth: Truth, sample: Path) -> None:
    events = plain_scap.events(plain_scap.load(sample))
    wanted = elsewhere(truth)
    assert {one["secret"] for one in truth["also_in"]} == {one.secret for one in wanted}
    found = []
    for one in (one for one in revealed.records["sighting"] if not in_requests(one)):
        pids = revealed.pid(one["client_process"]), revealed.pid(one["server_process"])
        fields = [one[name] for name in Elsewhere._fields[:6]]
        text = next(
            each.text for each in wanted if each.location == one["location"] and each.username == one["username"]
        )
        found.append(Elsewhere._make([*fields, place(one, "client")[0], place(one, "server"), pids, text]))
        assert one["secret_complete"]
        assert any(text in param for param in event_of(events, one).params)
        assert (one["stream"] is None) == (one["protocol"] == "process") == (one["where"]["frame"] is None)
        if one["stream"] is None:
            assert one["where"]["stream_offset"] is None
            assert (event_of(events, one).name, event_of(events, one).tid) == ("execve", pids[0])
    assert Counter(found) == Counter(wanted)


def event_of(events: list[plain_scap.Event], record: Record) -> plain_scap.Event:
    """The event that a record points at."""
    number: int = record["where"]["event"]
    return events[number - 1]


def test_where_the_secrets_went(revealed: Outputs, truth: Truth, sample: Path) -> None:
    """What `also_in` says, and Apache's log of addresses; the Referer and the page go between the same two programs."""
    events = plain_scap.events(plain_scap.load(sample))
    first = {one["secret"]: one for one in reversed(truth["credentials"])}
    asked, reset, curl = first[ALICE]["server_pid"], first[DAVE]["server_pid"], first[FRANK]["client_pid"]
    log = "/var/log/httpd/access_log"
    wanted = {
        ("alice", "plain", "socket", MYSQL, asked, 2): SELECT,  # both of alice's logins
        ("dave", "plain", "socket", None, reset, 1): UPDATE,
        ("dave", "percent", "file", log, reset, 1): b'"GET ' + RESET + b" HTTP/1.1",
        ("frank", "plain", "socket", None, curl, 1): FORM,  # from its arguments into its request
    }
    spread = {}
    for one in revealed.records["spread"]:
        key = (
            *(one[name] for name in ("username", "spelling", "way", "path")),
            revealed.pid(one["process"]),
            one["count"],
        )
        spread[key] = one
    assert spread.keys() == wanted.keys()
    assert len(spread) == len(revealed.records["spread"])
    for key, text in wanted.items():
        assert any(text in param for param in event_of(events, spread[key]).params)
        assert event_of(events, spread[key]).tid == key[4]
    told = Counter(one["username"] for one in revealed.findings() if one["kind"] == "spread")
    assert told == Counter(["alice", "dave", "frank"])


def test_findings(revealed: Outputs, truth: Truth) -> None:
    findings = revealed.findings()
    credentials = [one for one in findings if one["kind"] == "credential"]
    told = Counter((one["username"], one["secret"], one["client"]["ip"]) for one in truth["credentials"])
    told += Counter((one.username, one.secret, one.client_ip) for one in elsewhere(truth))
    assert {
        (one["username"], one["secret"], place(one, "client")[0]): one["instances_total"] for one in credentials
    } == told
    assert len(credentials) == len(told)
    errors = Counter[tuple[Any, ...]]()
    for one in findings:
        if one["kind"] == "http_error":
            errors[place(one, "client")[0], place(one, "server")] += one["instances_total"]
    assert errors == Counter((place(one, "client")[0], place(one, "server")) for one in truth["errors"])
    assert {one["kind"] for one in findings} == {"credential", "http_error", "spread"}


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
    in_streams = [one for one in revealed.records["sighting"] if one["stream"] is not None]
    assert len(in_streams) == len(revealed.records["sighting"]) - 1, "the arguments of curl are in no frame"
    for sighting in in_streams:
        assert sighting["where"]["frame_has_bytes"]
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
