"""What to do: the first steps, and the plan with how to check that a step is done."""

from __future__ import annotations

from collections.abc import Iterable

from . import contradictions
from .digest import USERS, Digest, captured_list, unique
from .display import listing, number
from .findings import Findings
from .inputs import Inputs
from .model import Action, Captured, Phrase


def _ids(findings: Findings, positions: Iterable[int], limit: int = USERS) -> str:
    return listing([findings.number(position) for position in positions], limit)


def first_steps(inputs: Inputs, findings: Findings, found: Digest) -> list[Phrase]:
    """What to do first, the most urgent first."""
    steps: list[Phrase] = []
    if found.broken_in:
        ids = _ids(findings, found.broken_in)
        steps.append(f"Treat the accounts whose logins were tried until one was accepted as taken over ({ids}).")
    if found.readable.findings:
        grave = found.readable.accepted or found.readable.findings
        users = unique(findings.group(position).identity.user for position in grave)
        whose: tuple[str, ...] = (" of ", *captured_list(users, USERS)) if users else ()
        steps.append(
            (
                "Change the password",
                "s" if len(users) > 1 else "",
                *whose,
                f" today, and wherever else the same password is used ({_ids(findings, grave)}).",
            )
        )
        steps.append(
            (
                "Serve ",
                *captured_list(found.readable.servers, 3),
                " only over TLS, and redirect plain HTTP before any form or login is answered.",
            )
        )
        steps.append("Look through the access logs of these accounts from the time of the first finding on.")
    if found.tokens.findings:
        grave = found.tokens.accepted or found.tokens.findings
        steps.append(f"Revoke the tokens and keys that could be read ({_ids(findings, grave)}), and issue others.")
    if found.spreads:
        steps.append(f"Clear logs and files that kept secrets ({_ids(findings, found.spreads)}).")
    if found.crackable.findings:
        ids = _ids(findings, found.crackable.findings)
        steps.append(f"Give the accounts whose logins can be guessed from long new passwords ({ids}).")
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
        ids = _ids(findings, found.failing)
        steps.append(f"Have the developers look at the server errors ({ids}) in the application's log.")
    steps += contradictions.steps(inputs)
    if not steps and found.missing:
        steps.append("Repair or redirect the missing pages that real visitors ask for.")
    return steps or ["Nothing in this capture calls for action at once. Keep in mind what it could not show."]


def plan(findings: Findings, found: Digest) -> list[Action]:
    """The remediation plan, with how to check that a step is done."""
    actions = []
    if found.readable.findings:
        ids = _ids(findings, found.readable.findings, 8)
        actions += [
            Action("Change the exposed passwords", ids, "A new capture shows other fingerprints or none."),
            Action(
                "Redirect HTTP to HTTPS; set Strict-Transport-Security",
                ids,
                "A new capture holds no credential finding on these servers.",
            ),
        ]
        urls = [position for position in found.readable.findings if findings.rule(position).id == "http-url-password"]
        if urls:
            actions.append(
                Action(
                    "Take passwords out of addresses, and addresses with passwords out of logs",
                    listing([findings.number(position) for position in urls], 8),
                    "Access logs hold no password parameter.",
                )
            )
    if found.tokens.findings:
        actions.append(
            Action(
                "Revoke the tokens that were sent without encryption; accept tokens only over TLS",
                _ids(findings, found.tokens.findings, 8),
                "The old tokens are refused; a new capture holds none.",
            )
        )
    if found.crackable.findings:
        actions.append(
            Action(
                "Carry logins by challenge and answer within TLS or a VPN; require long passwords",
                _ids(findings, found.crackable.findings, 8),
                "A new capture holds no such finding on these servers.",
            )
        )
    if found.sessions.findings:
        actions.append(
            Action(
                "Give session cookies the attribute Secure",
                _ids(findings, found.sessions.findings, 8),
                "Set-Cookie of these servers says Secure.",
            )
        )
    if found.held.findings or found.spreads:
        actions.append(
            Action(
                "Keep secrets out of logs, files, arguments and environments",
                _ids(findings, [*found.spreads, *found.held.findings], 8),
                "A new capture holds no finding that a secret was handed on or given in arguments.",
            )
        )
    if found.attacks:
        actions.append(
            Action(
                "Limit refused logins by client and by account; ask for a second factor",
                _ids(findings, found.attacks, 8),
                "A test with wrong passwords is stopped after a few attempts.",
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
