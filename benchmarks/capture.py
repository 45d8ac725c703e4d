"""python -m benchmarks.capture: what recording costs Apache, what an event costs, and when events are dropped.

Needs root, scripts/setup-e2e, and a machine with nothing else to do. Apache's requests a second are measured by `ab`
in rounds of three ways in changing order: nothing recorded, recorded, and recorded with a filter that wants nothing
(attached, but ignoring). The drop rate is that of one process that sends itself 4096 bytes at a time over a socket pair
at rising rates, with the default ring.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WAYS: dict[str, list[str] | None] = {"off": None, "on": [], "ignoring": ["proc.name=nobody-has-this"]}
RATES = (5_000, 20_000, 50_000, 100_000, 200_000, 0)
"""Calls a second; 0: as many as there can be."""
BLAST = """
import socket, sys, time
one, two = socket.socketpair()
data, seconds, rate = bytes(4096), float(sys.argv[1]), int(sys.argv[2])
begin, count = time.monotonic(), 0
while (now := time.monotonic() - begin) < seconds:
    if rate and count > rate * now:
        time.sleep(0.0005)
        continue
    for _ in range(10):
        one.send(data)
        two.recv(4096)
    count += 20
print(count / now)
"""


def cpu_seconds(pid: int) -> float:
    """CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU that the machine has used."""
    fields = [int(one) for one in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def servers() -> Iterator[dict[str, Any]]:
    """Apache and MariaDB of scripts/e2e."""
    command = ["/usr/bin/python3", str(ROOT / "scripts" / "e2e" / "lamp.py"), "--workers", "8"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield json.loads(process.stdout.readline())
        process.stdin.close()


class Recorder:
    """A recording for as long as the block lasts; afterwards its counts and the CPU it used while it recorded."""

    def __init__(self, folder: Path, words: list[str], options: list[str]) -> None:
        self.file = folder / "bench.scap"
        self.command = [sys.executable, "-m", "syswire", "capture", "-q", "-w", str(self.file), "-s", "4096"]
        self.command += [*options, *words]
        self.counts: dict[str, Any] = {}
        self.cpu = 0.0

    def __enter__(self) -> Recorder:
        """Start, and wait until it records."""
        for path in self.file.parent.glob("bench.scap*"):
            path.unlink()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        while not (self.file.exists() and self.file.stat().st_size):
            if self.process.poll() is not None:
                raise SystemExit("the recorder does not record")
            time.sleep(0.05)
        time.sleep(0.5)
        self.begun = cpu_seconds(self.process.pid)
        return self

    def __exit__(self, *error: object) -> None:
        """Stop and read the counts."""
        time.sleep(0.3)
        self.process.send_signal(signal.SIGINT)
        _, ended, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(ended)
        self.cpu = usage.ru_utime + usage.ru_stime - self.begun
        self.counts = json.loads(self.file.with_name(self.file.name + ".counts.json").read_bytes())


def ab(url: str, requests: int) -> tuple[float, float]:
    """Requests a second, and the machine's CPU seconds meanwhile."""
    before = busy_seconds()
    command = ["ab", "-q", "-k", "-c", "8", "-n", str(requests), f"{url}/about.html"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests per second:\s+([\d.]+)", told)
    assert found and "Failed requests:        0" in told, told
    return float(found[1]), busy_seconds() - before


def apache(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Rounds of the three ways."""
    speed: dict[str, list[float]] = {way: [] for way in WAYS}
    used: dict[str, list[float]] = {way: [] for way in WAYS}
    events, cpu, dropped = 0, 0.0, 0
    with servers() as lamp:
        ab(lamp["url"], given.requests)
        for number in range(given.rounds):
            order = list(WAYS)[number % 3 :] + list(WAYS)[: number % 3]
            for way in order:
                words = WAYS[way]
                if words is None:
                    rate, busy = ab(lamp["url"], given.requests)
                else:
                    with Recorder(folder, words, given.option) as recorder:
                        rate, busy = ab(lamp["url"], given.requests)
                    if way == "on":
                        events += recorder.counts["events"]["written"]
                        cpu += recorder.cpu
                        dropped += sum(recorder.counts["calls"]["dropped"].values())
                speed[way].append(rate)
                used[way].append(busy)
                print(f"round {number + 1} {way}: {rate:,.0f} requests/s, {busy:.2f} s of CPU", file=sys.stderr)
    extra = sum(used["on"]) - sum(used["off"])
    return {
        "requests_per_second": {way: statistics.median(rates) for way, rates in speed.items()},
        "paired_on": statistics.median(on / off for on, off in zip(speed["on"], speed["off"], strict=True)),
        "paired_ignoring": statistics.median(on / off for on, off in zip(speed["ignoring"], speed["off"], strict=True)),
        "events": events,
        "dropped": dropped,
        "recorder_us_per_event": cpu / max(events, 1) * 1e6,
        "machine_us_per_event": extra / max(events, 1) * 1e6,
    }


def drops(folder: Path, given: argparse.Namespace) -> list[dict[str, Any]]:
    """One recording for each rate."""
    found = []
    for rate in RATES:
        with Recorder(folder, [], given.option) as recorder:
            command = [sys.executable, "-c", BLAST, str(given.seconds), str(rate)]
            real = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        calls = recorder.counts["calls"]
        lost = sum(calls["dropped"].values())
        found.append({"asked": rate, "calls_per_second": real, "dropped": lost, "recorded": calls["recorded"]})
        share = lost / max(lost + calls["recorded"], 1)
        print(f"{real:,.0f} calls/s of 4096 bytes: {lost:,} dropped ({share:.2%})", file=sys.stderr)
    return found


def main() -> int:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--requests", type=int, default=40_000, help="a run of ab (default: 40000)")
    parser.add_argument("--seconds", type=float, default=5, help="of each rate (default: 5)")
    parser.add_argument("--only", choices=["apache", "drops"])
    parser.add_argument("--option", action="append", default=[], help="a further option of capture; may be repeated")
    given = parser.parse_args()
    result: dict[str, Any] = {"options": given.option, "load": os.getloadavg()}
    with tempfile.TemporaryDirectory(prefix="syswire-bench-") as name:
        if given.only != "drops":
            result["apache"] = apache(Path(name), given)
        if given.only != "apache":
            result["drops"] = drops(Path(name), given)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
