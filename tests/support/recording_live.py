"""`syswire capture` as a user runs it on this machine, one at a time; tests are skipped where BPF is not allowed."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.command import PYTHON

LOCK = "/tmp/syswire-capture-test.lock"
PATIENCE = 60.0  # seconds until something that must come has to be there


@contextmanager
def alone() -> Iterator[None]:
    """No other test of this machine records meanwhile."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Look until it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.05)


def stored(path: Path) -> bytes:
    """A capture's blocks; compressed ones have to be whole to the last byte."""
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


class Recording:
    """A recorder at work."""

    def __init__(self, path: Path, *arguments: object, first: Path | None = None) -> None:
        """Returns when it records; `first` is the file that it begins with, where that is not `path`."""
        self.path = path
        self.process = subprocess.Popen(
            [*PYTHON, "capture", "-w", str(path), *map(str, arguments)], stderr=subprocess.PIPE, text=True
        )
        begun = first or path
        end = time.monotonic() + PATIENCE
        while not (begun.exists() and begun.stat().st_size):
            if self.process.poll() is not None:
                said = self.process.stderr.read() if self.process.stderr is not None else ""
                if self.process.returncode == 5:
                    pytest.skip(f"this machine cannot record: {said.strip()}")
                raise AssertionError(f"ended with {self.process.returncode}: {said}")
            assert time.monotonic() < end, "it never began"
            time.sleep(0.05)

    def end(self, number: int | None = signal.SIGINT) -> tuple[int, str]:
        """Send a signal, None: wait for its end. Returns its exit code and what it said."""
        if number is not None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said

    def kill(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def counts(path: Path) -> dict[str, Any]:
    """The counts beside a capture. All numbers have to add up: of calls, and of the events made of them."""
    told: dict[str, Any] = json.loads(path.with_name(path.name + ".counts.json").read_bytes())
    calls = told["calls"]
    left = (*calls["filtered"].values(), *calls["not_followed"].values(), *calls["dropped"].values())
    assert calls["seen"] == calls["recorded"] + sum(left)
    events = dict(told["events"])
    made, dropped = events.pop("made"), events.pop("dropped")
    assert made == sum(events.values()) + sum(dropped.values())
    assert events["waiting"] == 0 or told["ended"] is None
    return told
