"""Tables and charts over all traffic: severities, statuses, time, hosts, programs, who talked to whom."""

from __future__ import annotations

from collections.abc import Mapping

from .charts import Bar, Column, Edge, bars, columns, edges
from .digest import Scanner
from .display import duration, number, size, timestamp, visible
from .findings import Findings
from .inputs import Inputs, items
from .language import heads, later, listing, plural, text
from .model import Captured, Chart, Limits, Phrase, Table
from .names import UNKNOWN, Program
from .places import named
from .survey import Interval, Pair, Survey, Traffic

COLUMNS = 70
EDGES = 12
CLASSES = later(
    {1: "1xx informational", 2: "2xx success", 3: "3xx redirection", 4: "4xx client error", 5: "5xx server error"}
)
TONES = {1: "info", 2: "good", 3: "plain", 4: "high", 5: "critical"}
WIRE = later({"encrypted": "encrypted", "clear": "in clear", "unknown": "not known"})


def severity_chart(findings: Findings) -> Chart:
    """Findings by severity."""
    levels = [(text(level), count, level) for level, count in findings.by_level().items()]
    told = listing([text("{count} {what}", count=number(count), what=level) for level, count, _ in levels])
    description = text("Findings by severity: {told}.", told=told)
    rows = [Bar(level.capitalize(), count, number(count), tone) for level, count, tone in levels]
    return Chart(
        text("Findings by severity"),
        bars("severity", description, rows),
        description,
        (text("Severity"), text("Findings")),
        [(level, number(count)) for level, count, _ in levels],
    )


def status_chart(survey: Survey) -> Chart:
    """HTTP responses by class of status; 404 has a bar of its own."""
    counts = [
        (text(name), survey.status_class(hundred), TONES[hundred])
        for hundred, name in CLASSES.items()
        if hundred != 1 or survey.status_class(hundred)
    ]
    counts.insert(len(counts) - 1, (text("of these 404"), survey.statuses.get(404, 0), "missing"))
    told = listing([text("{count} {what}", count=number(count), what=name) for name, count, _ in counts])
    description = text("HTTP responses by status: {told}.", told=told)
    rows = [Bar(name, count, number(count), tone) for name, count, tone in counts]
    return Chart(
        text("HTTP responses by status"),
        bars("status", description, rows, label_width=118),
        description,
        (text("Status"), text("Responses")),
        [(name, number(count)) for name, count, _ in counts],
    )


