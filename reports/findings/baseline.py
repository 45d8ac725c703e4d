"""What changed since an earlier report: findings that are new, unchanged or gone, told by their keys.

A key says rule, user and endpoints, not which secret: where an earlier report has several findings of one key, so many
of the present ones count as unchanged, and the rest as new.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ...convert.errors import UsageError
from ...convert.model.text import printable, spelled

NAME = "findings.jsonl"
MOST = 100_000
LINE = 64 << 20
NEW, UNCHANGED = "new", "unchanged"


class Old(msgspec.Struct, gc=False):
    """Of an earlier finding, what is needed to tell that it is gone. All of it is text from elsewhere."""

    key: str
    id: str = "?"
    severity: str = "?"
    title: str = "?"
    username: str | None = None
    instances_total: int = 0
    last: str | None = None


class Baseline:
    """The findings of an earlier report, by key. `digest`: SHA-256 of its findings.jsonl."""

    def __init__(self, name: str, digest: str, findings: list[Old]) -> None:
        self.name = name
        self.digest = digest
        self._old = findings

    def __len__(self) -> int:
        return len(self._old)

    def changes(self, keys: Iterable[str]) -> list[str]:
        """For each key of the present findings, in their order, `new` or `unchanged`."""
        left = Counter(old.key for old in self._old)
        told = []
        for key in keys:
            told.append(UNCHANGED if left[key] > 0 else NEW)
            left[key] -= 1
        return told

    def gone(self, keys: Iterable[str]) -> list[Old]:
        """Earlier findings that are not there any more, in their order."""
        left = Counter(keys)
        gone = []
        for old in self._old:
            if left[old.key] > 0:
                left[old.key] -= 1
            else:
                gone.append(old)
        return gone

    def described(self) -> dict[str, Any]:
        """As the manifest names it."""
        return {"name": self.name, "sha256": self.digest, "findings": len(self._old)}


def read(directory: Path) -> Baseline:
    """The findings that an earlier `report` wrote into a directory.

    Raises UsageError where there are none, or a line is not a finding.
    """
    path = directory / NAME
    digest = hashlib.sha256()
    found: list[Old] = []
    decode = msgspec.json.Decoder(Old).decode
    shown = printable(spelled(str(path)))
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE), b""), 1):
                digest.update(line)
                try:
                    found.append(decode(line))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    raise UsageError(f"--baseline: {shown}, line {number}: not a finding") from None
                if len(found) > MOST:
                    raise UsageError(f"--baseline: {shown}: more than {MOST:,} findings")
    except OSError as error:
        raise UsageError(f"--baseline: {shown}: {error.strerror}; give a directory that report wrote") from error
    return Baseline(spelled(directory.resolve().name), digest.hexdigest(), found)
