"""Reports on packet captures: nothing is said that is true of system calls alone, and each number leads somewhere."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from syswire.reports import document, html, limitations, model, repeat, scope
from syswire.reports.export import csv as csv_export
from syswire.reports.findings import Findings, judge
from syswire.reports.inputs import Inputs, dates, period

from .case import Case, at, lamp, tcp, together, wire

CALLS_ONLY = re.compile(
    r"system.?call|sysdig|evt\.num|synthetic|rebuilt|reconstructed|reads and writes|descriptor|unix socket"
    r"|every network read|\bevents?\b|owned the socket",
    re.I,
)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class Reader(HTMLParser):
    """The text of a page, its style sheet left out."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        self.text.append("" if tag in ("wbr", "bdi", "span") else " ")

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.text.append(data)


def text(phrase: model.Phrase) -> str:
    return phrase if isinstance(phrase, str) else "".join(phrase)


def build(directory: Path, manifest: dict[str, Any]) -> model.Document:
    return document.build(manifest, judge(directory, manifest), model.SCREEN, revealed=False)


def shown(report: model.Document) -> str:
    reader = Reader()
    reader.feed(html.render(report).decode())
    return " ".join("".join(reader.text).split())


def told(report: model.Document) -> dict[str, str]:
    return {term: text(words) for term, words in report.limitations}


LOSSES: dict[str, Any] = {
    "snaplen": {"count": 2, "bytes": 1200, "first": {"event": None, "source_frame": 4, "offset": 300}},
    "not_captured": {"count": 1, "bytes": 7, "first": None},
    "not_followed": {"count": 3, "bytes": 180, "first": {"event": None, "source_frame": 2, "offset": 90}},
    "unreadable_rest": {"count": 1, "bytes": 0, "first": {"event": None, "source_frame": None, "offset": 4096}},
}


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_no_word_of_system_calls(tmp_path: Path, format: str) -> None:
    case = wire(format=format)
    case.losses = LOSSES
    page = shown(build(tmp_path, case.write(tmp_path)))
    assert not CALLS_ONLY.search(page), CALLS_ONLY.findall(page)
    assert CALLS_ONLY.search(shown(build(tmp_path, lamp().write(tmp_path))))


def test_summary_of_packets(tmp_path: Path) -> None:
    report = build(tmp_path, wire().write(tmp_path))
    assert text(report.subtitle) == "What was said on the network, read from captured packets"
    assert [text(paragraph) for paragraph in report.summary] == [
        "1 packet capture covering 10 minutes was examined. It holds 7 frames, 1 conversation and 3 HTTP exchanges. "
        "3 findings came of it: 1 high, 1 low and 1 info.",
        "1 password of carol was sent without encryption to 192.168.7.1:8080. Anyone on the path between the machines "
        "could read it.",
        "The server accepted it, so it is valid and must be treated as known to others.",
        "Of 3 HTTP responses, 1 (33.3 %) said that the page does not exist (404) and 1 that the server failed (5xx).",
    ]
    assert ("Evidence is", "1 packet capture") in report.case
    assert "Hosts" in [section.name for section in report.sections]
    assert not report.programs.rows
    assert report.programs_chart is None
    assert report.programs_note == "Packet captures name no process, so traffic cannot be told apart by program."


def test_evidence_tells_frames_and_losses(tmp_path: Path) -> None:
    case = wire(format="pcapng")
    case.losses = LOSSES
    manifest = case.write(tmp_path)
    (item,) = scope.evidence(Inputs(manifest), judge(tmp_path, manifest))
    facts = {label: text(value) for label, value in item.facts}
    assert facts["Kind"] == "packet capture"
    assert facts["Format"] == "pcapng, not compressed"
    assert facts["Holds"] == "7 frames, 1 conversation, 3 HTTP exchanges"
    assert (facts["First frame"], facts["Last frame"]) == (
        "2025-11-20 09:00:00.000000 UTC",
        "2025-11-20 09:10:00.000000 UTC",
    )
    assert facts["Losses"] == (
        "not captured, 1 time; not followed, 3 times (first at frame 2); snaplen, 2 times (first at frame 4); "
        "unreadable rest, 1 time (first at byte 4096)"
    )
    assert not item.warnings


def test_pointers_name_the_source_frame(tmp_path: Path) -> None:
    case = wire(format="pcapng", ahead=3)
    case.sightings[0]["where"]["frame_has_bytes"] = False
    report = build(tmp_path, case.write(tmp_path))
    card = report.cards[0]
    where = case.sightings[0]["where"]
    assert (card.kind, card.origin) == ("frames", "Source frame")
    assert (where["frame"], where["source_frame"]) == (3, 6)
    assert [(one.origin, one.evt_num, one.display_filter, one.note) for one in card.pointers] == [
        ("6", "-", "frame.number == 3", "the capture lacks the first of these bytes")
    ]
    assert [text(line) for line in card.commands] == [
        'tshark -r DIR/wire.pcapng -Y "frame.number == 3" -V',
        'tshark -r wire.pcapng -Y "frame.number == 6" -V',
    ]
    facts = {label: text(value) for label, value in card.facts}
    assert facts["Client process"] == facts["Server process"] == "not known: a packet capture names no process"
    assert text(report.overview[0].process) == "none in packets"
    assert report.overview[0].frame == "3"
    assert "evt.num" not in shown(report)


