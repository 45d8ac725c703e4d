"""The trace over captures of the newest schema against the reference library's own listing, event by event.

Where the library shows what cannot be true the event stands in QUIRKS, with the reason.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.trace_fields import FIELDS
from syswire.convert.source import Source
from syswire.convert.trace.model import Event
from syswire.convert.trace.trace import open_trace

NAMES = ("a_http", "b_redis", "d_tree", "e_syscalls")
QUIRKS: dict[tuple[str, int], set[str]] = {
    # A bound IPv6 socket loses its role and transport at the first datagram, until it is closed.
    ("e_syscalls", 735): {"fd.cip", "fd.cport", "fd.sport", "fd.l4proto"},
    ("e_syscalls", 736): {"fd.cip", "fd.cport", "fd.sport", "fd.l4proto"},
}


def name_of_failed(event: Event) -> object:
    """The newest library names a descriptor that could not be connected by what it was before."""
    if event.info.name == "connect" and event.fd is not None and FIELDS["fd.name"](event) == "NULL":
        return event.fd.name
    return FIELDS["fd.name"](event)


def letter(event: Event) -> object:
    """accept4 has an event type of its own in the newest library."""
    if event.info.name == "accept4" and event.fd is None:
        return "4"
    return FIELDS["fd.typechar"](event)


def of_thread(name: str) -> Callable[[Event], object]:
    return lambda event: getattr(event.thread, name)


RULES: dict[str, Callable[[Event], object]] = {
    name: FIELDS[name]
    for name in (
        "proc.name", "proc.pid", "proc.cmdline", "thread.tid", "fd.num", "fd.l4proto", "fd.cip", "fd.sip", "fd.sport",
    )
}  # fmt: skip
RULES |= {
    "fd.name": name_of_failed,
    "fd.typechar": letter,
    "fd.cport": lambda event: FIELDS["fd.cport"](event) if event.fd is not None and event.fd.is_tuple else None,
    "proc.ppid": lambda event: of_thread("ptid")(event) or None,
    "proc.exepath": of_thread("exepath"),
    "evt.cpu": lambda event: event.cpu,
    "evt.type": lambda event: event.info.name,
}


@pytest.mark.parametrize("name", NAMES)
def test_as_the_reference_library(shared: Path, name: str) -> None:
    folder = shared / "data" / "scap-modern"
    with gzip.open(folder / f"{name}.expected.jsonl.gz", "rt", encoding="utf-8", errors="surrogateescape") as lines:
        told: list[dict[str, Any]] = [json.loads(line) for line in lines]
    trace = open_trace(Source(folder / f"{name}.scap.gz"))
    wrong = []
    for number, (event, want) in enumerate(zip(trace, told, strict=True), 1):
        assert (event.ts, event.info.direction) == (want["evt.rawtime"], want["evt.dir"])
        for field, rule in RULES.items():
            have = rule(event)
            if event.info.name == "syscall" and field == "evt.type":
                continue  # its name is in its data
            if have != want[field] and field not in QUIRKS.get((name, number), ()):
                wrong.append((number, event.info.name, field, have, want[field]))
    assert wrong == []
    assert trace.exit_only
    assert trace.damage is None
