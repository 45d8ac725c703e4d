"""What a card says of a finding in words: who sent what to whom, what is known of the secret, where it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .display import listing, moment, number, plural
from .findings.kinds import WITH_SECRET
from .inputs import item
from .model import Captured, Phrase, Table
from .names import endpoint_of

Fact = tuple[str, Phrase]
CLAIMS, CLAIM = 12, 200
NAMES = {
    "form-body": "form field",
    "url-query": "query parameter",
    "url-userinfo": "user part of the URL",
    "authorization-basic": "Authorization header",
    "query-text": "statement",
    "login": "login",
    "arguments": "arguments of the program",
    "environment": "environment of the program",
    "cookie": "cookie",
    "header": "header",
    "community": "community",
}
OUTCOMES = {
    "accepted": "accepted by the server",
    "refused": "refused by the server",
    "unknown": "not visible in the capture",
}
CONFIDENCES = {
    "certain": "certain",
    "likely": "likely",
    "possible": "possible: it looks like a secret, which the protocol does not say",
}
NOUNS = {"cleartext": "password", "token": "token", "hash": "answer to a challenge"}
WAYS = {
    "log-file": "written to a log file",
    "file": "written to a file",
    "other-host": "sent to another host",
    "local-socket": "sent on within the machine",
    "pipe": "sent through a pipe",
    "arguments": "in the arguments of a program",
    "environment": "in the environment of a program",
    "snapshot": "held by a process when the capture began",
}
SPELLINGS = {"plain": "as it is", "percent": "percent-encoded", "json": "in JSON escapes", "hex": "in hexadecimal"}
HASHED = ("md5", "sha1", "sha256")


def process_phrase(
    process: Mapping[str, Any] | None, attribution: str | None = None, *, packets: bool = False
) -> Phrase:
    """A process with what identifies it. `packets`: a packet capture was read, and none can be expected."""
    if process is None and packets:
        return "not known: a packet capture names no process"
    if process is None:
        return "not known: the process is on another machine or was not seen"
    parts: list[str] = [Captured(process.get("name") or "?"), f" [pid {process.get('pid')}"]
    if process.get("tid") not in (None, process.get("pid")):
        parts.append(f", thread {process['tid']}")
    parts.append("]")
    for label, name in ((", user ", "user"), (", container ", "container"), (", ", "exe")):
        if process.get(name):
            parts += [label, Captured(process[name])]
    login = process.get("login_user")
    if login and login != process.get("user"):
        parts += ["; logged in as ", Captured(login)]
    if parents := process.get("parents"):
        parts.append("; started by ")
        for at, parent in enumerate(parents):
            parts += [" < " if at else "", Captured(parent.get("name") or "?"), f" [{parent.get('pid')}]"]
    if attribution == "observed":
        parts.append("; seen making the system call")
    elif attribution == "inferred":
        parts.append("; owned the socket by the tables of that time")
    return tuple(part for part in parts if part)


def title(record: Mapping[str, Any], name: str) -> Phrase:
    """A finding's name with its user."""
    if record["kind"] not in WITH_SECRET:
        return Captured(record["title"])
    return (name, ": user ", Captured(record["username"])) if record["username"] else (name, ": no user name")


def secret_facts(record: Mapping[str, Any]) -> tuple[list[Fact], list[Fact]]:
    """Short facts on a secret, or on attempts, and long ones."""
    if record["kind"] == "brute_force":
        return _attempt_facts(record), []
    if record["kind"] == "scan":
        return [("Pages", f"{number(record['paths'] or 0)} different ones"), ("Outcome", "all missing")], []
    if record["secret_fingerprint"] is None:
        return ([], []) if record["scan"] is None else ([("Part of", str(record["scan"]))], [])
    user: Phrase = Captured(record["username"]) if record["username"] else "none given"
    brief: list[Fact] = [("User", user)]
    if record["outcome"] is not None:
        brief += [("Outcome", _outcome(record)), ("Place", _place(record))]
    long: list[Fact] = [("Secret", _secret(record))]
    details = record["details"] or {}
    if record["mechanism"]:
        brief.append(("Mechanism", Captured(record["mechanism"])))
    if tool := _tools(details):
        long.append(("Guessing", tool))
    if isinstance(details.get("claims"), dict):
        long.append(("Claims", _claims(details)))
    return brief, long