@pytest.mark.parametrize(
    ("name", "compression", "command"),
    [
        ("x.pcap", "none", "tshark -r x.pcap"),
        ("x.pcap.gz", "gzip", "tshark -r x.pcap.gz"),
        ("x.pcap.zst", "zstd", "zstd -dc x.pcap.zst | tshark -r -"),
        ("x y.gz", "gzip+zstd", "gzip -dc 'x y.gz' | zstd -dc | tshark -r -"),
        ("-x.pcap", "none", "tshark -r './-x.pcap'"),
        ("-", "none", None),
    ],
)
def test_commands_for_the_source(tmp_path: Path, name: str, compression: str, command: str | None) -> None:
    manifest = wire(ahead=3).write(tmp_path)
    manifest["inputs"][0] |= {"name": name, "compression": compression}
    report = build(tmp_path, manifest)
    groups = {title: [text(line) for line in lines] for title, lines in report.commands}
    assert groups["Show a packet"][0] == 'tshark -r wire.pcapng -Y "frame.number == 3" -V   # SW-0001'
    original = groups.get("Show it in the packet capture that was read", [None])[0]
    assert original == (None if command is None else f'{command} -Y "frame.number == 6" -V   # SW-0001')
    assert ("Check the evidence" in groups) == (name != "-")


def test_commands_without_a_pcapng(tmp_path: Path) -> None:
    """Pcaps of several link types have numbers of their own; a single one has all frames."""
    case = wire()
    case.losses = {"not_followed": LOSSES["not_followed"]}
    manifest = case.write(tmp_path)
    manifest["options"] = {"no_pcapng": True, "pcap": True}
    manifest["outputs"] = [{"name": "wire.pcap", "size": 1, "sha256": "66" * 32, "source": 0}]
    assert Inputs(manifest).get(0).capture == "DIR/wire.pcap"  # type: ignore[union-attr]
    manifest["outputs"].append({"name": "wire.linktype-113.pcap", "size": 1, "sha256": "66" * 32, "source": 0})
    report = build(tmp_path, manifest)
    groups = {title: [text(line) for line in lines] for title, lines in report.commands}
    assert "Show a packet" not in groups
    assert "List the 404s" not in groups
    assert "No pcapng was written; the frame numbers are those that it would have." in shown(report)
    assert "in the pcapng" not in shown(report)
    assert groups["Make this report again"][0] == "syswire report wire.pcap -o DIR --no-pcapng --pcap"
    assert [text(line) for line in report.cards[0].commands] == ['tshark -r wire.pcap -Y "frame.number == 3" -V']
    assert [text(row[1]) for row in report.companions.rows] == [
        "the frames of the source, older format, no comments"
    ] * 2


def test_the_pcapng_goes_before_pcaps(tmp_path: Path) -> None:
    manifest = wire().write(tmp_path)
    manifest["outputs"] += [
        {"name": name, "size": 1, "sha256": "66" * 32, "source": 0} for name in ("wire.pcap", "wire.linktype-113.pcap")
    ]
    assert Inputs(manifest).get(0).capture == "wire.pcapng"  # type: ignore[union-attr]
    contents = [text(row[1]) for row in repeat.companions(manifest, Inputs(manifest), []).rows]
    assert contents[:2] == [
        "the frames of the source with comments, for Wireshark",
        "conversations, exchanges, sightings",
    ]


def test_limitations_of_packets(tmp_path: Path) -> None:
    case = wire()
    case.losses = LOSSES
    case.stream(tcp("192.168.7.20", 52_000), tcp("192.168.7.1", 22), opened=None)
    case.streams[-1]["sha256_to_client"] = EMPTY
    case.stream(tcp("192.168.7.20", 53), tcp("192.168.7.1", 53), opened=None)
    case.streams[-1] |= {"protocol": "udp", "tcp_stream": None}
    said = told(build(tmp_path, case.write(tmp_path)))
    assert said["Loss in E-01: snaplen"] == (
        "2 times, 1.2 KB: frames were longer than what the recorder kept of each (snaplen); their lengths are known, "
        "the bytes are not (first at frame 4)."
    )
    assert said["Loss in E-01: not followed"].startswith("3 times, 180 bytes, 42.9 % of all frames: ")
    assert said["Loss in E-01: unreadable rest"].endswith("(first at byte 4096).")
    assert said["No handshake"].startswith("1 TCP conversation has its beginning in no packet")
    assert said["One direction only"].startswith(
        "1 TCP conversation was captured with the payload of one direction alone"
    )
    assert "Open before the capture" not in said
    assert said["Encryption"].startswith("What was encrypted on the network (TLS, SSH) was not decrypted")
    assert {"No processes", "Place of the capture", "Order and checksums"} <= set(said)
    assert "Rebuilt packets" not in said


