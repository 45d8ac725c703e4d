"""Reports on packet captures from end to end: captures made by scapy, the command line, every format, tshark."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import packet_files as files
from support.command import run
from support.leaks import leaks, views
from support.packet_talk import answer, arp, connection, form, page
from syswire.reports import document, model
from syswire.reports.findings import judge

from .test_packets import CALLS_ONLY

SECRET = "Wonder-land7"  # also a password in the sample of system calls
CLIENT, SERVER = ("192.168.7.20", 51_000), ("192.168.7.1", 8000)
LOGIN = form("/login", b"username=alice&password=Wonder-land7")
TALK = [
    (True, LOGIN),
    (False, answer("302 Found", b"", "Location: /home")),
    (True, page("/gone?x=1")),
    (False, answer("404 Not Found", b"not found")),
    (True, page("/broken")),
    (False, answer("503 Service Unavailable")),
]
START = 1_795_165_200_000_000  # 2026-11-20T09:00:00Z, in microseconds
LOGIN_FRAME, MISSING_FRAME, BROKEN_FRAME = 5, 11, 15
Record = dict[str, Any]


def capture(path: Path, frames: list[bytes]) -> Path:
    """A pcapng with a custom block in front, which Wireshark counts as a frame, or a pcap, by the name."""
    stamps = [START + 1000 * number for number in range(len(frames))]
    if path.suffix == ".pcapng":
        ahead = [files.section(), files.interface(), files.block(0x0BAD, bytes(4) + b"private.")]
        path.write_bytes(b"".join([*ahead, *map(files.packet, frames, stamps)]))
    else:
        records = [
            files.pcap_record(stamp // 1_000_000, stamp % 1_000_000, frame)
            for frame, stamp in zip(frames, stamps, strict=True)
        ]
        path.write_bytes(files.pcap_header() + b"".join(records))
    return path


def reported(folder: Path, *inputs: object, options: tuple[str, ...] = ()) -> None:
    done = run("report", *inputs, "-o", folder, *options)
    assert (done.returncode, done.stderr) == (0, "")


def findings(folder: Path) -> list[Record]:
    return [json.loads(line) for line in (folder / "findings.jsonl").read_text("utf-8").splitlines()]


def built(folder: Path) -> model.Document:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    return document.build(manifest, judge(folder, manifest), model.SCREEN, revealed=False)


def said(folder: Path, tool: Callable[[str], str]) -> str:
    """The text of the PDF, in one line."""
    told = subprocess.run([tool("pdftotext"), folder / "report.pdf", "-"], capture_output=True, text=True, check=True)
    return " ".join(told.stdout.split())


@pytest.fixture(scope="module", params=["x.pcap", "x.pcapng"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The capture, and the folder that report wrote."""
    folder = tmp_path_factory.mktemp("packets")
    source = capture(folder / request.param, [arp(), *connection(CLIENT, SERVER, TALK)])
    reported(folder / "case", source)
    return source, folder / "case"


def test_findings_point_into_the_capture(case: tuple[Path, Path]) -> None:
    source, folder = case
    ahead = source.suffix == ".pcapng"
    found = findings(folder)
    assert [(one["rule"], one["severity"], one["outcome"], one["exposure"]) for one in found] == [
        ("http-form-password", "high", "accepted", "internal"),
        ("http-5xx", "low", None, "internal"),
        ("http-404", "info", None, "internal"),
    ]
    assert [one["instances"][0]["frame"] for one in found] == [LOGIN_FRAME, BROKEN_FRAME, MISSING_FRAME]
    for one in found:
        (where,) = one["instances"]
        assert (where["event"], where["evt_num"]) == (None, None)
        assert where["source_frame"] == where["frame"] + ahead
        assert (one["client_process"], one["server_process"]) == (None, None)
        assert one["client_attribution"] == one["server_attribution"] == "none"
    with (folder / "findings.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [(row["event"], row["evt_num"], row["frame"], row["source_frame"]) for row in rows] == [
        ("", "", str(frame), str(frame + ahead)) for frame in (LOGIN_FRAME, BROKEN_FRAME, MISSING_FRAME)
    ]


def test_commands_show_what_they_say(case: tuple[Path, Path], tool: Callable[[str], str]) -> None:
    """Every command of the appendix, run where its files are, in the capture that was read and in the one written."""
    tool("tshark")
    source, folder = case
    groups = {title: ["".join(line) for line in lines] for title, lines in built(folder).commands}

    def output(command: str, where: Path) -> str:
        command = command.replace("DIR/", f"{folder}/")
        done = subprocess.run(["bash", "-c", command], cwd=where, capture_output=True, text=True, check=True)
        return done.stdout

    (check,) = groups["Check the evidence"]
    assert output(check, source.parent).split()[1] == source.name
    texts = ("password" + '" = "' + SECRET, "503 Service Unavailable", "404 Not Found")
    for title, where in (("Show a packet", folder), ("Show it in the packet capture that was read", source.parent)):
        assert len(groups[title]) == 3
        for command, text in zip(groups[title], texts, strict=True):
            assert text in output(command, where), command
    (listed,) = groups["List the 404s"]
    assert [line.split()[0] for line in output(listed, folder).splitlines()] == [str(MISSING_FRAME)]


def test_nothing_of_system_calls_is_said(case: tuple[Path, Path], tool: Callable[[str], str]) -> None:
    _, folder = case
    text = said(folder, tool)
    assert not CALLS_ONLY.search(text), CALLS_ONLY.findall(text)
    assert "packet capture names no process" in text
    assert "not followed, 1 time (first at frame" in text


