"""What the report says is what the records hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syswire.reports import document, limitations, model, prose, repeat, scope
from syswire.reports.findings import judge
from syswire.reports.inputs import Inputs

from .case import Case, lamp, tcp


def text(phrase: model.Phrase) -> str:
    return phrase if isinstance(phrase, str) else "".join(phrase)


def built(directory: Path, case: Case, change: dict[str, Any] | None = None) -> model.Document:
    manifest = case.write(directory) | (change or {})
    return document.build(manifest, judge(directory, manifest), model.SCREEN, revealed=False)


def test_summary_of_the_tutorials_server(tmp_path: Path) -> None:
    report = built(tmp_path, lamp())
    assert [text(paragraph) for paragraph in report.summary] == [
        "1 capture from host web01 covering 10 minutes was examined. It holds 1,180 recorded events, 6 conversations "
        "and 57 HTTP exchanges. 4 findings came of it: 1 critical, 2 low and 1 info.",
        "2 passwords of alice and root were sent without encryption to 203.0.113.9:80 and 127.0.0.1:80. In 1 of 2 "
        "findings it crossed the network, where others on the path could read it.",
        "The server accepted 1 of them, so it is valid and must be treated as known to others.",
        "Of 57 HTTP responses, 4 (7.0 %) said that the page does not exist (404) and 1 that the server failed (5xx).",
    ]
    assert report.verdict == ("critical", "Act today. A valid password crossed the network where others could read it.")
    assert [(figure.value, figure.label) for figure in report.figures] == [
        ("1", "critical and high findings"),
        ("2", "distinct passwords in readable form"),
        ("57", "HTTP exchanges"),
        ("4", "responses with status 404"),
        ("1", "server errors (5xx)"),
    ]
    assert text(report.first_steps[0]) == (
        "Change the password of alice today, and wherever else the same password is used (SW-0001)."
    )


def test_summary_of_nothing(tmp_path: Path) -> None:
    report = built(tmp_path, Case())
    assert text(report.summary[0]).endswith("No rule found anything.")
    assert report.verdict[0] == "info"
    assert not report.cards
    assert not report.overview
    assert not report.plan


def test_a_card_leads_to_the_packet(tmp_path: Path) -> None:
    case = lamp()
    card = built(tmp_path, case).cards[0]
    where = case.sightings[0]["where"]
    pointer = card.pointers[0]
    assert (pointer.item, pointer.origin, pointer.evt_num, pointer.offset) == (
        "E-01",
        str(where["event"]),
        str(where["evt_num"]),
        str(where["offset"]),
    )
    assert pointer.display_filter == f"frame.number == {where['frame']}"
    assert (pointer.tcp_stream, pointer.time) == ("0", "2025-11-20 09:01:00.000000")
    assert [text(line) for line in card.commands] == [f'tshark -r act1.pcapng -Y "frame.number == {where["frame"]}" -V']
    assert [pointer.outcome for pointer in card.pointers] == ["unknown", "unknown", "accepted"]
    assert [text(line) for line in card.excerpt] == [
        "POST /login.php HTTP/1.1",
        "Host: shop.example",
        "User-Agent: curl/7.88.1",
        "[body of 38 bytes; not printed]",
        "",
        "HTTP/1.1 302 Whatever",
        "Content-Type: text/html",
    ]
    facts = {label: text(value) for label, value in card.brief + card.facts}
    assert (facts["User"], facts["Outcome"], facts["Place"]) == ("alice", "accepted by the server", "form field pass")
    assert facts["Secret"] == "******** (length 8, fingerprint 0123456789ab)"
    assert facts["Client process"].startswith("not known")
    assert facts["Server process"] == "httpd [pid 801], user www-data, /usr/bin/httpd; seen making the system call"


def test_bytes_that_no_frame_holds_are_told(tmp_path: Path) -> None:
    case = lamp()
    for sighting in case.sightings:
        sighting["where"]["frame_has_bytes"] = False
    assert built(tmp_path, case).cards[0].pointers[0].note == (
        "the capture holds these bytes, the rebuilt packet does not"
    )


def test_scanners_are_named(tmp_path: Path) -> None:
    case = Case()
    scanner = case.stream(tcp("198.51.100.66", 1), tcp("10.0.0.9", 80))
    visitor = case.stream(tcp("198.51.100.7", 1), tcp("10.0.0.9", 80))
    for number in range(prose.SCAN):
        case.exchange(scanner, f"/try{number}", 404)
        case.exchange(visitor, "/broken", 404)
    report = built(tmp_path, case)
    assert [[text(cell) for cell in row] for row in report.scanners.rows] == [
        ["198.51.100.66", "-", "10.0.0.9:80", str(prose.SCAN), str(prose.SCAN)]
    ]
    assert report.missing[0].count == str(prose.SCAN)
    assert text(report.missing[0].path) == "/broken"


def test_limitations_tell_every_loss(tmp_path: Path) -> None:
    case = lamp()
    dropped = {"count": 3, "bytes": 0, "first": {"event": 77}}
    case.losses = {"recorder_dropped": dropped, "new_cause": {"count": 1, "bytes": 9}}
    case.streams[0] |= {"gaps": 2, "missing_bytes": 1500}
    manifest = case.write(tmp_path)
    manifest["inputs"][0] |= {"status": "damaged", "message": "a block ends at 4096"}
    told = {term: text(words) for term, words in limitations.limitations(Inputs(manifest), judge(tmp_path, manifest))}
    assert told["Damage in E-01"] == "The file could not be read to its end: a block ends at 4096."
    assert told["Loss in E-01: recorder dropped"] == (
        "3 times: the recorder said that it dropped events because they came faster than it could write (first at "
        "event 77)."
    )
    assert told["Loss in E-01: new cause"].startswith("1 time, 9 bytes: recorded as")
    assert told["Open before the capture"].startswith("1 conversation had begun")
    assert told["Missing payload"].startswith("1 conversation lacks bytes (1.5 KB in all).")


def test_evidence_that_changed_is_told(tmp_path: Path) -> None:
    manifest = lamp().write(tmp_path)
    findings = judge(tmp_path, manifest)
    assert scope.evidence(Inputs(manifest), findings)[0].intact is True
    manifest["inputs"][0]["sha256_after"] = "44" * 32
    item = scope.evidence(Inputs(manifest), findings)[0]
    assert item.intact is False
    assert dict(item.facts)["SHA-256 after reading"] == "44" * 32
    manifest["inputs"][0]["sha256_after"] = None
    assert scope.evidence(Inputs(manifest), findings)[0].intact is None


def test_commands_quote_names_and_name_odd_ports(tmp_path: Path) -> None:
    case = lamp()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 6379))
    case.exchange(stream, "/x", 200)
    manifest = case.write(tmp_path)
    manifest["inputs"][0]["name"] = "it's; rm -rf $HOME.scap"
    findings = judge(tmp_path, manifest)
    told = repeat.commands(manifest, findings, Inputs(manifest), [])
    said = {title: [text(line) for line in lines] for title, lines in told}
    assert said["Check the evidence"] == ["sha256sum 'it'\\''s; rm -rf $HOME.scap'"]
    assert said["List the 404s"] == [
        'tshark -r act1.pcapng -o http.desegment_body:FALSE -d tcp.port==6379,http -Y "http.response.code == 404"'
    ]


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (None, "TLP:AMBER"),
        ("red", "TLP:RED"),
        ("TLP:CLEAR", "TLP:CLEAR"),
        ("amber+strict", "TLP:AMBER+STRICT"),
        ("<b>", "TLP:AMBER"),
    ],
)
def test_tlp(given: str | None, label: str) -> None:
    assert scope.tlp({"case": {"tlp": given}}) == label


def test_companions_have_their_digests(tmp_path: Path) -> None:
    manifest = lamp().write(tmp_path)
    table = repeat.companions(manifest, Inputs(manifest), [("findings.csv", 10, "55" * 32)])
    assert [(text(row[0]), row[2], row[3]) for row in table.rows] == [
        ("act1.pcapng", "4,567", "22" * 32),
        ("act1.annotations.jsonl", table.rows[1][2], "33" * 32),
        ("findings.csv", "10", "55" * 32),
    ]
