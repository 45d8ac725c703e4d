"""Fuzzing one target: starts the process that does it, again after it died, and keeps and minimises what it found."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from .child import LENGTH, ROOT
from .coverage import Place
from .minimise import minimised
from .tree import WORK

if TYPE_CHECKING:
    from .table import Target

FINDS = ROOT / "fuzz" / "finds"
MOST_DEATHS = 5
MINIMISE_SECONDS = 60
BLAME = re.compile(r"^    #\d+ 0x[0-9a-f]+ in (__pyx_\w+)", re.MULTILINE)


@dataclass
class Found:
    """What came of a target."""

    runs: int = 0
    seconds: float = 0.0
    places: set[Place] = field(default_factory=set)
    finds: set[Path] = field(default_factory=set)


@dataclass
class Plan:
    """How to run; `environment` is that of tree.prepare."""

    environment: dict[str, str]
    engine: str
    seconds: int
    runs: int | None
    seed: int
    seeds: Path | None


def seed_files(target: Target, folder: Path | None) -> list[Path]:
    """Files of the target's formats below a folder."""
    if folder is None:
        return []
    suffixes = {f".{name}" for name in target.corpus} | ({".cap"} if "pcap" in target.corpus else set())
    return sorted(path for path in folder.rglob("*") if path.suffix in suffixes and path.is_file())


def fuzz(target: Target, plan: Plan) -> Found:
    """Run a target until its time is over or it died too often."""
    folder = WORK / "work" / target.name
    kept, seeds = folder / "corpus", folder / "seeds"
    kept.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(seeds, ignore_errors=True)
    seeds.mkdir()
    for number, path in enumerate(seed_files(target, plan.seeds)):
        with path.open("rb") as file:
            (seeds / f"{number:04}").write_bytes(file.read(target.longest))
    for old in folder.glob("find-*"):
        old.unlink()
    corpora = [kept, seeds, *(ROOT / "fuzz" / "corpus" / name for name in target.corpus)]
    found = Found()
    until = monotonic() + plan.seconds
    for death in range(MOST_DEATHS):
        left = round(until - monotonic())
        if left <= 0:
            break
        code, log = _child(target, plan, folder, corpora, ["--seconds", str(left), "--seed", str(plan.seed + death)])
        figures = folder / "figures.json"
        if figures.exists():
            told = json.loads(figures.read_bytes())
            found.runs += told["runs"]
            found.seconds += told["seconds"]
            found.places |= {Place(*place) for place in told["places"]}
            figures.unlink()
        if code == 0:
            break
        began = monotonic()
        found.finds.add(_keep_death(target, plan, folder, code, log))
        until += monotonic() - began
    for data in sorted(folder.glob("find-*[0-9a-f]")):
        found.finds.add(_keep_exception(target, plan, folder, data))
    return found


def _child(
    target: Target, plan: Plan, folder: Path, corpora: list[Path], more: list[str], engine: str | None = None
) -> tuple[int, str]:
    """Run the process; its exit code, and what it printed."""
    command = [sys.executable, "-m", "fuzz.child", target.name, "--engine", engine or plan.engine]
    command += ["--folder", str(folder), *more]
    command += [part for corpus in corpora for part in ("--corpus", str(corpus))]
    command += ["--runs", str(plan.runs)] if plan.runs is not None else []
    environment = plan.environment | ({"PYTHONMALLOC": "malloc"} if target.objects else {})
    log = folder / "log"
    with log.open("wb") as out:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, check=False)
    return done.returncode, log.read_text("utf-8", "replace")


def _blamed(code: int, log: str) -> str:
    """What is the same in two deaths of one cause."""
    function = BLAME.search(log)
    what = re.search(r"ERROR: (?:AddressSanitizer|libFuzzer): ([\w-]+)", log)
    return f"exit {code}: {what[1] if what else 'death'}{f' in {function[1]}' if function else ''}"


def _save(target: Target, name: str, data: bytes, text: str) -> Path:
    FINDS.mkdir(parents=True, exist_ok=True)
    path = FINDS / f"{target.name}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    path.write_bytes(data)
    path.with_suffix(".txt").write_text(f"{name}\n\n{text}")
    return path


def _keep_death(target: Target, plan: Plan, folder: Path, code: int, log: str) -> Path:
    """Save the input during which the process died, and a smaller one that kills it in the same way."""
    current = (folder / "current").read_bytes()
    data = current[LENGTH : LENGTH + int.from_bytes(current[:LENGTH], "little")]
    name = _blamed(code, log)
    begin = max(log.find("ERROR:"), 0)
    path = _save(target, name, data, log[begin : begin + 8000])
    trial = folder / "trial"

    def same(data: bytes) -> bool:
        trial.write_bytes(data)
        return _blamed(*_child(target, plan, folder / "trials", [trial], [], "once")) == name

    (folder / "trials").mkdir(exist_ok=True)
    path.write_bytes(minimised(data, same, MINIMISE_SECONDS, target.pieces))
    return path


def _keep_exception(target: Target, plan: Plan, folder: Path, data: Path) -> Path:
    """Save an input that raises, minimised by a process of its own."""
    (folder / "trials").mkdir(exist_ok=True)
    smaller = folder / "trials" / "smaller"
    smaller.unlink(missing_ok=True)
    _child(target, plan, folder / "trials", [data], ["--seconds", str(MINIMISE_SECONDS)], "minimise")
    text = data.with_suffix(".txt").read_text("utf-8")
    name, _, trace = text.partition("\n\n")
    return _save(target, name, (smaller if smaller.exists() else data).read_bytes(), trace)
