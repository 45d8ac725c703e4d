"""The report as data, built once for each rendering's limits. Everything that is decided is decided here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import actions, language, limitations, moments, prose, repeat, scope, spread_section, traffic
from .cards import brief_name, card, error_row, first_frame, row, titled
from .changes import changes, gone_table
from .digest import SCAN, Digest, captured_list, digest
from .display import number, timestamp
from .filters import filters_table
from .findings import Findings
from .glossary import glossary
from .inputs import Inputs
from .language import heads, later, phrase, plural, text
from .model import Captured, Card, Chart, Document, ErrorRow, Limits, Phrase, Row, Section, Table

SECTIONS = later(
    {
        "executive-summary": "Executive summary",
        "scope": "Scope, evidence and custody",
        "findings-overview": "Findings overview",
        "finding-details": "Finding details",
        "errors": "404 and server errors",
        "timeline": "Timeline",
        "hosts": "Hosts and processes",
        "secrets": "Where secrets went",
        "limitations": "Limitations",
        "remediation-plan": "Remediation plan",
        "glossary": "Glossary",
        "appendix": "Appendix: repeat these results",
    }
)
"""Anchor and name of each section; the templates have a part for each anchor."""
TITLE = later("Network credential and error audit")
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
        title=text(TITLE),
        language=language.spoken(),
        sections=sections(inputs),
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
        evidence=scope.evidence(inputs, findings),
        custody=scope.custody(manifest),
        method=scope.method(inputs),
        rules=scope.rules_table(findings.rules),
        overview=overview,
        overview_note=plural(
            len(findings) - len(overview),
            "more finding in findings.jsonl and findings.csv.",
            "more findings in findings.jsonl and findings.csv.",
            none="",
        ),
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
        moments=moments.moments_table(inputs, findings, limits),
        programs=programs,
        programs_chart=traffic.programs_chart(findings.survey),
        programs_note=traffic.programs_note(inputs),
        hosts=hosts,
        pairs=pairs,
        pairs_chart=traffic.pairs_chart(findings.survey),
        spread_text=spread_section.spread_text(findings, inputs),
        spread=spread_section.spread_table(findings, limits),
        reused=spread_section.reused_table(findings, limits),
        limitations=limitations.limitations(inputs, findings),
        grave=frozenset(limitations.grave(inputs)),
        plan=actions.plan(findings, found),
        glossary=glossary(inputs),
        commands=repeat.commands(manifest, findings, inputs, frames),
        filters=filters_table(findings, inputs, limits),
        companions=repeat.companions(manifest, inputs, made),
        footer=Captured(case.get("number") or case.get("case") or case.get("title") or "syswire report"),
        created=date,
    )


def sections(inputs: Inputs) -> tuple[Section, ...]:
    """The sections of the report, numbered."""
    told = []
    for number_, (anchor, name) in enumerate(SECTIONS.items(), 1):
        shown = text("Hosts") if anchor == "hosts" and inputs.only_packets else text(name)
        told.append(Section(anchor, number_, shown))
    return tuple(told)


def _subtitle(inputs: Inputs) -> Phrase:
    if inputs.only_packets:
        return text("What was said on the network, read from captured packets")
    hosts = sorted({str(name) for each in inputs.calls if (name := (each.entry.get("machine") or {}).get("hostname"))})
    named = captured_list(hosts, 3)
    if inputs.mixed and hosts:
        return phrase(
            "What processes said on the network, reconstructed from recorded system calls on {hosts}, and what "
            "captured packets show",
            hosts=named,
        )
    if inputs.mixed:
        return text(
            "What processes said on the network, reconstructed from recorded system calls, and what captured packets "
            "show"
        )
    if hosts:
        return phrase(
            "What processes said on the network, reconstructed from recorded system calls on {hosts}", hosts=named
        )
    return text("What processes said on the network, reconstructed from recorded system calls")


def _handling(label: str, *, revealed: bool) -> str:
    secrets = (
        text("This report CONTAINS SECRETS in clear text; treat it as you would the passwords themselves.")
        if revealed
        else text("Secrets are masked.")
    )
    return f"{text(scope.HANDLING[label])} {secrets}"


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
        rows.append(row(record, brief_name(findings, position), inputs, has_card=has_card))
        if has_card:
            cards.append(card(findings, position, record, limits, inputs))
        if len(frames) < SHOWN and (frame := first_frame(record)).frame is not None:
            frames.append(frame)
    return rows, cards, frames


def _accepted(findings: Findings, limits: Limits) -> Table:
    """Findings that somebody accepted, and what was accepted until a day that is over."""
    head = heads(later(("Finding", "Severity", "What", "Reason", "Accepted by", "Until")))
    if findings.accepted is None:
        return Table(head, [])
    rows: list[tuple[Phrase, ...]] = []
    for position in range(len(findings)):
        entry = findings.ignored(position)
        if entry is None:
            continue
        if len(rows) < limits.rows:
            what = titled(findings, position)
            who = (Captured(entry.reason), Captured(entry.by), entry.expires.isoformat())
            rows.append((findings.number(position), text(findings.level(position)), what, *who))
    left = findings.ignored_count - len(rows)
    for entry in findings.accepted.expired[: limits.rows]:
        over = text("{date}: over, so it does not apply", date=entry.expires)
        rows.append((text("none"), "-", Captured(entry.what()), Captured(entry.reason), Captured(entry.by), over))
    note = plural(
        left,
        "more accepted risk in findings.jsonl and findings.csv.",
        "more accepted risks in findings.jsonl and findings.csv.",
        none="",
    )
    return Table(head, rows, note)


def _errors(findings: Findings, limit: int, *, missing: bool) -> tuple[list[ErrorRow], str]:
    positions = [
        position for position in findings.of_kind("http_error") if (findings.rule(position).id == "http-404") == missing
    ]
    positions.sort(key=lambda position: (-findings.group(position).count, position))
    note = plural(
        len(positions) - limit,
        "more group in findings.jsonl and findings.csv.",
        "more groups in findings.jsonl and findings.csv.",
        none="",
    )
    return [error_row(findings.record(position)) for position in positions[:limit]], note


def _cards_note(total: int, shown: int) -> str:
    if shown >= total:
        return ""
    return text(
        "{shown} of {findings} are described here; 404s are listed in their own section, and findings.jsonl holds "
        "every finding in full.",
        shown=number(shown),
        findings=plural(total, "finding"),
    )


def _errors_text(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    if not found.missing and not found.failing:
        return [text("No response had status 404 or 5xx.")]
    failed = findings.survey.status_class(5)
    missing = plural(found.missing, "response had status 404", "responses had status 404")
    failing = plural(failed, "response had a status of 5xx", "responses had a status of 5xx")
    told: list[Phrase] = [
        text(
            "{missing}, in {missing_groups} of the same server, path and client; {failing}, in {failing_groups}. Paths "
            "are shown without their query."
            if inputs.only_packets
            else "{missing}, in {missing_groups} of the same server, path, client and programs; {failing}, in "
            "{failing_groups}. Paths are shown without their query.",
            missing=missing,
            missing_groups=plural(found.missing_paths, "group"),
            failing=failing,
            failing_groups=plural(len(found.failing), "group"),
        )
    ]
    if found.scanners:
        told.append(
            text(
                "A client that asks one server for {count} or more missing paths is listed as a likely scan.",
                count=SCAN,
            )
        )
    return told
