"""Sentences made from the numbers: verdict, executive summary, key figures. What to do is in actions.py."""

from __future__ import annotations

from . import contradictions
from .digest import SCAN, USERS, Digest, Exposed, captured_list, digest, unique
from .display import listing, number, plural
from .findings import Findings
from .inputs import Inputs, item, period
from .language import text
from .limitations import twice
from .model import Captured, Figure, Phrase

__all__ = ["SCAN", "digest", "figures", "summary", "verdict"]
GRAVE = ("critical", "high")


def verdict(findings: Findings, found: Digest) -> tuple[str, str]:
    """The gravest severity, and what it means for the reader's day."""
    worst = findings.worst() or "info"
    if worst in GRAVE:
        return worst, f"Act today. {_gravest(findings, found)}"
    if worst == "medium":
        return worst, "Act soon. Nothing points to an open door to the outside, but there is something to mend."
    if len(findings):
        return worst, "Nothing urgent. What was found can be dealt with in the course of usual work."
    return worst, "Nothing was found by the rules of this version."


def _gravest(findings: Findings, found: Digest) -> str:
    """What is critical or high, in a sentence: the first of these that there is."""

    def grave(positions: list[int]) -> list[int]:
        return [position for position in positions if findings.level(position) in GRAVE]

    for exposed, valid, other in (
        (found.readable, "A valid password", "A password"),
        (found.tokens, "A valid token", "A token"),
    ):
        if grave(exposed.findings):
            what = valid if grave(exposed.accepted) else other
            return f"{what} crossed the network where others could read it."
    if grave(found.broken_in):
        return "Logins were tried until one was accepted."
    if grave(found.crackable.findings):
        return "Logins crossed the network from which others can guess the password."
    if grave(found.spreads):
        return "A secret was written to a log or handed on to another machine."
    return "A rule of this case calls what it found grave."


def summary(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    """The executive summary, paragraph by paragraph."""
    return [
        _examined(inputs, findings),
        *_exposed(findings, found.readable),
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
        f"Some traffic stands in more than one capture ({listing([item(source) for source in affected], 12)}) and is "
        "counted in each; see the limitations."
    ]


def _examined(inputs: Inputs, findings: Findings) -> Phrase:
    readable = inputs.readable
    hosts = unique((each.entry.get("machine") or {}).get("hostname") for each in inputs.calls)
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
    count = len(findings) - findings.ignored_count
    told = f"{plural(count, 'finding')} came of it: {grave}." if count else "No rule found anything."
    if not count and findings.ignored_count:
        told = "All that was found are accepted risks."
    lost = len(inputs) - len(readable)
    return (
        *what,
        time,
        f" {verb} examined. ",
        f"{plural(lost, 'more input')} could not be read. " if lost else "",
        f"{'It holds' if len(readable) == 1 else 'They hold'} {listing(held)}. {told}",
    )


def _exposed(findings: Findings, found: Exposed) -> list[Phrase]:
    if not found.findings:
        return ["No password was seen in readable form. This holds for what was captured; see the limitations."]
    verb = "was" if found.secrets == 1 else "were"
    first: Phrase = (
        f"{plural(found.secrets, 'password')}",
        *_whose(found),
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


def _whose(found: Exposed) -> tuple[str, ...]:
    return (" of ", *captured_list(found.users, USERS)) if found.users else ()


def _reach(found: Exposed) -> str:
    if not found.exposed:
        return "All of it stayed on one machine, so only its users and administrators could read it."
    if len(found.exposed) == len(found.findings):
        return "Anyone on the path between the machines could read " + ("it." if found.secrets == 1 else "them.")
    return (
        f"In {len(found.exposed):,} of {plural(len(found.findings), 'finding')} it crossed the network, where "
        "others on the path could read it."
    )


def _tokens(found: Exposed) -> list[Phrase]:
    if not found.findings:
        return []
    verb = "was" if found.secrets == 1 else "were"
    taken = f" The server accepted {'it' if found.secrets == 1 else 'some of them'}." if found.accepted else ""
    return [
        (
            f"{plural(found.secrets, 'token')} (keys and the like, which stand for a password)",
            *_whose(found),
            f" {verb} sent without encryption to ",
            *captured_list(found.servers, 3),
            f".{taken} Whoever reads one can act as its owner until it is revoked.",
        )
    ]


def _crackable(found: Exposed) -> list[Phrase]:
    if not found.findings:
        return []
    one = found.secrets == 1
    it = "it" if one else "them"
    return [
        (
            plural(found.secrets, "answer to a challenge", "answers to challenges"),
            *_whose(found),
            f" {'was' if one else 'were'} sent to ",
            *captured_list(found.servers, 3),
            f". No password can be read from {it}, but whoever reads {it} can guess passwords offline; how soon that "
            "succeeds depends on the passwords and the method.",
        )
    ]


def _others(findings: Findings, found: Digest) -> list[Phrase]:
    """Guessing at logins, secrets that were handed on, secrets of programs, session cookies."""
    told: list[Phrase] = []
    if found.attacks:
        ids = listing([findings.number(position) for position in found.attacks], USERS)
        many = plural(len(found.attacks), "client")
        after = ""
        if found.broken_in:
            after = (
                f" In {plural(len(found.broken_in), 'case')} a login was accepted afterwards: refused, then accepted."
            )
        told.append(f"{many} had many logins refused within a short time ({ids}).{after}")
    if found.spreads:
        ids = listing([findings.number(position) for position in found.spreads], USERS)
        told.append(f"{plural(len(found.spreads), 'secret')} turned up elsewhere after being received ({ids}).")
    if found.held.findings:
        count = plural(found.held.secrets, "secret")
        verb = "was" if found.held.secrets == 1 else "were"
        told.append(f"{count} {verb} given to programs in their arguments or environment, where others can see them.")
    if found.sessions.findings:
        count = plural(found.sessions.secrets, "session cookie")
        told.append(f"{count} crossed a connection without encryption; they count as findings of their own, not here.")
    return told


def _accepted_risks(findings: Findings) -> list[Phrase]:
    count = findings.ignored_count
    if not count:
        return []
    verb = "is an accepted risk" if count == 1 else "are accepted risks"
    return [f"{plural(count, 'more finding')} {verb}: listed with the reason, and in none of these figures."]


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
