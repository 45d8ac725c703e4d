"""What was examined: case data, evidence, method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import contradictions
from .clocks import in_words
from .display import duration, moment, nanoseconds, number, visible
from .findings import Findings, rule_files
from .findings.rule import Rule
from .inputs import Input, Inputs, dates, item, items, kinds
from .language import heads, joined, later, phrase, plural, text
from .limitations import first_place
from .limitations import in_words as cause_in_words
from .model import Captured, Evidence, Phrase, Table

Manifest = Mapping[str, Any]
CASE_LABELS = later(
    {
        "case": "Case",
        "title": "Title",
        "number": "Case number",
        "client": "Prepared for",
        "examiner": "Examiner",
        "date": "Report date",
        "note": "Note",
    }
)
CUSTODY_LABELS = later(
    {
        "acquired_by": "Acquired by",
        "acquired": "Acquired",
        "received": "Received",
        "storage": "Storage",
        "clock": "Clock",
    }
)
"""What only the examiner can tell of the evidence; ISO/IEC 27037 asks for it."""
TLP = ("TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR")
HANDLING = later(
    {
        "TLP:RED": "For the eyes and ears of the named recipients only.",
        "TLP:AMBER+STRICT": "Recipients may share this inside their own organisation only, on a need-to-know basis.",
        "TLP:AMBER": "Recipients may share this inside their organisation and with its clients, on a need-to-know "
        "basis.",
        "TLP:GREEN": "Recipients may share this with peers in their community, not in public.",
        "TLP:CLEAR": "No limit on sharing.",
    }
)


OF_MACHINE = later(
    {
        "hostname": "host {value}",
        "os": "{value}",
        "kernel": "kernel {value}",
        "cpus": "",
        "boot_time": "started {value}",
    }
)
SET = rule_files.digest()
"""SHA-256 of the files of the rules that come with this version."""


def tlp(manifest: Manifest) -> str:
    """The case's TLP label, TLP:AMBER where it names none or none that exists."""
    label = str((manifest.get("case") or {}).get("tlp") or "").upper()
    label = label if label.startswith("TLP:") else f"TLP:{label}"
    return label if label in TLP else "TLP:AMBER"


def case_rows(manifest: Manifest, inputs: Inputs, created: str | None, rules: int) -> list[tuple[str, Phrase]]:
    """Case data for the cover, in a fixed order; fields that the examiner added come last."""
    case = {
        str(name): str(value)
        for name, value in (manifest.get("case") or {}).items()
        if value and name != "tlp" and name not in CUSTODY_LABELS
    }
    dated = "date" in case
    rows: list[tuple[str, Phrase]] = [
        (text(label), Captured(case.pop(name))) for name, label in CASE_LABELS.items() if name in case
    ]
    rows += [(visible(name, 40).capitalize(), Captured(value)) for name, value in case.items()]
    if not dated:
        told = moment(created)[:10] if created else text("that of the run, in manifest.json")
        rows.append((text("Report date"), told))
    if told := dates(inputs):
        rows.append((text("Evidence covers"), told))
    if inputs.readable:
        rows.append((text("Evidence is"), kinds(inputs)))
    version = str(manifest.get("syswire", ""))
    by = text(
        "syswire {version}, {rules} (set {digest})", version=version, rules=plural(rules, "rule"), digest=SET[:12]
    )
    return [*rows, (text("Examined with"), by)]


def custody(manifest: Manifest) -> list[tuple[str, Phrase]]:
    """Who acquired the evidence, when it was received, where it is kept: what the examiner told, or that nobody did."""
    case = manifest.get("case") or {}
    rows: list[tuple[str, Phrase]] = [
        (text(label), Captured(str(case[name])) if case.get(name) else text("not stated"))
        for name, label in CUSTODY_LABELS.items()
        if name != "clock"
    ]
    clock: Phrase = text("not compared with another; times are those that the recording machine's clock gave, as UTC")
    if case.get("clock"):
        clock = Captured(str(case["clock"]))
    return [*rows, (text(CUSTODY_LABELS["clock"]), clock)]


def evidence(inputs: Inputs, findings: Findings) -> list[Evidence]:
    """One item for each input, with its digests before and after reading, and what others have in common with it."""
    return [_item(each, _in_common(each, findings)) for each in inputs]


