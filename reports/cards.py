"""Findings as overview rows, cards and rows of the error tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .annotations import EXCHANGE
from .changes import marked
from .display import moment, number, size
from .findings import Findings
from .findings.kinds import WITH_SECRET
from .inputs import Inputs, item
from .language import joined, later, listing, phrase, plural, text
from .model import Captured, Card, ErrorRow, Limits, Phrase, Pointer, Row
from .places import place
from .repeat import Frame, show_packet
from .stories import CONFIDENCES, hops_table, process_phrase, secret_facts, story, title

HEADERS = 14
SOURCES = 3
LINE = 180
ORIGINS = later({"events": "Event", "frames": "Source frame", "both": "Event or source frame"})
PATHS = later(
    {
        "public": "crosses addresses outside the private ranges",
        "internal": "inside private address ranges",
        "local": "stays on one machine",
    }
)
SHORT = later({"accepted": "accepted", "refused": "refused", "unknown": "unknown"})
SIDES = later({"client": "Client process", "server": "Server process"})


def short_process(record: Mapping[str, Any], *, packets: bool = False) -> Phrase:
    """Names and process ids of both sides: `curl [4242] > httpd [99]`."""
    sides = [
        (Captured(process.get("name") or "?"), f" [{process.get('pid')}]")
        for name in ("client_process", "server_process")
        if (process := record[name])
    ]
    if not sides:
        return text("none in packets" if packets else "unknown")
    return sides[0] if len(sides) == 1 else (*sides[0], " > ", *sides[1])


def connection(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Both endpoints: `10.0.0.7:40000 > 10.0.0.9:80`."""
    return place(record["client"]), " > ", place(record["server"])


def brief_name(findings: Findings, position: int) -> Phrase:
    """A finding's name for a line: of a secret its rule's in a few words, else in full."""
    rule = findings.rule(position)
    if rule.kind not in WITH_SECRET:
        return titled(findings, position)
    named = rule.short[:1].upper() + rule.short[1:]
    return Captured(named) if rule.own else text(named)


def row(record: Mapping[str, Any], named: Phrase, inputs: Inputs, *, has_card: bool) -> Row:
    """A finding's line in the overview. `record` is `Findings.record`, `named` its name."""
    instances = record["instances"]
    frame = _or_dash(instances[0].get("frame")) if instances else ""
    named = title(record, named)
    if record["ignored"]:
        named = joined(named, text(" (accepted risk)"))
    return Row(
        record["id"],
        record["severity"],
        marked(named, record),
        short_process(record, packets=inputs.is_packets(record["source"])),
        connection(record),
        number(record["instances_total"]),
        moment(record["first"])[:19],
        f"{item(record['source'])} {frame}" if frame and len(inputs) > 1 else frame,
        has_card,
    )


def pointer(where: Mapping[str, Any], tcp_stream: int | None, inputs: Inputs, *, mixed: bool = False) -> Pointer:
    """An evidence pointer of a `where`. `mixed`: its column holds events and frames, and each says which it is."""
    source = where.get("source", 0)
    packets = inputs.is_packets(source)
    frame, origin = where.get("frame"), _or_dash(where.get("source_frame" if packets else "event"))
    note = ""
    if not where.get("frame_has_bytes", True):
        note = (
            text("the capture lacks the first of these bytes")
            if packets
            else text("the capture holds these bytes, the rebuilt packet does not")
        )
    return Pointer(
        item(source),
        moment(where.get("time")).removesuffix(" UTC"),
        origin if not mixed else text("frame {number}" if packets else "event {number}", number=origin),
        _or_dash(where.get("evt_num")),
        _or_dash(where.get("offset")),
        _or_dash(frame),
        f"frame.number == {frame}" if frame is not None else "-",
        _or_dash(tcp_stream),
        _outcome(where),
        note,
    )


