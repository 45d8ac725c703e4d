"""What syswire made of a capture, run once for a whole test session (also over xdist's workers) and shared by tests."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "data" / "made" / "act1.scap.gz"
"""Made by a generator, which tells what is in it (truth.json)."""
RECORDED = ROOT / "tests" / "data" / "lamp" / "act1.scap.gz"
"""Recorded by syswire itself (scripts/make-sample)."""
SHARED = Path(os.environ.get("SYSWIRE_SHARED") or ROOT.parent / "shared") / "data"
CAPTURES = [SAMPLE, RECORDED, *sorted(SHARED.glob("scap/*.scap")), *sorted(SHARED.glob("scap-modern/*.scap.gz"))]
"""Every whole capture that is at hand."""

KEY = "5a" * 32 + "\n"
"""The case key of all these runs, so that they can be compared."""

Record = dict[str, Any]


NOT_SAID = ("capture", "process", "stream", "sighting", "spread")


class Made(NamedTuple):
    """One run: what went in, the folder that came out, and what was printed."""

    capture: Path
    folder: Path
    stdout: str
    stderr: str

    @property
    def stem(self) -> str:
        return self.capture.name.removesuffix(".gz").removesuffix(".scap")

    @property
    def pcapng(self) -> Path:
        return self.folder / f"{self.stem}.pcapng"

    def lines(self) -> list[Record]:
        """All annotations, in order."""
        with (self.folder / f"{self.stem}.annotations.jsonl").open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def records(self, kind: str) -> list[Record]:
        """The annotations of one type, in order."""
        return [record for record in self.lines() if record["type"] == kind]

    def said(self) -> list[Record]:
        """The records that a sighting's `exchange` counts."""
        return [one for one in self.lines() if one["type"] not in NOT_SAID]

    def findings(self) -> list[Record]:
        return [json.loads(line) for line in (self.folder / "findings.jsonl").read_text("utf-8").splitlines()]

    def manifest(self) -> Record:
        found: Record = json.loads((self.folder / "manifest.json").read_bytes())
        return found


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of that name, filled by `make` by the first of all workers that asks for it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    home = base / hashlib.sha256(name.encode()).hexdigest()[:16]
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            make(home)
            (home / "done").touch()
    return home


def made(factory: pytest.TempPathFactory, capture: Path, *arguments: str) -> Made:
    """Run `syswire ARGUMENTS capture -o FOLDER` unless a test did before; it has to end with 0."""

    def run(home: Path) -> None:
        (home / "key").write_text(KEY)
        command = [sys.executable, "-m", "syswire", *arguments, str(capture), "-o", str(home / "case")]
        done = subprocess.run([*command, "--case-key", str(home / "key")], capture_output=True, text=True)
        assert done.returncode == 0, (command, done.returncode, done.stderr)
        (home / "told.json").write_text(json.dumps([done.stdout, done.stderr]))

    home = once(factory, "\0".join((str(capture), *arguments)), run)
    return Made(capture, home / "case", *json.loads((home / "told.json").read_text()))
