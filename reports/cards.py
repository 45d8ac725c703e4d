"""Findings as overview rows, cards and rows of the error tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .display import moment, number, plural, size
from .findings import Findings
from .model import Captured, Card, ErrorRow, Limits, Phrase, Pointer, Row
from .names import endpoint_of

HEADERS = 14
LINE = 180
NAMES = {
    "form-body": "form field",
    "url-query": "query parameter",
    "url-userinfo": "user part of the URL",
    "authorization-basic": "Authorization header",
}
OUTCOMES = {
    "accepted": "accepted by the server",
    "refused": "refused by the server",
    "unknown": "not visible in the capture",
}
PATHS = {
    "public": "crosses addresses outside the private ranges",
    "internal": "inside private address ranges",
    "local": "stays on one machine",
}


def item(source: int) -> str:
    """The name of an input in the report."""
    return f"E-{source + 1:02d}"


def process_phrase(process: Mapping[str, Any] | None, attribution: str | None = None) -> Phrase:
    """A process with what identifies it."""
    if process is None:
        return "not known: the process is on another machine or was not seen"
    parts: list[str] = [Captured(process.get("name") or "?"), f" [pid {process.get('pid')}"]
    if process.get("tid") not in (None, process.get("pid")):
        parts.append(f", thread {process['tid']}")
    parts.append("]")
    for label, name in ((", user ", "user"), (", container ", "container"), (", ", "exe")):
        if process.get(name):
            parts += [label, Captured(process[name])]
    if attribution == "observed":
        parts.append("; seen making the system call")
    elif attribution == "inferred":
        parts.append("; owned the socket by the tables of that time")
    return tuple(parts)


def short_process(record: Mapping[str, Any]) -> Phrase:
    """Names and process ids of both sides: `curl [4242] > httpd [99]`."""
    sides = [
        (Captured(process.get("name") or "?"), f" [{process.get('pid')}]")
        for name in ("client_process", "server_process")
        if (process := record[name])
    ]
    if not sides:
        return "unknown"
    return sides[0] if len(sides) == 1 else (*sides[0], " > ", *sides[1])


def connection(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Both endpoints: `10.0.0.7:40000 > 10.0.0.9:80`."""
    return Captured(endpoint_of(record["client"])), " > ", Captured(endpoint_of(record["server"]))


def row(record: Mapping[str, Any], short: str, *, has_card: bool) -> Row:
    """A finding's line in the overview. `record` is `Findings.record`, `short` its rule's name in a few words."""
    instances = record["instances"]
    title = _title(record, short[:1].upper() + short[1:])
    return Row(
        record["id"],
        record["severity"],
        title,
        short_process(record),
        connection(record),
        number(record["instances_total"]),
        moment(record["first"])[:19],
        str(instances[0].get("frame")) if instances else "",
        has_card,
    )


def _title(record: Mapping[str, Any], name: str) -> Phrase:
    if record["kind"] != "credential":
        return Captured(record["title"])
    return (name, ": user ", Captured(record["username"])) if record["username"] else (name, ": no user name")


def pointer(where: Mapping[str, Any], tcp_stream: int | None) -> Pointer:
    """An evidence pointer of a `where`."""
    frame = where.get("frame")
    notes = []
    if not where.get("frame_has_bytes", True):
        notes.append("the capture holds these bytes, the rebuilt packet does not")
    if where.get("source_frame") is not None:
        notes.append(f"frame {where['source_frame']} of the input")
    return Pointer(
        item(where.get("source", 0)),
        moment(where.get("time")).removesuffix(" UTC"),
        _or_dash(where.get("event")),
        _or_dash(where.get("evt_num")),
        _or_dash(where.get("offset")),
        _or_dash(frame),
        f"frame.number == {frame}" if frame is not None else "-",
        _or_dash(tcp_stream),
        str(where.get("outcome") or ""),
        "; ".join(notes),
    )


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def card(
    findings: Findings, position: int, record: Mapping[str, Any], limits: Limits, captures: Mapping[int, str]
) -> Card:
    """A finding in full. `captures`: the rebuilt capture of each input, as a shell word."""
    brief, facts = _secret_facts(record) if record["kind"] == "credential" else ([], [])
    times: list[tuple[str, Phrase]] = [("Seen", moment(record["first"]))]
    if record["instances_total"] > 1:
        times = [("First seen", moment(record["first"])), ("Last seen", moment(record["last"]))]
    confidence: tuple[str, Phrase] = ("Confidence", record["confidence"])
    brief = [*brief, confidence, *times] if brief else [*times, confidence]
    facts += [
        ("Connection", (*connection(record), f" ({PATHS[record['exposure']]})")),
        ("Client process", process_phrase(record["client_process"], record["client_attribution"])),
        ("Server process", process_phrase(record["server_process"], record["server_attribution"])),
    ]
    pointers = [pointer(where, _tcp_stream(findings, where)) for where in record["instances"][: limits.instances]]
    frame = record["instances"][0].get("frame") if record["instances"] else None
    capture = captures.get(record["source"])
    command: Phrase = ""
    if capture and frame is not None:
        command = ("tshark -r ", Captured(capture), f' -Y "frame.number == {frame}" -V')
    return Card(
        record["id"],
        record["severity"],
        _title(record, record["title"]),
        _story(record),
        brief,
        facts,
        pointers,
        record["instances_total"],
        _excerpt(findings, position),
        command,
        findings.rule(position).impact,
        record["advice"],
        ", ".join(record["references"]),
    )


