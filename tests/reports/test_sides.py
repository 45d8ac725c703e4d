"""The same connection in several captures: shown and counted once, with both ends; what is not sure counts in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syswire.reports import document, model
from syswire.reports.annotations import Endpoint, Stream
from syswire.reports.findings import Findings, judge
from syswire.reports.model import Document
from syswire.reports.sides import NOTHING, Sides

from .case import Case, tcp, together

CLIENT, SERVER = tcp("10.0.0.7", 40_000), tcp("10.0.0.9", 80)
LATE = 0.004
"""Seconds by which the server's clock is ahead, in the cases here."""


def told(case: Case, *, late: float = 0.0, client: int | None = None, server: int | None = None) -> Case:
    """One connection with a login and two answers, as a capture at some place saw it."""
    stream = case.stream(
        CLIENT, SERVER, client_process=client, server_process=server, sent="talk", opened=1 + late, up=900, down=2_000
    )
    for number, (target, status, time) in enumerate((("/login.php", 302, 2.0), ("/gone", 404, 3.0), ("/x", 200, 4.0))):
        case.exchange(stream, target, status, time + late, method="POST" if number == 0 else "GET")
        for side, start in (("request", 300 * number), ("response", 600 * number)):
            case.exchanges[-1][side]["where"]["stream_offset"] = start
    case.sighting(stream, 1, time=2.0 + late, outcome="accepted")
    case.sightings[-1]["where"]["stream_offset"] = 250
    return case


def browser(source: int = 0) -> Case:
    case = Case("client", source)
    return told(case, client=case.process("curl", 4242, "anne"))


def httpd(source: int = 1, late: float = LATE) -> Case:
    case = Case("server", source)
    return told(case, late=late, server=case.process("httpd", 801))


def wire(source: int) -> Case:
    return told(Case("tap", source, "pcapng"), late=0.0005)


def of(directory: Path, *cases: Case) -> tuple[Findings, dict[str, Any], Document]:
    manifest = together(directory, *cases)
    findings = judge(directory, manifest)
    return findings, manifest, document.build(manifest, findings, model.SCREEN, revealed=False)


def records(findings: Findings) -> list[dict[str, Any]]:
    return [findings.record(position) for position in range(len(findings))]


def numbers(findings: Findings) -> tuple[Any, ...]:
    survey = findings.survey
    hosts = {name: (each.sent, each.received, each.streams) for name, each in survey.hosts.items()}
    return (
        survey.streams,
        survey.exchanges,
        survey.statuses,
        hosts,
        [record["instances_total"] for record in records(findings)],
    )


def test_both_hosts_are_one_connection_with_both_ends(tmp_path: Path) -> None:
    findings, _, report = of(tmp_path, browser(), httpd())
    login, missing = records(findings)
    assert (login["rule"], missing["rule"]) == ("http-form-password", "http-404")
    assert [record["instances_total"] for record in (login, missing)] == [1, 1]
    for record in (login, missing):
        assert (record["client_process"]["name"], record["server_process"]["name"]) == ("curl", "httpd")
        assert (record["client_process_source"], record["server_process_source"]) == (0, 1)
        assert (record["client_attribution"], record["server_attribution"]) == ("observed", "observed")
        (instance,) = record["instances"]
        assert instance["source"] == 0
        assert [(place["source"], place["stream"]) for place in instance["also"]] == [(1, 1)]
    assert numbers(findings)[:4] == (
        {"tcp": 1},
        3,
        {302: 1, 404: 1, 200: 1},
        {"10.0.0.7": (900, 2_000, 1), "10.0.0.9": (2_000, 900, 1)},
    )
    assert findings.survey.joined == {(0, 1): 1}
    assert not findings.survey.twice
    programs = {findings.survey.programs.table[at].name: each.total for at, each in findings.survey.by_program.items()}
    assert programs == {"curl": 2_900, "httpd": 2_900}
    facts = {label: str(value) for label, value in report.evidence[1].facts}
    assert facts["In common"] == "1 conversation is one of E-01, and counted there"
    assert not [term for term, _ in report.limitations if term.startswith("Recorded twice")]
    assert {pointer.item for pointer in report.cards[0].pointers} == {"E-01", "E-02"}


def test_clocks_follow_from_what_both_saw(tmp_path: Path) -> None:
    findings, _, report = of(tmp_path, browser(), httpd())
    apart = findings.doubles.clocks.apart[0, 1]
    # Three requests, three answers and the sighting: every one 4 ms later by the server's clock.
    assert (apart.messages, apart.low, apart.high) == (7, 4_000_000, 4_000_000)
    facts = {label: str(value) for label, value in report.evidence[1].facts}
    assert facts["Clock"] == "+4.000 ms to +4.000 ms ahead of E-01, by 7 messages that both saw"


@pytest.mark.parametrize("packets_first", [False, True])
def test_a_tap_beside_a_host_changes_nothing_but_the_places(tmp_path: Path, packets_first: bool) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "both").mkdir()
    alone, _, _ = of(tmp_path / "alone", httpd(0))
    cases = (wire(0), httpd(1)) if packets_first else (httpd(0), wire(1))
    both, _, _ = of(tmp_path / "both", *cases)
    assert numbers(both) == numbers(alone)
    assert [record["key"] for record in records(both)] == [record["key"] for record in records(alone)]
    for record in records(both):
        assert record["server_process"]["name"] == "httpd"
        assert record["server_process_source"] == (1 if packets_first else 0)
        assert [place["source"] for where in record["instances"] for place in where["also"]] == [1]
    assert both.doubles.clocks.apart[0, 1].high is None  # it is not known where the tap was


