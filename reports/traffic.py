"""Tables and charts over all traffic: severities, statuses, time, hosts, programs, who talked to whom."""

from __future__ import annotations

from collections.abc import Mapping

from .charts import Bar, Column, bars, columns
from .digest import Scanner
from .display import duration, listing, number, plural, size, timestamp, visible
from .findings import Findings
from .inputs import Inputs, items
from .model import Captured, Chart, Limits, Phrase, Table
from .names import UNKNOWN, Program
from .survey import Interval, Survey, Traffic

COLUMNS = 70
CLASSES = {1: "1xx informational", 2: "2xx success", 3: "3xx redirection", 4: "4xx client error", 5: "5xx server error"}
TONES = {1: "info", 2: "good", 3: "plain", 4: "high", 5: "critical"}


def severity_chart(findings: Findings) -> Chart:
    """Findings by severity."""
    levels = findings.by_level()
    text = f"Findings by severity: {listing([f'{count:,} {level}' for level, count in levels.items()])}."
    rows = [Bar(level.capitalize(), count, number(count), level) for level, count in levels.items()]
    title = "Findings by severity"
    return Chart(
        title,
        bars("severity", text, rows),
        text,
        ("Severity", "Findings"),
        [(level, number(count)) for level, count in levels.items()],
    )


def status_chart(survey: Survey) -> Chart:
    """HTTP responses by class of status; 404 has a bar of its own."""
    counts = [(name, survey.status_class(hundred), TONES[hundred]) for hundred, name in CLASSES.items()]
    at = next(index for index, (name, _, _) in enumerate(counts) if name.startswith("4xx"))
    counts.insert(at + 1, ("of these 404", survey.statuses.get(404, 0), "missing"))
    shown = [entry for entry in counts if entry[1] or not entry[0].startswith("1xx")]
    text = f"HTTP responses by status: {listing([f'{count:,} {name}' for name, count, _ in shown])}."
    title = "HTTP responses by status"
    rows = [Bar(name, count, number(count), tone) for name, count, tone in shown]
    return Chart(
        title,
        bars("status", text, rows, label_width=118),
        text,
        ("Status", "Responses"),
        [(name, number(count)) for name, count, _ in shown],
    )