def _outcome(record: Mapping[str, Any]) -> str:
    before = record["refused_before"]
    told = OUTCOMES[record["outcome"]]
    return f"{told}, after {plural(before, 'refused attempt')} of the same user" if before else told


def _place(record: Mapping[str, Any]) -> Phrase:
    place: Phrase = NAMES.get(record["location"], str(record["location"]).replace("-", " "))
    return (str(place), " ", Captured(record["field"])) if record["field"] else place


def _secret(record: Mapping[str, Any]) -> Phrase:
    if record["secret"] is None:
        return "fingerprint ", Captured(record["secret_fingerprint"])
    whole = "" if record["secret_complete"] else "; the capture holds only its beginning"
    what = "line for hashcat or John, " if record["form"] == "hash" else ""
    return (
        Captured(record["secret"]),
        f" ({what}length {record['secret_length']}{whole}, fingerprint ",
        Captured(record["secret_fingerprint"] or "-"),
        ")",
    )


def _tools(details: Mapping[str, Any]) -> str:
    """What can guess the password, and whether the challenge is there."""
    told = [f"hashcat -m {details['hashcat']}"] if isinstance(details.get("hashcat"), int) else []
    john = details.get("john")
    told += [f"john --format={john}"] if isinstance(john, str) and john.replace("-", "").isalnum() else []
    if details.get("challenge_seen") is False:
        told.append("the challenge is not in the capture, so the line cannot be used as it is")
    return ", ".join(told)


def _claims(details: Mapping[str, Any]) -> Phrase:
    parts: list[str] = []
    claims = dict(details["claims"])
    if details.get("alg"):
        claims = {"alg": details["alg"], **claims}
    for name, value in list(claims.items())[:CLAIMS]:
        parts += [", " if parts else "", Captured(name), " ", Captured(str(value)[:CLAIM])]
    if len(claims) > CLAIMS:
        parts.append(f" and {len(claims) - CLAIMS} more")
    return tuple(part for part in parts if part)


def _attempt_facts(record: Mapping[str, Any]) -> list[Fact]:
    told = record["attempts"]
    if told is None:
        return [("Outcome", OUTCOMES[record["outcome"]])]
    names: list[str] = []
    for name in told["names"]:
        names += [", " if names else "", Captured(name)]
    if told["users"] > len(told["names"]) > 0:
        names.append(" and others")
    facts: list[Fact] = [
        ("Refused", plural(told["refused"], "attempt")),
        ("Different", f"{plural(told['users'], 'user')}, {plural(told['secrets'], 'password or answer', 'passwords')}"),
    ]
    if names:
        facts.append(("Users", tuple(part for part in names if part)))
    accepted = told["accepted"]
    after: Phrase = "no attempt was accepted afterwards"
    if accepted:
        after = ("accepted at ", moment(accepted["time"]))
        if accepted["username"]:
            after = (*after, ": user ", Captured(accepted["username"]))
    return [*facts, ("Afterwards", after)]


def story(record: Mapping[str, Any], sources: Sequence[int]) -> Phrase:
    """Who did what, in a sentence or two."""
    count = record["instances_total"]
    times = {1: "once", 2: "twice"}.get(count, plural(count, "time"))
    if len(sources) > 1:  # perhaps the same traffic, captured in two places
        times = f"recorded {times} in {listing([item(source) for source in sources], 12)}"
    if record["kind"] == "spread":
        return _spread_story(record)
    if record["location"] in ("arguments", "environment"):
        return _process_story(record, times)
    who, target = _who(record), (Captured(endpoint_of(record["server"])),)
    if record["kind"] == "brute_force":
        return (*who, " had ", _tried(record), " refused by ", *target, _afterwards(record))
    if record["kind"] == "scan":
        return (*who, " asked ", *target, f" for {number(record['paths'] or 0)} different pages that are missing.")
    if record["kind"] == "pattern":
        return "What the rule looks for was said between ", *who, " and ", *target, f", {times}."
    if record["kind"] == "http_error":
        part = f" It is part of {record['scan']}." if record["scan"] else ""
        return (*who, f" was answered with status {record['status']} by ", *target, f", {times}.{part}")
    return _secret_story(record, who, target, times)