def test_three_captures_of_one_connection(tmp_path: Path) -> None:
    findings, _, _ = of(tmp_path, wire(0), browser(1), httpd(2))
    assert [record["instances_total"] for record in records(findings)] == [1, 1]
    login = records(findings)[0]
    assert (login["client_process"]["name"], login["server_process"]["name"]) == ("curl", "httpd")
    assert [place["source"] for place in login["instances"][0]["also"]] == [1, 2]
    assert findings.survey.joined == {(0, 1): 1, (0, 2): 1}


def test_marks_stand_in_both_captures(tmp_path: Path) -> None:
    findings, _, _ = of(tmp_path, browser(), httpd())
    one, other = (findings.frame_comments(source) for source in (0, 1))
    assert list(one.values()) == list(other.values()) != []


def test_what_only_the_second_saw_counts(tmp_path: Path) -> None:
    first, second = browser(), httpd()
    first.exchanges[1]["response"] = None  # its answer was lost there
    findings, _, _ = of(tmp_path, first, second)
    assert findings.survey.statuses == {302: 1, 404: 1, 200: 1}
    assert [record["rule"] for record in records(findings)] == ["http-form-password", "http-404"]
    assert records(findings)[1]["source"] == 1


def test_a_better_outcome_of_the_second_is_taken(tmp_path: Path) -> None:
    first = browser()
    first.sightings[0]["outcome"] = "unknown"
    findings, _, _ = of(tmp_path, first, httpd())
    assert records(findings)[0]["outcome"] == "accepted"


def change(case: Case, **fields: Any) -> Case:
    case.streams[0] |= fields
    return case


@pytest.mark.parametrize(
    "fields",
    [
        {"bytes_to_client": 2_001},
        {"sha256_to_client": "ab" * 32},
        {"client": tcp("10.0.0.7", 40_001)},
        {"sha256_to_server": None, "sha256_to_client": None, "opened": "2025-11-20T09:20:00.000000000Z"},
    ],
)
def test_what_differs_counts_in_each(tmp_path: Path, fields: dict[str, Any]) -> None:
    findings, _, _ = of(tmp_path, browser(), change(httpd(), **fields))
    assert findings.survey.streams == {"tcp": 2}
    assert findings.survey.exchanges == 6
    assert findings.survey.joined == {}


def test_withheld_hashes_and_missing_bytes_leave_lengths_and_times(tmp_path: Path) -> None:
    hidden = {"sha256_to_server": None, "sha256_to_client": None}
    findings, _, _ = of(tmp_path, change(browser(), **hidden), change(httpd(), **hidden))
    assert findings.survey.joined == {(0, 1): 1}
    (tmp_path / "cut").mkdir()
    cut = change(httpd(), sha256_to_client="cd" * 32, missing_bytes=10, gaps=1)
    findings, _, _ = of(tmp_path / "cut", browser(), cut)
    assert findings.survey.joined == {(0, 1): 1}


def test_two_that_could_be_the_same_count_in_each(tmp_path: Path) -> None:
    first, second = browser(), httpd()
    told(second, late=0.1)
    findings, _, report = of(tmp_path, first, second)
    assert findings.survey.streams == {"tcp": 3}
    assert [term for term, _ in report.limitations if term.startswith("Recorded twice")] == [
        "Recorded twice: E-01, E-02"
    ]


def streams(sides: Sides, *given: tuple[int, int, str]) -> None:
    for source, number, digest in given:
        stream = Stream(
            number,
            "tcp",
            Endpoint("10.0.0.7", 40_000 + number),
            Endpoint("10.0.0.9", 80),
            bytes_to_server=5,
            sha256_to_server=digest,
            sha256_to_client=NOTHING,
        )
        sides.add(source, stream, 0, lambda _: None)


def test_bound(tmp_path: Path) -> None:
    sides = Sides(bound=3)
    streams(sides, (0, 1, "a"), (0, 2, "b"), (1, 1, "a"), (1, 2, "b"))
    sides.join(lambda *_: True)
    assert sides.left_out == 1
    assert (sides.first(1, 1), sides.first(1, 2)) == ((0, 1), None)
    assert (sides.shared(0, 1), sides.shared(0, 2)) == (True, False)


def test_the_digest_of_nothing_proves_nothing() -> None:
    sides = Sides()
    streams(sides, (0, 1, NOTHING), (1, 1, NOTHING))
    sides.join(lambda *_: False)
    assert sides.first(1, 1) is None


def test_ends_that_two_captures_name_the_other_way_round() -> None:
    sides = Sides()
    one, other = Endpoint("10.0.0.7", 40_000), Endpoint("10.0.0.9", 80)
    sides.add(
        0, Stream(1, "tcp", one, other, bytes_to_server=5, bytes_to_client=7, sha256_to_server="a"), 0, lambda _: None
    )
    sides.add(
        1, Stream(9, "tcp", other, one, bytes_to_server=7, bytes_to_client=5, sha256_to_client="a"), 0, lambda _: None
    )
    sides.join(lambda *_: True)
    assert sides.first(1, 9) == (0, 1)
