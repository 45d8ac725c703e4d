"""Sentences made from the numbers: verdict, executive summary, key figures. What to do is in actions.py."""

from __future__ import annotations

from . import contradictions
from .digest import SCAN, USERS, Digest, Exposed, captured_list, digest, unique
from .display import number
from .findings import Findings
from .inputs import Inputs, item, period
from .language import joined, later, listing, phrase, plural, text
from .limitations import twice
from .model import Figure, Phrase
from .places import named

__all__ = ["SCAN", "digest", "figures", "summary", "verdict"]
GRAVE = ("critical", "high")


def verdict(findings: Findings, found: Digest) -> tuple[str, str]:
    """The gravest severity, and what it means for the reader's day."""
    worst = findings.worst() or "info"
    if worst in GRAVE:
        return worst, text("Act today. {gravest}", gravest=_gravest(findings, found))
    if worst == "medium":
        return worst, text("Act soon. Nothing points to an open door to the outside, but there is something to mend.")
    if len(findings):
        return worst, text("Nothing urgent. What was found can be dealt with in the course of usual work.")
    return worst, text("Nothing was found by the rules of this version.")


def _gravest(findings: Findings, found: Digest) -> str:
    """What is critical or high, in a sentence: the first of these that there is."""

    def grave(positions: list[int]) -> bool:
        return any(findings.level(position) in GRAVE for position in positions)

    sentences = (
        (found.readable.accepted, later("A valid password crossed the network where others could read it.")),
        (found.readable.findings, later("A password crossed the network where others could read it.")),
        (found.tokens.accepted, later("A valid token crossed the network where others could read it.")),
        (found.tokens.findings, later("A token crossed the network where others could read it.")),
        (found.broken_in, later("Logins were tried until one was accepted.")),
        (
            found.crackable.findings,
            later("Logins crossed the network from which others can guess the password."),
        ),
        (found.spreads, later("A secret was written to a log or handed on to another machine.")),
    )
    told = next((told for positions, told in sentences if grave(positions)), None)
    return text(told or later("A rule of this case calls what it found grave."))


