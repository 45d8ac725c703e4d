"""What a run over some inputs is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .convert_options import LIMITS
from .errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


MOST_LINES = 100
"""Of a file of secrets: each of them is tried."""


def lines_of(path: Path | None) -> tuple[bytes, ...]:
    """The secrets in a file, one a line; none without a file. Raises UsageError where it cannot be read or has more."""
    if path is None:
        return ()
    try:
        with path.open("rb") as file:
            data = file.read(1 << 16)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    found = tuple(line.rstrip(b"\r") for line in data.split(b"\n") if line.rstrip(b"\r"))
    if len(found) > MOST_LINES or len(data) == 1 << 16:
        raise UsageError(f"{path}: more than {MOST_LINES} secrets, or longer than 64 KiB")
    return found


@dataclass
class Options:
    """What the command line says; `case` is free text for the report."""

    reveal: bool = False
    redact: bool = False
    pcapng: bool = True
    pcap: bool = False
    force: bool = False
    case_key: Path | None = None
    case: dict[str, str] = field(default_factory=dict)
    jobs: int = 1
    objects: Path | None = None
    shared_secrets: tuple[bytes, ...] = ()
    """With which RADIUS hides passwords."""
    object_limits: tuple[int, int, int] = LIMITS