def test_udp_is_never_open_before(tmp_path: Path) -> None:
    case = lamp()
    case.stream(tcp("10.0.0.1", 53), tcp("10.0.0.2", 53), opened=None)
    case.streams[-1]["protocol"] = "udp"
    manifest = case.write(tmp_path)
    assert judge(tmp_path, manifest).survey.open_before == 1, "the unix socket alone"


def test_contradictions_stand_in_front(tmp_path: Path) -> None:
    case = wire(source=1)
    where = {"event": None, "source_frame": 12, "offset": 900}
    case.losses = {
        "conflicting_overlap": {"count": 2, "bytes": 40, "first": where},
        "fragment_conflict": {"count": 1, "bytes": 0, "first": where | {"source_frame": 15}},
    }
    manifest = together(tmp_path, lamp(), case)
    report = build(tmp_path, manifest)
    assert text(report.summary[-1]).startswith("Caution: E-02 holds packets that contradict each other.")
    assert text(report.first_steps[-1]).startswith(
        "Look at the packets that contradict each other (E-02, frame 12; E-02, frame 15)"
    )
    plain, warned = report.evidence
    assert not plain.warnings
    assert [warning.partition(".")[0] for warning in warned.warnings] == [
        "2 TCP segments repeat bytes with another content, first in frame 12; 40 bytes differ",
        "1 IP fragment overlaps another with another content, first in frame 15",
    ]
    said = told(report)
    assert said["Contradiction in E-02: conflicting overlap"] == warned.warnings[0]
    assert "Loss in E-02: conflicting overlap" not in said
    assert next(iter(said)) == "Contradiction in E-02: conflicting overlap"
    assert "hide from whoever listens" in shown(report)


def both(directory: Path) -> tuple[dict[str, Any], Findings]:
    """The tutorial's server by its system calls, and what a tap saw of the first browser's connections."""
    tap = Case("tap", 1, "pcapng")
    stream = tap.stream(tcp("198.51.100.7", 40_000), tcp("203.0.113.9", 80))
    post = tap.exchange(stream, "/login.php", 302, 59.9, method="POST")
    tap.sighting(stream, post, time=59.9, outcome="accepted")
    tap.exchange(stream, "/hi?x=1", 404, 30)
    manifest = together(directory, lamp(), tap)
    return manifest, judge(directory, manifest)


def test_both_kinds_in_one_case(tmp_path: Path) -> None:
    manifest, _ = both(tmp_path)
    report = build(tmp_path, manifest)
    assert text(report.subtitle) == (
        "What processes said on the network, reconstructed from recorded system calls on web01, and what captured "
        "packets show"
    )
    assert text(report.summary[0]).startswith(
        "1 capture of system calls from host web01 and 1 packet capture covering 10 minutes were examined. They hold "
        "1,180 recorded events, 5 frames, 7 conversations and 59 HTTP exchanges."
    )
    page = shown(report)
    assert "System calls (E-01): every network read" in page
    assert "Packets (E-02): the payload of every TCP segment" in page
    assert "E-02 is a packet capture and names no process" in page
    said = told(report)
    assert {"Rebuilt packets (E-01)", "No processes (E-02)"} <= set(said)
    assert said["Encryption"].startswith("What was encrypted before it reached a system call or the network (TLS, SSH)")
    assert said["Recorded twice: E-01, E-02"] == (
        "Of E-02, 1 conversation has the same addresses and ports as one of E-01, whose time overlaps: most likely the "
        "same traffic. Figures, charts and tables count it once for each input. An error may be two findings: one with "
        "its program, one without."
    )
    assert text(report.summary[-1]).startswith("Some traffic stands in more than one capture (E-01 and E-02) and is ")
    assert [text(row[1]) for row in report.companions.rows] == [
        "rebuilt packets with comments, for Wireshark",
        "processes, conversations, exchanges, sightings",
        "the frames of the source with comments, for Wireshark",
        "conversations, exchanges, sightings",
    ]
    assert {row.frame.split()[0] for row in report.overview} == {"E-01", "E-02"}


