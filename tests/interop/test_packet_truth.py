"""Streams and exchanges of hundreds of real packet captures, against what several tools agree on.

The truth and its scorer lie beside the repository; without them the test is skipped. Captures of common link layers
count (--common); rare ones and tunnels are read without harm.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.packet_files import plain_frames
from syswire.convert.options import Options
from syswire.convert.pipeline import Case

SIDES = ("request", "response")
PLAIN = Options(reveal=True, pcapng=False)


@pytest.fixture(scope="module")
def outputs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAME.annotations.jsonl of every capture."""
    out = tmp_path_factory.mktemp("annotations")
    work = tmp_path_factory.mktemp("work")
    damaged = []
    for capture in sorted((shared / "data" / "http").iterdir()):
        if capture.suffix == ".json" or not capture.is_file():
            continue
        case = Case([str(capture)], work / capture.name, PLAIN)
        case.run()
        if case.exit_code:
            damaged.append(capture.name)
        (made,) = (work / capture.name).glob("*.annotations.jsonl")
        made.rename(out / f"{capture.name}.annotations.jsonl")
    assert len(list(out.iterdir())) > 700
    assert damaged == ["suricata__bug-1450-04__tls_DER-incomplete-header.pcap"]
    return out


@pytest.mark.slow
def test_score_of_common_captures(shared: Path, outputs: Path) -> None:
    scorer, truth = str(shared / "score" / "score_http.py"), str(shared / "data" / "http-truth.json")
    command = [sys.executable, scorer, truth, str(outputs), "shared", "--common"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (headline,) = re.findall(r"^HEADLINE .*", done.stdout, re.M)
    http_recall, http_precision, recall, precision = (float(found) for found in re.findall(r"([\d.]+)%", headline))
    assert http_recall >= 99.5 and http_precision >= 99, headline
    assert recall >= 99.9 and precision >= 99, headline
    (right, known) = re.findall(r"body lengths right: (\d+) of (\d+)", done.stdout)[0]
    assert right == known and int(known) > 1000


@pytest.mark.slow
def test_every_pointer_leads_to_its_message(shared: Path, outputs: Path) -> None:
    """The frame that `where` names, found by an own reader of the source, holds the first word of the message."""
    looked_at, split = 0, []
    for made in sorted(outputs.iterdir()):
        records = [json.loads(line) for line in made.read_text("utf-8").splitlines()]
        messages = [(side, record[side]) for record in records if record["type"] == "http" for side in SIDES]
        if not any(message for _, message in messages):
            continue
        name = made.name.removesuffix(".annotations.jsonl")
        raw = (shared / "data" / "http" / name).read_bytes()
        frames = plain_frames(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        for side, message in messages:
            if message is None:
                continue
            looked_at += 1
            word = re.escape(message["method" if side == "request" else "version"].encode("latin-1", "replace"))
            if message["version"] == "HTTP/2":  # a frame of type 1, HEADERS, of that stream (RFC 9113, 4.1)
                stream = message["http2_stream"]
                numbers = (re.escape((stream | bit).to_bytes(4, "big")) for bit in (0, 1 << 31))  # one bit is reserved
                word = rb"\x01[\x00-\xff](?:" + b"|".join(numbers) + b")"
            if not re.search(word, frames[message["where"]["frame"] - 1].data):
                split.append((name, side))
    assert looked_at > 1300
    # There each byte has a segment of its own; the last came in fragments, and the frame that completed them is named.
    assert split == [
        ("arkime__socks5-http-302-frag.pcap", "request"),
        ("arkime__socks5-http-302-frag.pcap", "response"),
        ("zeek__ipv4__fragmented-4.pcap", "request"),
    ]
