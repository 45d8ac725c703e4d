"""Figures to a table for people and to JSON for programs."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .cases import MB, Case
from .measure import Side


@dataclass(frozen=True)
class Result:
    """One case on one workload."""

    case: Case
    workload: str | None
    size: int
    ours: Side
    peer: Side | None

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the peer we are, by the clock."""
        return self.peer.wall / self.ours.wall if self.peer else None

    def goals(self) -> dict[str, bool]:
        """Each goal in words, and whether it was reached."""
        goals: dict[str, bool] = {}
        if self.case.at_least is not None and self.ratio is not None:
            aim = "no slower" if self.case.at_least == 1 else f"at least {self.case.at_least:g} times as fast"
            goals[aim] = self.ratio >= self.case.at_least
        if self.case.seconds is not None:
            goals[f"within {self.case.seconds * 1000:.0f} ms"] = self.ours.wall <= self.case.seconds
        if self.case.memory is not None:
            goals[f"within {self.case.memory // MB} MiB"] = self.ours.peak <= self.case.memory
        return goals


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    try:
        sysdig = subprocess.run(["sysdig", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        sysdig = "not installed"
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sysdig": sysdig,
        "load": os.getloadavg()[0],
    }


def as_json(results: list[Result], flat: dict[str, Any] | None, where: dict[str, Any]) -> dict[str, Any]:
    """Everything measured, every run."""
    entries = []
    for result in results:
        entry: dict[str, Any] = {"case": result.case.name, "workload": result.workload, "bytes": result.size}
        for name, side in (("ours", result.ours), ("peer", result.peer)):
            entry[name] = side and {
                "command": side.command,
                "wall": side.wall,
                "cpu": side.cpu,
                "peak": side.peak,
                "runs": [asdict(run) for run in side.runs],
            }
        entries.append({**entry, "ratio": result.ratio, "goals": result.goals()})
    return {"machine": where, "results": entries, "memory": flat}


def table(results: list[Result], flat: dict[str, Any] | None, where: dict[str, Any]) -> str:
    """The medians, a line a case, and what was aimed at."""
    lines = [
        f"{where['cpu']}, {where['cores']} cores, Python {where['python']}, {where['sysdig'] or 'sysdig'}, "
        f"load {where['load']:.1f} at the end",
        "",
        f"{'case':13}{'input':>9}"
        + "".join(f"{side:>9}{'cpu s':>8}{'MiB':>7}" for side in ("ours s", "peer s"))
        + "  ratio",
    ]
    for result in results:
        size = f"{result.size / 1e6:.0f} MB" if result.size else "-"
        line = f"{result.case.name:13}{size:>9}{figures(result.ours)}{figures(result.peer)}"
        line += f"{result.ratio:7.2f}" if result.ratio is not None else f"{'-':>7}"
        goals = [f"{text}: {'yes' if good else 'MISSED'}" for text, good in result.goals().items()]
        lines.append(f"{line}  {'; '.join(goals)}")
    if flat:
        lines += [
            "",
            f"memory of {flat['case']}: {flat['small_peak'] / MB:.0f} MiB for {flat['small_bytes'] / 1e6:.0f} MB, "
            f"{flat['large_peak'] / MB:.0f} MiB for {flat['large_bytes'] / 1e6:.0f} MB; "
            f"within {flat['within'] // MB} MiB of each other: {'yes' if flat['reached'] else 'MISSED'}",
        ]
    return "\n".join(lines)


def figures(side: Side | None) -> str:
    """Three columns."""
    if side is None:
        return f"{'-':>9}{'-':>8}{'-':>7}"
    return f"{side.wall:9.3f}{side.cpu:8.3f}{side.peak / MB:7.0f}"
