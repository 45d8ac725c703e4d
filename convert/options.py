"""What a run over some inputs is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .convert_options import LIMITS

if TYPE_CHECKING:
    from pathlib import Path


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
    object_limits: tuple[int, int, int] = LIMITS
