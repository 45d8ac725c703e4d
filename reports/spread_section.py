"""Where secrets went: those that were handed on after they were received, and those that stand in several findings."""

from __future__ import annotations

from .display import moment, number
from .findings import Findings
from .findings.kinds import SECRETS
from .inputs import Inputs
from .language import heads, later, listed, listing, plural, text
from .model import Captured, Limits, Phrase, Table
from .places import named
from .stories import ways

IDS, USERS = 8, 3
SPREAD = later(("ID", "Severity", "User", "Came to", "Seen again", "Times", "First (UTC)", "Last (UTC)"))
REUSED = later(("Fingerprint", "Findings", "Users", "Servers", "Records"))


def spread_text(findings: Findings, inputs: Inputs) -> list[Phrase]:
    """What was looked for, and what came of it."""
    told: list[Phrase] = [
        text(
            "Passwords and tokens of 8 bytes or more that are no everyday words were looked for in all that was said "
            "after they were seen: as they are, percent-encoded, in Base64, in JSON escapes, in hexadecimal and as "
            "digests."
        )
        if inputs.only_packets
        else text(
            "Passwords and tokens of 8 bytes or more that are no everyday words were looked for in all that programs "
            "sent, wrote and were started with after they were seen: as they are, percent-encoded, in Base64, in JSON "
            "escapes, in hexadecimal and as digests. What the recorder did not keep could not be looked at."
        )
    ]
    count = sum(1 for _ in findings.of_kind("spread"))
    if count:
        told.append(plural(count, "secret was seen again.", "secrets were seen again."))
    else:
        told.append(text("No secret was seen again."))
    return told


def spread_table(findings: Findings, limits: Limits) -> Table:
    """Secrets that were handed on; their cards say each hop."""
    positions = list(findings.of_kind("spread"))
    rows: list[tuple[Phrase, ...]] = []
    for position in positions[: limits.talkers]:
        group = findings.group(position)
        record = findings.record(position)
        rows.append(
            (
                findings.number(position),
                text(findings.level(position)),
                Captured(group.identity.user) if group.identity.user else "-",
                named(group.identity.server),
                listing(ways(record)) or "-",
                number(group.count),
                moment(record["first"])[:19],
                moment(record["last"])[:19],
            )
        )
    note = plural(
        len(positions) - len(rows), "more finding in findings.jsonl.", "more findings in findings.jsonl.", none=""
    )
    return Table(heads(SPREAD), rows, note)


def reused_table(findings: Findings, limits: Limits) -> Table:
    """One secret, several findings: used for more than one account or service, or sent in more than one way."""
    same: dict[str, list[int]] = {}
    for position in range(len(findings)):
        group = findings.group(position)
        fingerprint = group.identity.fingerprint
        counts = findings.rule(position).kind in SECRETS and findings.ignored(position) is None
        if fingerprint and counts and not group.merged:
            same.setdefault(fingerprint, []).append(position)
    several = sorted(
        (entry for entry in same.items() if len(entry[1]) > 1), key=lambda entry: (-len(entry[1]), entry[1])
    )
    rows: list[tuple[Phrase, ...]] = []
    for fingerprint, positions in several[: limits.talkers]:
        groups = [findings.group(position) for position in positions]
        users = list(dict.fromkeys(group.identity.user for group in groups if group.identity.user))
        servers = list(dict.fromkeys(group.identity.server for group in groups))
        rows.append(
            (
                Captured(fingerprint),
                listing([findings.number(position) for position in positions], IDS),
                listed([Captured(user) for user in users], USERS) or "-",
                listed([named(server) for server in servers], USERS),
                number(sum(group.count for group in groups)),
            )
        )
    note = plural(
        len(several) - len(rows), "more secret in findings.jsonl.", "more secrets in findings.jsonl.", none=""
    )
    return Table(heads(REUSED), rows, note)
