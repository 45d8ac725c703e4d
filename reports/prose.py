"""Sentences made from the numbers: executive summary, key figures, what to do first, remediation plan."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import contradictions
from .display import listing, number, plural
from .findings import Findings
from .inputs import Inputs, item, period
from .limitations import twice
from .model import Action, Captured, Figure, Phrase

USERS = 5
SCAN = 15


class Scanner(NamedTuple):
    """A client that asked one server for many paths that do not exist."""

    client: str
    server: str
    paths: int
    requests: int
    program: str


class Digest(NamedTuple):
    """The findings boiled down: what the sentences need."""

    credentials: list[int]
    users: list[str]
    accepted: list[int]
    exposed: list[int]
    secrets: int
    servers: list[str]
    missing_paths: int
    missing: int
    failing: list[int]
    scanners: list[Scanner]


def digest(findings: Findings) -> Digest:
    """One walk over the groups, without reading annotations."""
    credentials = list(findings.of_kind("credential"))
    groups = [findings.group(position) for position in credentials]
    scans: dict[tuple[str, str, str], list[int]] = {}
    missing_paths = 0
    failing = []
    for position in findings.of_kind("http_error"):
        group = findings.group(position)
        if findings.rule(position).id != "http-404":
            failing.append(position)
            continue
        missing_paths += 1
        key = (group.identity.client, group.identity.server, group.identity.client_program)
        scan = scans.setdefault(key, [0, 0])
        scan[0] += 1
        scan[1] += group.count
    scanners = sorted(
        (
            Scanner(client, server, paths, requests, program)
            for (client, server, program), (paths, requests) in scans.items()
            if paths >= SCAN
        ),
        key=lambda scan: (-scan.paths, scan),
    )
    return Digest(
        credentials=credentials,
        users=_unique(group.identity.user for group in groups),
        accepted=[position for position in credentials if findings.group(position).outcome == "accepted"],
        exposed=[position for position in credentials if findings.group(position).exposure != "local"],
        secrets=len({group.identity.fingerprint for group in groups}),
        servers=_unique(group.identity.server for group in groups),
        missing_paths=missing_paths,
        missing=findings.survey.statuses.get(404, 0),
        failing=failing,
        scanners=scanners,
    )


def _unique(values: Any) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def captured_list(values: list[str], limit: int) -> tuple[str, ...]:
    """`a, b and 3 more`, each value marked as captured."""
    shown = values[:limit]
    parts: list[str] = []
    rest = len(values) - len(shown)
    for at, value in enumerate(shown):
        last = at == len(shown) - 1 and not rest
        parts += [" and " if last and parts else ", " if parts else "", Captured(value)]
    if rest:
        parts.append(f" and {rest:,} more")
    return tuple(part for part in parts if part)


def verdict(findings: Findings, found: Digest) -> tuple[str, str]:
    """The gravest severity, and what it means for the reader's day."""
    worst = findings.worst() or "info"
    if worst in ("critical", "high"):
        valid = [position for position in found.accepted if findings.level(position) in ("critical", "high")]
        what = "A valid password" if valid else "A password"
        return worst, f"Act today. {what} crossed the network where others could read it."
    if worst == "medium":
        return worst, "Act soon. Nothing points to an open door to the outside, but there is something to mend."
    if len(findings):
        return worst, "Nothing urgent. What was found can be dealt with in the course of usual work."
    return worst, "Nothing was found by the rules of this version."


