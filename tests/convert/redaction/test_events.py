"""Redaction of what was rebuilt from system calls, and of messages whose secrets have no bytes of their own."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from support.command import run
from support.made import RECORDED, SAMPLE
from support.tshark import Tshark
from syswire.convert.packets.opening import PayloadFile, open_frames

HTTP2 = Path(__file__).resolve().parents[2] / "data" / "protocols" / "http2-nginx.pcap"


def payloads(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [frame.data for frame in open_frames(PayloadFile(file.fileno())).frames()]


def carried(packet: bytes) -> bytes:
    """What stands behind the headers of IP and TCP or UDP."""
    begin = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    protocol = packet[9] if packet[0] >> 4 == 4 else packet[6]
    return packet[begin + (8 if protocol == 17 else (packet[begin + 12] >> 4) * 4) :]


def secrets(folder: Path, stem: str) -> set[bytes]:
    """What a run that reveals says is secret."""
    lines = (folder / f"{stem}.annotations.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return {
        record["secret"].encode()
        for record in records
        if record["type"] == "sighting" and record["form"] != "hash" and record["stream"] is not None
    }


@pytest.mark.parametrize("capture", [SAMPLE, RECORDED], ids=["made", "recorded"])
def test_a_trace(capture: Path, tmp_path: Path) -> None:
    stem = capture.name.removesuffix(".scap.gz")
    for name, switch in (("shown", "--reveal"), ("shared", "--redact")):
        done = run("convert", capture, "-o", tmp_path / name, switch, "--jobs", "1")
        assert done.returncode == 0, done.stderr
    known = secrets(tmp_path / "shown", stem)
    assert known
    before = payloads(tmp_path / "shown" / f"{stem}.pcapng")
    after = payloads(tmp_path / "shared" / f"{stem}.pcapng")
    stored = (tmp_path / "shared" / f"{stem}.pcapng").read_bytes()
    for secret in known:
        if len(secret) >= 8:
            stands = b"".join(before)
            assert secret in unquote_to_bytes(stands.replace(b"+", b" ")) or any(
                b64encode(lead + secret)[lead_out:-4] in stands for lead, lead_out in ((b"", 0), (b"a", 4), (b"ab", 4))
            )
            assert secret not in unquote_to_bytes(stored.replace(b"+", b" "))
    assert [len(one) for one in before] == [len(one) for one in after]
    masked = sum(
        new == ord("X") != old
        for a, b in zip(before, after, strict=True)
        for old, new in zip(carried(a), carried(b), strict=True)
    )
    manifest = json.loads((tmp_path / "shared" / "manifest.json").read_text())
    assert 0 < masked <= manifest["inputs"][0]["redacted"]["bytes"]
    tshark = shutil.which("tshark")
    if tshark is not None:
        assert Tshark(tshark, tmp_path / "shared" / f"{stem}.pcapng").wrong() == []


def test_headers_of_http2_are_replaced_as_a_block(tmp_path: Path) -> None:
    done = run("convert", HTTP2, "-o", tmp_path / "shown", "--reveal", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "shown" / "http2-nginx.annotations.jsonl").read_text().splitlines()
    sighted = [record for line in lines if (record := json.loads(line))["type"] == "sighting"]
    compressed = [record for record in sighted if record["location"] != "form-body"]
    assert compressed
    assert run("convert", HTTP2, "-o", tmp_path / "shared", "--redact", "--jobs", "1").returncode == 0
    before, after = payloads(HTTP2), payloads(tmp_path / "shared" / "http2-nginx.pcapng")
    changed = [number for number, (a, b) in enumerate(zip(before, after, strict=True), 1) if a != b]
    assert {record["where"]["source_frame"] for record in sighted} <= set(changed)
    for record in compressed:
        frame = after[record["where"]["source_frame"] - 1]
        assert b"\x82" * 8 in frame