def _outcome(where: Mapping[str, Any]) -> str:
    told = where.get("outcome")
    return text(SHORT[told]) if told in SHORT else ""


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def card(findings: Findings, position: int, record: Mapping[str, Any], limits: Limits, inputs: Inputs) -> Card:
    """A finding in full."""
    brief, facts = secret_facts(record)
    times: list[tuple[str, Phrase]] = [(text("Seen"), moment(record["first"]))]
    if record["instances_total"] > 1:
        times = [(text("First seen"), moment(record["first"])), (text("Last seen"), moment(record["last"]))]
    confidence: tuple[str, Phrase] = (text("Confidence"), text(CONFIDENCES[record["confidence"]]))
    brief = [*brief, confidence, *times] if brief else [*times, confidence]
    if record["client"] or record["server"]:
        where = phrase("{connection} ({path})", connection=connection(record), path=text(PATHS[record["exposure"]]))
        facts.append((text("Connection"), where))
        facts += [_process_fact(findings, position, record, inputs, side) for side in ("client", "server")]
    elif record["client_process"]:
        facts.append((text("Process"), process_phrase(record["client_process"], record["client_attribution"])))
    if len(sources := _sources(record)) > 1:
        facts.append((text("Seen in"), listing([item(source) for source in sources], 12)))
    shown = record["instances"][: limits.instances]
    places = [place for where in shown for place in (where, *_also(where))]
    kinds = {inputs.is_packets(where.get("source", 0)) for where in places}
    kind = "both" if len(kinds) > 1 else "frames" if True in kinds else "events"
    return Card(
        record["id"],
        record["severity"],
        title(record, titled(findings, position)),
        story(record, _sources(record)),
        brief,
        facts,
        [pointer(where, _tcp_stream(findings, where), inputs, mixed=kind == "both") for where in places],
        kind,
        text(ORIGINS[kind]),
        record["instances_total"],
        _excerpt(findings, position),
        [line for frame in _first_frames(record) for line in show_packet(inputs, frame)],
        _of_rule(findings, position, findings.rule(position).impact),
        _of_rule(findings, position, record["advice"]),
        _of_rule(findings, position, ", ".join(record["references"])),
        hops_table(record, limits.instances),
    )


def _of_rule(findings: Findings, position: int, told: str) -> Phrase:
    """What a rule says: of a user's rule it is not our text."""
    return Captured(told) if findings.rule(position).own else text(told)


def titled(findings: Findings, position: int) -> Phrase:
    """A finding's name in full: its rule's, and of errors what was asked for."""
    rule, group = findings.rule(position), findings.group(position)
    name = _of_rule(findings, position, rule.title)
    if group.merged:
        return phrase("{what}: many more, counted together", what=name)
    path = group.identity.path
    if path is None:
        return name
    if rule.id == "http-5xx":
        told = phrase("HTTP {status} server error", status=str(group.identity.status))
        return joined(told, ": ", Captured(path))
    return joined(name, ": ", Captured(path))


def first_frame(record: Mapping[str, Any]) -> Frame:
    """The frame of a finding's first instance."""
    where = record["instances"][0] if record["instances"] else {}
    return Frame(record["source"], where.get("frame"), where.get("source_frame"), record["id"])


