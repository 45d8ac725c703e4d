"""Captures of the newest schema against the reference library's own listing of them, event by event.

Compared of every event: time, cpu, thread, type, direction, process; of every I/O event also the descriptor with its
name, kind and tuple. Where the library shows what cannot be true the event stands in QUIRKS with the reason.
"""

from __future__ import annotations

import gzip
import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest

from support import plain_scap
from support.listing import Listing, listing

NAMES = ("a_http", "b_redis", "d_tree", "e_syscalls")
PROCESS = ("proc.name", "proc.pid", "proc.cmdline", "proc.exepath")
TYPE_CHARACTERS = "ofd4646pueXslitnfburmP"
TRANSPORTS = ("<NA>", "<NA>", "tcp", "udp", "icmp", "raw")
IPV4, IPV6, IPV4_BOUND, IPV6_BOUND, UNIX = 3, 4, 5, 6, 8

QUIRKS: dict[tuple[str, int], set[str]] = {
    # The tuple of a receive turns a connected unix socket's name round, and its path is lost.
    ("b_redis", 743): {"fd.name"},
    ("b_redis", 979): {"fd.name"},
    # A receive that recorded no source address (0.0.0.0:0) wipes the client's port that was known before.
    ("e_syscalls", 728): {"fd.name", "fd.cport"},
    # A bound IPv6 socket loses its role and transport at the first datagram.
    ("e_syscalls", 735): {"fd.cip", "fd.cport", "fd.sport", "fd.l4proto"},
}


def text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def ip(kind: int, raw: bytes) -> str:
    return str(ipaddress.ip_address(raw[:4] if kind in (IPV4, IPV4_BOUND) else raw))


def descriptor(read: Listing, version: int) -> dict[str, Any]:
    """A descriptor version in the listing's words."""
    none = dict.fromkeys(("fd.cip", "fd.cport", "fd.sip", "fd.sport"))
    if not version:
        return none | {"fd.name": None, "fd.typechar": None, "fd.l4proto": "<NA>"}
    kind, role, transport, sip, dip, sport, dport, source, target, name, paired, _ = read.descriptors[version]
    shown: dict[str, Any] = none | {"fd.name": text(name), "fd.typechar": TYPE_CHARACTERS[kind], "fd.l4proto": "<NA>"}
    if kind in (IPV4, IPV6):
        client, server = (ip(kind, sip), sport), (ip(kind, dip), dport)
        shown["fd.name"] = f"{client[0]}:{sport}->{server[0]}:{dport}" if paired else ""
        shown["fd.l4proto"] = TRANSPORTS[transport]
        if paired and role:
            shown |= {"fd.cip": client[0], "fd.cport": sport, "fd.sip": server[0], "fd.sport": dport}
    elif kind in (IPV4_BOUND, IPV6_BOUND):
        shown |= {"fd.name": f"{ip(kind, dip)}:{dport}", "fd.sip": ip(kind, dip), "fd.sport": dport}
        shown["fd.l4proto"] = TRANSPORTS[transport]
    elif kind == UNIX and paired:
        shown["fd.name"] = f"{source:x}->{target:x} {text(name)}"
    return shown


@pytest.fixture(scope="module", params=NAMES)
def capture(request: pytest.FixtureRequest, shared: Path) -> tuple[str, Listing, list[dict[str, Any]], Path]:
    """A capture's name, what we read, what the library printed, and its path."""
    name: str = request.param
    folder = shared / "data" / "scap-modern"
    with gzip.open(folder / f"{name}.expected.jsonl.gz", "rt", encoding="utf-8") as lines:
        expected = [json.loads(line) for line in lines]
    path = folder / f"{name}.scap.gz"
    return name, listing(path), expected, path


def test_events(capture: tuple[str, Listing, list[dict[str, Any]], Path]) -> None:
    _, read, expected, path = capture
    plain = plain_scap.events(plain_scap.load(path))
    assert [(row.ts, row.cpu, row.tid, one.name, one.direction) for row, one in zip(read.rows, plain, strict=True)] == [
        (one["evt.rawtime"], one["evt.cpu"], one["thread.tid"], one["evt.type"], one["evt.dir"]) for one in expected
    ]


def test_processes(capture: tuple[str, Listing, list[dict[str, Any]], Path]) -> None:
    _, read, expected, _ = capture
    wrong = []
    for row, want in zip(read.rows, expected, strict=True):
        thread = read.thread(row.thread) if row.thread else None
        have: tuple[Any, ...] = (None,) * 4
        if thread is not None:
            have = (text(thread.name), thread.pid, text(thread.cmdline), text(thread.exepath))
        wrong += [
            (row.ordinal, want["evt.type"], field, value, want[field])
            for field, value in zip(PROCESS, have, strict=True)
            if value != want[field]
        ]
    assert wrong == []


def test_descriptors(capture: tuple[str, Listing, list[dict[str, Any]], Path]) -> None:
    name, read, expected, _ = capture
    wrong, counted = [], 0
    for row, want in zip(read.rows, expected, strict=True):
        if not (want["evt.is_io_read"] or want["evt.is_io_write"]):
            continue
        counted += 1
        have = {"fd.num": row.fd} | descriptor(read, row.desc)
        allowed = QUIRKS.get((name, row.ordinal), set())
        differing = {field for field, value in have.items() if value != want[field]}
        wrong += [
            (row.ordinal, want["evt.type"], field, have[field], want[field]) for field in sorted(differing - allowed)
        ]
        assert allowed <= differing, "a quirk that is none"
    assert wrong == []
    assert counted > 100
