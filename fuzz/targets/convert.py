"""The whole of `convert` and `report` on any file: an exit code of the design, and nothing left behind."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import shutil
from typing import TYPE_CHECKING

from syswire import cli
from syswire.convert.errors import EXIT_DAMAGED, EXIT_DONE, EXIT_NO_INPUT

from ..feeding import chance

if TYPE_CHECKING:
    from pathlib import Path


class Crashed(AssertionError):
    """An internal error; `kind` tells one from another."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        places = [line.strip() for line in text.splitlines() if line.startswith("  File")]
        self.kind = f"{text.splitlines()[-1]} at {places[-1] if places else 'no place'}"


KEY = "5a" * 32 + "\n"


class Run:
    """Runs the command in this process."""

    def __init__(self, scratch: Path) -> None:
        self._input = scratch / "input"
        self._out = scratch / "case"
        self._key = scratch / "key"
        self._key.write_text(KEY)

    def __call__(self, data: bytes) -> None:
        """Raises on another exit code, a traceback, a file that should not be there or one that is not."""
        random = chance(data)
        if random.random() < 0.1:
            data = gzip.compress(data, 1)
            data = data[: random.randrange(len(data))] if random.random() < 0.3 else data
        self._input.write_bytes(data)
        shutil.rmtree(self._out, ignore_errors=True)
        command = ["report", "--format", "jsonl,csv"] if random.random() < 0.5 else ["convert", "--pcap"]
        if random.random() < 0.2:
            command.append("--reveal")
        stdout, stderr = io.StringIO(), io.StringIO()
        arguments = [command[0], str(self._input), "-o", str(self._out), "--jobs", "1", "--case-key", str(self._key)]
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = cli.main([*arguments, *command[1:]])
        crash = self._out / "syswire-crash.txt"
        if crash.exists():
            raise Crashed(crash.read_text("utf-8"))
        assert code in (EXIT_DONE, EXIT_DAMAGED, EXIT_NO_INPUT), (code, stderr.getvalue())
        assert "Traceback" not in stderr.getvalue()
        assert stderr.getvalue().count("\n") <= 10, stderr.getvalue()
        manifest = self._out / "manifest.json"
        assert manifest.exists() == (code != EXIT_NO_INPUT)
        wanted = set()
        if manifest.exists():
            wanted = {entry["name"] for entry in json.loads(manifest.read_bytes())["outputs"]} | {"manifest.json"}
        left = {path.name for path in self._out.iterdir()} if self._out.exists() else set()
        assert left - {"case.key"} == wanted, (left, wanted)