def summary(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    """The executive summary, paragraph by paragraph."""
    return [
        _examined(inputs, findings),
        *_exposed(findings, found),
        _errors(findings, found),
        *_twice(inputs, findings),
        *contradictions.summary(inputs),
    ]


def _twice(inputs: Inputs, findings: Findings) -> list[Phrase]:
    pairs = twice(inputs, findings)
    if not pairs:
        return []
    affected = sorted({source for one, other, _ in pairs for source in (one, other)})
    return [
        f"Some traffic stands in more than one capture ({listing([item(source) for source in affected], 12)}) and is "
        "counted in each; see the limitations."
    ]


def _examined(inputs: Inputs, findings: Findings) -> Phrase:
    readable = inputs.readable
    hosts = _unique((each.entry.get("machine") or {}).get("hostname") for each in inputs.calls)
    host: tuple[str, ...] = (" from host ", *captured_list(hosts, 3)) if hosts else ()
    if inputs.mixed:
        calls, packets = len(inputs.calls), len(inputs.packets)
        what: tuple[str, ...] = (
            plural(calls, "capture of system calls", "captures of system calls").capitalize(),
            *host,
            f" and {plural(packets, 'packet capture')}",
        )
    else:
        one = "packet capture" if inputs.only_packets else "capture"
        what = (plural(len(readable), one).capitalize(), *host)
    time = f" covering {told}" if (told := period(inputs)) else ""
    verb = "was" if len(readable) == 1 else "were"
    survey = findings.survey
    events, frames = (
        sum(each.count(name) for each in those)
        for name, those in (("events", inputs.calls), ("frames", inputs.packets))
    )
    held = [plural(events, "recorded event")] if events else []
    held += [plural(frames, "frame")] if frames else []
    held += [plural(sum(survey.streams.values()), "conversation"), plural(survey.exchanges, "HTTP exchange")]
    said = sum(each.count("records") for each in readable)
    held += [plural(said, "record") + " of other protocols"] if said else []
    levels = findings.by_level()
    grave = listing([f"{count:,} {level}" for level, count in levels.items() if count])
    told = f"{plural(len(findings), 'finding')} came of it: {grave}." if len(findings) else "No rule found anything."
    lost = len(inputs) - len(readable)
    return (
        *what,
        time,
        f" {verb} examined. ",
        f"{plural(lost, 'more input')} could not be read. " if lost else "",
        f"{'It holds' if len(readable) == 1 else 'They hold'} {listing(held)}. {told}",
    )


def _exposed(findings: Findings, found: Digest) -> list[Phrase]:
    if not found.credentials:
        return ["No password was seen in readable form. This holds for what was captured; see the limitations."]
    who: tuple[str, ...] = (" of ", *captured_list(found.users, USERS)) if found.users else ()
    verb = "was" if found.secrets == 1 else "were"
    first: Phrase = (
        f"{plural(found.secrets, 'password')}",
        *who,
        f" {verb} sent without encryption to ",
        *captured_list(found.servers, 3),
        ". ",
        _reach(found),
    )
    if not found.accepted:
        return [first]
    count = len({findings.group(position).identity.fingerprint for position in found.accepted})
    return [
        first,
        f"The server accepted {count:,} of them, so {'it is' if count == 1 else 'they are'} valid and must be "
        "treated as known to others."
        if found.secrets > 1
        else "The server accepted it, so it is valid and must be treated as known to others.",
    ]


def _reach(found: Digest) -> str:
    if not found.exposed:
        return "All of it stayed on one machine, so only its users and administrators could read it."
    if len(found.exposed) == len(found.credentials):
        return "Anyone on the path between the machines could read " + ("it." if found.secrets == 1 else "them.")
    return (
        f"In {len(found.exposed):,} of {plural(len(found.credentials), 'finding')} it crossed the network, where "
        "others on the path could read it."
    )


def _errors(findings: Findings, found: Digest) -> Phrase:
    survey = findings.survey
    answered = sum(survey.statuses.values())
    if not answered:
        return "No HTTP response was seen."
    share = 100 * found.missing / answered
    failed = survey.status_class(5)
    parts: list[str] = [
        f"Of {plural(answered, 'HTTP response')}, {number(found.missing)} ({share:.1f} %) said that the page does not "
        f"exist (404) and {number(failed)} that the server failed (5xx)."
    ]
    if found.scanners:
        scan = found.scanners[0]
        parts += [
            " The client ",
            Captured(scan.client),
            f" asked for {number(scan.paths)} different missing paths, which looks like a scan.",
        ]
    return tuple(parts)


def figures(findings: Findings, found: Digest) -> list[Figure]:
    """The five key figures."""
    levels = findings.by_level()
    grave = levels["critical"] + levels["high"]
    return [
        Figure(number(grave), "critical and high findings", "bad" if grave else ""),
        Figure(number(found.secrets), "distinct passwords in readable form", "bad" if found.secrets else ""),
        Figure(number(findings.survey.exchanges), "HTTP exchanges"),
        Figure(number(found.missing), "responses with status 404"),
        Figure(number(findings.survey.status_class(5)), "server errors (5xx)"),
    ]


def first_steps(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    """What to do first, the most urgent first."""
    steps: list[Phrase] = []
    if found.credentials:
        grave = found.accepted or found.credentials
        users = _unique(findings.group(position).identity.user for position in grave)
        whose: tuple[str, ...] = (" of ", *captured_list(users, USERS)) if users else ()
        ids = listing([findings.number(position) for position in grave], USERS)
        steps.append(
            (
                "Change the password",
                "s" if len(users) > 1 else "",
                *whose,
                f" today, and wherever else the same password is used ({ids}).",
            )
        )
        steps.append(
            (
                "Serve ",
                *captured_list(found.servers, 3),
                " only over TLS, and redirect plain HTTP before any form or login is answered.",
            )
        )
        steps.append("Look through the access logs of these accounts from the time of the first finding on.")
    if found.scanners:
        scan = found.scanners[0]
        steps.append(
            (
                "Find out what ",
                Captured(scan.client),
                f" is: it asked for {number(scan.paths)} paths that do not "
                "exist. Block or limit it if nobody answers for it.",
            )
        )
    if found.failing:
        ids = listing([findings.number(position) for position in found.failing], USERS)
        steps.append(f"Have the developers look at the server errors ({ids}) in the application's log.")
    steps += contradictions.steps(inputs)
    if not steps and found.missing:
        steps.append("Repair or redirect the missing pages that real visitors ask for.")
    return steps or ["Nothing in this capture calls for action at once. Keep in mind what it could not show."]


def plan(findings: Findings, found: Digest) -> list[Action]:
    """The remediation plan, with how to check that a step is done."""
    actions = []
    if found.credentials:
        ids = listing([findings.number(position) for position in found.credentials], 8)
        actions += [
            Action("Change the exposed passwords", ids, "A new capture shows other fingerprints or none."),
            Action(
                "Redirect HTTP to HTTPS; set Strict-Transport-Security",
                ids,
                "A new capture holds no credential finding on these servers.",
            ),
        ]
        urls = [position for position in found.credentials if findings.rule(position).id == "http-url-password"]
        if urls:
            actions.append(
                Action(
                    "Take passwords out of addresses, and addresses with passwords out of logs",
                    listing([findings.number(position) for position in urls], 8),
                    "Access logs hold no password parameter.",
                )
            )
    if found.failing:
        actions.append(
            Action(
                "Mend the causes of server errors",
                listing([findings.number(position) for position in found.failing], 8),
                "The same requests answer with 2xx.",
            )
        )
    if found.missing_paths:
        ids = listing(
            [
                findings.number(position)
                for position in findings.of_kind("http_error")
                if findings.rule(position).id == "http-404"
            ],
            8,
        )
        actions.append(
            Action(
                "Restore or redirect missing pages; limit clients that guess names",
                ids,
                "The share of 404 falls in a new capture.",
            )
        )
    return actions
