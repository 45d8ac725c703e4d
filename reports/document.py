"""The report as data, built once for each rendering's limits. Everything that is decided is decided here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import prose, repeat, scope, traffic
from .cards import card, error_row, row
from .display import number, plural, timestamp
from .findings import Findings
from .model import Captured, Card, Chart, Document, ErrorRow, Limits, Phrase, Row

SECTIONS = (
    "Executive summary",
    "Scope, evidence and method",
    "Findings overview",
    "Finding details",
    "404 and server errors",
    "Hosts and processes",
    "Limitations",
    "Remediation plan",
    "Glossary",
    "Appendix: repeat these results",
)
TITLE = "Network credential and error audit"
GLOSSARY = [
    (
        "404, 5xx",
        "HTTP status codes: 404 says that the server has nothing at the address; 500 to 599 say that the server "
        "failed.",
    ),
    (
        "Conversation",
        "What two endpoints said to each other: a TCP connection, a unix socket connection, or UDP "
        "datagrams of one pair of endpoints until 60 s of silence.",
    ),
    ("CWE", "Common Weakness Enumeration, a public list of kinds of weakness."),
    (
        "Event",
        "One recorded system call. The event number counts the events of a file from 1; evt.num is sysdig's count.",
    ),
    (
        "Fingerprint",
        "Twelve hexadecimal digits of an HMAC-SHA-256 over a secret. Equal fingerprints mean equal secrets.",
    ),
    ("Frame", "A packet of the rebuilt pcapng, by its number in Wireshark."),
    ("Snaplen", "How many bytes of each read or write the recorder kept."),
    ("tcp.stream", "Wireshark's number for a TCP connection; `tcp.stream eq N` shows all of it."),
    ("TLP", "Traffic Light Protocol 2.0 of FIRST: how far this report may be shared."),
]


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
    found = prose.digest(findings)
    overview, cards, frames = _findings(manifest, findings, limits)
    missing, missing_note = _errors(findings, limits.errors, missing=True)
    failed, failed_note = _errors(findings, limits.errors, missing=False)
    programs, programs_chart, hosts, pairs = traffic.talkers(findings.survey, limits)
    label, date = scope.tlp(manifest), created()
    case = manifest.get("case") or {}
    return Document(
        title=TITLE,
        sections=SECTIONS,
        subtitle=_subtitle(manifest),
        tlp=label,
        revealed=revealed,
        case=scope.case_rows(manifest, date),
        handling=_handling(label, revealed=revealed),
        verdict=prose.verdict(findings, found),
        summary=prose.summary(manifest, findings, found),
        figures=prose.figures(findings, found),
        charts=_charts(findings),
        first_steps=prose.first_steps(findings, found),
        evidence=scope.evidence(manifest),
        method=scope.METHOD,
        rules=scope.rules_table(),
        overview=overview,
        overview_note=_left_out(len(findings) - len(overview), "finding"),
        cards=cards,
        cards_note=_cards_note(len(findings), len(cards)),
        errors_text=_errors_text(findings, found),
        missing=missing,
        missing_note=missing_note,
        failed=failed,
        failed_note=failed_note,
        scanners=traffic.scanners_table(found.scanners, limits.talkers),
        programs=programs,
        programs_chart=programs_chart,
        hosts=hosts,
        pairs=pairs,
        limitations=scope.limitations(manifest, findings),
        plan=prose.plan(findings, found),
        glossary=GLOSSARY,
        commands=repeat.commands(manifest, findings, frames),
        companions=repeat.companions(manifest, made),
        footer=Captured(case.get("number") or case.get("case") or case.get("title") or "syswire report"),
        created=date,
    )


def _subtitle(manifest: Mapping[str, Any]) -> Phrase:
    inputs = list(manifest.get("inputs", ()))
    hosts = sorted(
        {str(machine["hostname"]) for entry in inputs if (machine := entry.get("machine") or {}).get("hostname")}
    )
    what = "What processes said on the network, reconstructed from recorded system calls"
    return (what, " on ", *prose.captured_list(hosts, 3)) if hosts else what


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


def _findings(
    manifest: Mapping[str, Any], findings: Findings, limits: Limits
) -> tuple[list[Row], list[Card], list[tuple[int, int, str]]]:
    """Overview rows and cards; credentials and server errors have cards, 404s have their table."""
    rows: list[Row] = []
    cards: list[Card] = []
    frames: list[tuple[int, int, str]] = []
    captures = {source: repeat.quoted(name) for source, name in repeat.rebuilt(manifest).items()}
    for position in range(min(len(findings), limits.rows)):
        record = findings.record(position)
        has_card = findings.rule(position).id != "http-404" and len(cards) < limits.cards
        rows.append(row(record, findings.rule(position).short, has_card=has_card))
        if has_card:
            cards.append(card(findings, position, record, limits, captures))
        if len(frames) < 5 and record["instances"] and record["instances"][0].get("frame") is not None:
            frames.append((record["source"], record["instances"][0]["frame"], record["id"]))
    return rows, cards, frames


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


def _errors_text(findings: Findings, found: prose.Digest) -> list[Phrase]:
    if not found.missing and not found.failing:
        return ["No response had status 404 or 5xx."]
    told: list[Phrase] = [
        f"{plural(found.missing, 'response')} had status 404, in {plural(found.missing_paths, 'group')} of the same "
        f"server, path, client and programs; {plural(findings.survey.status_class(5), 'response')} had a status of "
        f"5xx, in {plural(len(found.failing), 'group')}. Paths are shown without their query."
    ]
    if found.scanners:
        told.append(f"A client that asks one server for {prose.SCAN} or more missing paths is listed as a likely scan.")
    return told
