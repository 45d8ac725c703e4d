"""Recordings made here and now: the recorder, the servers of scripts/e2e, and what they say of themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
E2E = ROOT / "scripts" / "e2e"
SYSWIRE = [sys.executable, "-m", "syswire"]
SYSTEM_PYTHON = "/usr/bin/python3"
PATIENCE = 90
"""Seconds that a recorder may take to begin or to end: compiling the probe on a busy machine is most of it."""


class Lamp(NamedTuple):
    """The running servers: Apache's address, ports, the main processes, the folder with the logs."""

    url: str
    port: int
    database_port: int
    socket: Path
    folder: Path
    apache2: int
    mariadbd: int

    def requests(self) -> list[Request]:
        """Apache's own log, so far."""
        return [Request.read(line) for line in (self.folder / "access.log").read_text("utf-8").splitlines()]


class Request(NamedTuple):
    """A line of Apache's log: lengths as Apache counts them, on the wire, heads included."""

    client: str
    client_port: int
    pid: int
    status: int
    received: int
    sent: int
    body: int
    line: str

    @classmethod
    def read(cls, line: str) -> Request:
        """Of the text."""
        client, port, pid, status, received, sent, body, request = line.split(" ", 7)
        return cls(client, int(port), int(pid), int(status), int(received), int(sent), int(body), request.strip('"'))


@contextmanager
def lamp(*options: str) -> Iterator[Lamp]:
    """Apache and MariaDB, until the end of the block."""
    command = [SYSTEM_PYTHON, str(E2E / "lamp.py"), *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "the servers did not start"
        told = json.loads(line)
        told["folder"], told["socket"] = Path(told["folder"]), Path(told["socket"])
        yield Lamp(**told)
    finally:
        process.stdin.close()
        process.wait(PATIENCE)
        process.stdout.close()


class Recording:
    """`syswire capture` at work: where it writes, and how it ended."""

    def __init__(self, file: Path, *arguments: object) -> None:
        self.file = file
        self.code: int | None = None
        self.told = tempfile.TemporaryFile()  # noqa: SIM115 - elsewhere: the file's own disk may be full
        self.process = subprocess.Popen(
            [*SYSWIRE, "capture", "-w", str(file), *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.told, start_new_session=True,
        )  # fmt: skip
        self._wait_until_it_records()

    def _wait_until_it_records(self) -> None:
        """Nothing is written before the probe is attached: a file that is not empty holds the state at the start."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(OSError):
                if self.file.stat().st_size > 0:
                    time.sleep(0.5)
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"no recording: {self.stderr()}")

    def stderr(self) -> str:
        """What it has said so far."""
        return os.pread(self.told.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    def stop(self, number: int = signal.SIGINT) -> str:
        """End it, as Ctrl-C does; returns what it said on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.code = self.process.wait(PATIENCE)
        return self.stderr()

    def kill(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def counts(self) -> dict[str, Any]:
        """What the recorder counted, as it stands beside the capture."""
        found: dict[str, Any] = json.loads(self.file.with_name(self.file.name + ".counts.json").read_bytes())
        return found


@contextmanager
def recording(file: Path, *arguments: object) -> Iterator[Recording]:
    """A recording until the end of the block, which ends it as Ctrl-C does and expects success."""
    one = Recording(file, *arguments)
    try:
        yield one
        time.sleep(0.3)
        told = one.stop()
        assert one.code == 0, (one.code, told)
    finally:
        one.kill()


def assert_balanced(counts: dict[str, Any]) -> None:
    """Every system call and every event is accounted for."""
    calls, events = counts["calls"], counts["events"]
    parts = [sum(calls[name].values()) for name in ("filtered", "not_followed", "dropped")]
    assert calls["seen"] == calls["recorded"] + sum(parts), counts
    rest = events["filtered"] + events["beyond_count"] + sum(events["dropped"].values())
    assert events["made"] == events["written"] + rest, counts


def lacking() -> str:
    """Why nothing can be recorded here; empty where it can."""
    if os.geteuid():
        return "not root"
    done = subprocess.run([*SYSWIRE, "capture", "--check"], capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode == 0:
        return ""
    return (done.stderr or done.stdout).strip() or f"syswire capture --check ends with {done.returncode}"


class Answer(NamedTuple):
    """What curl tells of one request: lengths on the wire, heads included, but for the body's."""

    status: int
    body: int
    port: int
    sent: int
    received: int
    target: str


def browse(url: str) -> list[Answer]:
    """Run the browsing script."""
    done = subprocess.run([E2E / "browse", url], capture_output=True, text=True, timeout=PATIENCE, check=True)
    found = []
    for line in done.stdout.splitlines():
        *numbers, target = line.split()
        status, body, port, sent, head = map(int, numbers)
        found.append(Answer(status, body, port, sent, head + body, target.removeprefix(url)))
    return found


def read(*arguments: object) -> str:
    """What `syswire read` prints; it has to end well and without a word on stderr."""
    done = subprocess.run([*SYSWIRE, "read", *map(str, arguments)], capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8", "replace")
