"""Running programs and telling what they took."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cases import Case


@dataclass(frozen=True)
class Run:
    """One finished process: seconds by the clock, seconds of CPU (its children too), peak memory in bytes."""

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True)
class Side:
    """All runs of one command; the figures are medians, the peak is the highest."""

    command: list[str]
    runs: list[Run]

    @property
    def wall(self) -> float:
        """Median seconds by the clock."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """Median seconds of CPU."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def peak(self) -> int:
        """Highest peak memory of any run."""
        return max(run.peak for run in self.runs)


class RunFailed(Exception):
    """A command ended with an exit code other than 0: its time means nothing."""


def fill(command: Sequence[str], file: Path | None, out: Path) -> list[str]:
    """The command with its placeholders replaced."""
    return [part.format(file=file, out=out) for part in command]


def run(command: list[str]) -> Run:
    """Run a command with its output thrown away.

    The kernel's peak counts the process before exec too, that is this one: keep it small.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        last = told.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise RunFailed(f"{' '.join(command)}: exit {process.returncode} {' '.join(last)}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def warm(file: Path) -> None:
    """Bring a file into the page cache."""
    buffer = bytearray(1 << 20)
    with file.open("rb", buffering=0) as stream:
        while stream.readinto(buffer):
            pass


def alternate(case: Case, file: Path | None, work: Path, runs: int) -> tuple[Side, Side | None]:
    """Run ours and the peer in turn, who is first changing each time."""
    out = work / "out"
    ours = fill(case.ours, file, out)
    peer = fill(case.peer, file, out) if case.peer and shutil.which(case.peer[0]) else None
    sides: dict[int, Side] = {0: Side(ours, [])}
    if peer:
        sides[1] = Side(peer, [])
    if file:
        warm(file)
    for turn in range(runs):
        for which in sorted(sides, reverse=bool(turn % 2)):
            shutil.rmtree(out, ignore_errors=True)
            sides[which].runs.append(run(sides[which].command))
    shutil.rmtree(out, ignore_errors=True)
    return sides[0], sides.get(1)
