"""The report as data, built once for each rendering's limits. Everything that is decided is decided here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import actions, limitations, prose, repeat, scope, traffic
from .cards import card, error_row, first_frame, row
from .changes import changes, gone_table
from .digest import SCAN, Digest, captured_list, digest
from .display import number, plural, timestamp
from .findings import Findings
from .glossary import glossary
from .inputs import Inputs
from .model import Captured, Card, Chart, Document, ErrorRow, Limits, Phrase, Row, Table

HOSTS = "Hosts and processes"
SECTIONS = (
    "Executive summary",
    "Scope, evidence and method",
    "Findings overview",
    "Finding details",
    "404 and server errors",
    HOSTS,
    "Limitations",
    "Remediation plan",
    "Glossary",
    "Appendix: repeat these results",
)
TITLE = "Network credential and error audit"
SHOWN = 5


def created() -> str | None:
    """The report's date: SOURCE_DATE_EPOCH. Without it there is none, so that equal input gives equal bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return timestamp(int(epoch) * 1_000_000_000) if epoch.isdigit() and len(epoch) < 12 else None


def build(
    manifest: Mapping[str, Any],
    findings: Findings,
    limits: Limits,
    *,
    revealed: bool,
    made: Sequence[tuple[str, int, str]] = (),
) -> Document:
    """The report of a case. `made`: (name, size, SHA-256) of the machine-readable files written beside it."""
    found = digest(findings)
    inputs = Inputs(manifest)
    overview, cards, frames = _findings(inputs, findings, limits)
    missing, missing_note = _errors(findings, limits.errors, missing=True)
    failed, failed_note = _errors(findings, limits.errors, missing=False)
    programs, hosts, pairs = traffic.talkers(findings.survey, limits)
    label, date = scope.tlp(manifest), created()
    case = manifest.get("case") or {}
    return Document(
        title=TITLE,
        sections=tuple("Hosts" if name == HOSTS and inputs.only_packets else name for name in SECTIONS),
        subtitle=_subtitle(inputs),
        tlp=label,
        revealed=revealed,
        case=scope.case_rows(manifest, inputs, date, len(findings.rules)),
        handling=_handling(label, revealed=revealed),
        verdict=prose.verdict(findings, found),
        summary=[*prose.summary(inputs, findings, found), *changes(findings)],
        figures=prose.figures(findings, found),
        charts=_charts(findings),
        first_steps=actions.first_steps(inputs, findings, found),
        evidence=scope.evidence(inputs),
        method=scope.method(inputs),
        rules=scope.rules_table(findings.rules),
        overview=overview,
        overview_note=_left_out(len(findings) - len(overview), "finding"),
        accepted=_accepted(findings, limits),
        gone=gone_table(findings, limits.rows),
        several=len(inputs) > 1,
        cards=cards,
        cards_note=_cards_note(len(findings), len(cards)),
        errors_text=_errors_text(inputs, findings, found),
        missing=missing,
        missing_note=missing_note,
        failed=failed,
        failed_note=failed_note,
        scanners=traffic.scanners_table(found.scanners, limits.talkers),
        programs=programs,
        programs_chart=traffic.programs_chart(findings.survey),
        programs_note=traffic.programs_note(inputs),
        hosts=hosts,
        pairs=pairs,
        limitations=limitations.limitations(inputs, findings),
        plan=actions.plan(findings, found),
        glossary=glossary(inputs),
        commands=repeat.commands(manifest, findings, inputs, frames),
        companions=repeat.companions(manifest, inputs, made),
        footer=Captured(case.get("number") or case.get("case") or case.get("title") or "syswire report"),
        created=date,
    )


def _subtitle(inputs: Inputs) -> Phrase:
    hosts = sorted({str(name) for each in inputs.calls if (name := (each.entry.get("machine") or {}).get("hostname"))})
    where: tuple[str, ...] = (" on ", *captured_list(hosts, 3)) if hosts else ()
    if inputs.only_packets:
        return "What was said on the network, read from captured packets"
    what = "What processes said on the network, reconstructed from recorded system calls"
    return (what, *where, ", and what captured packets show") if inputs.mixed else (what, *where)


