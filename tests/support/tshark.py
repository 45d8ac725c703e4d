"""tshark over a file that syswire wrote: fields of frames, with every checksum checked."""

from __future__ import annotations

import subprocess
from pathlib import Path

CHECKS = [part for name in ("ip", "tcp", "udp") for part in ("-o", f"{name}.check_checksum:TRUE")]
WRONG = " || ".join(
    (
        "_ws.malformed",
        'ip.checksum.status == "Bad"',
        'tcp.checksum.status == "Bad"',
        'udp.checksum.status == "Bad"',
        "(tcp.analysis.flags && !tcp.analysis.reused_ports)",
    )
)
BETWEEN = "\x1f"
"""Stands between the values of one field in one frame: no field that we ask for holds it."""


class Tshark:
    """One file, and options for every call (such as -o http.desegment_body:FALSE)."""

    def __init__(self, program: str, file: Path, *options: str) -> None:
        self._command = [program, "-r", str(file), *CHECKS, *options]

    def fields(self, condition: str, *fields: str) -> list[list[list[str]]]:
        """For every frame that the display filter lets through, for every field, all its values."""
        wanted = [part for name in fields for part in ("-e", name)]
        command = [*self._command, "-Y", condition, "-T", "fields", "-E", f"aggregator={BETWEEN}", *wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
        rows = [line.split("\t") for line in done.stdout.removesuffix("\n").split("\n")] if done.stdout else []
        assert all(len(row) == len(fields) for row in rows)
        return [[value.split(BETWEEN) if value else [] for value in row] for row in rows]

    def one(self, condition: str, *fields: str) -> list[list[str]]:
        """The same where every field has one value in a frame, or none (then "")."""
        rows = self.fields(condition, *fields)
        assert all(len(values) < 2 for row in rows for values in row)
        return [["".join(values) for values in row] for row in rows]

    def wrong(self, allowed: str = "frame.number == 0") -> list[list[list[str]]]:
        """Malformed frames, bad checksums, and whatever the analysis of TCP flags; `allowed` aside."""
        return self.fields(f"({WRONG}) && !({allowed})", "frame.number", "_ws.col.Info", "_ws.expert.message")