def summary(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    """The executive summary, paragraph by paragraph."""
    return [
        _examined(inputs, findings),
        *_exposed(found.readable, findings),
        *_tokens(found.tokens),
        *_crackable(found.crackable),
        *_others(findings, found),
        *_accepted_risks(findings),
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
        text(
            "Some traffic stands in more than one capture ({items}) and is counted in each; see the limitations.",
            items=listing([item(source) for source in affected], 12),
        )
    ]


def _examined(inputs: Inputs, findings: Findings) -> Phrase:
    readable = inputs.readable
    lost = plural(
        len(inputs) - len(readable),
        "more input could not be read.",
        "more inputs could not be read.",
        none="",
    )
    return phrase(
        "{captures} was examined. {lost}It holds {held}. {findings}"
        if len(readable) == 1
        else "{captures} were examined. {lost}They hold {held}. {findings}",
        captures=_captures(inputs),
        lost=f"{lost} " if lost else "",
        held=listing(_held(inputs, findings)),
        findings=_grades(findings),
    )


def _captures(inputs: Inputs) -> Phrase:
    """How many captures of what, from which hosts, of which time."""
    hosts = unique((each.entry.get("machine") or {}).get("hostname") for each in inputs.calls)
    if inputs.mixed:
        calls: Phrase = plural(len(inputs.calls), "capture of system calls", "captures of system calls")
        packets: Phrase = plural(len(inputs.packets), "packet capture")
    elif inputs.only_packets:
        calls, packets = "", plural(len(inputs.readable), "packet capture")
    else:
        calls, packets = plural(len(inputs.readable), "capture"), ""
    if hosts and calls:
        calls = phrase("{captures} from host {hosts}", captures=calls, hosts=captured_list(hosts, 3))
    what = joined(calls, text(" and ") if calls and packets else "", packets)
    time = period(inputs)
    return phrase("{captures} covering {period}", captures=what, period=time) if time else what


def _held(inputs: Inputs, findings: Findings) -> list[str]:
    survey = findings.survey
    events, frames = (
        sum(each.count(name) for each in those)
        for name, those in (("events", inputs.calls), ("frames", inputs.packets))
    )
    held = [plural(events, "recorded event")] if events else []
    held += [plural(frames, "frame")] if frames else []
    held += [plural(sum(survey.streams.values()), "conversation"), plural(survey.exchanges, "HTTP exchange")]
    said = sum(each.count("records") for each in inputs.readable)
    if said:
        held.append(plural(said, "record of other protocols", "records of other protocols"))
    return held


def _grades(findings: Findings) -> str:
    count = len(findings) - findings.ignored_count
    if not count:
        none = later("All that was found are accepted risks.") if findings.ignored_count else "No rule found anything."
        return text(none)
    levels = findings.by_level()
    grave = listing(
        [text("{count} {what}", count=number(many), what=text(level)) for level, many in levels.items() if many]
    )
    return text("{findings} came of it: {grades}.", findings=plural(count, "finding"), grades=grave)


def _exposed(found: Exposed, findings: Findings) -> list[Phrase]:
    if not found.findings:
        return [text("No password was seen in readable form. This holds for what was captured; see the limitations.")]
    one = found.secrets == 1
    first = phrase(
        "{passwords} was sent without encryption to {servers}. {reach}"
        if one
        else "{passwords} were sent without encryption to {servers}. {reach}",
        passwords=_of_users(plural(found.secrets, "password"), found),
        servers=captured_list(found.servers, 3) or text("an unknown server"),
        reach=_reach(found),
    )
    if not found.accepted:
        return [first]
    count = len({findings.group(position).identity.fingerprint for position in found.accepted})
    if one:
        return [
            first,
            text("The server accepted it, so it is valid and must be treated as known to others."),
        ]
    return [
        first,
        text(
            "The server accepted {count} of them, so it is valid and must be treated as known to others."
            if count == 1
            else "The server accepted {count} of them, so they are valid and must be treated as known to others.",
            count=number(count),
        ),
    ]


def _of_users(what: str, found: Exposed) -> Phrase:
    if not found.users:
        return what
    return phrase("{secrets} of {users}", secrets=what, users=captured_list(found.users, USERS))


def _reach(found: Exposed) -> str:
    if not found.exposed:
        return text("All of it stayed on one machine, so only its users and administrators could read it.")
    if len(found.exposed) < len(found.findings):
        return text(
            "In {count} of {findings} it crossed the network, where others on the path could read it.",
            count=number(len(found.exposed)),
            findings=plural(len(found.findings), "finding"),
        )
    if found.secrets == 1:
        return text("Anyone on the path between the machines could read it.")
    return text("Anyone on the path between the machines could read them.")


def _tokens(found: Exposed) -> list[Phrase]:
    if not found.findings:
        return []
    one = found.secrets == 1
    taken = ""
    if found.accepted:
        taken = text(" The server accepted it.") if one else text(" The server accepted some of them.")
    return [
        phrase(
            "{tokens} (keys and the like, which stand for a password) was sent without encryption to {servers}."
            "{taken} Whoever reads one can act as its owner until it is revoked."
            if one
            else "{tokens} (keys and the like, which stand for a password) were sent without encryption to {servers}."
            "{taken} Whoever reads one can act as its owner until it is revoked.",
            tokens=_of_users(plural(found.secrets, "token"), found),
            servers=captured_list(found.servers, 3) or text("an unknown server"),
            taken=taken,
        )
    ]


def _crackable(found: Exposed) -> list[Phrase]:
    if not found.findings:
        return []
    return [
        phrase(
            "{answers} was sent to {servers}. No password can be read from it, but whoever reads it can guess "
            "passwords offline; how soon that succeeds depends on the passwords and the method."
            if found.secrets == 1
            else "{answers} were sent to {servers}. No password can be read from them, but whoever reads them can "
            "guess passwords offline; how soon that succeeds depends on the passwords and the method.",
            answers=_of_users(plural(found.secrets, "answer to a challenge", "answers to challenges"), found),
            servers=captured_list(found.servers, 3) or text("an unknown server"),
        )
    ]


def _others(findings: Findings, found: Digest) -> list[Phrase]:
    """Guessing at logins, secrets that were handed on, secrets of programs, session cookies."""
    told: list[Phrase] = []

    def ids(positions: list[int]) -> str:
        return listing([findings.number(position) for position in positions], USERS)

    if found.attacks:
        guessed = plural(
            len(found.attacks),
            "client had many logins refused within a short time",
            "clients had many logins refused within a short time",
        )
        paragraph = text("{what} ({ids}).", what=guessed, ids=ids(found.attacks))
        if found.broken_in:
            paragraph += text(
                " In {cases} a login was accepted afterwards: refused, then accepted.",
                cases=plural(len(found.broken_in), "case"),
            )
        told.append(paragraph)
    if found.spreads:
        spread = plural(
            len(found.spreads),
            "secret turned up elsewhere after being received",
            "secrets turned up elsewhere after being received",
        )
        told.append(text("{what} ({ids}).", what=spread, ids=ids(found.spreads)))
    if found.held.findings:
        told.append(
            plural(
                found.held.secrets,
                "secret was given to programs in their arguments or environment, where others can see it.",
                "secrets were given to programs in their arguments or environment, where others can see them.",
            )
        )
    if found.sessions.findings:
        told.append(
            plural(
                found.sessions.secrets,
                "session cookie crossed a connection without encryption; it counts as a finding of its own, not here.",
                "session cookies crossed a connection without encryption; they count as findings of their own, not "
                "here.",
            )
        )
    return told


def _accepted_risks(findings: Findings) -> list[Phrase]:
    told = plural(
        findings.ignored_count,
        "more finding is an accepted risk: listed with the reason, and in none of these figures.",
        "more findings are accepted risks: listed with the reason, and in none of these figures.",
        none="",
    )
    return [told] if told else []


def _errors(findings: Findings, found: Digest) -> Phrase:
    survey = findings.survey
    answered = sum(survey.statuses.values())
    if not answered:
        return text("No HTTP response was seen.")
    told: Phrase = text(
        "Of {responses}, {missing} ({share} %) said that the page does not exist (404) and {failed} that the server "
        "failed (5xx).",
        responses=plural(answered, "HTTP response"),
        missing=number(found.missing),
        share=f"{100 * found.missing / answered:.1f}",
        failed=number(survey.status_class(5)),
    )
    if found.scanners:
        scan = found.scanners[0]
        client = phrase(
            " The client {client} asked for {paths} different missing paths, which looks like a scan.",
            client=named(scan.client),
            paths=number(scan.paths),
        )
        told = joined(told, client)
    return told


def figures(findings: Findings, found: Digest) -> list[Figure]:
    """The five key figures."""
    levels = findings.by_level()
    grave = levels["critical"] + levels["high"]
    secrets, others = found.readable.secrets, found.tokens.secrets + found.crackable.secrets
    third = Figure(number(findings.survey.exchanges), text("HTTP exchanges"))
    if others:
        third = Figure(number(others), text("distinct tokens, and answers to guess passwords from"), "bad")
    return [
        Figure(number(grave), text("critical and high findings"), "bad" if grave else ""),
        Figure(number(secrets), text("distinct passwords in readable form"), "bad" if secrets else ""),
        third,
        Figure(number(found.missing), text("responses with status 404")),
        Figure(number(findings.survey.status_class(5)), text("server errors (5xx)")),
    ]
