"""Run sysdig and syswire side by side and count equal lines.

`python tests/parity/compare.py [--files ...] [--only WORD] [--show N]` prints a table; test_parity.py holds the gates.
"""

from __future__ import annotations

import argparse
import difflib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from parity import tables
from parity.cases import CHISELS, FILTERS, FORMATS, NET, SWITCHES
from parity.known import expected, kept

from syswire import cli

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("SYSWIRE_SHARED", ROOT.parent / "shared"))
SAMPLE = ROOT / "tests" / "data" / "made" / "act1.scap.gz"
RECORDED = ROOT / "tests" / "data" / "lamp" / "act1.scap.gz"
ENVIRONMENT = {**os.environ, "TZ": "UTC"}
LISTS = frozenset(("bottlenecks", "lsof", "netstat", "ps", "list_login_shells", "lscontainers"))
"""Chisels whose lines have no fixed order."""


class Case(NamedTuple):
    """One question: the words behind the capture's name, and the category that it counts for."""

    category: str
    words: tuple[str, ...]

    @property
    def chisels(self) -> list[str]:
        """The chisels that it asks for."""
        return tables.chisels(self.words)

    @property
    def is_table(self) -> bool:
        """Whether the lines are tables of sums, compared run by run of equal sums."""
        return bool(self.chisels) and all(name in tables.LIMITS for name in self.chisels)

    @property
    def is_set(self) -> bool:
        """Whether the lines are compared as a set."""
        return bool(LISTS & set(self.chisels)) or "-S" in self.words

    @property
    def is_net(self) -> bool:
        """Whether it is of sysdig's category Net, or echo_fds: those have no difference but the known ones."""
        return any(name in (*NET, "echo_fds") for name in self.chisels)


class Figure(NamedTuple):
    """How many lines were equal, of how many (the longer of the two outputs)."""

    equal: int
    lines: int


ENDPOINTS = {  # an address and a port that the capture has
    "502Error.scap": ("192.168.0.3", "80"),
    "curl_google.scap": ("2607:f8b0:4004:802::2004", "80"),
    "test_ipv6_client.scap": ("::1", "2345"),
    "act1.scap.gz": ("198.51.100.23", "80"),
}


def captures() -> list[Path]:
    """The generated sample, the recorded one, and what lies in the shared folder."""
    return [SAMPLE, RECORDED, *sorted((SHARED / "data" / "scap").glob("*.scap*"))]


def cases(capture: Path) -> Iterator[Case]:
    """Everything that is asked of a capture."""
    ip, port = ENDPOINTS.get(capture.name, ("127.0.0.1", "80"))
    yield Case("default", ())
    for text in FILTERS:
        yield Case("filter", (text,))
    for text in FORMATS:
        yield Case("format", ("-p", text))
    for switch in SWITCHES:
        yield Case("switch", switch)
    for name, words in CHISELS:
        yield Case("chisel", ("-c", name, *(word.format(ip=ip, port=port) for word in words)))
    for mode in ("-A", "-x", "-X"):
        yield Case("chisel", (mode, "-c", "echo_fds"))
        yield Case("chisel", (mode, "-c", "spy_port", port))
    for name in ("topconns", "topprocs_net", "topports_server", "topfiles_bytes"):
        yield Case("chisel", ("-j", "-c", name))
        yield Case("chisel", ("-pc", "-c", name))
        yield Case("chisel", ("-c", name, "evt.is_io_read=true"))
    yield Case("chisel", ("-c", "topconns", "proc.name=httpd"))
    yield Case("chisel", ("-c", "topconns", "-c", "topprocs_net"))


def sysdig(capture: Path, words: tuple[str, ...]) -> list[bytes]:
    """What sysdig prints."""
    return _lines(["sysdig", "-r", str(capture), *words])


def syswire(capture: Path, words: tuple[str, ...]) -> list[bytes]:
    """What syswire prints: its main function in a child, which need not import everything anew."""
    with tempfile.TemporaryFile() as out:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                os.environ["TZ"] = "UTC"
                time.tzset()
                os.dup2(out.fileno(), 1)
                sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - until the child ends
                code = cli.main(["read", str(capture), *words])
                sys.stdout.flush()
            finally:
                os._exit(code)
        os.waitpid(child, 0)
        out.seek(0)
        return _split(out.read())


def _lines(command: list[str]) -> list[bytes]:
    result = subprocess.run(command, env=ENVIRONMENT, cwd="/tmp", capture_output=True, check=False, timeout=600)
    return _split(result.stdout)


def _split(output: bytes) -> list[bytes]:
    lines = output.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def compared(case: Case, theirs: list[bytes], ours: list[bytes]) -> Figure:
    """Count equal lines, place by place or as a set; of tables equal rows. What only one has counts as different."""
    theirs = expected(case.words, theirs)
    ours = kept(case.words, theirs, ours)
    if case.is_table:
        form = tables.of_json if "-j" in case.words else tables.of_text
        theirs, ours = form(theirs, case.chisels), form(ours, case.chisels)
    lines = max(len(theirs), len(ours))
    if case.is_set:
        return Figure((Counter(theirs) & Counter(ours)).total(), lines)
    if len(theirs) == len(ours):
        return Figure(sum(a == b for a, b in zip(theirs, ours, strict=True)), lines)
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    return Figure(sum(block.size for block in matcher.get_matching_blocks()), lines)


def first_difference(theirs: list[bytes], ours: list[bytes], count: int = 1) -> Iterator[str]:
    """The first lines that differ, for whoever repairs."""
    only_theirs, only_ours = Counter(theirs) - Counter(ours), Counter(ours) - Counter(theirs)
    for sign, lines, only in (("sysdig ", theirs, only_theirs), ("syswire", ours, only_ours)):
        yield from (f"    {sign} {line!r}"[:400] for line in [one for one in lines if one in only][:count])


def main() -> None:
    """Print the figures of all captures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="*", type=Path, default=captures())
    parser.add_argument("--only", default="", help="only cases whose words hold this")
    parser.add_argument("--category", default="", help="only this category")
    parser.add_argument("--show", type=int, default=1, help="lines to show of each side of a difference")
    given = parser.parse_args()
    totals: dict[str, list[int]] = {}
    for capture in map(Path.resolve, given.files):
        for case in cases(capture):
            if given.only not in " ".join(case.words) or given.category not in case.category:
                continue
            theirs, ours = sysdig(capture, case.words), syswire(capture, case.words)
            figure = compared(case, theirs, ours)
            for name in (case.category, "Net and echo_fds" if case.is_net else "", "all"):
                if name:
                    total = totals.setdefault(name, [0, 0])
                    total[0] += figure.equal
                    total[1] += figure.lines
            if figure.equal != figure.lines:
                print(f"{capture.name}: {' '.join(case.words)}: {figure.equal} of {figure.lines}", flush=True)
                for line in first_difference(expected(case.words, theirs), ours, given.show):
                    print(line)
    for name, (equal, lines) in totals.items():
        print(f"{name}: {equal} of {lines} ({equal / max(lines, 1):.4%})")


if __name__ == "__main__":
    main()
