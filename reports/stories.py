"""What a card says of a finding in words: who sent what to whom, what is known of the secret, where it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .display import moment, number
from .findings.kinds import WITH_SECRET
from .inputs import item
from .language import heads, joined, later, listed, listing, phrase, plural, text, times
from .model import Captured, Phrase, Table
from .places import place

Fact = tuple[str, Phrase]
CLAIMS, CLAIM = 12, 200
PLACES = later(
    {
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
)
OUTCOMES = later(
    {
        "accepted": "accepted by the server",
        "refused": "refused by the server",
        "unknown": "not visible in the capture",
    }
)
CONFIDENCES = later(
    {
        "certain": "certain",
        "likely": "likely",
        "possible": "possible: it looks like a secret, which the protocol does not say",
    }
)
NOUNS = later(
    {
        "cleartext": ("the password of {user}", "a password"),
        "token": ("the token of {user}", "a token"),
        "hash": ("the answer to a challenge of {user}", "an answer to a challenge"),
        "session": ("the session cookie of {user}", "a session cookie"),
    }
)
OTHER = later(("the secret of {user}", "a secret"))
ENDINGS = later(
    {
        "accepted": "The server accepted it.",
        "refused": "The server refused it.",
        "unknown": "Whether the server accepted it cannot be told.",
    }
)
WAYS = later(
    {
        "log-file": "written to a log file",
        "file": "written to a file",
        "other-host": "sent to another host",
        "local-socket": "sent on within the machine",
        "pipe": "sent through a pipe",
        "arguments": "in the arguments of a program",
        "environment": "in the environment of a program",
        "snapshot": "held by a process when the capture began",
    }
)
SPELLINGS = later(
    {"plain": "as it is", "percent": "percent-encoded", "json": "in JSON escapes", "hex": "in hexadecimal"}
)
OF_PROCESS = later({"user": ", user {value}", "container": ", container {value}", "exe": ", {value}"})
HOPS = later(("Hop", "Time (UTC)", "Where to", "Path or peer", "Process", "Spelled", "Event", "Wireshark filter"))
HASHED = ("md5", "sha1", "sha256")


def process_phrase(
    process: Mapping[str, Any] | None, attribution: str | None = None, *, packets: bool = False
) -> Phrase:
    """A process with what identifies it. `packets`: a packet capture was read, and none can be expected."""
    if process is None and packets:
        return text("not known: a packet capture names no process")
    if process is None:
        return text("not known: the process is on another machine or was not seen")
    told: Phrase = joined(Captured(process.get("name") or "?"), f" [pid {process.get('pid')}")
    if process.get("tid") not in (None, process.get("pid")):
        told = joined(told, text(", thread {number}", number=process["tid"]))
    told = joined(told, "]")
    for name, message in OF_PROCESS.items():
        if process.get(name):
            told = joined(told, phrase(message, value=Captured(process[name])))
    login = process.get("login_user")
    if login and login != process.get("user"):
        told = joined(told, phrase("; logged in as {user}", user=Captured(login)))
    if parents := process.get("parents"):
        chain: Phrase = ""
        for parent in parents:
            one = joined(Captured(parent.get("name") or "?"), f" [{parent.get('pid')}]")
            chain = joined(chain, " < ", one) if chain else one
        told = joined(told, phrase("; started by {parents}", parents=chain))
    if attribution == "observed":
        told = joined(told, text("; seen making the system call"))
    elif attribution == "inferred":
        told = joined(told, text("; owned the socket by the tables of that time"))
    return told


def title(record: Mapping[str, Any], name: Phrase) -> Phrase:
    """A finding's name with its user."""
    if record["kind"] not in WITH_SECRET:
        return name
    if record["username"]:
        return phrase("{finding}: user {user}", finding=name, user=Captured(record["username"]))
    return phrase("{finding}: no user name", finding=name)


def secret_facts(record: Mapping[str, Any]) -> tuple[list[Fact], list[Fact]]:
    """Short facts on a secret, or on attempts, and long ones."""
    if record["kind"] == "brute_force":
        return _attempt_facts(record), []
    if record["kind"] == "scan":
        pages = text("{count} different ones", count=number(record["paths"] or 0))
        return [(text("Pages"), pages), (text("Outcome"), text("all missing"))], []
    if record["secret_fingerprint"] is None:
        return ([], []) if record["scan"] is None else ([(text("Part of"), str(record["scan"]))], [])
    user: Phrase = Captured(record["username"]) if record["username"] else text("none given")
    brief: list[Fact] = [(text("User"), user)]
    if record["outcome"] is not None:
        brief += [(text("Outcome"), _outcome(record)), (text("Place"), _place(record))]
    long: list[Fact] = [(text("Secret"), _secret(record))]
    details = record["details"] or {}
    if record["mechanism"]:
        brief.append((text("Mechanism"), Captured(record["mechanism"])))
    if tool := _tools(details):
        long.append((text("Guessing"), tool))
    if isinstance(details.get("claims"), dict):
        long.append((text("Claims"), _claims(details)))
    return brief, long


