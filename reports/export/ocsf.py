"""findings.ocsf.jsonl: one OCSF Detection Finding (class 2004, schema 1.3.0) a line, for security data lakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import msgspec

from ..display import nanoseconds, visible
from ..findings import Findings
from ..findings.rule import Rule
from .parties import Parties, parties

VERSION = "1.3.0"
CLASS, CATEGORY, CREATE = 2004, 2, 1
SEVERITIES = {
    "info": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
CONFIDENCES = {"possible": (1, "Low"), "likely": (2, "Medium"), "certain": (3, "High")}
NEW, SUPPRESSED, RULE, REGULAR_FILE = 1, 3, 1, 1
EVIDENCES = 20
"""Instances that are written as evidence; findings.jsonl has more."""


def write(out: BinaryIO, findings: Findings, manifest: Mapping[str, Any], *, revealed: bool) -> None:
    """All findings in order of their ids; where secrets are in clear, every line says so in `unmapped`."""
    encode = msgspec.json.Encoder().encode
    inputs = {int(entry["source"]): entry for entry in manifest.get("inputs", ())}
    product = {"name": "syswire", "vendor_name": "syswire", "version": str(manifest.get("syswire") or "0")}
    for position in range(len(findings)):
        record = findings.record(position)
        event = _event(record, findings.rule(position), inputs, revealed=revealed)
        event["evidences"] = [
            _evidence(record, where, parties(findings, record, at), inputs)
            for at, where in enumerate(record["instances"][:EVIDENCES])
        ]
        out.write(encode({**event, "metadata": {"version": VERSION, "product": product}}) + b"\n")


def milliseconds(time: str | None) -> int:
    """OCSF's time of an RFC 3339 time; 0 where there is none."""
    return (nanoseconds(time) or 0) // 1_000_000


def _event(
    record: Mapping[str, Any], rule: Rule, inputs: Mapping[int, Mapping[str, Any]], *, revealed: bool
) -> dict[str, Any]:
    severity, severity_name = SEVERITIES[record["severity"]]
    confidence, confidence_name = CONFIDENCES[record["confidence"]]
    accepted = record["ignored"] is not None
    first = record["first"] or (inputs.get(record["source"]) or {}).get("first")
    told: dict[str, Any] = {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + CREATE,
        "time": milliseconds(first),
        "start_time": milliseconds(first),
        "end_time": milliseconds(record["last"] or first),
        "severity_id": severity,
        "severity": severity_name,
        "confidence_id": confidence,
        "confidence": confidence_name,
        "status_id": SUPPRESSED if accepted else NEW,
        "status": "Suppressed" if accepted else "New",
        "count": max(int(record["instances_total"]), 1),
        "message": visible(record["title"], 300),
        "finding_info": {
            "uid": record["key"],
            "title": visible(record["title"], 300),
            "types": [record["kind"]],
            "first_seen_time": milliseconds(first),
            "last_seen_time": milliseconds(record["last"] or first),
            "analytic": {"type_id": RULE, "type": "Rule", "uid": rule.id, "name": visible(rule.title)},
        },
        "remediation": {"desc": visible(record["advice"]), "references": list(record["references"])},
        "unmapped": {
            "id": record["id"],
            "outcome": record["outcome"],
            "form": record["form"],
            "secret_fingerprint": record["secret_fingerprint"],
            "change": record["change"],
            **({"contains_secrets": True, "secret": record["secret"]} if revealed else {}),
        },
    }
    if accepted:
        told["status_detail"] = visible(record["ignored"]["reason"])
    return told


def _evidence(
    record: Mapping[str, Any], where: Mapping[str, Any], who: Parties, inputs: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """Who spoke, and where that stands: file, hash, event and frame in `data`."""
    entry = inputs.get(int(where.get("source") or 0)) or {}
    told: dict[str, Any] = {"data": {"file": entry.get("name"), "sha256": entry.get("sha256"), **where}}
    if record["username"]:
        told["actor"] = {"user": {"name": visible(record["username"], 200)}}
    for name, side in (("src_endpoint", who.client), ("dst_endpoint", who.server)):
        if (end := _endpoint(side)) is not None:
            told[name] = end
    process = who.server_process or who.client_process
    if process is not None:
        told["process"] = _process(process)
    return told


def _endpoint(end: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not end:
        return None
    told = {name: end[name] for name in ("ip", "port") if end.get(name) is not None}
    if end.get("path"):
        told["name"] = visible(end["path"], 200)
    return told or None


def _process(process: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": visible(process.get("name") or "?", 200)}
    if isinstance(process.get("pid"), int):
        told["pid"] = process["pid"]
    if process.get("cmdline"):
        told["cmd_line"] = visible(process["cmdline"], 2000)
    if process.get("exe"):
        path = visible(process["exe"], 1000)
        told["file"] = {"path": path, "name": path.rpartition("/")[2] or path, "type_id": REGULAR_FILE}
    if process.get("user"):
        told["user"] = {"name": visible(process["user"], 200)}
    return told