def test_one_secret_in_both_kinds_is_one_finding(tmp_path: Path) -> None:
    manifest, findings = both(tmp_path)
    record = findings.record(0)
    assert [where["source"] for where in record["instances"]] == [1, 0, 0, 0]
    assert record["client_process"] is None is record["server_process"]
    card = build(tmp_path, manifest).cards[0]
    facts = {label: text(value) for label, value in card.facts}
    assert facts["Seen in"] == "E-01 and E-02"
    assert text(card.story).endswith(" in readable form, recorded 4 times in E-01 and E-02. The server accepted it.")
    assert [text(line) for line in card.commands] == [
        'tshark -r DIR/tap.pcapng -Y "frame.number == 3" -V',
        'tshark -r tap.pcapng -Y "frame.number == 3" -V',
        f'tshark -r act1.pcapng -Y "frame.number == {record["instances"][1]["frame"]}" -V',
    ]
    assert facts["Server process"] == (
        "by E-01: httpd [pid 801], user www-data, /usr/bin/httpd; seen making the system call"
    )
    assert facts["Client process"] == "not known: a packet capture names no process"
    assert (card.kind, card.origin) == ("both", "Event or source frame")
    assert [pointer.origin.split()[0] for pointer in card.pointers] == ["frame", "event", "event", "event"]
    assert [pointer.evt_num == "-" for pointer in card.pointers] == [True, False, False, False]


def test_csv_has_new_columns_last(tmp_path: Path) -> None:
    _, findings = both(tmp_path)
    out = io.StringIO(newline="")
    csv_export.write(out, findings, revealed=False)
    head, *rows = csv.reader(io.StringIO(out.getvalue()))
    assert head[-7:] == ["key", "source_frame", "form", "mechanism", "hashcat", "refused_before", "ignored"]
    places = {tuple(row[head.index(name)] for name in ("source", "event", "evt_num", "source_frame")) for row in rows}
    assert ("1", "", "", "3") in places
    assert all((source == "1") == (event == evt_num == "") == (frame != "") for source, event, evt_num, frame in places)


def test_other_times_are_not_recorded_twice(tmp_path: Path) -> None:
    manifest, findings = both(tmp_path)
    manifest["inputs"][1] |= {"first": at(86_400 // 24 * 5), "last": at(86_400 // 24 * 5 + 60)}
    inputs = Inputs(manifest)
    assert not [term for term, _ in limitations.limitations(inputs, findings) if term.startswith("Recorded twice")]
    assert period(inputs) == "11 minutes between 2025-11-20 09:00 and 2025-11-20 14:01 UTC"
    assert dates(inputs) == "2025-11-20 09:00:00 to 2025-11-20 14:01:00 UTC, 11 minutes of it"


def test_an_input_that_could_not_be_read(tmp_path: Path) -> None:
    manifest = wire().write(tmp_path)
    manifest["inputs"].append(
        {
            "source": 1,
            "path": "/evidence/notes.txt",
            "name": "notes.txt",
            "stem": "notes",
            "status": "unreadable",
            "message": "notes.txt: not a capture (no known magic number), at byte 0",
            "sha256": None,
            "counts": {},
            "losses": {},
        }
    )
    report = build(tmp_path, manifest)
    assert text(report.summary[0]).startswith("1 packet capture covering 10 minutes was examined. 1 more input could ")
    assert [label for label, _ in report.evidence[1].facts] == ["Read"]
    assert told(report)["Damage in E-02"].startswith("The file could not be read: notes.txt: not a capture")
    assert "notes.pcapng" not in shown(report)
    assert not CALLS_ONLY.search(shown(report))


def test_times_of_several_days_name_the_day(tmp_path: Path) -> None:
    case = wire()
    chart = build(tmp_path, case.write(tmp_path)).charts[2]
    assert [row[0] for row in chart.rows] == ["09:00:20.000", "09:00:21.000", "09:00:22.000"]
    later = case.exchange(1, "/later", 200, 30)
    case.exchanges[later - 1]["time"] = "2025-12-24T18:00:00.000000000Z"
    chart = build(tmp_path, case.write(tmp_path)).charts[2]
    assert [row[0][:11] for row in chart.rows] == ["2025-11-20 ", "2025-12-24 "]
    assert "2025-12-2" in chart.svg


def test_many_copies_of_one_capture_are_told_in_few_rows(tmp_path: Path) -> None:
    cases = [wire(source) for source in range(12)]
    for case in cases:
        case.stem = f"wire{case.source}"
    report = build(tmp_path, together(tmp_path, *cases))
    rows = [(term, text(words)) for term, words in report.limitations if term.startswith("Recorded twice")]
    assert [term for term, _ in rows[:-1]] == [f"Recorded twice: E-01, E-{number:02d}" for number in range(2, 10)]
    assert rows[-1] == ("Recorded twice", "3 more pairs of inputs are like that.")
    card = report.cards[0]
    assert "recorded 12 times in E-01, E-02, " in text(card.story)
    assert len(card.commands) == 6
