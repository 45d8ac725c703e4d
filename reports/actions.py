"""What to do: the first steps, and the plan with how to check that a step is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from . import contradictions
from .digest import USERS, Digest, captured_list, unique
from .display import number
from .findings import Findings
from .inputs import Inputs
from .language import later, listing, phrase, text
from .model import Action, Captured, Phrase
from .places import named


def _ids(findings: Findings, positions: Iterable[int], limit: int = USERS) -> str:
    return listing([findings.number(position) for position in positions], limit)


def first_steps(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    """What to do first, the most urgent first."""
    steps: list[Phrase] = []
    if found.broken_in:
        steps.append(
            text(
                "Treat the accounts whose logins were tried until one was accepted as taken over ({ids}).",
                ids=_ids(findings, found.broken_in),
            )
        )
    if found.readable.findings:
        steps += _passwords(findings, found)
    if found.tokens.findings:
        grave = found.tokens.accepted or found.tokens.findings
        steps.append(
            text("Revoke the tokens and keys that could be read ({ids}), and issue others.", ids=_ids(findings, grave))
        )
    if found.spreads:
        steps.append(text("Clear logs and files that kept secrets ({ids}).", ids=_ids(findings, found.spreads)))
    if found.crackable.findings:
        steps.append(
            text(
                "Give the accounts whose logins can be guessed from long new passwords ({ids}).",
                ids=_ids(findings, found.crackable.findings),
            )
        )
    if found.scanners:
        scan = found.scanners[0]
        steps.append(
            phrase(
                "Find out what {client} is: it asked for {paths} paths that do not exist. Block or limit it if nobody "
                "answers for it.",
                client=named(scan.client),
                paths=number(scan.paths),
            )
        )
    if found.failing:
        steps.append(
            text(
                "Have the developers look at the server errors ({ids}) in the application's log.",
                ids=_ids(findings, found.failing),
            )
        )
    steps += contradictions.steps(inputs)
    if not steps and found.missing:
        steps.append(text("Repair or redirect the missing pages that real visitors ask for."))
    return steps or [text("Nothing in this capture calls for action at once. Keep in mind what it could not show.")]


def _passwords(findings: Findings, found: Digest) -> list[Phrase]:
    grave = found.readable.accepted or found.readable.findings
    users = unique(findings.group(position).identity.user for position in grave)
    ids = _ids(findings, grave)
    change: Phrase
    if not users:
        change = text("Change the password today, and wherever else the same password is used ({ids}).", ids=ids)
    elif len(users) == 1:
        change = phrase(
            "Change the password of {user} today, and wherever else the same password is used ({ids}).",
            user=Captured(users[0]),
            ids=ids,
        )
    else:
        change = phrase(
            "Change the passwords of {users} today, and wherever else the same password is used ({ids}).",
            users=captured_list(users, USERS),
            ids=ids,
        )
    serve = phrase(
        "Serve {servers} only over TLS, and redirect plain HTTP before any form or login is answered.",
        servers=captured_list(found.readable.servers, 3),
    )
    look = text("Look through the access logs of these accounts from the time of the first finding on.")
    return [change, serve, look] if found.readable.servers else [change, look]


class Remedy(NamedTuple):
    """A step of the plan: what to do, which findings it concerns, how to see that it is done."""

    what: str
    concerns: Callable[[Findings, Digest], Iterable[int]]
    check: str


def _urls(findings: Findings, found: Digest) -> Iterable[int]:
    return [at for at in found.readable.findings if findings.rule(at).id == "http-url-password"]


def _missing(findings: Findings, found: Digest) -> Iterable[int]:
    return [at for at in findings.of_kind("http_error") if findings.rule(at).id == "http-404"]


REMEDIES = later(
    (
        Remedy(
            "Change the exposed passwords",
            lambda _, found: found.readable.findings,
            "A new capture shows other fingerprints or none.",
        ),
        Remedy(
            "Redirect HTTP to HTTPS; set Strict-Transport-Security",
            lambda _, found: found.readable.findings,
            "A new capture holds no credential finding on these servers.",
        ),
        Remedy(
            "Take passwords out of addresses, and addresses with passwords out of logs",
            _urls,
            "Access logs hold no password parameter.",
        ),
        Remedy(
            "Revoke the tokens that were sent without encryption; accept tokens only over TLS",
            lambda _, found: found.tokens.findings,
            "The old tokens are refused; a new capture holds none.",
        ),
        Remedy(
            "Carry logins by challenge and answer within TLS or a VPN; require long passwords",
            lambda _, found: found.crackable.findings,
            "A new capture holds no such finding on these servers.",
        ),
        Remedy(
            "Give session cookies the attribute Secure",
            lambda _, found: found.sessions.findings,
            "Set-Cookie of these servers says Secure.",
        ),
        Remedy(
            "Keep secrets out of logs, files, arguments and environments",
            lambda _, found: [*found.spreads, *found.held.findings],
            "A new capture holds no finding that a secret was handed on or given in arguments.",
        ),
        Remedy(
            "Limit refused logins by client and by account; ask for a second factor",
            lambda _, found: found.attacks,
            "A test with wrong passwords is stopped after a few attempts.",
        ),
        Remedy(
            "Mend the causes of server errors",
            lambda _, found: found.failing,
            "The same requests answer with 2xx.",
        ),
        Remedy(
            "Restore or redirect missing pages; limit clients that guess names",
            _missing,
            "The share of 404 falls in a new capture.",
        ),
    )
)


def plan(findings: Findings, found: Digest) -> list[Action]:
    """The remediation plan, with how to check that a step is done."""
    return [
        Action(text(remedy.what), _ids(findings, positions, 8), text(remedy.check))
        for remedy in REMEDIES
        if (positions := list(remedy.concerns(findings, found)))
    ]
