"""What is compared with what. One table; a changed command is a changed line here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
SYSWIRE = str(Path(sys.executable).with_name("syswire"))
FILE, OUT = "{file}", "{out}"
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
    """What {file} is: scap or pcap."""
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