def _in_common(each: Input, findings: Findings) -> list[tuple[str, Phrase]]:
    """Which conversations an earlier input has too, and how far the clocks were apart."""
    told: list[tuple[str, Phrase]] = []
    for (one, other), count in sorted(findings.survey.joined.items()):
        if other == each.source:
            shared = plural(
                count,
                "conversation is one of {other}, and counted there",
                "conversations are those of {other}, and counted there",
                other=item(one),
            )
            told.append((text("In common"), shared))
    told += [(text("Clock"), in_words(apart, item(one))) for one, apart in findings.doubles.clocks.against(each.source)]
    return told


def _item(each: Input, in_common: list[tuple[str, Phrase]]) -> Evidence:
    entry = each.entry
    before, after = entry.get("sha256"), entry.get("sha256_after")
    intact = None if not before or not after else before == after
    machine = entry.get("machine") or {}
    message = entry.get("message")
    if not each.readable:
        fact = (text("Read"), joined(text("not at all: "), Captured(message or "?")))
        return Evidence(each.item, Captured(each.name), [fact], None)
    unknown = text("not known")
    facts: list[tuple[str, Phrase]] = [
        (text("Kind"), text("packet capture") if each.packets else text("recorded system calls")),
        (text("Size"), text("{count} bytes", count=number(entry.get("size") or 0))),
        (text("SHA-256 before reading"), str(before or unknown)),
        (text("SHA-256 after reading"), text("the same") if intact else str(after or unknown)),
        (text("Format"), f"{each.format or '?'}, {_compression(entry.get('compression'))}"),
        (text("Modified"), moment(entry.get("mtime"))),
        (text("First frame") if each.packets else text("First event"), moment(entry.get("first"))),
        (text("Last frame") if each.packets else text("Last event"), moment(entry.get("last"))),
        (text("Span"), span(entry.get("first"), entry.get("last"))),
        (text("Holds"), _holds(each)),
    ]
    if machine:
        facts.append((text("Recorded on"), _machine(machine)))
    facts.append((text("Losses"), _losses(each)))
    read: Phrase = text("to the end, without damage")
    if str(entry.get("status") or "complete") != "complete":
        read = joined(text("damaged: "), Captured(message) if message else text("see limitations"))
    facts.append((text("Read"), read))
    facts += in_common
    told = [warning for _, warning in contradictions.warnings(each)]
    return Evidence(each.item, Captured(each.name), facts, intact, told)


def _holds(each: Input) -> str:
    counts = each.entry.get("counts") or {}
    told = [plural(counts["frames"], "frame")] if each.packets and "frames" in counts else []
    if not each.packets:
        told += [plural(counts["events"], "event")] if "events" in counts else []
        told += [plural(counts["processes"], "process record")] if "processes" in counts else []
    told += [plural(counts["streams"], "conversation")] if "streams" in counts else []
    told += [plural(counts["exchanges"], "HTTP exchange")] if "exchanges" in counts else []
    told += [plural(counts["records"], "other record")] if counts.get("records") else []
    return text(", ").join(told) or text("not counted")


def _losses(each: Input) -> str:
    """Causes with how often and where first; the limitations say what they mean."""
    told = []
    for cause, loss in sorted((each.entry.get("losses") or {}).items()):
        times = plural(int(loss.get("count") or 0), "time")
        if place := first_place(loss):
            told.append(
                text("{cause}, {times} (first at {place})", cause=cause_in_words(cause), times=times, place=place)
            )
        else:
            told.append(text("{cause}, {times}", cause=cause_in_words(cause), times=times))
    return "; ".join(told) or text("none that the capture shows")


def _compression(name: object) -> str:
    if name in (None, "none"):
        return text("not compressed")
    return text("compressed with {name}", name=visible(name, 20))


def _machine(machine: Mapping[str, Any]) -> Phrase:
    told: Phrase = ""
    for name, message in OF_MACHINE.items():
        value = machine.get(name)
        if value in (None, "", 0):
            continue
        one: Phrase
        if name == "cpus":
            one = plural(int(value), "CPU")
        else:
            one = phrase(message, value=moment(value) if name == "boot_time" else Captured(value))
        told = joined(told, text(", ") if told else "", one)
    return told or text("not known")


