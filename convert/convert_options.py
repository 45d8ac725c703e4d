"""What the command line says to `convert` alone: of objects, and of a capture that can be shared."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs an import; so do those of objects.py, and --help is to answer at once
if TYPE_CHECKING:
    import argparse
    from typing import Any

MOST_SIZE = 1 << 28
"""Bytes of one object; a longer one is cut."""
MOST_FILES = 100_000
MOST_TOTAL = 1 << 34
"""Bytes of all objects of a run; what comes behind is left out."""
LIMITS = (MOST_SIZE, MOST_FILES, MOST_TOTAL)

_UNITS = {"k": 10, "m": 20, "g": 30, "t": 40}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """--redact; --objects, and its limits."""
    from pathlib import Path

    command.add_argument("--redact", action="store_true", help="mask secrets in the pcapng too, to share it")

    command.add_argument(
        "--objects", metavar="ODIR", type=Path, help="write bodies, transfers and attachments there, as they are"
    )
    command.add_argument(
        "--object-size",
        metavar="BYTES",
        type=_size,
        default=MOST_SIZE,
        help=f"cut longer ones; K, M, G are understood (default: {MOST_SIZE >> 20}M)",
    )
    command.add_argument(
        "--object-files",
        metavar="N",
        type=_size,
        default=MOST_FILES,
        help=f"leave out those behind so many (default: {MOST_FILES})",
    )
    command.add_argument(
        "--object-total",
        metavar="BYTES",
        type=_size,
        default=MOST_TOTAL,
        help=f"leave out those behind so many bytes of all (default: {MOST_TOTAL >> 30}G)",
    )


def chosen(given: Any) -> dict[str, Any]:
    """The pipeline's options; nothing where the command has none of them. Raises UsageError where they contradict."""
    from .errors import UsageError

    if getattr(given, "redact", False):
        for name, other in (("--reveal", given.reveal), ("--objects", given.objects)):
            if other:
                raise UsageError(f"--redact masks what {name} shows: give one of them")
        return {"redact": True}
    if getattr(given, "objects", None) is None:
        return {}
    limits = given.object_size, given.object_files, given.object_total
    return {"objects": given.objects, "object_limits": limits}


def _size(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower(), 0)
    digits = text[:-1] if unit else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15 or int(digits) < 1:
        import argparse

        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on, with K, M or G behind it")
    return int(digits) << unit
