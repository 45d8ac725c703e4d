"""Where our time goes: cProfile, or perf where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from .cases import Case
from .measure import fill


def profile(case: Case, file: Path | None, work: Path, how: str) -> None:
    """Run our side of a case once under a profiler, and print the top of what it found.

    cProfile sees Python functions and what they call, not the inside of compiled modules; perf sees both.
    """
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    module = fill(case.module, file, out)
    kept = work / f"{case.name}.{how}"
    kept.unlink(missing_ok=True)
    print(f"\nprofile of {case.name} ({kept}):", flush=True)
    if how == "perf":
        if not shutil.which("perf"):
            print("perf is not installed")
            return
        command = ["perf", "record", "-q", "-g", "-o", str(kept), sys.executable, *module]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        subprocess.run(["perf", "report", "-i", str(kept), "--stdio", "--no-children", "-g", "none"], check=False)
    else:
        command = [sys.executable, "-m", "cProfile", "-o", str(kept), *module]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if not kept.exists():
            return
        show = "import pstats, sys; pstats.Stats(sys.argv[1]).strip_dirs().sort_stats('tottime').print_stats(30)"
        subprocess.run([sys.executable, "-c", show, str(kept)], check=False)
    shutil.rmtree(out, ignore_errors=True)
