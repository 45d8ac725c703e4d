"""What only several records show: guessing at logins, scans, secrets that were handed on."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syswire.reports import document, html, model
from syswire.reports.findings import Findings, judge
from syswire.reports.findings.attempts import SECOND, Attempt, Attempts, Thresholds, attack, refused_before
from syswire.reports.findings.scans import Asked, thick

from .case import Case, at, tcp, together

LIMITS = Thresholds(600 * SECOND, 5, 10, 3600 * SECOND, 600 * SECOND, 5, 3600 * SECOND)


def tried(*logins: tuple[float, str, str, str], case: Case | None = None, client: str = "198.51.100.66") -> Case:
    """Logins (time, user, password, outcome) of one client at one server."""
    case = case or Case()
    stream = case.stream(tcp(client, 1), tcp("10.0.0.9", 21))
    for time, user, password, outcome in logins:
        case.sighting(stream, 1, user, fingerprint=password, outcome=outcome, time=time)
        case.sightings[-1]["protocol"] = "ftp"
    return case


def of_kind(findings: Findings, kind: str) -> list[dict[str, Any]]:
    return [record for record in map(findings.record, range(len(findings))) if record["kind"] == kind]


def judged(directory: Path, case: Case, kind: str = "brute_force") -> list[dict[str, Any]]:
    return of_kind(judge(directory, case.write(directory)), kind)


def test_many_passwords_of_one_user(tmp_path: Path) -> None:
    case = tried(*((60 * number, "root", f"p{number}", "refused") for number in range(7)))
    (found,) = judged(tmp_path, case)
    assert (found["rule"], found["severity"], found["outcome"]) == ("brute-force", "medium", "refused")
    assert found["username"] == "root"
    assert found["attempts"] == {
        "refused": 7,
        "users": 1,
        "secrets": 7,
        "names": ["root"],
        "first": at(0),
        "last": at(360),
        "accepted": None,
    }
    assert (found["instances_total"], found["first"], found["last"]) == (7, at(0), at(360))
    assert found["secret"] is None and found["form"] is None
    assert found["references"] == ["T1110"]


def test_refused_then_accepted(tmp_path: Path) -> None:
    case = tried(*((number, "root", f"p{number}", "refused") for number in range(5)), (9, "root", "right", "accepted"))
    findings = judge(tmp_path, case.write(tmp_path))
    (found,) = of_kind(findings, "brute_force")
    assert (found["severity"], found["outcome"], found["instances_total"]) == ("critical", "accepted", 6)
    assert found["attempts"]["accepted"] == {"time": at(9), "username": "root"}
    before = {one["secret_fingerprint"]: one["refused_before"] for one in of_kind(findings, "credential")}
    assert before == {"right": 5} | {f"p{number}": None for number in range(5)}
    assert findings.record(0)["outcome"] == "accepted"


@pytest.mark.parametrize(
    "logins",
    [
        [(number, "root", f"p{number}", "refused") for number in range(4)],
        [(number, "root", "same", "refused") for number in range(50)],
        [(151 * number, "root", f"p{number}", "refused") for number in range(50)],
        [(number, "root", f"p{number}", "unknown") for number in range(50)],
        [(number, f"u{number % 4}", f"p{number % 3}", "refused") for number in range(50)],
    ],
)
def test_what_is_no_guessing(tmp_path: Path, logins: list[tuple[float, str, str, str]]) -> None:
    """Four; one password again and again; five never within ten minutes; not judged; few users with few passwords."""
    assert judged(tmp_path, tried(*logins)) == []


def test_many_users(tmp_path: Path) -> None:
    case = tried(*((number, f"u{number}", "Winter2025", "refused") for number in range(6)), (9, "u3", "x", "accepted"))
    (found,) = judged(tmp_path, case)
    assert (found["rule"], found["username"], found["outcome"]) == ("password-spraying", None, "accepted")
    assert found["attempts"] | {"first": 0, "last": 0} == {
        "refused": 6,
        "users": 6,
        "secrets": 1,
        "names": [f"u{number}" for number in range(6)],
        "first": 0,
        "last": 0,
        "accepted": {"time": at(9), "username": "u3"},
    }


def test_an_accepted_login_of_somebody_else_is_no_break_in(tmp_path: Path) -> None:
    case = tried(*((number, "root", f"p{number}", "refused") for number in range(5)), (9, "anne", "hers", "accepted"))
    assert judged(tmp_path, case)[0]["outcome"] == "refused"


def test_answers_to_challenges_need_ten(tmp_path: Path) -> None:
    for count, found in ((9, 0), (10, 1)):
        case = tried(*((number, "root", f"h{number}", "refused") for number in range(count)))
        for sighting in case.sightings:
            sighting |= {"form": "hash", "details": {"mechanism": "CRAM-MD5"}}
        assert len(judged(tmp_path, case)) == found


def test_clients_do_not_add_up(tmp_path: Path) -> None:
    case = Case()
    for number in range(9):
        tried((number, "root", f"p{number}", "refused"), case=case, client=f"198.51.100.{number}")
    assert judged(tmp_path, case) == []


def test_over_several_inputs_in_any_order(tmp_path: Path) -> None:
    logins = [(number, "root", f"p{number}", "refused") for number in range(6)] + [(7.0, "root", "x", "accepted")]
    told = []
    for order in (0, 1):
        folder = tmp_path / str(order)
        folder.mkdir()
        mixed = list(logins)
        random.Random(order).shuffle(mixed)
        cases = Case("one", 0), Case("two", 1)
        for number, login in enumerate(mixed):
            tried(login, case=cases[number % 2])
        findings = judge(folder, together(folder, *cases))
        told.append([(one["key"], one["severity"], one["attempts"]) for one in of_kind(findings, "brute_force")])
    assert told[0] == told[1]
    assert told[0][0][2]["refused"] == 6


TRIES = st.lists(
    st.tuples(st.integers(0, 3000), st.sampled_from("abcdefg"), st.integers(0, 7), st.booleans(), st.booleans()),
    max_size=40,
)


@given(TRIES)
@settings(deadline=None, max_examples=300)
def test_the_thresholds_by_counting(tries: list[tuple[int, str, int, bool, bool]]) -> None:
    """Every span of ten minutes that ends with an attempt, counted plainly."""
    attempts = sorted(
        Attempt(time * SECOND, place, ord(user), secret, place, accepted, hashed)
        for place, (time, user, secret, accepted, hashed) in enumerate(tries)
    )
    refused = [one for one in attempts if not one.accepted]
    spans = [
        [one for one in refused[: end + 1] if one.time >= refused[end].time - 600 * SECOND]
        for end in range(len(refused))
    ]

    def different(span: list[Attempt], user: int, hashed: bool) -> int:
        return len({one.secret for one in span if (one.user, one.hashed) == (user, hashed)})

    sprayed = [span for span in spans if len({one.user for one in span}) >= 5]
    forced = [
        span
        for span in spans
        if any(different(span, one.user, one.hashed) >= (10 if one.hashed else 5) for one in span)
    ]
    found = attack(attempts, LIMITS)
    chosen = sprayed or forced
    assert (found is None) == (not chosen)
    if found is not None:
        assert found.spraying == bool(sprayed)
        assert {one.place for one in found.refused} == {one.place for span in chosen for one in span}
        assert found.users == len({one.user for one in found.refused})


@given(TRIES)
@settings(deadline=None)
def test_refused_before_by_counting(tries: list[tuple[int, str, int, bool, bool]]) -> None:
    attempts = sorted(
        Attempt(time * SECOND, place, ord(user), secret, secret, accepted, hashed)
        for place, (time, user, secret, accepted, hashed) in enumerate(tries)
    )
    for group, count in refused_before(attempts).items():
        first = next(at for at, one in enumerate(attempts) if one.accepted and one.group == group)
        assert count == sum(1 for one in attempts[:first] if not one.accepted and one.user == attempts[first].user)


def test_attempts_are_bounded() -> None:
    attempts = Attempts(bound=3)
    for number in range(5):
        attempts.add(("c", "s"), "u", "f", (number, number, 0), accepted=False, hashed=False)
    assert (attempts.left_out, [len(pair) for pair in attempts.pairs()]) == (2, [3])


# -- scans


def asked(directory: Path, paths: Sequence[tuple[float, str]]) -> Findings:
    case = Case()
    stream = case.stream(tcp("198.51.100.66", 1), tcp("10.0.0.9", 80))
    for time, path in paths:
        case.exchange(stream, path, 404, time)
    return judge(directory, case.write(directory))


def test_a_scan(tmp_path: Path) -> None:
    findings = asked(tmp_path, [(3 * number, f"/try{number}?x={number}") for number in range(21)] + [(900, "/late")])
    (scan,) = of_kind(findings, "scan")
    assert (scan["rule"], scan["severity"], scan["paths"], scan["instances_total"]) == ("http-scan", "low", 21, 21)
    parts = {one["path"]: one["scan"] for one in of_kind(findings, "http_error")}
    assert parts == {f"/try{number}": scan["id"] for number in range(21)} | {"/late": None}


@pytest.mark.parametrize(
    "paths",
    [
        [(number, f"/try{number}") for number in range(19)],
        [(number / 10, f"/try{number % 19}") for number in range(300)],
        [(3.2 * number, f"/try{number}") for number in range(60)],
    ],
)
def test_what_is_no_scan(tmp_path: Path, paths: list[tuple[float, str]]) -> None:
    assert of_kind(asked(tmp_path, paths), "scan") == []


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 30)), max_size=80), st.integers(1, 12))
@settings(deadline=None)
def test_scans_by_counting(requests: list[tuple[int, int]], least: int) -> None:
    times = sorted(Asked(time, place, (None, str(path)), 0) for place, (time, path) in enumerate(requests))
    spans = [[one for one in times[: end + 1] if one.time >= times[end].time - 60] for end in range(len(times))]
    chosen = {one.place for span in spans if len({one.path for one in span}) >= least for one in span}
    assert {one.place for one in thick(times, 60, least)} == chosen


# -- secrets that were handed on


def handed(directory: Path, ways: list[dict[str, Any]]) -> tuple[dict[str, Any], Findings]:
    """A secret that came in a form, and its hops."""
    case = Case()
    httpd, mysqld = case.process("httpd", 801), case.process("mysqld", 900, "mysql")
    form = case.stream(tcp("198.51.100.7", 4000), tcp("203.0.113.9", 80), server_process=httpd)
    case.stream(tcp("127.0.0.1", 5000), tcp("127.0.0.1", 3306), client_process=httpd, server_process=mysqld)
    case.stream(tcp("10.0.0.9", 5000), tcp("10.0.0.8", 3306), client_process=httpd)
    case.sighting(form, case.exchange(form, "/login", 200, 1), "alice", time=1)
    lines = [
        {
            "type": "spread", "secret_fingerprint": "0123456789ab", "username": "alice", "spelling": "plain",
            "way": "file", "stream": None, "path": None, "process": httpd,
            "from_sighting": {"source": 0, "stream": form, "exchange": 1}, "time": at(2 + number),
            "where": case.where(2 + number),
        } | way
        for number, way in enumerate(ways)
    ]  # fmt: skip
    manifest = case.write(directory)
    path = directory / "act1.annotations.jsonl"
    path.write_text(path.read_text() + "".join(json.dumps(line) + "\n" for line in lines))
    return manifest, judge(directory, manifest)


@pytest.mark.parametrize(
    ("way", "place", "level"),
    [
        ({"path": "/var/log/httpd/access_log"}, "log-file", "high"),
        ({"path": "/srv/app/debug.log.1"}, "log-file", "high"),
        ({"path": "/srv/catalog/x"}, "file", "medium"),
        ({"way": "socket", "stream": 3}, "other-host", "high"),
        ({"way": "socket", "stream": 2}, "local-socket", "medium"),
        ({"way": "pipe"}, "pipe", "low"),
        ({"way": "arguments"}, "arguments", "medium"),
        ({"way": "environment"}, "environment", "low"),
    ],
)
def test_places_of_hops(tmp_path: Path, way: dict[str, Any], place: str, level: str) -> None:
    _, findings = handed(tmp_path, [{"way": "pipe"}, way])
    (found,) = of_kind(findings, "spread")
    assert (found["hops"][1]["place"], found["severity"]) == (place, level)


def test_hops_in_order_of_time(tmp_path: Path) -> None:
    ways: list[dict[str, Any]] = [
        {"path": "/var/log/app.log", "time": at(9), "spelling": "percent"},
        {"way": "socket", "stream": 2, "time": at(3)},
    ]
    manifest, findings = handed(tmp_path, ways)
    (found,) = of_kind(findings, "spread")
    assert [(hop["place"], hop["time"], hop["process"]["name"]) for hop in found["hops"]] == [
        ("local-socket", at(3), "httpd"),
        ("log-file", at(9), "httpd"),
    ]
    assert found["hops"][0]["server"] == tcp("127.0.0.1", 3306)
    assert (found["username"], found["secret_fingerprint"], found["instances_total"]) == ("alice", "0123456789ab", 2)
    assert (found["client"], found["server"]) == (tcp("198.51.100.7", 4000), tcp("203.0.113.9", 80))
    report = document.build(manifest, findings, model.SCREEN, revealed=False)
    card = next(card for card in report.cards if card.id == found["id"])
    assert card.hops is not None and len(card.hops.rows) == 2
    for page in (html.render(report), html.pages(report)):
        assert b"/var/log/app.log" in page and b"Where the secret went" in page
