"""What was examined: case data, evidence, method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import contradictions
from .display import duration, moment, nanoseconds, number, plural, visible
from .findings.rule import Rule
from .inputs import Input, Inputs, dates, items, kinds
from .limitations import first_place, in_words
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


def case_rows(manifest: Manifest, inputs: Inputs, created: str | None, rules: int) -> list[tuple[str, Phrase]]:
    """Case data for the cover, in a fixed order; fields that the examiner added come last."""
    case = {str(name): str(value) for name, value in (manifest.get("case") or {}).items() if value and name != "tlp"}
    rows: list[tuple[str, Phrase]] = [
        (label, Captured(case.pop(name))) for name, label in CASE_LABELS.items() if name in case
    ]
    rows += [(visible(name, 40).capitalize(), Captured(value)) for name, value in case.items()]
    if "Report date" not in [label for label, _ in rows]:
        rows.append(("Report date", moment(created)[:10] if created else "that of the run, in manifest.json"))
    if told := dates(inputs):
        rows.append(("Evidence covers", told))
    if inputs.readable:
        rows.append(("Evidence is", kinds(inputs)))
    rows.append(("Examined with", f"syswire {manifest.get('syswire', '')}, {plural(rules, 'rule')}"))
    return rows


def evidence(inputs: Inputs) -> list[Evidence]:
    """One item for each input, with its digests before and after reading."""
    return [_item(each) for each in inputs]


def _item(each: Input) -> Evidence:
    entry = each.entry
    before, after = entry.get("sha256"), entry.get("sha256_after")
    intact = None if not before or not after else before == after
    machine = entry.get("machine") or {}
    message = entry.get("message")
    if not each.readable:
        return Evidence(each.item, Captured(each.name), [("Read", ("not at all: ", Captured(message or "?")))], None)
    unit = "frame" if each.packets else "event"
    facts: list[tuple[str, Phrase]] = [
        ("Kind", "packet capture" if each.packets else "recorded system calls"),
        ("Size", f"{number(entry.get('size') or 0)} bytes"),
        ("SHA-256 before reading", str(before or "not known")),
        ("SHA-256 after reading", "the same" if intact else str(after or "not known")),
        ("Format", f"{each.format or '?'}, {_compression(entry.get('compression'))}"),
        ("Modified", moment(entry.get("mtime"))),
        (f"First {unit}", moment(entry.get("first"))),
        (f"Last {unit}", moment(entry.get("last"))),
        ("Span", span(entry.get("first"), entry.get("last"))),
        ("Holds", _holds(each)),
    ]
    if machine:
        facts.append(("Recorded on", _machine(machine)))
    facts.append(("Losses", _losses(each)))
    status = str(entry.get("status") or "complete")
    facts.append(
        (
            "Read",
            ("damaged: ", Captured(message or "see limitations"))
            if status != "complete"
            else "to the end, without damage",
        )
    )
    told = [warning for _, warning in contradictions.warnings(each)]
    return Evidence(each.item, Captured(each.name), facts, intact, told)


def _holds(each: Input) -> str:
    counts = each.entry.get("counts") or {}
    of_kind = (("frames", "frame"),) if each.packets else (("events", "event"), ("processes", "process record"))
    names = [*of_kind, ("streams", "conversation"), ("exchanges", "HTTP exchange"), ("records", "other record")]
    if not counts.get("records"):
        names = names[:-1]
    return ", ".join(plural(counts[field], one) for field, one in names if field in counts) or "not counted"


def _losses(each: Input) -> str:
    """Causes with how often and where first; the limitations say what they mean."""
    told = []
    for cause, loss in sorted((each.entry.get("losses") or {}).items()):
        place = first_place(loss)
        times = plural(int(loss.get("count") or 0), "time")
        told.append(f"{in_words(cause)}, {times}{f' (first at {place})' if place else ''}")
    return "; ".join(told) or "none that the capture shows"


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


def method(inputs: Inputs) -> list[str]:
    """How the results came to be, in paragraphs; each says of which inputs it holds where there are both kinds."""
    calls, packets = (f" ({items(those)})" if inputs.mixed else "" for those in (inputs.calls, inputs.packets))
    told = [
        "Each capture was opened for reading only and its SHA-256 taken before and after. Nothing was sent to the "
        "machines that were recorded."
    ]
    http = (
        "HTTP and the other protocols that are decoded were found by what was said, not by port, and requests were "
        "paired with their responses."
    )
    if inputs.calls:
        told += [
            f"System calls{calls}: every network read and write of every process was taken from the recorded system "
            "calls and put back into its conversation by its place in the stream. Where both ends were recorded they "
            "are one conversation with two processes. A process named beside a connection was seen making the system "
            "call, or owned the socket by the tables of that time; each finding says which."
        ]
    if inputs.packets:
        told += [
            f"Packets{packets}: the payload of every TCP segment and UDP datagram was taken from the captured frames, "
            "IP fragments were put together, and TCP streams ordered by sequence number whatever the order of the "
            "frames. Where a byte was captured more than once, the first copy counts. A packet capture names no "
            "process, so addresses are all that is said of who spoke."
        ]
    told.append(f"{http} Times are UTC as the recording machine's clock gave them.")
    told.append(_pointers(inputs))
    told.append(
        "Secrets are shown as a fixed mask with their length and a fingerprint: twelve hexadecimal digits of an "
        "HMAC-SHA-256 under the key of this case. Equal fingerprints mean equal secrets; without the key they cannot "
        "be guessed at."
    )
    return told


def _pointers(inputs: Inputs) -> str:
    """What findings point at, and what the frames of the pcapng are."""
    rules = "The rules below were applied to every exchange. A finding gathers the records that are alike; its pointers"
    calls = (
        "the event in the capture and the packet in the rebuilt pcapng, so that each can be looked at and repeated. "
        "Packets in that pcapng are rebuilt from system calls: their headers and sequence numbers are synthetic, "
        "their payload is not."
    )
    packets = (
        "the frame of the capture as Wireshark counts it, and the frame in the pcapng that was written, so that each "
        "can be looked at and repeated. The frames of that pcapng are the source's own, byte for byte; comments were "
        "added."
    )
    if not any(each.capture for each in inputs):
        places = {
            (True, True): "the event of system calls, and the frame of packets as Wireshark counts it",
            (True, False): "the frame of the capture as Wireshark counts it",
        }.get((bool(inputs.packets), bool(inputs.calls)), "the event in the capture")
        return f"{rules} name {places}. No pcapng was written; the frame numbers are those that it would have."
    if inputs.mixed:
        return f"{rules} name, of system calls, {calls} Of packets they name {packets}"
    return f"{rules} name {packets if inputs.only_packets else calls}"


def rules_table(rules: Sequence[Rule]) -> Table:
    """The rules by which findings were judged; those of the user are said to be."""
    return Table(
        ("Rule", "Finds", "References"),
        [
            (_given(rule, rule.id), _given(rule, rule.title), _given(rule, ", ".join(rule.references) or "-"))
            for rule in rules
        ],
        "Rules after http-5xx came from the file of rules that the examiner gave."
        if any(rule.own for rule in rules)
        else "",
    )


def _given(rule: Rule, text: str) -> Phrase:
    """Text of a rule: of a user's it is not ours."""
    return Captured(text) if rule.own else text
