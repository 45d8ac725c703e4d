"""The command line as a user types it, and what it may say when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

PYTHON = [sys.executable, "-m", "syswire"]


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run `syswire ARGUMENTS` and wait for it."""
    options = {"capture_output": True, "text": True, "timeout": 60} | more
    return subprocess.run([*PYTHON, *map(str, arguments)], **options)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The only line on stderr, which is no traceback."""
    assert done.stderr.endswith("\n") and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("syswire: ")
    return done.stderr[len("syswire: ") : -1]


def listing(folder: Path) -> set[str]:
    """Everything below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
