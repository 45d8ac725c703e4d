"""Broken, cut, bit-flipped and malicious captures: no traceback, a defined exit code, bounded memory, and what could be
read is there. The captures lie beside the repository, with a list of what is expected of each.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

MOST_MEMORY = 300 << 20
MOST_SECONDS = 60
# The peak of its own memory: what getrusage tells begins with that of the process that started it.
RUN = """
import re, sys
from pathlib import Path
from syswire.cli import main
code = main(sys.argv[1:])
print(re.search("VmHWM:[^0-9]+([0-9]+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""
SOUND = {"http-301-get.pcap": 8, "small-http.pcapng": 43}
"""Packets of the sound captures that broken ones were made of, by capinfos."""


class Outcome(NamedTuple):
    """What became of one capture."""

    code: int
    errors: list[str]
    memory: int
    records: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["type"] == kind]

    def exchanges(self) -> list[tuple[str, int | None]]:
        return [
            (
                f"{record['request']['method']} {record['request']['target']}" if record["request"] else "",
                record["response"]["status"] if record["response"] else None,
            )
            for record in self.of("http")
        ]


def convert(capture: Path, out: Path) -> Outcome:
    command = [sys.executable, "-c", RUN, "convert", str(capture), "-o", str(out), "--jobs", "1", "--reveal"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS)
    *errors, memory = done.stderr.splitlines()
    records: list[dict[str, Any]] = []
    for made in out.glob("*.annotations.jsonl"):
        records += [json.loads(line) for line in made.read_text("utf-8").splitlines()]
    return Outcome(done.returncode, errors, int(memory) * 1024, records)


@pytest.fixture(scope="module")
def outcomes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    work = tmp_path_factory.mktemp("hostile")
    captures = sorted(path for path in (shared / "data" / "hostile").iterdir() if path.suffix != ".json")
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda path: convert(path, work / path.name), captures)
        return {path.name: outcome for path, outcome in zip(captures, found, strict=True)}


@pytest.fixture(scope="module")
def expectations(shared: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((shared / "data" / "hostile" / "hostile.json").read_text("utf-8"))
    return found


@pytest.mark.slow
def test_every_capture_ends_as_documented(outcomes: dict[str, Outcome]) -> None:
    assert len(outcomes) >= 325
    for name, outcome in outcomes.items():
        assert outcome.code in (0, 3, 4), (name, outcome.errors)
        errors = [line for line in outcome.errors if "which is not read" not in line]
        assert len(errors) == (1 if outcome.code else 0), (name, outcome.errors)
        assert outcome.memory < MOST_MEMORY, (name, outcome.memory)
        assert not any("Traceback" in line or "\x1b" in line for line in outcome.errors), name
        assert bool(outcome.records) == (outcome.code != 3), name


@pytest.mark.slow
def test_the_exchanges_that_are_expected(outcomes: dict[str, Outcome], expectations: list[dict[str, str]]) -> None:
    looked_at = 0
    for entry in expectations:
        wanted = entry.get("expect", "")
        if wanted == "20000 exchanges in good time":
            assert len(outcomes[entry["file"]].of("http")) == 20_000
        elif wanted == "one exchange, status 200":
            assert [status for _, status in outcomes[entry["file"]].exchanges()] == [200]
        elif found := re.search(r"(?:(\d+) exchanges )?(GET /[\w-]+)(?: (\d{3}))?", wanted):
            count, line, status = found.groups()
            got = outcomes[entry["file"]].exchanges()
            assert got.count((line, int(status) if status else got[0][1])) == int(count or 1), (entry, got[:3])
            body = re.search(r"body (\d+)", wanted)
            if body:
                assert outcomes[entry["file"]].of("http")[0]["response"]["body_length"] == int(body[1]), entry
        else:
            continue
        looked_at += 1
    assert looked_at > 30


@pytest.mark.slow
def test_conflict_is_reported(outcomes: dict[str, Outcome]) -> None:
    (capture,) = outcomes["syn.overlap-conflict.pcap"].of("capture")
    lost = capture["losses"]["conflicting_overlap"]
    assert lost["count"] == 1 and lost["bytes"] > 0 and lost["first"]["frame"] > 1
    assert outcomes["syn.overlap-conflict.pcap"].exchanges()[0][0] == "GET /one"


@pytest.mark.slow
def test_what_stands_before_the_damage_is_kept(
    outcomes: dict[str, Outcome], expectations: list[dict[str, str]]
) -> None:
    """ "everything before block 22", "all of the base, and a warning" and the like, in frames of the sound capture."""
    looked_at = 0
    for entry in expectations:
        wanted, name = entry.get("expect", ""), entry["file"]
        whole = SOUND.get(entry.get("base", ""))
        if whole is None or outcomes[name].code == 3:
            continue
        (capture,) = outcomes[name].of("capture")
        frames = capture["frames"]
        if wanted in ("all of the base", "all packets", "all packets (times may be wrong)"):
            assert frames == whole + (50 if ".empty-records." in name else 0), (name, frames)
        elif wanted == "all of the base, and a warning" or wanted == "the first, and a warning":
            assert frames == whole and outcomes[name].code == 4, (name, frames)
        elif wanted == "the base, as two sections":
            assert frames == 2 * whole
        elif wanted == "everything but the last record":
            assert whole - 1 <= frames <= whole and outcomes[name].code == 4, (name, frames)
        elif wanted == "all other packets":
            left = whole if any(kind in name for kind in ("spb", "cap0")) else whole - 1  # one of 0 bytes is a packet
            assert frames == left, (name, frames)
        elif wanted == "no stream, and it is said why":
            assert not outcomes[name].of("stream") and capture["losses"]["unknown_link_type"]["count"] == frames
            assert "link type 65535" in outcomes[name].errors[0], name
        elif wanted == "everything before record 4":
            assert frames >= 3, (name, frames)
        elif wanted == "everything before block 22":
            assert frames >= 15 and outcomes[name].code == 4, (name, frames)
        else:
            continue
        looked_at += 1
    assert looked_at > 40
