"""Running syswire on broken captures, and what stands before the damage."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support import pcapng, plain_scap
from syswire import cli


def blocks(data: bytes) -> list[tuple[int, int]]:
    """(offset, type) of every whole block, and the end of the last one."""
    found, at = [], 0
    while len(data) - at >= 12:
        kind, size = struct.unpack_from("<II", data, at)
        if size < 12 or size % 4 or size > len(data) - at:
            break
        found.append((at, kind))
        at += size
    return [*found, (at, 0)]


def whole_events(data: bytes) -> int:
    """Events in whole blocks before the first break in the framing."""
    return sum(kind in plain_scap.EVENTS for _, kind in blocks(data))


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    lines: list[str]
    manifest: dict[str, Any] | None
    folder: Path

    @property
    def line(self) -> str:
        """The only line on stderr."""
        (found,) = self.lines
        assert found.startswith("syswire: ")
        return found.removeprefix("syswire: ")

    @property
    def entry(self) -> dict[str, Any]:
        assert self.manifest is not None
        (found,) = self.manifest["inputs"]
        assert isinstance(found, dict)
        return found


Convert = Callable[[Path], Ended]


def converter(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Convert:
    """`syswire convert` in this process: whatever happens no output may be half written."""

    def run(source: Path) -> Ended:
        folder = tmp_path / "case"
        shutil.rmtree(folder, ignore_errors=True)
        capfd.readouterr()
        code = cli.main(["convert", str(source), "-o", str(folder)])
        told = capfd.readouterr()
        assert "Traceback" not in told.err and not (folder / "syswire-crash.txt").exists(), told.err
        path = folder / "manifest.json"
        manifest = json.loads(path.read_bytes()) if path.exists() else None
        assert (manifest is not None) == (code in (0, 4))
        if manifest is None:
            assert told.out == "" and {one.name for one in folder.iterdir()} <= {"case.key"}
        else:
            names = {entry["name"] for entry in manifest["outputs"]}
            assert {one.name for one in folder.iterdir()} == names | {"case.key", "manifest.json"}
            (pcap,) = folder.glob("*.pcapng")
            assert len(pcapng.read(pcap).packets) == manifest["counts"]["frames"]
        return Ended(code, told.err.splitlines(), manifest, folder)

    return run