def _also(where: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same place in other captures, with what is judged of it."""
    return [{**place, "outcome": where.get("outcome")} for place in where.get("also") or ()]


def _places(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [place for where in record["instances"] for place in (where, *_also(where))]


def _sources(record: Mapping[str, Any]) -> list[int]:
    return sorted({int(where.get("source", 0)) for where in _places(record)})


def _first_frames(record: Mapping[str, Any]) -> list[Frame]:
    """The frame of the first instance in each input, of a few inputs."""
    firsts: dict[int, Frame] = {}
    for where in _places(record):
        source = int(where.get("source", 0))
        if source not in firsts:
            firsts[source] = Frame(source, where.get("frame"), where.get("source_frame"), record["id"])
    return list(firsts.values())[:SOURCES]


def _process_fact(
    findings: Findings, position: int, record: Mapping[str, Any], inputs: Inputs, side: str
) -> tuple[str, Phrase]:
    """The process at one side of the first instance; where packets name none, the one that another capture names."""
    label, source = text(SIDES[side]), record["source"]
    process, packets = record[f"{side}_process"], inputs.is_packets(source)
    if process is not None and record[f"{side}_process_source"] != source:
        told = process_phrase(process, record[f"{side}_attribution"])
        return label, phrase("by {item}: {process}", item=item(record[f"{side}_process_source"]), process=told)
    if process is not None or not packets or not inputs.mixed:
        return label, process_phrase(process, record[f"{side}_attribution"], packets=packets)
    for other, instance in findings.records(position):
        process = findings.process(other, instance.get(f"{side}_process"))
        if process is not None:
            stream = findings.numbered(other, "stream", instance.get("stream")) or {}
            told = process_phrase(process, stream.get(f"{side}_attribution"))
            return label, phrase("by {item}: {process}", item=item(other), process=told)
    return label, process_phrase(None, packets=True)


def _tcp_stream(findings: Findings, where: Mapping[str, Any]) -> int | None:
    stream = findings.numbered(where.get("source", 0), "stream", where.get("stream"))
    return None if stream is None else stream.get("tcp_stream")


def _excerpt(findings: Findings, position: int) -> list[Phrase]:
    """The heads of the exchange in which the first instance stands, as the annotations show them."""
    best = findings.group(position).outcome
    for source, first in _best_first(list(findings.records(position)), best):
        exchange = first
        if first.get("type") != "http":
            exchange = findings.numbered(source, EXCHANGE, first.get("exchange")) or {}
        if exchange.get("type") != "http":
            return _said(exchange)
        lines: list[Phrase] = []
        if request := exchange.get("request"):
            lines.append((Captured(f"{request.get('method')} {request.get('target')} "), _version(request)))
            lines += _headers(request)
            if request.get("body_length"):
                lines.append(_body(request))
        if response := exchange.get("response"):
            if lines:
                lines.append("")
            lines.append((_version(response), f" {response.get('status')} ", Captured(response.get("reason") or "")))
            lines += _headers(response, 4)
        return lines
    return []


def _said(record: Mapping[str, Any]) -> list[Phrase]:
    """What both sides said in another protocol than HTTP, field by field."""
    lines: list[Phrase] = []
    for side in ("request", "response"):
        for name, value in (record.get(side) or {}).items():
            if name != "where" and value is not None and len(lines) < HEADERS:
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                lines.append((f"{side} {name}: ", Captured(text)))
    return lines


def _best_first(records: list[tuple[int, dict[str, Any]]], outcome: str) -> list[tuple[int, dict[str, Any]]]:
    """The records, those with the finding's outcome in front: they show most."""
    return sorted(records, key=lambda pair: pair[1].get("outcome", outcome) != outcome)


def _version(head: Mapping[str, Any]) -> str:
    version = str(head.get("version") or "")
    return Captured(version if version.upper().startswith("HTTP") or not version else f"HTTP/{version}")


def _headers(head: Mapping[str, Any], limit: int = HEADERS) -> list[Phrase]:
    headers = head.get("headers") or []
    lines: list[Phrase] = [(Captured(name), ": ", Captured(value)) for name, value in headers[:limit]]
    if len(headers) > limit:
        lines.append(f"[{plural(len(headers) - limit, 'more header')}]")
    if not head.get("headers_complete", True):
        lines.append(f"[{text('the head is cut off here')}]")
    return lines


def _body(request: Mapping[str, Any]) -> Phrase:
    length = size(request["body_length"])
    if request.get("body_complete", True):
        return text("[body of {size}; not printed]", size=length)
    return text("[body of {size}, not all of it in the capture; not printed]", size=length)


def error_row(record: Mapping[str, Any]) -> ErrorRow:
    """A line of the 404 or 5xx table."""
    path: Phrase = Captured(record["path"]) if record["path"] else text("(various)")
    server: tuple[str, ...] = (place(record["server"]),)
    if record["host"]:
        server = (*server, " ", Captured(record["host"]))
    if record["server_process"]:
        server = (*server, ", ", Captured(record["server_process"].get("name") or "?"))
    address = (record["client"] or {}).get("ip")
    client: tuple[str, ...] = (Captured(address) if address else text("unix socket"),)
    if record["client_process"]:
        client = (*client, ", ", Captured(record["client_process"].get("name") or "?"))
    frame = record["instances"][0].get("frame") if record["instances"] else None
    return ErrorRow(
        record["id"],
        record["severity"],
        str(record["status"] or "5xx"),
        path,
        server,
        client,
        number(record["instances_total"]),
        moment(record["first"])[:19],
        moment(record["last"])[:19],
        item(record["source"]),
        f"frame.number == {frame}" if frame is not None else "-",
    )