def timeline_chart(survey: Survey) -> Chart | None:
    """HTTP exchanges over time, 404s and 5xx marked; None where no exchange has a time."""
    intervals, width = _rebinned(survey.timeline.intervals, survey.timeline.width)
    if not intervals:
        return None
    first, last = min(intervals), max(intervals)
    rows = []
    for at in range(first, last + 1):
        interval = intervals.get(at)
        rows.append(Column(interval.exchanges, interval.missing, interval.failed) if interval else Column(0, 0, 0))
    begin, end = timestamp(first * width), timestamp((last + 1) * width)
    middle = timestamp((first + last + 1) * width // 2)
    precise = 23 if width * len(rows) < 10_000_000_000 else 19

    def told(time: str) -> str:
        """The time alone where all are of one day."""
        return time[11:precise] if begin[:10] == end[:10] else time[:16].replace("T", " ")

    ticks = [(0.0, told(begin)), (0.5, told(middle)), (1.0, f"{told(end)} UTC")]
    busiest = max(range(len(rows)), key=lambda at: rows[at].total)
    text = (
        f"{plural(survey.exchanges, 'HTTP exchange')} from {begin[:precise].replace('T', ' ')} to "
        f"{end[:precise].replace('T', ' ')} UTC in intervals of {duration(width)}. The busiest interval began at "
        f"{told(timestamp((first + busiest) * width))} with {number(rows[busiest].total)} exchanges, of which "
        f"{number(rows[busiest].missing)} had status 404 and {number(rows[busiest].failed)} 5xx."
    )
    title = f"HTTP exchanges per {duration(width).removeprefix('1 ')}"
    table: list[tuple[str, ...]] = [
        (told(timestamp((first + at) * width)), number(row.total), number(row.missing), number(row.failed))
        for at, row in enumerate(rows)
        if row.total
    ]
    return Chart(
        title,
        columns("timeline", text, rows, ticks),
        text,
        ("From (UTC)", "Exchanges", "404", "5xx"),
        table,
        legend=[("plain", "other responses"), ("high", "404"), ("critical", "5xx")],
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
        sum_.exchanges += interval.exchanges
        sum_.missing += interval.missing
        sum_.failed += interval.failed
    return merged, wider


def hosts_table(survey: Survey, limit: int) -> Table:
    """Bytes sent and received by each machine, the most first."""
    ranked = sorted(survey.hosts.items(), key=lambda pair: (-pair[1].total, pair[0]))
    rows: list[tuple[Phrase, ...]] = [
        (Captured(name), number(traffic.streams), size(traffic.sent), size(traffic.received))
        for name, traffic in ranked[:limit]
    ]
    return Table(("Host", "Conversations", "Sent", "Received"), rows, _rest(len(ranked) - len(rows), "host"))


def pairs_table(survey: Survey, limit: int) -> Table:
    """Who talked to which service."""
    ranked = sorted(survey.pairs.items(), key=lambda pair: (-pair[1].total, pair[0]))
    rows: list[tuple[Phrase, ...]] = [
        (
            Captured(pair.client),
            Captured(pair.server),
            f"{pair.protocol}, {pair.spoken}" if pair.spoken else pair.protocol,
            "encrypted" if pair.encrypted else "in clear" if pair.spoken else "not known",
            number(traffic.streams),
            size(traffic.sent),
            size(traffic.received),
        )
        for pair, traffic in ranked[:limit]
    ]
    return Table(
        ("Client", "Service", "Protocol", "On the wire", "Conversations", "To service", "To client"),
        rows,
        _rest(len(ranked) - len(rows), "pair"),
    )


def _programs(survey: Survey) -> list[tuple[Program, Traffic]]:
    found = [(survey.programs.table[index], traffic) for index, traffic in survey.by_program.items()]
    return sorted(found, key=lambda pair: (-pair[1].total, [part or "" for part in pair[0]]))


def programs_table(survey: Survey, limit: int) -> Table:
    """Bytes by program: name, executable, user and container; its processes taken together."""
    ranked = _programs(survey)
    rows: list[tuple[Phrase, ...]] = [
        (
            Captured(program.name),
            Captured(program.exe or "-"),
            Captured(program.user or "-"),
            Captured(program.container or "host"),
            number(traffic.streams),
            size(traffic.sent),
            size(traffic.received),
        )
        for program, traffic in ranked[:limit]
    ]
    return Table(
        ("Program", "Executable", "User", "Container", "Conversations", "Sent", "Received"),
        rows,
        _rest(len(ranked) - len(rows), "program"),
    )


def programs_chart(survey: Survey) -> Chart | None:
    """The programs with most traffic; None where no process is known."""
    ranked = _programs(survey)[:8]
    if not ranked:
        return None
    text = (
        "Programs by payload bytes: "
        + listing([f"{visible(program.name, 40)} {size(traffic.total)}" for program, traffic in ranked])
        + "."
    )
    title = "Top talkers: programs by payload"
    rows = [Bar(program.name, traffic.total, size(traffic.total), "plain") for program, traffic in ranked]
    return Chart(title, bars("talkers", text, rows, label_width=130, width=700), text, (), [], wide=True)


def scanners_table(scanners: list[Scanner], limit: int) -> Table:
    """Clients that asked for many missing paths."""
    rows: list[tuple[Phrase, ...]] = [
        (
            Captured(scan.client),
            Captured("-" if scan.program == UNKNOWN.name else scan.program),
            Captured(scan.server),
            number(scan.paths),
            number(scan.requests),
        )
        for scan in scanners[:limit]
    ]
    return Table(
        ("Client", "Program", "Server", "Missing paths", "Requests"), rows, _rest(len(scanners) - len(rows), "client")
    )


def programs_note(inputs: Inputs) -> str:
    """Why traffic may be in no program."""
    if not inputs.packets:
        return ""
    if inputs.only_packets:
        return "Packet captures name no process, so traffic cannot be told apart by program."
    verb = "is a packet capture and names" if len(inputs.packets) == 1 else "are packet captures and name"
    whose = "its" if len(inputs.packets) == 1 else "their"
    return f"{items(inputs.packets)} {verb} no process: {whose} traffic is in the tables of hosts, in none of programs."


def _rest(count: int, one: str) -> str:
    return f"{plural(count, 'more ' + one)} in the annotations." if count > 0 else ""


def talkers(survey: Survey, limits: Limits) -> tuple[Table, Chart | None, Table, Table]:
    """Programs, their chart, hosts, pairs."""
    return (
        programs_table(survey, limits.talkers),
        programs_chart(survey),
        hosts_table(survey, limits.talkers),
        pairs_table(survey, limits.talkers),
    )
