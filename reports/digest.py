"""The findings boiled down to what the sentences of a report need: one walk over the groups, no annotations read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .findings import Findings
from .language import listed
from .places import named

USERS = 5
SCAN = 15
IN_A_PROCESS = ("process-arguments", "process-environment")


class Scanner(NamedTuple):
    """A client that asked one server for many paths that do not exist."""

    client: str
    server: str
    paths: int
    requests: int
    program: str


class Exposed(NamedTuple):
    """Secrets of one form: positions of their findings, how many different ones, whose, where they went."""

    findings: list[int]
    secrets: int
    users: list[str]
    servers: list[str]
    accepted: list[int]
    exposed: list[int]


class Digest(NamedTuple):
    """What was found, without the risks that somebody accepted."""

    readable: Exposed
    tokens: Exposed
    crackable: Exposed
    sessions: Exposed
    held: Exposed
    """In arguments and environments of programs: on no wire."""
    attacks: list[int]
    broken_in: list[int]
    """Attacks after which a login was accepted."""
    scans: list[int]
    spreads: list[int]
    missing_paths: int
    missing: int
    failing: list[int]
    scanners: list[Scanner]


def digest(findings: Findings) -> Digest:
    """One walk over the findings."""
    forms: dict[str, list[int]] = {"cleartext": [], "token": [], "hash": []}
    held = []
    for position in sorted(
        at for kind in ("credential", "challenge", "password_hash") for at in findings.of_kind(kind)
    ):
        if findings.rule(position).id in IN_A_PROCESS:
            held.append(position)
            continue
        forms.get(findings.form(position), forms["cleartext"]).append(position)
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
    attacks = list(findings.of_kind("brute_force"))
    return Digest(
        readable=_exposed(findings, forms["cleartext"]),
        tokens=_exposed(findings, forms["token"]),
        crackable=_exposed(findings, forms["hash"]),
        held=_exposed(findings, held),
        sessions=_exposed(findings, list(findings.of_kind("session"))),
        attacks=attacks,
        broken_in=[position for position in attacks if findings.group(position).outcome == "accepted"],
        scans=list(findings.of_kind("scan")),
        spreads=list(findings.of_kind("spread")),
        missing_paths=missing_paths,
        missing=findings.survey.statuses.get(404, 0),
        failing=failing,
        scanners=scanners,
    )


def _exposed(findings: Findings, positions: list[int]) -> Exposed:
    groups = [findings.group(position) for position in positions]
    return Exposed(
        positions,
        len({group.identity.fingerprint for group in groups}),
        unique(group.identity.user for group in groups),
        unique(group.identity.server for group in groups if group.identity.server != "unknown"),
        [position for position in positions if findings.group(position).outcome == "accepted"],
        [position for position in positions if findings.group(position).exposure != "local"],
    )


def unique(values: Iterable[str | None]) -> list[str]:
    """Each text once, in order; none that is empty."""
    return list(dict.fromkeys(value for value in values if value))


def captured_list(values: list[str], limit: int) -> tuple[str, ...]:
    """`a, b and 3 more`, each value marked as captured."""
    told = listed([named(value) for value in values], limit)
    return (told,) if isinstance(told, str) else told