def _who(record: Mapping[str, Any]) -> tuple[str, ...]:
    who: tuple[str, ...] = (Captured((record["client"] or {}).get("ip") or "an unknown client"),)
    if (record["client"] or {}).get("synthetic_ip"):
        who = ("a unix socket client",)
    if record["client_process"]:
        who = (Captured(record["client_process"].get("name") or "?"), " on ", *who)
    return who


def _secret_story(record: Mapping[str, Any], who: Sequence[str], target: tuple[str, ...], times: str) -> Phrase:
    noun = NOUNS.get(record["form"], "secret")
    if record["kind"] == "session":
        noun = "session cookie"
    what: tuple[str, ...] = (f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}",)
    if record["username"]:
        what = (f"the {noun} of ", Captured(record["username"]))
    if record["host"]:
        target = (*target, " (host ", Captured(record["host"]), ")")
    ending = {
        "accepted": ". The server accepted it.",
        "refused": ". The server refused it.",
        "unknown": ". Whether the server accepted it cannot be told.",
    }[record["outcome"]]
    how = ", from which the password can be guessed, " if record["form"] == "hash" else " in readable form, "
    return (*who, " sent ", *what, " to ", *target, f"{how}{times}{ending}")


def _process_story(record: Mapping[str, Any], times: str) -> Phrase:
    process = record["client_process"] or {}
    whose: tuple[str, ...] = (" of ", Captured(record["username"])) if record["username"] else ()
    noun = "A token" if record["form"] == "token" else "A password"
    name = Captured(process.get("name") or "an unknown program")
    return (noun, *whose, f" stood in the {record['location']} of ", name, f", {times}.")


def _tried(record: Mapping[str, Any]) -> str:
    told = record["attempts"]
    if told is None:
        return "many logins"
    if record["rule"] == "password-spraying":
        return f"{plural(told['refused'], 'login')} of {plural(told['users'], 'different user')}"
    return f"{plural(told['refused'], 'login')} with {plural(told['secrets'], 'different password')}"


def _afterwards(record: Mapping[str, Any]) -> str:
    return ". One was accepted afterwards: refused, then accepted." if record["outcome"] == "accepted" else "."


def _spread_story(record: Mapping[str, Any]) -> Phrase:
    whose: tuple[str, ...] = ("The secret of ", Captured(record["username"])) if record["username"] else ("A secret",)
    hops = record["hops"] or []
    kinds = list(dict.fromkeys(WAYS.get(hop["place"], str(hop["place"])) for hop in hops))
    count = record["instances_total"]
    return (*whose, " was seen again ", "once" if count == 1 else plural(count, "time"), f": {listing(kinds)}.")


def hops_table(record: Mapping[str, Any], limit: int) -> Table | None:
    """Where a secret went, in order of time; None of what is not about that."""
    hops = record["hops"]
    if not hops:
        return None
    rows: list[tuple[Phrase, ...]] = []
    for at, hop in enumerate(hops[:limit], 1):
        where = hop["where"] or {}
        event = where.get("event") or where.get("source_frame")
        rows.append(
            (
                str(at),
                moment(hop["time"]).removesuffix(" UTC"),
                WAYS.get(hop["place"], str(hop["place"])),
                _to(hop),
                process_phrase(hop["process"]) if hop["process"] else "not known",
                _spelled(str(hop["spelling"])),
                f"{item(where.get('source', 0))} {'-' if event is None else event}",
                "-" if where.get("frame") is None else f"frame.number == {where['frame']}",
            )
        )
    left = record["instances_total"] - len(rows)
    head = ("Hop", "Time (UTC)", "Where to", "Path or peer", "Process", "Spelled", "Event", "Wireshark filter")
    return Table(head, rows, f"{plural(left, 'more hop')} in the annotations." if left > 0 else "")


def _to(hop: Mapping[str, Any]) -> Phrase:
    if hop["path"]:
        return Captured(hop["path"])
    if hop["server"]:
        return Captured(endpoint_of(hop["client"])), " > ", Captured(endpoint_of(hop["server"]))
    return "-"


def _spelled(spelling: str) -> str:
    if spelling in HASHED:
        return f"as its {spelling.upper().replace('SHA', 'SHA-')} digest"
    return SPELLINGS.get(spelling, f"in {spelling}")
