"""timeline.csv: every instance of every finding, and every hop of a secret, in order of time, for Timesketch.

Timesketch asks for the columns `message`, `datetime` (ISO 8601) and `timestamp_desc`; the others are its own business.
"""

from __future__ import annotations

import csv
import io
import tempfile
from array import array
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from ..display import nanoseconds, visible
from ..findings import Findings
from ..names import endpoint_of
from .csv import NOTE, safe
from .parties import Parties, parties

COLUMNS = (
    "message", "datetime", "timestamp_desc", "time", "finding", "severity", "kind", "rule", "username", "outcome",
    "client", "server", "process", "item", "file", "event", "evt_num", "source_frame", "frame", "tcp_stream",
)  # fmt: skip
WHERE = ("event", "evt_num", "source_frame", "frame")


def write(out: BinaryIO, findings: Findings, manifest: Mapping[str, Any], *, revealed: bool) -> None:
    """Rows in order of time. They wait in a temporary file: in memory are 16 bytes of each, and a list for sorting."""
    inputs = {int(entry["source"]): entry for entry in manifest.get("inputs", ())}
    begins: array[int] = array("Q", [0])
    times: array[int] = array("Q")
    with tempfile.TemporaryFile(prefix="syswire-timeline-") as waiting:
        for row in _rows(findings, inputs):
            waiting.write(_line([*row, *([NOTE] if revealed else [])]))
            begins.append(waiting.tell())
            times.append(max(nanoseconds(str(row[3])) or 0, 0))
        out.write(_line([*COLUMNS, *(["note"] if revealed else [])]))
        for at in sorted(range(len(times)), key=lambda at: (times[at], at)):
            waiting.seek(begins[at])
            out.write(waiting.read(begins[at + 1] - begins[at]))


def _line(row: list[Any]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow([safe(cell) for cell in row])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _rows(findings: Findings, inputs: Mapping[int, Mapping[str, Any]]) -> Iterator[list[Any]]:
    for source, entry in inputs.items():
        for name, what in (("first", "Capture began"), ("last", "Capture ended")):
            if entry.get(name):
                message = f"{what}: {visible(entry.get('name'), 200)}"
                yield _row(message, entry[name], what, {}, {"source": source}, inputs, Parties())
    for position in range(len(findings)):
        record = findings.record(position)
        title = f"{record['id']} {record['title']}"
        if record["username"]:
            title += f", user {record['username']}"
        if record["hops"]:
            for hop in record["hops"]:
                place = f"{title}: {str(hop['place']).replace('-', ' ')} {hop['path'] or ''}".rstrip()
                who = Parties(hop["client"], hop["server"], hop["process"])
                yield _row(place, hop["time"], "Secret seen again", record, hop["where"] or {}, inputs, who)
        else:
            for at, where in enumerate(record["instances"]):
                who = parties(findings, record, at)
                yield _row(title, where.get("time"), "Finding", record, where, inputs, who)


def _row(
    message: str,
    time: str | None,
    what: str,
    record: Mapping[str, Any],
    where: Mapping[str, Any],
    inputs: Mapping[int, Mapping[str, Any]],
    who: Parties,
) -> list[Any]:
    source = int(where.get("source") or 0)
    if not time:  # of what a process held before the capture began
        time = (inputs.get(source) or {}).get("first")
        message += " (time not known, not later than the capture's beginning)" if time else " (time not known)"
    process = who.server_process or who.client_process or {}
    return [
        message,
        f"{time[:26].rstrip('Z')}+00:00" if time and len(time) > 19 else "1970-01-01T00:00:00+00:00",
        what,
        time,
        record.get("id"),
        record.get("severity"),
        record.get("kind"),
        record.get("rule"),
        record.get("username"),
        where.get("outcome"),
        endpoint_of(who.client) if who.client else None,
        endpoint_of(who.server) if who.server else None,
        f"{process.get('name')} [{process.get('pid')}]" if process else None,
        f"E-{source + 1:02d}",
        (inputs.get(source) or {}).get("name"),
        *(where.get(name) for name in WHERE),
        who.tcp_stream,
    ]
