"""docs/tutorial.md holds true: its commands print what stands below them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from test_docs import agrees, sessions


def test_the_tutorial_prints_what_it_shows(root: Path, tmp_path: Path) -> None:
    """In a folder from which the sample is found as from the repository, with `syswire` on the path."""
    (tmp_path / "tests").symlink_to(root / "tests")
    program = tmp_path / "bin" / "syswire"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m syswire "$@"\n', "utf-8")
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    quoted = list(sessions((root / "docs" / "tutorial.md").read_text("utf-8")))
    assert len(quoted) >= 10
    for command, told in quoted:
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), (command, done.stderr.decode())
        assert agrees(told, done.stdout.decode("utf-8").splitlines()), (command, done.stdout.decode())
