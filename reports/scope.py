"""What was examined and how far it can be relied on: case data, evidence, method, limitations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..convert.model.losses import CAUSES
from .cards import item
from .display import duration, moment, nanoseconds, number, plural, size, visible
from .findings import Findings
from .findings.table import RULES
from .model import Captured, Evidence, Phrase, Table

Manifest = Mapping[str, Any]
CASE_LABELS = {
    "case": "Case",
    "title": "Title",
    "number": "Case number",
    "client": "Prepared for",
    "examiner": "Examiner",
    "date": "Report date",
    "note": "Note",
}
TLP = ("TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR")
HANDLING = {
    "TLP:RED": "For the eyes and ears of the named recipients only.",
    "TLP:AMBER+STRICT": "Recipients may share this inside their own organisation only, on a need-to-know basis.",
    "TLP:AMBER": "Recipients may share this inside their organisation and with its clients, on a need-to-know basis.",
    "TLP:GREEN": "Recipients may share this with peers in their community, not in public.",
    "TLP:CLEAR": "No limit on sharing.",
}


def tlp(manifest: Manifest) -> str:
    """The case's TLP label, TLP:AMBER where it names none or none that exists."""
    label = str((manifest.get("case") or {}).get("tlp") or "").upper()
    label = label if label.startswith("TLP:") else f"TLP:{label}"
    return label if label in TLP else "TLP:AMBER"


def case_rows(manifest: Manifest, created: str | None) -> list[tuple[str, Phrase]]:
    """Case data for the cover, in a fixed order; fields that the examiner added come last."""
    case = {str(name): str(value) for name, value in (manifest.get("case") or {}).items() if value and name != "tlp"}
    rows: list[tuple[str, Phrase]] = [
        (label, Captured(case.pop(name))) for name, label in CASE_LABELS.items() if name in case
    ]
    rows += [(visible(name, 40).capitalize(), Captured(value)) for name, value in case.items()]
    if "Report date" not in [label for label, _ in rows]:
        rows.append(("Report date", moment(created)[:10] if created else "that of the run, in manifest.json"))
    firsts = [entry["first"] for entry in manifest.get("inputs", ()) if entry.get("first")]
    lasts = [entry["last"] for entry in manifest.get("inputs", ()) if entry.get("last")]
    if firsts and lasts:
        rows.append(("Evidence covers", f"{moment(min(firsts))[:19]} to {moment(max(lasts))[:19]} UTC"))
    rows.append(("Examined with", f"syswire {manifest.get('syswire', '')}, {plural(len(RULES), 'rule')}"))
    return rows


def evidence(manifest: Manifest) -> list[Evidence]:
    """One item for each input, with its digests before and after reading."""
    return [_item(entry) for entry in manifest.get("inputs", ())]


def _item(entry: Mapping[str, Any]) -> Evidence:
    before, after = entry.get("sha256"), entry.get("sha256_after")
    intact = None if not before or not after else before == after
    machine = entry.get("machine") or {}
    counts = entry.get("counts") or {}
    facts: list[tuple[str, Phrase]] = [
        ("Size", f"{number(entry.get('size') or 0)} bytes"),
        ("SHA-256 before reading", str(before or "not known")),
        ("SHA-256 after reading", "the same" if intact else str(after or "not known")),
        ("Format", f"{entry.get('format', '?')}, {_compression(entry.get('compression'))}"),
        ("Modified", moment(entry.get("mtime"))),
        ("First event", moment(entry.get("first"))),
        ("Last event", moment(entry.get("last"))),
        ("Span", span(entry.get("first"), entry.get("last"))),
        (
            "Holds",
            ", ".join(
                plural(counts[name], one, many)
                for name, one, many in (
                    ("events", "event", ""),
                    ("processes", "process record", ""),
                    ("streams", "conversation", ""),
                    ("exchanges", "HTTP exchange", ""),
                )
                if name in counts
            )
            or "not counted",
        ),
    ]
    if machine:
        facts.append(("Recorded on", _machine(machine)))
    status = str(entry.get("status") or "complete")
    message = entry.get("message")
    facts.append(
        (
            "Read",
            ("damaged: ", Captured(message or "see limitations"))
            if status != "complete"
            else "to the end, without damage",
        )
    )
    return Evidence(item(int(entry["source"])), Captured(entry.get("name") or "?"), facts, intact)


def _compression(name: object) -> str:
    return "not compressed" if name in (None, "none") else f"compressed with {visible(name, 20)}"


def _machine(machine: Mapping[str, Any]) -> Phrase:
    parts: list[str] = []
    for label, name in (
        ("host ", "hostname"),
        ("", "os"),
        ("kernel ", "kernel"),
        ("", "cpus"),
        ("started ", "boot_time"),
    ):
        value = machine.get(name)
        if value in (None, "", 0):
            continue
        parts += [", "] if parts else []
        if name == "cpus":
            parts.append(plural(int(value), "CPU"))
        else:
            parts += [label, moment(value) if name == "boot_time" else Captured(value)]
    return tuple(parts) or "not known"


