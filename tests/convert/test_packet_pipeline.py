"""Packet captures through the whole of `convert`: what is written of them, and where its pointers lead."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import dpkt
import pytest
from backports import zstd

from support import packet_made as made
from support.conversations import ACK, PSH, Talk, capture
from support.packet_files import COMMENT, packet, plain_frames, section
from support.packet_files import interface as interface_block
from syswire.convert.options import Options
from syswire.convert.pipeline import Case

Record = dict[str, Any]
QUESTION = b"GET /hi HTTP/1.1\r\nHost: h\r\nAuthorization: Basic Ym9iOm9wZW4tc2VzYW1l\r\n\r\n"
ANSWER = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3000\r\n\r\n" + b"n" * 3000


def frames() -> list[bytes]:
    """A login that fails, in segments of 1,000 bytes, two of them in the wrong order, and frames of no stream."""
    talk = Talk()
    told = [
        talk(False, ACK | PSH, 1 + at, 1 + len(QUESTION), ANSWER[at : at + 1000]) for at in range(0, len(ANSWER), 1000)
    ]
    told[1], told[2] = told[2], told[1]
    arp = made.ethernet(bytes(28), 0x0806)
    datagram = made.ethernet(made.ipv4(made.udp(b"ping"), made.UDP))
    closing = talk.close(len(QUESTION), len(ANSWER))
    return [arp, *talk.handshake(), talk(True, ACK | PSH, 1, 1, QUESTION), datagram, *told, *closing]


def run(inputs: list[Path], out: Path, **options: Any) -> tuple[Case, list[Record]]:
    case = Case([str(path) for path in inputs], out, Options(**options))
    case.space.write_manifest(case.run())
    records: list[Record] = []
    for made_here in sorted(out.glob("*.annotations.jsonl")):
        records += [json.loads(line) for line in made_here.read_text("utf-8").splitlines()]
    return case, records


def bare(pcapng: bytes) -> list[tuple[int, bytes, int, int]]:
    return [frame.bare for frame in plain_frames(pcapng)]


def of(records: list[Record], kind: str) -> list[Record]:
    return [record for record in records if record["type"] == kind]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return capture(tmp_path / "talk.pcap", frames())


def test_records_of_a_packet_capture(path: Path, tmp_path: Path) -> None:
    _, records = run([path], tmp_path / "case")
    (head,) = of(records, "capture")
    assert (head["format"], head["events"], head["frames"]) == ("pcap", 0, 13)
    assert (head["first"], head["last"]) == ("2001-09-09T01:46:40.000000000Z", "2001-09-09T01:46:52.000000000Z")
    assert list(head["losses"]) == ["not_followed"] and head["losses"]["not_followed"]["first"]["frame"] == 1
    tcp, udp = of(records, "stream")
    assert (tcp["protocol"], tcp["tcp_stream"], tcp["frames"], tcp["client_attribution"]) == ("tcp", 0, [2, 13], "none")
    assert (udp["protocol"], udp["tcp_stream"], udp["frames"], udp["bytes_to_server"]) == ("udp", None, [6, 6], 4)
    (exchange,) = of(records, "http")
    assert exchange["response"]["status"] == 404 and exchange["response"]["body_complete"] is True
    (sighting,) = of(records, "sighting")
    assert (sighting["username"], sighting["outcome"]) == ("bob", "unknown")
    assert sighting["where"]["source_frame"] == sighting["where"]["frame"] == 5 and sighting["where"]["event"] is None
    assert not of(records, "process")
    assert "open-sesame" not in json.dumps(records) and "Ym9iOm9wZW4tc2VzYW1l" not in json.dumps(records)


def test_every_pointer_leads_to_its_bytes(path: Path, tmp_path: Path) -> None:
    """`offset` and `source_frame` in the source, `frame` in the pcapng: the bytes of the stream begin there."""
    _, records = run([path], tmp_path / "case")
    (exchange,) = of(records, "http")
    source = path.read_bytes()
    written = list(plain_frames((tmp_path / "case" / "talk.pcapng").read_bytes()))
    for side, data in (("request", QUESTION), ("response", ANSWER)):
        where = exchange[side]["where"]
        record = source[where["offset"] :]
        assert data[:20] in record[: 16 + int.from_bytes(record[8:12], "little")]
        assert data[:20] in written[where["frame"] - 1].data and data[:20] in frames()[where["source_frame"] - 1]
        assert (where["stream_offset"], where["length"]) == (0, len(data))


def test_same_however_it_is_stored(path: Path, tmp_path: Path) -> None:
    raw = path.read_bytes()
    stored = {"talk.pcap.gz": gzip.compress(raw), "talk.pcap.zst": zstd.compress(raw), "other.pcap": raw}
    _, wanted = run([path], tmp_path / "case")
    copy = (tmp_path / "case" / "talk.pcapng").read_bytes()
    for name, data in stored.items():
        (tmp_path / name).write_bytes(data)
        _, records = run([tmp_path / name], tmp_path / f"case-{name}", case_key=tmp_path / "case" / "case.key")
        assert records[1:] == wanted[1:], name
        (again,) = (tmp_path / f"case-{name}").glob("*.pcapng")
        assert [frame.bare for frame in plain_frames(again.read_bytes())] == [
            frame.bare for frame in plain_frames(copy)
        ]
    piped = tmp_path / "piped"
    command = [sys.executable, "-m", "syswire", "convert", "-", "-o", str(piped)]
    done = subprocess.run([*command, "--case-key", str(tmp_path / "case" / "case.key")], input=raw, check=True)
    assert done.returncode == 0
    lines = (piped / "stdin.annotations.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines][1:] == wanted[1:]


def test_same_bytes_for_every_number_of_jobs(tmp_path: Path) -> None:
    many = []
    for number in range(60):
        talk = Talk((f"10.0.{number}.1", 40000))
        many += talk.handshake()
        for at in range(300):
            many.append(talk(True, ACK, 1 + at * len(QUESTION), 1, QUESTION))
    path = capture(tmp_path / "many.pcap", many)
    (tmp_path / "key").write_text("ab" * 32 + "\n")
    outputs = []
    for jobs in (1, 2):
        run([path], tmp_path / str(jobs), jobs=jobs, case_key=tmp_path / "key")
        outputs.append(
            {made.name: made.read_bytes() for made in (tmp_path / str(jobs)).iterdir() if made.suffix != ".json"}
        )
    assert outputs[0] == outputs[1] and len(outputs[0]) == 2


def test_classic_pcap_is_written_where_it_is_asked_for(path: Path, tmp_path: Path) -> None:
    case, _ = run([path], tmp_path / "case", pcap=True, pcapng=False)
    assert [entry["name"] for entry in case.manifest["outputs"]] == ["talk.annotations.jsonl", "talk.pcap"]
    with (tmp_path / "case" / "talk.pcap").open("rb") as file, path.open("rb") as source:
        assert list(dpkt.pcap.Reader(file)) == list(dpkt.pcap.Reader(source))
    assert (tmp_path / "case" / "talk.pcap").read_bytes() == path.read_bytes()


def test_classic_pcap_of_a_scap(sample_capture: Path, tmp_path: Path) -> None:
    run([sample_capture], tmp_path / "case", pcap=True)
    (pcapng,) = (tmp_path / "case").glob("*.pcapng")
    wanted = [(frame.time, frame.data) for frame in plain_frames(pcapng.read_bytes())]
    raw = pcapng.with_suffix(".pcap").read_bytes()
    assert raw[:4] == bytes.fromhex("4d3cb2a1") and raw[20:24] == b"\x65\0\0\0"
    at, found = 24, []
    while at < len(raw):
        seconds, rest, size = (int.from_bytes(raw[at + 4 * i : at + 4 * i + 4], "little") for i in range(3))
        found.append((seconds * 10**9 + rest, raw[at + 16 : at + 16 + size]))
        at += 16 + size
    assert found == wanted


@pytest.fixture
def sample_capture(data: Path) -> Path:
    return data / "made" / "act1.scap.gz"


def test_link_types_go_to_files_of_their_own(tmp_path: Path) -> None:
    plain = frames()[4]
    mixed = section() + interface_block(1) + interface_block(101) + packet(plain, 1, 0) + packet(plain[14:], 2, 1)
    (tmp_path / "two.pcapng").write_bytes(mixed + interface_block(147) + packet(b"private", 3, 2))
    told: list[str] = []
    case = Case([str(tmp_path / "two.pcapng")], tmp_path / "case", Options(pcap=True), note=told.append)
    case.run()
    names = [entry["name"] for entry in case.manifest["outputs"]]
    assert names[2:] == ["two.pcap", "two.linktype-101.pcap", "two.linktype-147.pcap"]
    assert any("3 link types" in line for line in told)
    lost = case.manifest["losses"]
    assert lost["unknown_link_type"] == {"count": 1, "bytes": 7}


def test_comments_of_the_source_stay_and_ours_follow(tmp_path: Path) -> None:
    first, *others = frames()[1:]
    blocks = section([(COMMENT, b"made by hand")]) + interface_block(1)
    blocks += packet(first, 1, values=[(COMMENT, b"theirs")]) + b"".join(packet(data, 2) for data in others)
    (tmp_path / "theirs.pcapng").write_bytes(blocks)
    run([tmp_path / "theirs.pcapng"], tmp_path / "case")
    written = list(plain_frames((tmp_path / "case" / "theirs.pcapng").read_bytes()))
    assert written[0].comments == ["theirs", "syswire stream 1 (tcp)"]
    assert [frame.data for frame in written] == [first, *others]
    assert sum(bool(frame.comments) for frame in written) == 2  # the first frames of two streams


def test_streams_of_which_no_payload_was_captured(tmp_path: Path) -> None:
    """A capture of handshakes alone tells of bytes only by numbers: missing, not moved. A cut packet did move."""
    quiet, cut = Talk(), Talk(client=(made.A4, 40001))
    frames = [*quiet.handshake(), *quiet.close(18, 3000), *cut.handshake(), cut(True, ACK | PSH, 1, 1, QUESTION)]
    source = capture(tmp_path / "a.pcap", frames)
    data = source.read_bytes()
    at = len(data) - len(frames[-1]) - 16
    held = 54
    source.write_bytes(data[: at + 8] + held.to_bytes(4, "little") + data[at + 12 : at + 16 + held])
    _, records = run([source], tmp_path / "out")
    first, second = of(records, "stream")
    assert (first["bytes_to_server"], first["bytes_to_client"], first["missing_bytes"]) == (0, 0, 3018)
    assert (second["bytes_to_server"], second["bytes_to_client"]) == (len(QUESTION), 0)
