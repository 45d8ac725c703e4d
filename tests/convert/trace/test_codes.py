"""The generated names of numbers: some of them, and that they are what the generator makes of its tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from syswire.convert.trace import codes


def test_some_names() -> None:
    assert codes.ERRNO[2] == "ENOENT"
    assert codes.ERRNO[115] == "EINPROGRESS"
    assert codes.SIGNALS[17] == "SIGCHLD"
    assert codes.PARAM_FLAGS[3] == {2: "file_flags"}
    assert codes.PARAM_DIRFD[307] == {2: 1}
    assert ("O_CREAT", 4) in codes.FLAGS["file_flags"]


def test_generated(root: Path, shared: Path) -> None:
    script = [sys.executable, str(root / "scripts" / "generate_code_tables.py"), str(shared / "facts" / "tables")]
    done = subprocess.run([*script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
