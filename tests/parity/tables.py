"""Tables as they may be compared: rows of equal sums in any order, and at a cut any of those with the last sum shown.

A table is divided into runs of rows with the same sum. Within a run the rows are sorted, since neither program promises
an order among them; the order of the runs counts. Where the table was cut at its limit, only the sum of the rows of the
last run is kept: which of them were shown is by chance. Everything else is compared as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

LIMITS = {
    "topconns": 30, "topports_server": 100, "topprocs_net": 100, "topprocs_file": 10, "topprocs_errors": 100,
    "topprocs_cpu": 10, "topfiles_bytes": 10, "topfiles_time": 10, "topfiles_errors": 100, "topscalls": 30,
    "topscalls_time": 30, "fdbytes_by": 30, "fdtime_by": 10, "httptop": 30, "fdcount_by": None,
}  # fmt: skip
"""Rows that sysdig's table shows at most; None is all."""
SUM_WIDTH = 20
RULE = b"-" * 80


class Row(NamedTuple):
    """A row: what is summed, and the whole line."""

    sum: bytes
    line: bytes


def comparable(rows: Sequence[Row], limit: int | None) -> list[bytes]:
    """The rows as lines that are equal where the tables are."""
    runs = [[row.line for row in run] for _, run in groupby(rows, lambda row: row.sum)]
    out = [line for run in runs for line in sorted(run)]
    if limit is not None and rows and len(rows) >= limit:
        last = len(runs[-1])
        out[-last:] = [b"one of the rows with " + rows[-1].sum] * last
    return out


def of_text(lines: Sequence[bytes], names: Sequence[str]) -> list[bytes]:
    """Tables printed one after the other, by these chisels: a heading, a rule, rows."""
    heads = [place - 1 for place, line in enumerate(lines) if line == RULE and place]
    if not heads:
        return comparable([counted(line) for line in lines], LIMITS.get(names[0]))
    out = list(lines[: heads[0]])
    for index, (begin, end) in enumerate(zip(heads, [*heads[1:], len(lines)], strict=True)):
        rows = [Row(line[:SUM_WIDTH].rstrip(), line) for line in lines[begin + 2 : end]]
        name = names[index] if index < len(names) else names[-1]
        out += [*lines[begin : begin + 2], *comparable(rows, LIMITS.get(name))]
    return out


def counted(line: bytes) -> Row:
    """A row without a heading above it: a key, a tab, a number."""
    return Row(line.rpartition(b"\t")[2], line)


def documents(lines: Sequence[bytes]) -> Iterator[dict[str, object]]:
    """The JSON documents that were printed, one or more lines each. Raises ValueError for what is none."""
    text = b"\n".join(lines).decode("utf-8", "replace").strip()
    decoder = json.JSONDecoder()
    while text:
        found, end = decoder.raw_decode(text)
        if not isinstance(found, dict):
            raise ValueError("not a document")
        yield found
        text = text[end:].strip()


def of_json(lines: Sequence[bytes], names: Sequence[str]) -> list[bytes]:
    """The documents of these chisels, entry by entry; the value stands last in each row."""
    try:
        found = list(documents(lines))
    except ValueError:
        return list(lines)
    out: list[bytes] = []
    for index, document in enumerate(found):
        data = document.pop("data", None)
        name = names[index] if index < len(names) else names[-1]
        if isinstance(data, list) and all(isinstance(row, list) and row for row in data):
            rows = [Row(spelled(row[-1]), spelled(row)) for row in data]
            out += comparable(rows, LIMITS.get(name)) if name in LIMITS else [row.line for row in rows]
        elif data is not None:
            out.append(spelled(data))
        out += map(spelled, sorted(document.items()))
    return out


def spelled(value: object) -> bytes:
    """A JSON value in one spelling."""
    return json.dumps(value, sort_keys=True).encode()


def chisels(words: Iterable[str]) -> list[str]:
    """The chisels that are asked for."""
    given = list(words)
    return [after for word, after in pairwise(given) if word == "-c"]
