"""From annotations to findings: grouping, outcomes, ids, pointers and packet comments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syswire.reports.annotations import Endpoint, Http, RequestLine
from syswire.reports.findings import Findings, judge
from syswire.reports.findings.judge import NO_PATH, asked_for

from .case import Case, at, lamp, tcp


def records(findings: Findings) -> list[dict[str, Any]]:
    return [findings.record(position) for position in range(len(findings))]


def test_the_tutorials_server(tmp_path: Path) -> None:
    findings = judge(tmp_path, lamp().write(tmp_path))
    told = [
        (
            record["id"],
            record["rule"],
            record["severity"],
            record["username"],
            record["outcome"],
            record["path"],
            record["instances_total"],
        )
        for record in records(findings)
    ]
    assert told == [
        ("SW-0001", "http-form-password", "critical", "alice", "accepted", None, 3),
        ("SW-0002", "http-basic", "low", "root", "refused", None, 1),
        ("SW-0003", "http-5xx", "low", None, None, "/report.php", 1),
        ("SW-0004", "http-404", "info", None, None, "/hi", 4),
    ]
    assert findings.worst() == "critical"
    assert findings.by_level() == {"critical": 1, "high": 0, "medium": 0, "low": 2, "info": 1}


def test_every_field_of_the_contract(tmp_path: Path) -> None:
    case = lamp()
    findings = judge(tmp_path, case.write(tmp_path))
    record = findings.record(1)
    assert {name: record[name] for name in ("protocol", "form", "secret", "secret_complete", "secret_length")} == {
        "protocol": "http",
        "form": "cleartext",
        "secret": "********",
        "secret_complete": True,
        "secret_length": 8,
    }
    assert record["kind"] == "credential"
    assert record["secret_fingerprint"] == "fedcba987654"
    assert record["client"] == tcp("127.0.0.1", 50_000)
    assert record["server"] == tcp("127.0.0.1", 80)
    assert record["client_process"] == {
        "id": 3,
        "pid": 4242,
        "tid": 4242,
        "name": "curl",
        "exe": "/usr/bin/curl",
        "cmdline": "curl -x",
        "user": "deploy",
        "container": None,
    }
    assert record["server_process"]["name"] == "httpd"
    assert record["stream"] == 5
    assert record["tcp_stream"] == 4
    where = case.sightings[-1]["where"]
    assert record["instances"] == [{**where, "stream": 5, "outcome": "refused"}]
    assert record["confidence"] == "certain"
    assert record["references"] == ["CWE-319", "CWE-522", "CWE-523", "T1040", "PCI-DSS-4.2.1"]
    assert record["advice"]
    assert len(record["key"]) == 16


def test_one_finding_for_user_secret_client_and_server(tmp_path: Path) -> None:
    case = Case()
    server = tcp("10.0.0.9", 80)
    first = case.stream(tcp("10.0.0.1", 1000), server)
    again = case.stream(tcp("10.0.0.1", 2000), server)
    other = case.stream(tcp("10.0.0.2", 1000), server)
    for stream, user, fingerprint in (
        (first, "alice", "aa"),
        (again, "alice", "aa"),
        (other, "alice", "aa"),
        (first, "bob", "aa"),
        (first, "alice", "bb"),
    ):
        case.sighting(stream, 1, user, fingerprint=fingerprint)
    case.sighting(first, 1, "alice", fingerprint="aa", location="url-query")
    findings = judge(tmp_path, case.write(tmp_path))
    assert sorted(record["instances_total"] for record in records(findings)) == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("outcomes", "best"),
    [
        (["unknown", "refused"], "refused"),
        (["refused", "accepted", "unknown"], "accepted"),
        (["unknown"], "unknown"),
        (["perhaps"], "unknown"),
    ],
)
def test_the_best_outcome_counts(tmp_path: Path, outcomes: list[str], best: str) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1000), tcp("10.0.0.9", 80))
    for outcome in outcomes:
        case.sighting(stream, 1, outcome=outcome)
    assert judge(tmp_path, case.write(tmp_path)).record(0)["outcome"] == best


def test_404s_are_grouped_by_server_path_client_and_programs(tmp_path: Path) -> None:
    case = Case()
    workers = [case.process("httpd", pid) for pid in (1, 2)]
    other = case.process("nginx", 3)
    one, two, third = (
        case.stream(tcp("10.0.0.1", port), tcp("10.0.0.9", 80), server_process=process)
        for port, process in ((1, workers[0]), (2, workers[1]), (3, other))
    )
    case.exchange(one, "/a?x=1", 404)
    case.exchange(two, "/a?x=2#y", 404)
    case.exchange(third, "/a", 404)
    case.exchange(one, "/b", 404)
    case.exchange(one, "/b", 404, host="other.example")
    case.exchange(one, "/a", 200)
    case.exchange(one, None, 404)
    found = [
        (record["path"], record["host"], record["server_process"]["name"], record["instances_total"])
        for record in records(judge(tmp_path, case.write(tmp_path)))
    ]
    assert sorted(found) == [
        (NO_PATH, None, "httpd", 1),
        ("/a", "shop.example", "httpd", 2),
        ("/a", "shop.example", "nginx", 1),
        ("/b", "other.example", "httpd", 1),
        ("/b", "shop.example", "httpd", 1),
    ]


def test_each_5xx_status_is_its_own_finding(tmp_path: Path) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    for status in (500, 503, 503, 503, 499, 600):
        case.exchange(stream, "/x", status)
    found = [
        (record["status"], record["severity"], record["instances_total"])
        for record in records(judge(tmp_path, case.write(tmp_path)))
    ]
    assert found == [(503, "medium", 3), (500, "low", 1)]


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        ("/a/b?c=d", "h", "/a/b"),
        ("/a#b", "h", "/a"),
        ("http://user:x@other:81/p?q", "other:81", "/p"),
        ("http://other", "other", "/"),
        ("http://other?q=/x", "other", "/"),
        ("*", "h", "*"),
        ("", "h", "/"),
        ("/redirect?to=http://x/", "h", "/redirect"),
    ],
)
def test_what_was_asked_for(target: str, host: str, path: str) -> None:
    assert asked_for(Http(stream=1, request=RequestLine("GET", target, "h"))) == (host, path)


def test_ids_follow_severity_then_time(tmp_path: Path) -> None:
    case = Case()
    public = case.stream(tcp("10.0.0.1", 1), tcp("8.8.8.8", 80))
    inside = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    case.sighting(inside, 1, "early", time=1)
    case.sighting(public, 1, "late", outcome="accepted", time=9)
    case.sighting(inside, 1, "middle", time=5)
    findings = judge(tmp_path, case.write(tmp_path))
    assert [record["username"] for record in records(findings)] == ["late", "early", "middle"]


def test_keys_hold_no_secret_and_do_not_depend_on_the_case_key(tmp_path: Path) -> None:
    keys = []
    for fingerprint in ("aa", "bb"):
        case = Case()
        case.sighting(case.stream(tcp("10.0.0.1", 1), tcp("8.8.8.8", 80)), 1, fingerprint=fingerprint)
        keys.append(judge(tmp_path, case.write(tmp_path)).record(0)["key"])
    assert keys[0] == keys[1]


def test_the_earliest_hundred_instances_are_kept(tmp_path: Path) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    for time in range(250, 0, -1):
        case.sighting(stream, 1, time=time)
    record = judge(tmp_path, case.write(tmp_path)).record(0)
    assert record["instances_total"] == 250
    assert [where["time"] for where in record["instances"]] == [at(time) for time in range(1, 101)]
    assert (record["first"], record["last"]) == (at(1), at(250))


def test_a_cut_secret_is_likely_only(tmp_path: Path) -> None:
    case = Case()
    case.sighting(case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80)), 1, complete=False)
    record = judge(tmp_path, case.write(tmp_path)).record(0)
    assert (record["confidence"], record["secret_complete"]) == ("likely", False)


def test_several_inputs_are_one_case(tmp_path: Path) -> None:
    first, second = Case("web"), Case("db", source=1)
    for case in (first, second):
        case.sighting(case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80)), 1, time=5 - case.source)
    manifest = first.write(tmp_path)
    manifest["inputs"] += second.write(tmp_path)["inputs"]
    manifest["inputs"].append({"source": 2, "stem": "unreadable"})
    findings = judge(tmp_path, manifest)
    record = findings.record(0)
    assert len(findings) == 1
    assert [where["source"] for where in record["instances"]] == [1, 0]
    assert record["source"] == 1
    assert [len(findings.frame_comments(source)) for source in (0, 1, 2)] == [1, 1, 0]


def test_annotations_may_lie_elsewhere(tmp_path: Path) -> None:
    manifest = lamp().write(tmp_path)
    moved = tmp_path / "part"
    (tmp_path / "act1.annotations.jsonl").rename(moved)
    assert len(judge(tmp_path, manifest, paths={0: moved})) == 4


def test_no_findings(tmp_path: Path) -> None:
    findings = judge(tmp_path, Case().write(tmp_path))
    assert findings.worst() is None
    assert dict(findings.frame_comments(0)) == {}


def test_packet_comments(tmp_path: Path) -> None:
    case = lamp()
    comments = judge(tmp_path, case.write(tmp_path)).frame_comments(0)
    assert list(comments) == sorted(comments)
    posts = [sighting["where"]["frame"] for sighting in case.sightings]
    assert comments[posts[0]] == ["syswire SW-0001 critical: password in a form, user alice"]
    assert comments[posts[3]] == ["syswire SW-0002 low: HTTP Basic credentials, user root"]
    missing = [
        exchange["response"]["where"]["frame"] for exchange in case.exchanges if exchange["response"]["status"] == 404
    ]
    assert comments[missing[0]] == ["syswire SW-0004 info: HTTP 404 for /hi"]
    assert len(comments) == 9
    assert comments.get(1) is None
    assert 1 not in comments


def test_packet_comments_show_no_control_character_and_end(tmp_path: Path) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    for number in range(50):
        case.sighting(stream, 1, f"\u202e\x1b]0;{number}" + "A" * 5000, fingerprint=f"{number}")
        case.sightings[-1]["where"]["frame"] = 7
    comments = judge(tmp_path, case.write(tmp_path)).frame_comments(0)[7]
    assert len(comments) == 21
    assert comments[-1] == "syswire: 30 more findings in this frame"
    assert all(comment.isprintable() and len(comment) < 200 for comment in comments)


def test_unix_sockets(tmp_path: Path) -> None:
    case = Case()
    server = {"path": "/run/app.sock", "inode": 5, "synthetic_ip": "240.0.0.1"}
    client = {"path": None, "inode": 6, "synthetic_ip": "241.0.0.1"}
    case.sighting(case.stream(client, server), 1)
    record = judge(tmp_path, case.write(tmp_path)).record(0)
    assert (record["severity"], record["exposure"], record["server"]) == ("medium", "local", server)
    assert Endpoint(path="/run/app.sock").ip is None