def timeline_chart(survey: Survey) -> Chart | None:
    """Bytes of messages over time, 404s and 5xx marked; None where nothing has a time."""
    intervals, width = _rebinned(survey.timeline.intervals, survey.timeline.width)
    if not intervals:
        return None
    first, last = min(intervals), max(intervals)
    nothing = Interval()
    rows = [intervals.get(at, nothing) for at in range(first, last + 1)]
    begin, end = timestamp(first * width), timestamp((last + 1) * width)
    middle = timestamp((first + last + 1) * width // 2)
    precise = 23 if width * len(rows) < 10_000_000_000 else 19

    def told(time: str) -> str:
        """The time alone where all are of one day."""
        return time[11:precise] if begin[:10] == end[:10] else time[:16].replace("T", " ")

    ticks = [(0.0, told(begin)), (0.5, told(middle)), (1.0, f"{told(end)} UTC")]
    busiest = max(range(len(rows)), key=lambda at: rows[at].length)
    description = text(
        "{size} of messages from {begin} to {end} UTC, in intervals of {width}, each message at the time of its first "
        "byte. Most was said in the interval from {busiest}: {most}. {exchanges} are among them, {missing} with status "
        "404 and {failed} with 5xx.",
        size=size(sum(row.length for row in rows)),
        begin=begin[:precise].replace("T", " "),
        end=end[:precise].replace("T", " "),
        width=duration(width),
        busiest=told(timestamp((first + busiest) * width)),
        most=size(rows[busiest].length),
        exchanges=plural(sum(row.exchanges for row in rows), "HTTP exchange"),
        missing=number(sum(row.missing for row in rows)),
        failed=number(sum(row.failed for row in rows)),
    )
    table: list[tuple[str, ...]] = [
        (
            told(timestamp((first + at) * width)),
            number(row.length),
            number(row.exchanges),
            number(row.missing),
            number(row.failed),
        )
        for at, row in enumerate(rows)
        if row.length or row.exchanges
    ]
    return Chart(
        text("Bytes over time, by {width}", width=duration(width)),
        columns("timeline", description, [Column(row.length, row.missing, row.failed) for row in rows], ticks),
        description,
        (text("From (UTC)"), text("Bytes"), text("HTTP exchanges"), "404", "5xx"),
        table,
        legend=[
            ("plain", text("bytes of messages")),
            ("high triangle", text("404 in this interval")),
            ("critical diamond", text("5xx in this interval")),
        ],
        wide=True,
    )


def _rebinned(intervals: Mapping[int, Interval], width: int) -> tuple[dict[int, Interval], int]:
    """The same in at most COLUMNS intervals, their width a round number of time."""
    if not intervals:
        return {}, width
    nice = [step * 10**power for power in range(8, 11) for step in (1, 2, 5)]
    nice = [
        125_000_000,
        *(value for value in nice if value >= 250_000_000 and value < 60_000_000_000),
        *(minutes * 60_000_000_000 for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440)),
    ]
    reach = (max(intervals) - min(intervals) + 1) * width
    wider = next((step for step in nice if step >= width and step % width == 0 and step * COLUMNS >= reach), None)
    if wider is None:
        wider = width * -(-reach // (width * COLUMNS))
    merged: dict[int, Interval] = {}
    for at, interval in intervals.items():
        sum_ = merged.setdefault(at * width // wider, Interval())
        sum_ += interval
    return merged, wider


def hosts_table(survey: Survey, limit: int) -> Table:
    """Bytes sent and received by each machine, the most first."""
    ranked = sorted(survey.hosts.items(), key=lambda pair: (-pair[1].total, pair[0]))
    rows: list[tuple[Phrase, ...]] = [
        (named(name), number(traffic.streams), size(traffic.sent), size(traffic.received))
        for name, traffic in ranked[:limit]
    ]
    head = (text("Host"), text("Conversations"), text("Sent"), text("Received"))
    left = len(ranked) - len(rows)
    return Table(head, rows, plural(left, "more host in the annotations.", "more hosts in the annotations.", none=""))


def _pairs(survey: Survey) -> list[tuple[Pair, Traffic]]:
    return sorted(survey.pairs.items(), key=lambda pair: (-pair[1].total, pair[0]))


def _wire(pair: Pair) -> str:
    """How it went over the wire, by the names of WIRE."""
    return "encrypted" if pair.encrypted else "clear" if pair.spoken else "unknown"


def pairs_table(survey: Survey, limit: int) -> Table:
    """Who talked to which service."""
    ranked = _pairs(survey)
    rows: list[tuple[Phrase, ...]] = [
        (
            named(pair.client),
            named(pair.server),
            f"{pair.protocol}, {pair.spoken}" if pair.spoken else pair.protocol,
            text(WIRE[_wire(pair)]),
            number(traffic.streams),
            size(traffic.sent),
            size(traffic.received),
        )
        for pair, traffic in ranked[:limit]
    ]
    names = later(("Client", "Service", "Protocol", "On the wire", "Conversations", "To service", "To client"))
    left = len(ranked) - len(rows)
    note = plural(left, "more pair in the annotations.", "more pairs in the annotations.", none="")
    return Table(heads(names), rows, note)


def pairs_chart(survey: Survey) -> Chart | None:
    """A map of who talked to whom, the pairs with most bytes; None where nobody did."""
    ranked = _pairs(survey)[:EDGES]
    if not ranked:
        return None
    order = {name: at for at, name in enumerate(dict.fromkeys(pair.client for pair, _ in ranked))}
    ranked.sort(key=lambda entry: order[entry[0].client])
    rows, told = [], []
    for pair, traffic in ranked:
        wire = text(WIRE[_wire(pair)])
        carried = f"{pair.spoken or pair.protocol}, {wire}, {size(traffic.total)}"
        rows.append(Edge(pair.client, pair.server, carried, traffic.total, _wire(pair)))
        told.append(f"{visible(pair.client, 40)} > {visible(pair.server, 40)} ({carried})")
    description = text("Who talked to whom, by payload bytes: {told}.", told=listing(told))
    legend = [
        ("line clear", text("in clear")),
        ("line encrypted", text("encrypted")),
        ("line unknown", text("not known")),
    ]
    left = len(survey.pairs) - len(rows)
    title = text("Who talked to whom")
    if left > 0:
        title = text("Who talked to whom: the {count} pairs with most payload", count=len(rows))
    return Chart(title, edges("pairs", description, rows), description, (), [], legend, wide=True)


def _programs(survey: Survey) -> list[tuple[Program, Traffic]]:
    found = [(survey.programs.table[index], traffic) for index, traffic in survey.by_program.items()]
    return sorted(found, key=lambda pair: (-pair[1].total, [part or "" for part in pair[0]]))


def programs_table(survey: Survey, limit: int) -> Table:
    """Bytes by program: name, executable, user and container; its processes taken together."""
    ranked = _programs(survey)
    rows: list[tuple[Phrase, ...]] = [
        (
            named(program.name),
            Captured(program.exe or "-"),
            Captured(program.user or "-"),
            Captured(program.container) if program.container else text("host"),
            number(traffic.streams),
            size(traffic.sent),
            size(traffic.received),
        )
        for program, traffic in ranked[:limit]
    ]
    names = later(("Program", "Executable", "User", "Container", "Conversations", "Sent", "Received"))
    left = len(ranked) - len(rows)
    note = plural(left, "more program in the annotations.", "more programs in the annotations.", none="")
    return Table(heads(names), rows, note)


def programs_chart(survey: Survey) -> Chart | None:
    """The programs with most traffic; None where no process is known."""
    ranked = _programs(survey)[:8]
    if not ranked:
        return None
    told = listing([f"{visible(program.name, 40)} {size(traffic.total)}" for program, traffic in ranked])
    description = text("Programs by payload bytes: {told}.", told=told)
    rows = [Bar(program.name, traffic.total, size(traffic.total), "plain") for program, traffic in ranked]
    drawn = bars("talkers", description, rows, label_width=130, width=700)
    return Chart(text("Top talkers: programs by payload"), drawn, description, (), [], wide=True)


def scanners_table(scanners: list[Scanner], limit: int) -> Table:
    """Clients that asked for many missing paths."""
    rows: list[tuple[Phrase, ...]] = [
        (
            named(scan.client),
            Captured("-" if scan.program == UNKNOWN.name else scan.program),
            named(scan.server),
            number(scan.paths),
            number(scan.requests),
        )
        for scan in scanners[:limit]
    ]
    names = later(("Client", "Program", "Server", "Missing paths", "Requests"))
    left = len(scanners) - len(rows)
    note = plural(left, "more client in the annotations.", "more clients in the annotations.", none="")
    return Table(heads(names), rows, note)


def programs_note(inputs: Inputs) -> str:
    """Why traffic may be in no program."""
    if not inputs.packets:
        return ""
    if inputs.only_packets:
        return text("Packet captures name no process, so traffic cannot be told apart by program.")
    if len(inputs.packets) == 1:
        return text(
            "{items} is a packet capture and names no process: its traffic is in the tables of hosts, in none of "
            "programs.",
            items=items(inputs.packets),
        )
    return text(
        "{items} are packet captures and name no process: their traffic is in the tables of hosts, in none of "
        "programs.",
        items=items(inputs.packets),
    )


def talkers(survey: Survey, limits: Limits) -> tuple[Table, Table, Table]:
    """Programs, hosts, pairs."""
    return (
        programs_table(survey, limits.talkers),
        hosts_table(survey, limits.talkers),
        pairs_table(survey, limits.talkers),
    )
