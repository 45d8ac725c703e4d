"""The timeline: what happened when, in the order of time. When there is too much of it, the gravest is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cards import ORIGINS, short_process, titled
from .display import moment, nanoseconds
from .findings import Findings
from .findings.kinds import WITH_SECRET
from .inputs import Input, Inputs, item
from .language import heads, joined, later, phrase, plural, text
from .model import Captured, Limits, Phrase, Table
from .places import place

HEAD = later(("Time (UTC)", "Item", "", "What happened", "Severity", "Process"))
Row = tuple[int, int, tuple[Phrase, ...]]


def moments_table(inputs: Inputs, findings: Findings, limits: Limits) -> Table:
    """Begin and end of each capture, first and last time of findings; missing pages stand in their own section."""
    rows: list[Row] = []
    for each in inputs.readable:
        rows += _capture(each)
    notable = [at for at in range(len(findings)) if findings.rule(at).id != "http-404"]
    for at in notable[: limits.moments]:
        rows += _finding(findings.record(at), titled(findings, at), inputs)
    rows.sort(key=lambda row: row[:2])
    note = plural(
        len(notable) - limits.moments,
        "more finding, less grave, has its times in findings.jsonl.",
        "more findings, less grave, have their times in findings.jsonl.",
        none="",
    )
    time, source, _, *others = heads(HEAD)
    kind = "both" if inputs.mixed else "frames" if inputs.only_packets else "events"
    head = (time, source, text(ORIGINS[kind]), *others)
    return Table(head, [row for _, _, row in rows], note)


def _capture(each: Input) -> list[Row]:
    rows: list[Row] = []
    for field, told in (("first", text("The capture begins")), ("last", text("The capture ends"))):
        if (time := nanoseconds(each.entry.get(field))) is not None:
            order = 0 if field == "first" else 1 << 40
            rows.append((time, order, (_time(each.entry[field]), each.item, "-", told, "-", "-")))
    return rows


def _finding(record: Mapping[str, Any], title: Phrase, inputs: Inputs) -> list[Row]:
    """The first time of a finding; the last too where it took some time; of attempts, what came after them."""
    number = int(record["id"].removeprefix("SW-"))
    what = _what(record, title)
    process = short_process(record, packets=inputs.is_packets(record["source"]))
    instances = record["instances"]
    rows: list[Row] = []

    def add(time: str | None, told: Phrase, where: Mapping[str, Any]) -> None:
        if (at := nanoseconds(time)) is not None:
            place = _place(where, inputs)
            source = item(int(where.get("source", record["source"])))
            rows.append((at, number, (_time(time), source, place, told, text(record["severity"]), process)))

    count = record["instances_total"]
    shown = phrase("{id}: {what}", id=record["id"], what=what)
    add(record["first"], shown, instances[0] if instances else {})
    accepted = (record["attempts"] or {}).get("accepted")
    if accepted:
        add(accepted["time"], phrase("{id}: a login was accepted after the refused ones", id=record["id"]), {})
    elif count > 1 and record["last"] != record["first"]:
        last = instances[-1] if count == len(instances) else {}
        told = text("{id}: for the last time, after {times} in all", id=record["id"], times=plural(count, "record"))
        add(record["last"], told, last)
    return rows


def _what(record: Mapping[str, Any], title: Phrase) -> Phrase:
    """A finding in a line: its name, whose secret, to whom."""
    told: Phrase = title
    if record["kind"] in WITH_SECRET and record["username"]:
        told = phrase("{what}, user {user}", what=told, user=Captured(record["username"]))
    if record["server"]:
        told = joined(told, ", ", place(record["server"]))
    return told


def _place(where: Mapping[str, Any], inputs: Inputs) -> str:
    packets = inputs.is_packets(int(where.get("source", 0)))
    value = where.get("source_frame" if packets else "event")
    if value is None:
        return "-"
    return text("frame {number}", number=value) if packets else text("event {number}", number=value)


def _time(time: str | None) -> str:
    return moment(time).removesuffix(" UTC")