def span(first: str | None, last: str | None) -> str:
    """The time between two RFC 3339 times in words."""
    begin, end = nanoseconds(first), nanoseconds(last)
    return "not known" if begin is None or end is None else duration(max(end - begin, 0))


METHOD = [
    "Each capture was opened for reading only and its SHA-256 taken before and after. Nothing was sent to the machines "
    "that were recorded.",
    "Every network read and write of every process was taken from the recorded system calls and put back into its "
    "conversation by its place in the stream. Where both ends were recorded they are one conversation with two "
    "processes. HTTP was found by its grammar, not by port, and requests were paired with responses in order.",
    "A process named beside a connection was seen making the system call, or owned the socket by the tables of that "
    "time; each finding says which. Times are UTC as the recording machine's clock gave them.",
    "The rules below were applied to every exchange. A finding gathers the records that are alike; its pointers name "
    "the event in the capture and the packet in the rebuilt pcapng, so that each can be looked at and repeated. "
    "Packets in the pcapng are rebuilt from system calls: their headers and sequence numbers are synthetic, their "
    "payload is not.",
    "Secrets are shown as a fixed mask with their length and a fingerprint: twelve hexadecimal digits of an "
    "HMAC-SHA-256 under the key of this case. Equal fingerprints mean equal secrets; without the key they cannot be "
    "guessed at.",
]


def rules_table() -> Table:
    """The rules by which findings were judged."""
    return Table(
        ("Rule", "Finds", "References"), [(rule.id, rule.title, ", ".join(rule.references) or "-") for rule in RULES]
    )


def limitations(manifest: Manifest, findings: Findings) -> list[tuple[str, Phrase]]:
    """What the captures could not show, in words, with numbers."""
    survey = findings.survey
    said: list[tuple[str, Phrase]] = []
    for entry in manifest.get("inputs", ()):
        name = item(int(entry["source"]))
        if entry.get("status") not in (None, "complete"):
            said.append(
                (
                    f"Damage in {name}",
                    (
                        "The file could not be read to its end: ",
                        Captured(entry.get("message") or "no reason was recorded"),
                        ".",
                    ),
                )
            )
        for cause, loss in sorted((entry.get("losses") or {}).items()):
            said.append((f"Loss in {name}: {visible(cause, 40).replace('_', ' ')}", _loss(cause, loss)))
    if survey.open_before:
        said.append(
            (
                "Open before the capture",
                f"{plural(survey.open_before, 'conversation')} had begun before the "
                "capture did. What was said in them before cannot be known.",
            )
        )
    if survey.with_gaps:
        said.append(
            (
                "Missing payload",
                f"{plural(survey.with_gaps, 'conversation')} {_lack(survey.with_gaps)} bytes "
                f"({size(survey.missing_bytes)} in all). A secret that stood there was not seen.",
            )
        )
    if survey.without_response:
        said.append(
            (
                "No response",
                f"{plural(survey.without_response, 'HTTP request')} had no response in the "
                "capture; whether a credential in them was accepted is unknown.",
            )
        )
    if survey.without_request:
        said.append(
            (
                "No request",
                f"{plural(survey.without_request, 'HTTP response')} came without the request in "
                "the capture; their paths are unknown.",
            )
        )
    if findings.merged_records:
        said.append(
            (
                "Grouping",
                f"{plural(findings.merged_records, 'record')} beyond the limit of separate findings "
                "were counted together by rule and server. The annotations hold each of them.",
            )
        )
    if findings.comments_left_out:
        said.append(
            (
                "Packet comments",
                f"{plural(findings.comments_left_out, 'packet')} with findings carry no comment "
                "in the pcapng, because a limit was reached. Findings and annotations hold them all.",
            )
        )
    said.append(
        (
            "Encryption",
            "What was encrypted before it reached a system call (TLS, SSH) was not decrypted and is "
            "not judged. No finding here does not mean that nothing was sent.",
        )
    )
    said.append(
        (
            "Rebuilt packets",
            "The packets in the pcapng were rebuilt from system calls. Sequence numbers, "
            "handshakes, MAC-level data and retransmissions were not on the wire in that form.",
        )
    )
    return said


def _lack(count: int) -> str:
    return "lacks" if count == 1 else "lack"


def _loss(cause: str, loss: Mapping[str, Any]) -> Phrase:
    amount = plural(int(loss.get("count") or 0), "time")
    text = CAUSES.get(cause, f"recorded as \u201c{visible(cause, 60).replace('_', ' ')}\u201d; see docs/formats.md")
    count = f"{amount}, {size(int(loss['bytes']))}: " if loss.get("bytes") else f"{amount}: "
    first = (loss.get("first") or {}).get("event")
    return f"{count}{text}{f' (first at event {first})' if first is not None else ''}."
