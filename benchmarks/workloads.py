"""Large captures, the same ones each time by their seed. Kept below benchmarks/work until `make clean`."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "benchmarks" / "work"
SEED = 1


def generator() -> tuple[Path, list[str]] | None:
    """The program that writes a workload and the option that gives its size in millions of bytes."""
    shared = Path(os.environ.get("SYSWIRE_SHARED") or ROOT.parent / "shared")
    for path, option in ((shared / "bench" / "mkscap.py", "--mb"), (ROOT / "tests/data/lamp/generate.py", "--mb")):
        if path.is_file() and option in path.read_text("utf-8"):
            return path, [option]
    return None


def workload(megabytes: int) -> Path | None:
    """A scap of about that many millions of bytes, made now or earlier; None where nothing can make it."""
    found = generator()
    if found is None:
        return None
    program, size_option = found
    mark = hashlib.sha256(program.read_bytes()).hexdigest()[:8]
    target = WORK / f"web-{megabytes}-{SEED}-{mark}.scap"
    if target.exists():
        return target
    WORK.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part.scap")
    print(f"making {target.relative_to(ROOT)}", file=sys.stderr)
    command = [sys.executable, str(program), str(part), *size_option, str(megabytes), "--seed", str(SEED)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    part.rename(target)
    return target