def span(first: str | None, last: str | None) -> str:
    """The time between two RFC 3339 times in words."""
    begin, end = nanoseconds(first), nanoseconds(last)
    return text("not known") if begin is None or end is None else duration(max(end - begin, 0))


def method(inputs: Inputs) -> list[str]:
    """How the results came to be, in paragraphs; each says of which inputs it holds where there are both kinds."""
    calls, packets = (f" ({items(those)})" if inputs.mixed else "" for those in (inputs.calls, inputs.packets))
    told = [
        text(
            "Each capture was opened for reading only and its SHA-256 taken before and after. Nothing was sent to the "
            "machines that were recorded."
        )
    ]
    if inputs.calls:
        told.append(
            text(
                "System calls{items}: every network read and write of every process was taken from the recorded system "
                "calls and put back into its conversation by its place in the stream. Where both ends were recorded "
                "they are one conversation with two processes. A process named beside a connection was seen making the "
                "system call, or owned the socket by the tables of that time; each finding says which.",
                items=calls,
            )
        )
    if inputs.packets:
        told.append(
            text(
                "Packets{items}: the payload of every TCP segment and UDP datagram was taken from the captured frames, "
                "IP fragments were put together, and TCP streams ordered by sequence number whatever the order of the "
                "frames. Where a byte was captured more than once, the first copy counts. A packet capture names no "
                "process, so addresses are all that is said of who spoke.",
                items=packets,
            )
        )
    told += [
        text(
            "HTTP and the other protocols that are decoded were found by what was said, not by port, and requests were "
            "paired with their responses. Times are UTC as the recording machine's clock gave them."
        ),
        _pointers(inputs),
        text(
            "Secrets are shown as a fixed mask with their length and a fingerprint: twelve hexadecimal digits of an "
            "HMAC-SHA-256 under the key of this case. Equal fingerprints mean equal secrets; without the key they "
            "cannot be guessed at."
        ),
    ]
    return told


def _pointers(inputs: Inputs) -> str:
    """What findings point at, and what the frames of the pcapng are."""
    rules = text(
        "The rules of the appendix were applied to every exchange. A finding gathers the records that are alike."
    )
    if not any(each.capture for each in inputs):
        place = text("Its pointers name the event in the capture.")
        if inputs.mixed:
            place = text(
                "Its pointers name the event of system calls, and the frame of packets as Wireshark counts it."
            )
        elif inputs.packets:
            place = text("Its pointers name the frame of the capture as Wireshark counts it.")
        none = text("No pcapng was written; the frame numbers are those that it would have.")
        return " ".join((rules, place, none))
    told = [rules]
    if inputs.calls:
        told.append(
            text(
                "Of system calls, its pointers name the event in the capture and the packet in the rebuilt pcapng, so "
                "that each can be looked at and repeated. Packets in that pcapng are rebuilt from system calls: their "
                "headers and sequence numbers are synthetic, their payload is not."
            )
        )
    if inputs.packets:
        told.append(
            text(
                "Of packets, its pointers name the frame of the capture as Wireshark counts it, and the frame in the "
                "pcapng that was written, so that each can be looked at and repeated. The frames of that pcapng are "
                "the source's own, byte for byte; comments were added."
            )
        )
    return " ".join(told)


def rules_table(rules: Sequence[Rule]) -> Table:
    """The rules by which findings were judged; those of the user are said to be."""
    note = text("SHA-256 of the set of rules that comes with this version: {digest}.", digest=SET)
    if any(rule.own for rule in rules):
        note += " " + text("Rules after http-5xx came from the file of rules that the examiner gave.")
    return Table(
        heads(later(("Rule", "Finds", "References"))),
        [(Captured(rule.id) if rule.own else rule.id, _given(rule, rule.title), _references(rule)) for rule in rules],
        note,
    )


def _given(rule: Rule, told: str) -> Phrase:
    """Text of a rule: of a user's it is not ours."""
    return Captured(told) if rule.own else text(told)


def _references(rule: Rule) -> Phrase:
    told = ", ".join(rule.references) or "-"
    return Captured(told) if rule.own else told