def _handling(label: str, *, revealed: bool) -> str:
    secrets = (
        "This report CONTAINS SECRETS in clear text; treat it as you would the passwords themselves."
        if revealed
        else "Secrets are masked."
    )
    return f"{scope.HANDLING[label]} {secrets}"


def _charts(findings: Findings) -> list[Chart]:
    charts = [
        traffic.severity_chart(findings),
        traffic.status_chart(findings.survey),
        traffic.timeline_chart(findings.survey),
    ]
    return [chart for chart in charts if chart is not None]


def _findings(inputs: Inputs, findings: Findings, limits: Limits) -> tuple[list[Row], list[Card], list[repeat.Frame]]:
    """Overview rows and cards; credentials and server errors have cards, 404s have their table."""
    rows: list[Row] = []
    cards: list[Card] = []
    frames: list[repeat.Frame] = []
    for position in range(min(len(findings), limits.rows)):
        record = findings.record(position)
        has_card = findings.rule(position).id != "http-404" and len(cards) < limits.cards
        rows.append(row(record, findings.rule(position).short, inputs, has_card=has_card))
        if has_card:
            cards.append(card(findings, position, record, limits, inputs))
        if len(frames) < SHOWN and (frame := first_frame(record)).frame is not None:
            frames.append(frame)
    return rows, cards, frames


def _accepted(findings: Findings, limits: Limits) -> Table:
    """Findings that somebody accepted, and what was accepted until a day that is over."""
    head = ("Finding", "Severity", "What", "Reason", "Accepted by", "Until")
    if findings.accepted is None:
        return Table(head, [])
    rows: list[tuple[Phrase, ...]] = []
    for position in range(len(findings)):
        entry = findings.ignored(position)
        if entry is None:
            continue
        if len(rows) < limits.rows:
            what = Captured(findings.title(position))
            who = (Captured(entry.reason), Captured(entry.by), entry.expires.isoformat())
            rows.append((findings.number(position), findings.level(position), what, *who))
    left = findings.ignored_count - len(rows)
    for entry in findings.accepted.expired[: limits.rows]:
        who = (Captured(entry.reason), Captured(entry.by), f"{entry.expires}: over, so it does not apply")
        rows.append(("none", "-", Captured(entry.what()), *who))
    return Table(head, rows, _left_out(left, "accepted risk"))


def _errors(findings: Findings, limit: int, *, missing: bool) -> tuple[list[ErrorRow], str]:
    positions = [
        position for position in findings.of_kind("http_error") if (findings.rule(position).id == "http-404") == missing
    ]
    positions.sort(key=lambda position: (-findings.group(position).count, position))
    return [error_row(findings.record(position)) for position in positions[:limit]], _left_out(
        len(positions) - limit, "group"
    )


def _left_out(count: int, one: str) -> str:
    return f"{plural(count, 'more ' + one)} in findings.jsonl and findings.csv." if count > 0 else ""


def _cards_note(total: int, shown: int) -> str:
    return (
        f"{number(shown)} of {plural(total, 'finding')} are described here; 404s are listed in their own section, "
        "and findings.jsonl holds every finding in full."
        if shown < total
        else ""
    )


def _errors_text(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    if not found.missing and not found.failing:
        return ["No response had status 404 or 5xx."]
    alike = "server, path and client" if inputs.only_packets else "server, path, client and programs"
    failed = findings.survey.status_class(5)
    told: list[Phrase] = [
        f"{plural(found.missing, 'response')} had status 404, in {plural(found.missing_paths, 'group')} of the same "
        f"{alike}; {plural(failed, 'response')} had a status of 5xx, in {plural(len(found.failing), 'group')}. Paths "
        "are shown without their query."
    ]
    if found.scanners:
        told.append(f"A client that asks one server for {SCAN} or more missing paths is listed as a likely scan.")
    return told
