"""python -m benchmarks: run the comparisons and print a table."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .cases import CASES, FILE, FLAT_CASE, FLAT_WITHIN, Case
from .measure import RunFailed, alternate
from .profile import profile
from .results import Result, as_json, machine, table
from .workloads import WORK, workload
from .workloads import given as as_kind


def arguments() -> argparse.Namespace:
    """Command line."""
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", type=int, default=1000, metavar="MB", help="size of the workload (default: 1000)")
    parser.add_argument("--small", type=int, default=100, metavar="MB", help="size to compare memory with; 0: do not")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each side (default: 5)")
    parser.add_argument("--input", type=Path, metavar="FILE", help="use this capture instead of a made one")
    parser.add_argument("--only", action="append", choices=names, help="run this case only; may be repeated")
    parser.add_argument("--json", type=Path, default=WORK / "results.json", metavar="FILE", help="where JSON goes")
    parser.add_argument("--profile", nargs="?", const="cprofile", choices=["cprofile", "perf"], help="profile ours too")
    return parser.parse_args()


def measure(case: Case, file: Path | None, runs: int) -> Result | None:
    """One case; None, and a line, where a command fails."""
    print(f"{case.name}: {case.meaning}", file=sys.stderr)
    try:
        ours, peer = alternate(case, file, WORK, runs)
    except (RunFailed, FileNotFoundError) as error:
        print(f"{case.name}: not measured: {error}", file=sys.stderr)
        return None
    return Result(case, file.name if file else None, file.stat().st_size if file else 0, ours, peer)


def compare_memory(large: Result | None, small: Path | None) -> dict[str, Any] | None:
    """Peak memory on a small and on the large workload."""
    if large is None or small is None:
        return None
    result = measure(large.case, small, 1)
    if result is None:
        return None
    return {
        "case": large.case.name,
        "small_bytes": result.size,
        "small_peak": result.ours.peak,
        "large_bytes": large.size,
        "large_peak": large.ours.peak,
        "within": FLAT_WITHIN,
        "reached": large.ours.peak - result.ours.peak < FLAT_WITHIN,
    }


def main() -> int:
    """Run, print, write JSON; 1 if a command failed."""
    given = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    wanted = [case for case in CASES if not given.only or case.name in given.only]
    needs_file = [case for case in wanted if FILE in case.ours]
    files: dict[str, Path | None] = {}
    for case in needs_file:
        if case.kind not in files:
            files[case.kind] = as_kind(given.input, case.kind) if given.input else workload(given.size, case.kind)
        if files[case.kind] is None:
            print(f"{case.name}: not measured: no {case.kind} here, and nothing that makes one", file=sys.stderr)
            wanted.remove(case)
    of = {case.name: files[case.kind] if case in needs_file else None for case in wanted}
    results = {case.name: measure(case, of[case.name], given.runs) for case in wanted}
    flat = None
    if given.small and given.input is None and FLAT_CASE in results:
        flat = compare_memory(results[FLAT_CASE], workload(given.small))
    good = [result for result in results.values() if result is not None]
    where = machine()
    given.json.write_text(json.dumps(as_json(good, flat, where), indent=1) + "\n", "utf-8")
    print(table(good, flat, where))
    for case in wanted if given.profile else ():
        profile(case, of[case.name], WORK, given.profile)
    return 0 if len(good) == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
