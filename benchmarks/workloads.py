"""Large captures, the same ones each time by their seed. Kept below benchmarks/work until `make clean`."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "benchmarks" / "work"
SAMPLE = ROOT / "tests" / "data" / "made" / "generate.py"
MIXED = Path(__file__).with_name("mixed.py")
SEED = 1


def shared() -> Path:
    """The folder beside the repository that may hold a generator of workloads."""
    return Path(os.environ.get("SYSWIRE_SHARED") or ROOT.parent / "shared")


def generate(program: Path, target: Path, megabytes: int) -> None:
    """Have the program write the target. Ours writes a file of a fixed name into a directory, the other one a file."""
    size = ["--mb", str(megabytes), "--seed", str(SEED)]
    if program == SAMPLE:
        with tempfile.TemporaryDirectory(dir=WORK) as place:
            subprocess.run([sys.executable, str(program), "--out", place, *size], check=True, stdout=subprocess.DEVNULL)
            (Path(place) / "act1.scap").rename(target)
    else:
        part = target.with_name(f"part-{target.name}")
        subprocess.run([sys.executable, str(program), str(part), *size], check=True, stdout=subprocess.DEVNULL)
        part.rename(target)


def synthetic(megabytes: int) -> Path | None:
    """Where there is no generator of packets: those that syswire makes of the scap."""
    scap = workload(megabytes)
    if scap is None:
        return None
    target = scap.with_suffix(".pcap")
    if not target.exists():
        command = [sys.executable, "-m", "syswire", "convert", str(scap), "--pcap", "--no-pcapng", "-q", "-o"]
        with tempfile.TemporaryDirectory(dir=WORK) as place:
            subprocess.run([*command, place], check=True, stdout=subprocess.DEVNULL)
            (Path(place) / target.name).rename(target)
    return target


RECORDED = ("502Error",)
"""Kinds that are recorded captures in the shared folder, whatever the size."""


def packed(plain: Path) -> Path:
    """The file as gzip, at the level that recorders use."""
    target = WORK / f"{plain.name}.gz"
    if not target.exists() or target.stat().st_mtime < plain.stat().st_mtime:
        part = target.with_name(f"part-{target.name}")
        with plain.open("rb") as source, gzip.open(part, "wb", compresslevel=6) as out:
            shutil.copyfileobj(source, out, 1 << 20)
        part.rename(target)
    return target


def given(path: Path, kind: str) -> Path | None:
    """What `--input` names, as the kind that a case asks for."""
    if kind == "scap.gz":
        return packed(path)
    return recorded(kind) if kind in RECORDED else path


def recorded(name: str) -> Path | None:
    """A capture of the shared folder; None without it."""
    path = shared() / "data" / "scap" / f"{name}.scap"
    return path if path.is_file() else None


def workload(megabytes: int, kind: str = "scap") -> Path | None:
    """A capture of that kind (see cases.py), of about so many millions of bytes; None where nothing can make one."""
    if kind in RECORDED:
        return recorded(kind)
    if kind == "scap.gz":
        plain = workload(megabytes)
        return None if plain is None else packed(plain)
    own = [SAMPLE] if kind == "scap" else [MIXED] if kind == "mixed" else []
    program = next((path for path in (shared() / "bench" / f"mk{kind}.py", *own) if path.is_file()), None)
    if program is None:
        return synthetic(megabytes) if kind == "pcap" else None
    sources = b"".join(path.read_bytes() for path in sorted(program.parent.glob("*.py")))
    mark = hashlib.sha256(sources).hexdigest()[:8]
    target = WORK / f"{program.stem}-{megabytes}-{SEED}-{mark}.{kind}"
    if not target.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        print(f"making {target.relative_to(ROOT)}", file=sys.stderr)
        generate(program, target, megabytes)
    return target
