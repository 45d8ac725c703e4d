"""Writing the chosen documents into the output directory, each whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from . import wireshark
from .display import nanoseconds
from .errors import DocumentNotMade
from .export import csv, jsonl, ocsf, sarif, timesketch
from .findings import Findings
from .languages import ENGLISH
from .model import PAPER, SCREEN
from .options import DEFAULTS, FORMATS

if TYPE_CHECKING:
    from .pdf import Attached

SCHEMA = "finding.schema.json"
WIRESHARK = "wireshark"
ARCHIVED = "a-3a"
MOST_ATTACHED = 64 << 20
"""Bytes of findings.jsonl that are embedded in a PDF for archives."""

Made = tuple[str, int, str]


def write_reports(
    directory: Path,
    manifest: Mapping[str, Any],
    findings: Findings,
    formats: Collection[str] = DEFAULTS,
    *,
    reveal: bool = False,
    pdf_variant: str = "ua-1",
    language: str = ENGLISH,
) -> list[Path]:
    """Write report.html, report.pdf, findings.jsonl and the other documents, as far as they are asked for.

    The PDF comes last: when it cannot be made, the others stand.

    Args:
        directory: where the annotations lie and the documents go; files there of the same names are replaced.
        manifest: as in manifest.json. A run that was not masked counts as revealed, whatever `reveal` says.
        findings: of the same directory.
        formats: of FORMATS.
        reveal: every page and file says that it contains secrets.
        language: of LANGUAGES, in which report.html and report.pdf speak.
        pdf_variant: `ua-1`, or `a-3a` with findings.jsonl and the manifest embedded.

    Returns:
        The paths written, in the order of FORMATS.

    Raises:
        RendererMissing, RenderFailed: as `pdf.render`; their `written` holds the paths of what was written before.
    """
    revealed = reveal or not manifest.get("masked", True)
    written: dict[str, list[Path]] = {
        name: [_whole(directory / file, fill) for file, fill in _machine(name, findings, manifest, revealed=revealed)]
        for name in FORMATS
        if name in formats
    }
    made = [_described(directory, path) for paths in written.values() for path in paths]
    if "html" in formats or "pdf" in formats:
        from . import document, html, pages, pdf  # jinja2 is not imported where no document is made
        from .language import speaking

        with speaking(language):
            if "html" in formats:
                page = html.render(document.build(manifest, findings, SCREEN, revealed=revealed, made=made))
                written["html"].append(_whole(directory / "report.html", partial(_put, page)))
                for name, further in pages.overview_pages(findings, manifest, revealed):
                    written["html"].append(_whole(directory / name, partial(_put, further)))
            if "pdf" in formats:
                sheets = html.pages(document.build(manifest, findings, PAPER, revealed=revealed, made=made))
                attached = _attached(manifest, findings, revealed=revealed) if pdf_variant == ARCHIVED else ()
                date, letters = _date(manifest), html.LETTERS.get(language, "")
                try:
                    printed = pdf.render(
                        sheets, variant=pdf_variant, attachments=attached, created=date, letters=letters
                    )
                except DocumentNotMade as error:
                    error.written = [path for paths in written.values() for path in paths]
                    raise
                written["pdf"].append(_whole(directory / "report.pdf", partial(_put, printed)))
    findings.close()
    return [path for paths in written.values() for path in paths]


def _machine(
    name: str, findings: Findings, manifest: Mapping[str, Any], *, revealed: bool
) -> Iterator[tuple[str, Callable[[BinaryIO], None]]]:
    """The files of a format for programs, and what fills each."""
    if name == "jsonl":
        yield "findings.jsonl", lambda out: jsonl.write(out, findings, revealed=revealed)
    elif name == "schema":
        yield "findings.schema.json", partial(_put, (Path(__file__).parent / "export" / SCHEMA).read_bytes())
    elif name == "csv":
        yield "findings.csv", lambda out: _csv(out, findings, revealed=revealed)
    elif name == "sarif":
        yield "findings.sarif", lambda out: sarif.write(out, findings, manifest, revealed=revealed)
    elif name == "ocsf":
        yield "findings.ocsf.jsonl", lambda out: ocsf.write(out, findings, manifest, revealed=revealed)
    elif name == "timeline":
        yield "timeline.csv", lambda out: timesketch.write(out, findings, manifest, revealed=revealed)
    elif name == "wireshark":
        for file, data in wireshark.files(findings, manifest, revealed=revealed):
            yield f"{WIRESHARK}/{file}", partial(_put, data)


def _attached(manifest: Mapping[str, Any], findings: Findings, *, revealed: bool) -> list[Attached]:
    """What a PDF for archives holds: the findings, and the manifest as far as it stands before the PDF is made.

    Times and hashes of the run are not in it: they would differ from run to run, and the PDF cannot hold its own hash.
    """
    from .pdf import Attached

    told = {name: value for name, value in manifest.items() if name != "run"}
    out = _Limited()
    try:
        jsonl.write(out, findings, revealed=revealed)
    except _TooLarge:
        told["not_embedded"] = {"findings.jsonl": f"larger than {MOST_ATTACHED} bytes"}
    kept = msgspec.json.format(msgspec.json.encode(told), indent=2)
    about = "What was read, with hashes, options and counts, as far as it stood before this document was made"
    attached = [Attached("manifest.json", kept, "application/json", about, "Supplement")]
    if "not_embedded" not in told:
        lines = out.getvalue()
        attached.insert(0, Attached("findings.jsonl", lines, "application/x-ndjson", "All findings of this report"))
    return attached


class _TooLarge(Exception):
    """More than is embedded."""


class _Limited(io.BytesIO):
    """Takes MOST_ATTACHED bytes."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > MOST_ATTACHED:
            raise _TooLarge
        return super().write(data)


def _date(manifest: Mapping[str, Any]) -> int:
    """Seconds since 1970 of what is embedded: the report's date where it has one, else the end of the evidence."""
    from .document import created

    times = [created(), *(entry.get("last") for entry in manifest.get("inputs", ()))]
    known = [found for time in times if (found := nanoseconds(time)) is not None]
    return (known[0] if times[0] else max(known, default=0)) // 1_000_000_000


def _described(directory: Path, path: Path) -> Made:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.relative_to(directory).as_posix(), path.stat().st_size, digest


def _csv(out: BinaryIO, findings: Findings, *, revealed: bool) -> None:
    text = io.TextIOWrapper(out, "utf-8", errors="backslashreplace", newline="")
    csv.write(text, findings, revealed=revealed)
    text.flush()
    text.detach()


def _put(data: bytes, out: BinaryIO) -> None:
    out.write(data)


def _whole(path: Path, fill: Callable[[BinaryIO], None]) -> Path:
    """Fill a new file readable by its owner alone, and put it in place only when it is complete."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
