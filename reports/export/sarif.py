"""findings.sarif: SARIF 2.1.0 (OASIS), for what shows the results of analysers.

A result's place is the capture that was read: artifact and hash as the manifest has them, and where the record lies in
it. Numbers of events and frames, which SARIF has no field for, stand in `properties`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

import msgspec

from ..display import visible
from ..findings import Findings
from ..findings.rule import Rule
from ..names import endpoint_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}
PLACES = 20
"""Places of a result that are written; findings.jsonl has more."""
_SAID = (
    "outcome",
    "form",
    "confidence",
    "protocol",
    "mechanism",
    "secret_fingerprint",
    "instances_total",
    "first",
    "last",
)
_NUMBERS = ("event", "evt_num", "source_frame", "frame", "frame_has_bytes", "offset", "length", "time", "stream")


def write(out: BinaryIO, findings: Findings, manifest: Mapping[str, Any], *, revealed: bool) -> None:
    """One run with a result for each finding, in the order of their ids. Secrets are as findings.jsonl has them."""
    encode = msgspec.json.Encoder().encode
    whole: dict[str, Any] = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(findings, manifest)},
                "artifacts": [_artifact(entry) for entry in manifest.get("inputs", ())],
                "columnKind": "unicodeCodePoints",
                "properties": {"containsSecrets": revealed, "compared": manifest.get("compared")},
                "results": [],
            }
        ],
    }
    plain = {int(entry["source"]): entry.get("compression") in (None, "none") for entry in manifest.get("inputs", ())}
    names = {int(entry["source"]): _uri(entry) for entry in manifest.get("inputs", ())}
    indexes = {rule.id: at for at, rule in enumerate(findings.rules)}
    head, tail = encode(whole)[:-4], b"]}]}\n"
    out.write(head)
    for position in range(len(findings)):
        record = findings.record(position)
        out.write(b",\n" if position else b"\n")
        out.write(encode(_result(record, indexes[record["rule"]], names, plain, revealed=revealed)))
    out.write(tail)


def _driver(findings: Findings, manifest: Mapping[str, Any]) -> dict[str, Any]:
    version = str(manifest.get("syswire") or "0")
    return {"name": "syswire", "semanticVersion": version, "rules": [_rule(rule) for rule in findings.rules]}


def _rule(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": visible(rule.short) or rule.id},
        "fullDescription": {"text": visible(rule.title) or rule.id},
        "properties": {"tags": ["security", *(visible(reference) for reference in rule.references)], "kind": rule.kind},
    }
    if text := " ".join(visible(part) for part in (rule.impact, rule.advice) if part):
        told["help"] = {"text": text}
    return told


def _uri(entry: Mapping[str, Any]) -> str:
    """The file's name as a relative reference; `./` keeps a colon in it from being a scheme."""
    return "./" + quote(str(entry.get("name") or "-"))


def _artifact(entry: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"location": {"uri": _uri(entry)}, "roles": ["analysisTarget"]}
    if isinstance(entry.get("size"), int):
        told["length"] = entry["size"]
    if entry.get("sha256"):
        told["hashes"] = {"sha-256": entry["sha256"]}
    return told


def _result(
    record: Mapping[str, Any], index: int, names: Mapping[int, str], plain: Mapping[int, bool], *, revealed: bool
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": record["rule"],
        "ruleIndex": index,
        "level": LEVELS[record["severity"]],
        "message": {"text": _message(record)},
        "locations": [_place(where, names, plain) for where in record["instances"][:PLACES]],
        "partialFingerprints": {"syswireKey/v1": record["key"]},
        "occurrenceCount": max(int(record["instances_total"]), 1),
        "properties": {
            "id": record["id"],
            "severity": record["severity"],
            "security-severity": SECURITY[record["severity"]],
            **{name: record[name] for name in _SAID},
            **({"containsSecrets": True, "secret": record["secret"]} if revealed else {}),
        },
    }
    if record["ignored"] is not None:
        told["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": visible(record["ignored"]["reason"])}
        ]
    if record["change"] is not None:
        told["baselineState"] = record["change"]
    return told


def _message(record: Mapping[str, Any]) -> str:
    user = f", user {visible(record['username'], 80)}" if record["username"] else ""
    between = ""
    if record["client"] or record["server"]:
        between = f": {visible(endpoint_of(record['client']))} to {visible(endpoint_of(record['server']))}"
    programs = [
        f"{visible(process.get('name') or '?', 80)} [{process.get('pid')}]"
        for side in ("client_process", "server_process")
        if (process := record[side])
    ]
    by = f" ({' > '.join(programs)})" if programs else ""
    return f"{record['id']}: {visible(record['title'], 300)}{user}{between}{by}."


def _place(where: Mapping[str, Any], names: Mapping[int, str], plain: Mapping[int, bool]) -> dict[str, Any]:
    source = int(where.get("source") or 0)
    physical: dict[str, Any] = {"artifactLocation": {"uri": names.get(source, "./-")}}
    if source in names:
        physical["artifactLocation"]["index"] = list(names).index(source)
    if plain.get(source) and isinstance(where.get("offset"), int):  # of a compressed file the offset is another's
        physical["region"] = {"byteOffset": where["offset"]}
    return {"physicalLocation": physical, "properties": {name: where.get(name) for name in _NUMBERS}}