def _tcp_stream(findings: Findings, where: Mapping[str, Any]) -> int | None:
    stream = findings.numbered(where.get("source", 0), "stream", where.get("stream"))
    return None if stream is None else stream.get("tcp_stream")


def _secret_facts(record: Mapping[str, Any]) -> tuple[list[tuple[str, Phrase]], list[tuple[str, Phrase]]]:
    """Short facts on a credential, and long ones."""
    length = record["secret_length"]
    whole = "" if record["secret_complete"] else "; the capture holds only its beginning"
    secret: Phrase = (
        Captured(record["secret"] or ""),
        f" (length {length}{whole}, fingerprint ",
        Captured(record["secret_fingerprint"] or "-"),
        ")",
    )
    place: Phrase = NAMES.get(record["location"], str(record["location"]))
    if record["field"]:
        place = (str(place), " ", Captured(record["field"]))
    user: Phrase = Captured(record["username"]) if record["username"] else "none given"
    brief: list[tuple[str, Phrase]] = [("User", user), ("Outcome", OUTCOMES[record["outcome"]]), ("Place", place)]
    return brief, [("Secret", secret)]


def _story(record: Mapping[str, Any]) -> Phrase:
    count = record["instances_total"]
    times = {1: "once", 2: "twice"}.get(count, plural(count, "time"))
    who: tuple[str, ...] = (Captured((record["client"] or {}).get("ip") or "an unknown client"),)
    if (record["client"] or {}).get("synthetic_ip"):
        who = ("a unix socket client",)
    if record["client_process"]:
        who = (Captured(record["client_process"].get("name") or "?"), " on ", *who)
    if record["kind"] != "credential":
        return (
            *who,
            f" was answered with status {record['status']} {times} by ",
            Captured(endpoint_of(record["server"])),
            ".",
        )
    what: tuple[str, ...] = ("a password",)
    if record["username"]:
        what = ("the password of ", Captured(record["username"]))
    target: tuple[str, ...] = (Captured(endpoint_of(record["server"])),)
    if record["host"]:
        target = (*target, " (host ", Captured(record["host"]), ")")
    ending = {
        "accepted": ". The server accepted it.",
        "refused": ". The server refused it.",
        "unknown": ". Whether the server accepted it cannot be told.",
    }[record["outcome"]]
    return (*who, " sent ", *what, " to ", *target, f" in readable form, {times}{ending}")


def _excerpt(findings: Findings, position: int) -> list[Phrase]:
    """The heads of the exchange in which the first instance stands, as the annotations show them."""
    best = findings.group(position).outcome
    for source, first in _best_first(list(findings.records(position)), best):
        exchange = first if first.get("type") == "http" else findings.numbered(source, "http", first.get("exchange"))
        if exchange is None:
            return []
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
        lines.append("[the head is cut off here]")
    return lines


def _body(request: Mapping[str, Any]) -> Phrase:
    whole = "" if request.get("body_complete", True) else ", not all of it in the capture"
    return f"[body of {size(request['body_length'])}{whole}; not printed]"


def error_row(record: Mapping[str, Any]) -> ErrorRow:
    """A line of the 404 or 5xx table."""
    host: Phrase = Captured(record["path"] or "(various)")
    server: tuple[str, ...] = (Captured(endpoint_of(record["server"])),)
    if record["host"]:
        server = (*server, " ", Captured(record["host"]))
    if record["server_process"]:
        server = (*server, ", ", Captured(record["server_process"].get("name") or "?"))
    client: tuple[str, ...] = (Captured((record["client"] or {}).get("ip") or "unix socket"),)
    if record["client_process"]:
        client = (*client, ", ", Captured(record["client_process"].get("name") or "?"))
    frame = record["instances"][0].get("frame") if record["instances"] else None
    return ErrorRow(
        record["id"],
        record["severity"],
        str(record["status"] or "5xx"),
        host,
        server,
        client,
        number(record["instances_total"]),
        moment(record["first"])[:19],
        moment(record["last"])[:19],
        item(record["source"]),
        f"frame.number == {frame}" if frame is not None else "-",
    )
