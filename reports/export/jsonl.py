"""findings.jsonl: one finding a line, the fields of docs/formats.md."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from ..findings import Findings


def write(out: BinaryIO, findings: Findings, *, revealed: bool) -> None:
    """All findings in order of their ids; where secrets are in clear, every line says `"contains_secrets":true`."""
    encode = msgspec.json.Encoder().encode
    for position in range(len(findings)):
        record = findings.record(position)
        if revealed:
            record["contains_secrets"] = True
        out.write(encode(record) + b"\n")