def test_masked(case: tuple[Path, Path], tool: Callable[[str], str]) -> None:
    tool("pdftotext")
    _, folder = case
    looked = [path for path in folder.iterdir() if path.suffix != ".pcapng"]
    assert {"report.html", "report.pdf", "findings.jsonl", "findings.csv"} <= {path.name for path in looked}
    assert not [leak for path in looked for view in views(path) for leak in leaks(*view, {("alice", SECRET)})]
    assert leaks("pcapng", (folder / "x.pcapng").read_bytes(), {("alice", SECRET)}), "the frames are the original ones"


def test_a_directory_gives_the_same_findings(case: tuple[Path, Path], tmp_path: Path) -> None:
    source, folder = case
    shutil.copy(folder / "case.key", tmp_path / "key")
    assert run("convert", source, "-o", tmp_path / "made", "--case-key", tmp_path / "key").returncode == 0
    reported(tmp_path / "told", tmp_path / "made", options=("--format", "html,jsonl,csv"))
    for name in ("findings.jsonl", "findings.csv"):
        assert (tmp_path / "told" / name).read_bytes() == (folder / name).read_bytes()
    assert "read from captured packets" in (tmp_path / "told" / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def mixed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """System calls of the sample, a capture in which one of its passwords is sent to another server, and the sample's
    own traffic as packets.
    """
    folder = tmp_path_factory.mktemp("mixed")
    sample = data / "made" / "act1.scap.gz"
    source = capture(folder / "x.pcap", connection(CLIENT, SERVER, TALK))
    assert run("convert", sample, "-o", folder / "made", "--pcap").returncode == 0
    (folder / "made" / "act1.pcap").rename(folder / "tap.pcap")
    reported(folder / "case", sample, source, folder / "tap.pcap")
    return folder / "case"


def test_one_secret_has_one_fingerprint_in_every_kind(mixed: Path) -> None:
    marks: dict[int, set[str]] = {0: set(), 1: set(), 2: set()}
    for one in findings(mixed):
        for where in one["instances"]:
            if one["username"] == "alice":
                marks[where["source"]].add(one["secret_fingerprint"])
    assert len(marks[0]) == 1
    assert marks[0] == marks[1] == marks[2]


def test_what_two_captures_saw_is_one_finding(mixed: Path) -> None:
    """The sample and its own packets: every secret in both, and each instance says where in its own way."""
    secrets = [one for one in findings(mixed) if one["kind"] == "credential" and one["protocol"] == "http"]
    assert len(secrets) == 11 + 1
    for one in secrets:
        places = [place for where in one["instances"] for place in (where, *where.get("also", ()))]
        sources = [where["source"] for where in places]
        assert set(sources) == ({1} if one["host"] == "router.lan" else {0, 2})
        if 0 in sources:  # every place in the one has its place in the other
            assert sources == [0, 2] * one["instances_total"]
        for where in places:
            packets = where["source"] > 0
            assert (where["event"] is None, where["source_frame"] is None) == (packets, not packets)


def test_both_kinds_are_told_apart(mixed: Path, tool: Callable[[str], str]) -> None:
    text = said(mixed, tool)
    assert "1 capture of system calls from host lamp01 and 2 packet captures" in text
    assert "System calls (E-01): every network read" in text
    assert "Packets (E-02 and E-03): the payload" in text
    assert re.search(r"In common\s+40 conversations are those of E-01, and counted\s+there", text)
    assert "Recorded twice" not in text
    assert "E-02 and E-03 are packet captures and name no process" in text
    cards = {card.id: card for card in built(mixed).cards}
    by_kind = {
        one["id"]: {place["source"] > 0 for where in one["instances"] for place in (where, *where.get("also", ()))}
        for one in findings(mixed)
    }
    in_a_process = {one["id"] for one in findings(mixed) if one["stream"] is None or one["kind"] == "spread"}
    kinds = {frozenset({False}): "events", frozenset({True}): "frames", frozenset({False, True}): "both"}
    for number, card in cards.items():
        if number in in_a_process:  # the capture holds it, no packet does
            continue
        assert card.kind == kinds[frozenset(by_kind[number])]
        assert len(card.commands) == {"events": 1, "frames": 2, "both": 3}[card.kind]
    assert {card.kind for card in cards.values()} == {"events", "frames", "both"}


def test_masked_in_all_of_a_mixed_case(mixed: Path, data: Path, tool: Callable[[str], str]) -> None:
    tool("pdftotext")
    truth = json.loads((data / "made" / "truth.json").read_text("utf-8"))
    secrets = {(one["username"], one["secret"]) for one in truth["credentials"]}
    assert ("alice", SECRET) in secrets
    looked = [path for path in mixed.iterdir() if path.suffix not in (".pcapng", ".key")]
    assert not [leak for path in looked for view in views(path) for leak in leaks(*view, secrets)]


def test_segments_that_contradict_each_other_are_told(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """A second copy of the login with another password: the first one counts, and the report warns."""
    frames = connection(CLIENT, SERVER, TALK)
    at = next(number for number, frame in enumerate(frames) if LOGIN in frame)
    frames.insert(at + 1, frames[at].replace(SECRET.encode(), b"XXXXXX-land7"))
    source = capture(tmp_path / "x.pcap", frames)
    reported(tmp_path / "case", source)
    (entry,) = json.loads((tmp_path / "case" / "manifest.json").read_text("utf-8"))["inputs"]
    loss = entry["losses"]["conflicting_overlap"]
    assert (loss["count"], loss["bytes"], loss["first"]["source_frame"]) == (1, 6, at + 2)
    text = said(tmp_path / "case", tool)
    assert "Caution: E-01 holds packets that contradict each other." in text
    assert f"1 TCP segment repeats bytes with another content, first in frame {at + 2}; 6 bytes differ." in text
    assert f"Look at the packets that contradict each other (E-01, frame {at + 2})" in text