def _outcome(record: Mapping[str, Any]) -> str:
    before = record["refused_before"]
    told = text(OUTCOMES[record["outcome"]])
    if not before:
        return told
    return text(
        "{outcome}, after {attempts} of the same user", outcome=told, attempts=plural(before, "refused attempt")
    )


def _place(record: Mapping[str, Any]) -> Phrase:
    known = PLACES.get(record["location"])
    place: Phrase = text(known) if known else str(record["location"]).replace("-", " ")
    return joined(place, " ", Captured(record["field"])) if record["field"] else place


def _secret(record: Mapping[str, Any]) -> Phrase:
    if record["secret"] is None:
        return phrase("fingerprint {fingerprint}", fingerprint=Captured(record["secret_fingerprint"]))
    facts = [text("line for hashcat or John")] if record["form"] == "hash" else []
    facts.append(text("length {length}", length=record["secret_length"]))
    if not record["secret_complete"]:
        facts.append(text("the capture holds only its beginning"))
    return phrase(
        "{secret} ({facts}, fingerprint {fingerprint})",
        secret=Captured(record["secret"]),
        facts=text(", ").join(facts),
        fingerprint=Captured(record["secret_fingerprint"] or "-"),
    )


def _tools(details: Mapping[str, Any]) -> str:
    """What can guess the password, and whether the challenge is there."""
    told = [f"hashcat -m {details['hashcat']}"] if isinstance(details.get("hashcat"), int) else []
    john = details.get("john")
    told += [f"john --format={john}"] if isinstance(john, str) and john.replace("-", "").isalnum() else []
    if details.get("challenge_seen") is False:
        told.append(text("the challenge is not in the capture, so the line cannot be used as it is"))
    return text(", ").join(told)


def _claims(details: Mapping[str, Any]) -> Phrase:
    claims = dict(details["claims"])
    if details.get("alg"):
        claims = {"alg": details["alg"], **claims}
    told: Phrase = ""
    for name, value in list(claims.items())[:CLAIMS]:
        told = joined(told, text(", ") if told else "", Captured(name), " ", Captured(str(value)[:CLAIM]))
    left = len(claims) - CLAIMS
    return joined(told, text(" and "), text("{count} more", count=left)) if left > 0 else told


def _attempt_facts(record: Mapping[str, Any]) -> list[Fact]:
    told = record["attempts"]
    if told is None:
        return [(text("Outcome"), text(OUTCOMES[record["outcome"]]))]
    facts: list[Fact] = [
        (text("Refused"), plural(told["refused"], "attempt")),
        (
            text("Different"),
            f"{plural(told['users'], 'user')}{text(', ')}{plural(told['secrets'], 'password or answer', 'passwords')}",
        ),
    ]
    if told["names"]:
        names = listed([Captured(name) for name in told["names"]])
        if told["users"] > len(told["names"]):
            names = phrase("{names} and others", names=names)
        facts.append((text("Users"), names))
    accepted = told["accepted"]
    after: Phrase = text("no attempt was accepted afterwards")
    if accepted and accepted["username"]:
        after = phrase(
            "accepted at {time}: user {user}", time=moment(accepted["time"]), user=Captured(accepted["username"])
        )
    elif accepted:
        after = text("accepted at {time}", time=moment(accepted["time"]))
    return [*facts, (text("Afterwards"), after)]


def story(record: Mapping[str, Any], sources: Sequence[int]) -> Phrase:
    """Who did what, in a sentence or two."""
    often = times(record["instances_total"])
    if len(sources) > 1:  # perhaps the same traffic, captured in two places
        often = text(
            "recorded {times} in {items}", times=often, items=listing([item(source) for source in sources], 12)
        )
    if record["kind"] == "spread":
        return _spread_story(record)
    if record["location"] in ("arguments", "environment"):
        return _process_story(record, often)
    who, server = _who(record), place(record["server"])
    if record["kind"] == "brute_force":
        told = phrase("{who} had {attempts} refused by {server}.", who=who, attempts=_tried(record), server=server)
        if record["outcome"] != "accepted":
            return told
        return joined(told, text(" One was accepted afterwards: refused, then accepted."))
    if record["kind"] == "scan":
        return phrase(
            "{who} asked {server} for {count} different pages that are missing.",
            who=who,
            server=server,
            count=number(record["paths"] or 0),
        )
    if record["kind"] == "pattern":
        return phrase(
            "What the rule looks for was said between {who} and {server}, {times}.", who=who, server=server, times=often
        )
    if record["kind"] == "http_error":
        told = phrase(
            "{who} was answered with status {status} by {server}, {times}.",
            who=who,
            status=str(record["status"]),
            server=server,
            times=often,
        )
        return joined(told, text(" It is part of {scan}.", scan=record["scan"])) if record["scan"] else told
    return _secret_story(record, who, server, often)


