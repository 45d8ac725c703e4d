"""findings.csv: the same findings as a table that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any, TextIO

from ..display import visible
from ..findings import Findings
from ..names import endpoint_of

_FORMULA = "=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20"
NOTE = "CONTAINS SECRETS"


def _process(side: str) -> Callable[[dict[str, Any]], Any]:
    def name(record: dict[str, Any]) -> Any:
        process = record[side]
        return None if process is None else f"{process.get('name')} [{process.get('pid')}]"

    return name


def _place(field: str) -> Callable[[dict[str, Any]], Any]:
    return lambda record: record["instances"][0].get(field) if record["instances"] else None


def _plain(field: str) -> Callable[[dict[str, Any]], Any]:
    return lambda record: record[field]


COLUMNS: tuple[tuple[str, Callable[[dict[str, Any]], Any]], ...] = (
    *(
        (name, _plain(name))
        for name in (
            "id",
            "severity",
            "kind",
            "rule",
            "title",
            "username",
            "secret",
            "secret_length",
            "secret_fingerprint",
            "outcome",
            "confidence",
        )
    ),
    ("client", lambda record: endpoint_of(record["client"])),
    ("server", lambda record: endpoint_of(record["server"])),
    ("client_process", _process("client_process")),
    ("server_process", _process("server_process")),
    *(
        (name, _plain(name))
        for name in ("host", "path", "status", "instances_total", "first", "last", "source", "stream", "tcp_stream")
    ),
    ("event", _place("event")),
    ("evt_num", _place("evt_num")),
    ("frame", _place("frame")),
    ("references", lambda record: " ".join(record["references"])),
    ("advice", _plain("advice")),
    ("key", _plain("key")),
    ("source_frame", _place("source_frame")),
    *((name, _plain(name)) for name in ("form", "mechanism", "hashcat", "refused_before")),
    ("ignored", lambda record: None if record["ignored"] is None else record["ignored"]["reason"]),
)


def safe(value: object) -> str:
    """A cell: nothing for None, unseen characters as escapes, an apostrophe before what would start a formula."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = visible(value)
    raw = str(value).lstrip()
    return "'" + text if raw[:1] and raw[0] in _FORMULA or text.startswith("\\u{") else text


def write(out: TextIO, findings: Findings, *, revealed: bool) -> None:
    """A header line and a line for each finding; where secrets are in clear, a last column says so on every line."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([name for name, _ in COLUMNS] + (["note"] if revealed else []))
    for position in range(len(findings)):
        record = findings.record(position)
        writer.writerow([safe(column(record)) for _, column in COLUMNS] + ([NOTE] if revealed else []))
