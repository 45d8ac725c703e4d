"""Writing the chosen documents into the output directory, each whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from .errors import DocumentNotMade
from .export import csv, jsonl
from .findings import Findings
from .model import PAPER, SCREEN

FORMATS = ("html", "pdf", "jsonl", "csv")


def write_reports(
    directory: Path,
    manifest: Mapping[str, Any],
    findings: Findings,
    formats: Collection[str] = FORMATS,
    *,
    reveal: bool = False,
    pdf_variant: str = "ua-1",
) -> list[Path]:
    """Write report.html, report.pdf, findings.jsonl and findings.csv, as far as they are asked for.

    The PDF comes last: when it cannot be made, the others stand.

    Args:
        directory: where the annotations lie and the documents go; files there of the same names are replaced.
        manifest: as in manifest.json. A run that was not masked counts as revealed, whatever `reveal` says.
        findings: of the same directory.
        formats: of FORMATS.
        reveal: every page and file says that it contains secrets.

    Returns:
        The paths written, in the order of FORMATS.

    Raises:
        RendererMissing, RenderFailed: as `pdf.render`; their `written` holds the paths of what was written before.
    """
    revealed = reveal or not manifest.get("masked", True)
    written: list[Path] = []
    made: list[tuple[str, int, str]] = []
    if "jsonl" in formats:
        written.append(_whole(directory / "findings.jsonl", lambda out: jsonl.write(out, findings, revealed=revealed)))
    if "csv" in formats:
        written.append(_whole(directory / "findings.csv", lambda out: _csv(out, findings, revealed=revealed)))
    made = [(path.name, path.stat().st_size, _digest(path)) for path in written]
    if "html" in formats or "pdf" in formats:
        from . import document, html, pdf  # jinja2 is not imported where no document is made

        if "html" in formats:
            page = html.render(document.build(manifest, findings, SCREEN, revealed=revealed, made=made))
            written.append(_whole(directory / "report.html", lambda out: _all(out, page)))
        if "pdf" in formats:
            sheets = html.pages(document.build(manifest, findings, PAPER, revealed=revealed, made=made))
            try:
                printed = pdf.render(sheets)
            except DocumentNotMade as error:
                error.written = _ordered(written)
                raise
            written.append(_whole(directory / "report.pdf", lambda out: _all(out, printed)))
    findings.close()
    return _ordered(written)


def _ordered(paths: list[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: FORMATS.index(path.suffix[1:]))


def _csv(out: BinaryIO, findings: Findings, *, revealed: bool) -> None:
    text = io.TextIOWrapper(out, "utf-8", errors="backslashreplace", newline="")
    csv.write(text, findings, revealed=revealed)
    text.flush()
    text.detach()


def _all(out: BinaryIO, data: bytes) -> None:
    out.write(data)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _whole(path: Path, fill: Callable[[BinaryIO], None]) -> Path:
    """Fill a new file readable by its owner alone, and put it in place only when it is complete."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            fill(out)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path