def _who(record: Mapping[str, Any]) -> Phrase:
    client = record["client"] or {}
    who: Phrase = Captured(client["ip"]) if client.get("ip") else text("an unknown client")
    if client.get("synthetic_ip"):
        who = text("a unix socket client")
    if record["client_process"]:
        return phrase(
            "{program} on {machine}", program=Captured(record["client_process"].get("name") or "?"), machine=who
        )
    return who


def _secret_story(record: Mapping[str, Any], who: Phrase, server: Phrase, often: str) -> Phrase:
    noun = "session" if record["kind"] == "session" else record["form"]
    known, unknown = NOUNS.get(noun, OTHER)
    what = phrase(known, user=Captured(record["username"])) if record["username"] else text(unknown)
    if record["host"]:
        server = phrase("{server} (host {host})", server=server, host=Captured(record["host"]))
    told = phrase(
        "{who} sent {what} to {server}, from which the password can be guessed, {times}."
        if record["form"] == "hash"
        else "{who} sent {what} to {server} in readable form, {times}.",
        who=who,
        what=what,
        server=server,
        times=often,
    )
    return joined(told, " ", text(ENDINGS[record["outcome"]]))


def _process_story(record: Mapping[str, Any], often: str) -> Phrase:
    process = record["client_process"] or {}
    known, unknown = NOUNS["token" if record["form"] == "token" else "cleartext"]
    what = phrase(known, user=Captured(record["username"])) if record["username"] else text(unknown)
    program = Captured(process["name"]) if process.get("name") else text("an unknown program")
    return phrase(
        "The environment of {program} held {what}, {times}."
        if record["location"] == "environment"
        else "The arguments of {program} held {what}, {times}.",
        program=program,
        what=what,
        times=often,
    )


def _tried(record: Mapping[str, Any]) -> str:
    told = record["attempts"]
    if told is None:
        return text("many logins")
    logins = plural(told["refused"], "login")
    if record["rule"] == "password-spraying":
        return text("{logins} of {users}", logins=logins, users=plural(told["users"], "different user"))
    return text("{logins} with {passwords}", logins=logins, passwords=plural(told["secrets"], "different password"))


def ways(record: Mapping[str, Any]) -> list[str]:
    """Where a secret went, each way once."""
    places = list(dict.fromkeys(str(hop["place"]) for hop in record["hops"] or []))
    return [text(WAYS[place]) if place in WAYS else place for place in places]


def _spread_story(record: Mapping[str, Any]) -> Phrase:
    whose = (
        phrase("The secret of {user}", user=Captured(record["username"])) if record["username"] else text("A secret")
    )
    return phrase(
        "{secret} was seen again {times}: {ways}.",
        secret=whose,
        times=plural(record["instances_total"], "time") if record["instances_total"] > 1 else text("once"),
        ways=listing(ways(record)),
    )


def hops_table(record: Mapping[str, Any], limit: int) -> Table | None:
    """Where a secret went, in order of time; None of what is not about that."""
    hops = record["hops"]
    if not hops:
        return None
    rows: list[tuple[Phrase, ...]] = []
    for at, hop in enumerate(hops[:limit], 1):
        where = hop["where"] or {}
        event = where.get("event") or where.get("source_frame")
        place = str(hop["place"])
        rows.append(
            (
                str(at),
                moment(hop["time"]).removesuffix(" UTC"),
                text(WAYS[place]) if place in WAYS else place,
                _to(hop),
                process_phrase(hop["process"]) if hop["process"] else text("not known"),
                _spelled(str(hop["spelling"])),
                f"{item(where.get('source', 0))} {'-' if event is None else event}",
                "-" if where.get("frame") is None else f"frame.number == {where['frame']}",
            )
        )
    left = record["instances_total"] - len(rows)
    note = plural(left, "more hop in the annotations.", "more hops in the annotations.", none="")
    return Table(heads(HOPS), rows, note)


def _to(hop: Mapping[str, Any]) -> Phrase:
    if hop["path"]:
        return Captured(hop["path"])
    if hop["server"]:
        return place(hop["client"]), " > ", place(hop["server"])
    return "-"


def _spelled(spelling: str) -> str:
    if spelling in HASHED:
        return text("as its {name} digest", name=spelling.upper().replace("SHA", "SHA-"))
    known = SPELLINGS.get(spelling)
    return text(known) if known else text("in {name}", name=spelling)
