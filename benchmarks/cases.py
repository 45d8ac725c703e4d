"""What is compared with what. One table; a changed command is a changed line here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
SYSWIRE = str(Path(sys.executable).with_name("syswire"))
FILE, OUT = "{file}", "{out}"
TOPCONNS = ("-c", "topconns")
MB = 1 << 20


@dataclass(frozen=True)
class Case:
    """One comparison. In commands {file} is the workload and {out} a directory that is emptied before each run."""

    name: str
    ours: tuple[str, ...]
    peer: tuple[str, ...] | None
    meaning: str
    at_least: float | None = None
    """The peer's time over ours should not be less than this."""
    seconds: float | None = None
    """Our time should not be more than this."""
    memory: int | None = None
    """Our peak, in bytes, should not be more than this."""
    kind: str = "scap"
    """What {file} is: scap, scap.gz, pcap or mixed (packets of many protocols), of a size; 502Error,
    a small recorded capture."""
    module: tuple[str, ...] = ()
    """`ours` as arguments of python, for the profiler."""


CASES = (
    Case(
        name="decode",
        ours=(PYTHON, "-m", "syswire.convert.decode", FILE),
        module=("-m", "syswire.convert.decode", FILE),
        peer=("sysdig", "-r", FILE, "evt.num=0"),
        meaning="read every event and keep the state of threads and descriptors, print nothing",
        at_least=1.5,
        memory=200 * MB,
    ),
    Case(
        name="convert",
        ours=(SYSWIRE, "convert", FILE, "-o", OUT, "--force"),
        module=("-m", "syswire", "convert", FILE, "-o", OUT, "--force"),
        peer=("sysdig", "-r", FILE, "-A", "-c", "echo_fds"),
        meaning="pcapng and annotations, against printing all I/O",
        at_least=1.0,
        memory=200 * MB,
    ),
    Case(
        name="packets",
        kind="pcap",
        ours=(SYSWIRE, "convert", FILE, "-o", OUT, "--force"),
        module=("-m", "syswire", "convert", FILE, "-o", OUT, "--force"),
        peer=(
            "tshark",
            "-r",
            FILE,
            "-Y",
            "http",
            "-T",
            "fields",
            "-e",
            "frame.number",
            "-e",
            "http.request.method",
            "-e",
            "http.request.uri",
            "-e",
            "http.response.code",
        ),
        meaning="pcapng and annotations of a packet capture, against listing its HTTP",
        at_least=4.0,
        memory=250 * MB,
    ),
    Case(
        name="credentials",
        kind="mixed",
        ours=(SYSWIRE, "report", FILE, "-o", OUT, "--format", "jsonl", "--no-pcapng", "--force"),
        module=("-m", "syswire", "report", FILE, "-o", OUT, "--format", "jsonl", "--no-pcapng", "--force"),
        peer=("credslayer", FILE),
        meaning="findings of a packet capture of many protocols; a peer is measured once with --size 5",
        at_least=20.0,
        memory=250 * MB,
    ),
    Case(
        name="topconns",
        ours=(SYSWIRE, "read", FILE, *TOPCONNS),
        module=("-m", "syswire", "read", FILE, *TOPCONNS),
        peer=("sysdig", "-r", FILE, *TOPCONNS),
        meaning="read: bytes by connection",
        at_least=3.0,
        memory=64 * MB,
    ),
    Case(
        name="topconns-gz",
        kind="scap.gz",
        ours=(SYSWIRE, "read", FILE, *TOPCONNS),
        module=("-m", "syswire", "read", FILE, *TOPCONNS),
        peer=("sysdig", "-r", FILE, *TOPCONNS),
        meaning="read: bytes by connection, of a gzip file",
        at_least=2.5,
        memory=64 * MB,
    ),
    Case(
        name="ipv4-text",
        ours=(SYSWIRE, "read", FILE, "fd.type=ipv4"),
        module=("-m", "syswire", "read", FILE, "fd.type=ipv4"),
        peer=("sysdig", "-r", FILE, "fd.type=ipv4"),
        meaning="read: the lines of all events on IPv4 sockets",
        at_least=0.5,
        memory=64 * MB,
    ),
    Case(
        name="topconns-502",
        kind="502Error",
        ours=(SYSWIRE, "read", FILE, *TOPCONNS),
        module=("-m", "syswire", "read", FILE, *TOPCONNS),
        peer=("sysdig", "-r", FILE, *TOPCONNS),
        meaning="read: bytes by connection, of a small capture: mostly start-up",
        at_least=0.5,
    ),
    Case(
        name="help",
        ours=(SYSWIRE, "--help"),
        module=("-m", "syswire", "--help"),
        peer=("sysdig", "--help"),
        meaning="start, print the usage, end",
        seconds=0.150,
    ),
)

FLAT_CASE = "convert"
"""The case whose peak is compared between a small and a large workload."""
FLAT_WITHIN = 50 * MB
