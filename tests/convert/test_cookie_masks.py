"""Session cookies: masked wherever they stand in a header, told once, and searched for only in what is to be shared."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from support.command import run

SESSION = "9f2c77d1e0ab4415"
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"


def capture(path: Path, calls: list[tuple[bool, bytes]]) -> Path:
    up, down = Ether() / IP(src=CLIENT, dst=SERVER), Ether() / IP(src=SERVER, dst=CLIENT)
    sent = {True: 1, False: 1}
    packets: list[Packet] = [up / TCP(sport=4000, dport=80, flags="S", seq=0)]
    packets.append(down / TCP(sport=80, dport=4000, flags="SA", seq=0, ack=1))
    for to_server, data in calls:
        ports = {"sport": 4000, "dport": 80} if to_server else {"sport": 80, "dport": 4000}
        head = TCP(flags="PA", seq=sent[to_server], ack=sent[not to_server], **ports)
        packets.append((up if to_server else down) / head / Raw(data))
        sent[to_server] += len(data)
    wrpcap(str(path), packets)
    return path


def asked(path: str, cookies: str) -> tuple[bool, bytes]:
    return True, f"GET {path} HTTP/1.1\r\nHost: h\r\nCookie: {cookies}\r\n\r\n".encode()


def answered(*headers: str, body: str = "ok") -> tuple[bool, bytes]:
    lines = "".join(f"{line}\r\n" for line in headers)
    return False, f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(body)}\r\n\r\n{body}".encode()


CALLS = [
    asked("/", f"lang=en; PHPSESSID={SESSION}; csrf_token=1234567890"),
    answered(f"Set-Cookie: PHPSESSID={SESSION}; Path=/; HttpOnly"),
    asked("/again", f"PHPSESSID={SESSION}"),
    answered(body=f"you are {SESSION}"),
]


def records(path: Path, folder: Path, *switches: str) -> list[dict[str, Any]]:
    done = run("convert", path, "-o", folder, "--jobs", "1", *switches)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / f"{path.stem}.annotations.jsonl").read_text().splitlines()]


def test_masked_in_every_header_and_told_once(tmp_path: Path) -> None:
    found = records(capture(tmp_path / "c.pcap", CALLS), tmp_path / "out")
    assert SESSION not in (tmp_path / "out" / "c.annotations.jsonl").read_text()
    exchanges = [record for record in found if record["type"] == "http"]
    assert [dict(record["request"]["headers"])["Cookie"] for record in exchanges] == [
        "lang=en; PHPSESSID=********; csrf_token=1234567890",
        "PHPSESSID=********",
    ]
    assert dict(exchanges[0]["response"]["headers"])["Set-Cookie"] == "PHPSESSID=********; Path=/; HttpOnly"
    sightings = [record for record in found if record["type"] == "sighting"]
    assert [(record["location"], record["field"], record["form"]) for record in sightings] == [
        ("cookie", "PHPSESSID", "token")
    ]
    [stream] = [record for record in found if record["type"] == "stream"]
    assert stream["sha256_to_server"] is not None  # nobody guesses a random cookie from a hash


def test_shown_to_who_asks(tmp_path: Path) -> None:
    found = records(capture(tmp_path / "c.pcap", CALLS), tmp_path / "out", "--reveal")
    [first, _] = [record for record in found if record["type"] == "http"]
    assert dict(first["request"]["headers"])["Cookie"] == CALLS[0][1].decode().split("Cookie: ")[1].rstrip()


def test_nowhere_in_what_is_shared(tmp_path: Path) -> None:
    records(capture(tmp_path / "c.pcap", CALLS), tmp_path / "out", "--redact")
    stored = (tmp_path / "out" / "c.pcapng").read_bytes()
    assert SESSION.encode() not in stored
    assert b"you are " + b"X" * len(SESSION) in stored
    assert b"lang=en; PHPSESSID=" + b"X" * len(SESSION) + b"; csrf_token=1234567890" in stored


def test_many_visitors_do_not_make_everything_secret(tmp_path: Path) -> None:
    """Each has a cookie of its own: they are masked, and the rest stays readable."""
    numbers = count(10**15)
    calls = [call for _ in range(300) for call in (asked("/page", f"sid={next(numbers)}"), answered())]
    found = records(capture(tmp_path / "c.pcap", calls), tmp_path / "out")
    exchanges = [record for record in found if record["type"] == "http"]
    assert len(exchanges) == 300
    assert {record["request"]["target"] for record in exchanges} == {"/page"}
    assert {dict(record["request"]["headers"])["Cookie"] for record in exchanges} == {"sid=********"}
