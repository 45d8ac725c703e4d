"""The copy of the tree whose modules are built with checks, address sanitizer and counters; the checkout keeps its own.

It lies in build/fuzz/tree and is brought up to date at each run; what did not change is not built again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .child import ROOT

WORK = ROOT / "build" / "fuzz"
TREE = WORK / "tree"
FOLDERS = ("capture", "convert", "reports")
SINGLE = ("__init__.py", "__main__.py", "cli.py", "py.typed", "setup.py", "scripts/build.py")
SUFFIXES = (".py", ".pyi", ".pyx", ".pxd", ".json", ".css", ".j2", ".html", ".svg")
FLAGS = "-fsanitize-coverage=trace-pc,trace-cmp"


def sources(root: Path) -> set[Path]:
    """What has to be copied, relative to the root."""
    found = {path.relative_to(root) for name in FOLDERS for path in (root / name).rglob("*") if path.suffix in SUFFIXES}
    return found | {Path(name) for name in SINGLE}


def copy() -> None:
    """Make the copy's sources those of the checkout."""
    wanted = sources(ROOT)
    for name in sources(TREE) - wanted:
        (TREE / name).unlink()
    for name in wanted:
        data, target = (ROOT / name).read_bytes(), TREE / name
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def build() -> None:
    """Compile the copy's modules. Raises SystemExit where that fails."""
    environment = os.environ | {"SYSWIRE_BOUNDS": "address", "CFLAGS": FLAGS}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run([sys.executable, "scripts/build.py"], cwd=TREE, env=environment, check=False)
    if done.returncode:
        raise SystemExit("fuzz: the modules cannot be built")


def counting_library() -> Path:
    """coverage.c, compiled."""
    library = WORK / "coverage.so"
    source = Path(__file__).with_name("coverage.c")
    command = ["gcc", "-O2", "-Wall", "-shared", "-fPIC", str(source), "-o", str(library)]
    subprocess.run(command, check=True)
    return library


def prepare() -> dict[str, str]:
    """Copy and build; the environment of a process that uses the copy."""
    if shutil.which("gcc") is None:
        raise SystemExit("fuzz: gcc is missing")
    copy()
    build()
    sanitizer = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    given = os.environ.get("PYTHONPATH")
    path = [TREE / "build" / "tree", ROOT, ROOT / "tests", *([given] if given else [])]
    options = "detect_leaks=0:verify_asan_link_order=0:quarantine_size_mb=16:allocator_may_return_null=1"
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONHASHSEED": "0",
        "LD_PRELOAD": f"{counting_library()} {sanitizer}",
        "ASAN_OPTIONS": options,
    }
