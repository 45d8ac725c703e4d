"""No password of any protocol in what is written with masks: wherever it stands, however short or odd it is."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.command import run
from support.conversations import PSH, Talk, capture
from support.hash_talks import hashed
from support.leaks import leaks, spellings, strings, unescaped, views
from support.packet_made import A4, B4
from support.secret_talks import Case, cases

ACK = 16
STYLES = {"long": "Canary%03d", "utf-8": "gr\u00fcn\u00e7\u00e9%03d"}
"""What comes before the number is looked for: nothing else says it."""
SHORT = b"q7"
CODED = b"|".join(re.escape(b64encode(one)) for one in (SHORT, b"ann:q7", b"\0ann\0q7"))
SHORT_SPELLINGS = re.compile(rb"(?<![A-Za-z0-9])q7(?![A-Za-z0-9])|" + CODED)
UNSEARCHED = {"type", "time", "where", "protocol", "secret_fingerprint", "client", "server"}


def frames(case: Case, number: int) -> Iterator[bytes]:
    """The conversation as one TCP connection."""
    talk = Talk((A4, 20000 + number), (B4, case.port))
    yield from talk.handshake()
    sent = {True: 0, False: 0}
    for to_server, data in case.calls:
        for at in range(0, len(data), 60000):
            part = data[at : at + 60000]
            yield talk(to_server, PSH | ACK, 1 + sent[to_server], 1 + sent[not to_server], part)
            sent[to_server] += len(part)
    yield from talk.close(sent[True], sent[False])


def written(folder: Path, made: list[Case], command: str, *options: str) -> tuple[Path, str]:
    path = capture(folder / "in.pcap", [frame for number, case in enumerate(made) for frame in frames(case, number)])
    done = run(command, path, "-o", folder / "out", "--jobs", "1", *options)
    assert done.returncode == 0, done.stderr
    return folder / "out", done.stdout + done.stderr


@cache
def of_style(style: str) -> tuple[Case, ...]:
    numbers = count(100)
    return tuple(cases(lambda: (STYLES[style] % next(numbers)).encode()))


@pytest.mark.parametrize("style", STYLES)
def test_masked_wherever_it_stands(style: str, tmp_path: Path) -> None:
    made = [case for case in of_style(style) if style == "long" or fits(case, style)]
    secrets: set[tuple[str | None, str]] = {(None, STYLES[style][:6])}
    out, said = written(tmp_path, made, "report" if style == "long" else "convert")
    shown = leaks("what was printed", said.encode(), secrets)
    for path in sorted(out.iterdir()):
        if path.suffix != ".pcapng":  # the evidence itself
            shown += [leak for view in views(path) for leak in leaks(*view, secrets)]
    assert shown == []


BY_MISTAKE = re.compile(
    r"(?:ftp|smtp|pop3|imap|irc|nntp)-(?:typo|lower|bare|site|refused|clear|pop|stray|no-literal|tagless|uid|verb|generic"
    r"|service-typo|key)|telnet-no-echo|redis-(?:3|11|15|slow|made)"
    r"|mysql-sql-(?:1|3|4|8|9|10|11|12|16|17)|postgresql-(?:sql-(?:1|2|4|5|10)|connection-parameter)"
)
"""Places that nobody is told of, since nothing says that they hold a password; the evidence keeps them."""


def test_none_in_the_evidence_that_is_shared(tmp_path: Path) -> None:
    """Whatever is told of is masked in the packets too."""
    made = list(of_style("long"))
    out, _ = written(tmp_path, made, "convert", "--redact")
    [path] = out.glob("*.pcapng")
    data = path.read_bytes()
    low, meanings = data.lower(), list(unescaped(data))
    shown = set()
    for case in made:
        spelled = spellings("ann", case.secret.decode())
        plain = any(one in meaning for meaning in meanings for one in spelled)
        if plain or case.secret.hex().encode() in low:
            shown.add(case.name)
    assert [name for name in sorted(shown) if not BY_MISTAKE.fullmatch(name)] == []


def test_answers_to_challenges_are_in_no_spelling(tmp_path: Path) -> None:
    """A password could be guessed from them."""
    told = list(hashed(b"Canary099"))
    made = [Case(name, port, calls, answer) for name, port, calls, answer in told]
    out, _ = written(tmp_path, made, "convert", "--redact")
    assert [record["form"] for record in records(out) if record["type"] == "sighting"] == ["hash"] * len(made)
    shown = []
    for view, data in (view for path in out.iterdir() for view in views(path)):
        for meaning in unescaped(data):
            for case in made:
                text = case.secret.hex().encode()
                spelled = (case.secret, b64encode(case.secret).rstrip(b"="), b64encode(b"ann " + text))
                if text in meaning.lower() or any(one in meaning for one in spelled):
                    shown.append((case.name, view))
    assert shown == []


def test_session_cookies_are_masked_in_their_headers(tmp_path: Path) -> None:
    """They are not looked for elsewhere."""
    value = b"Canary7d1e0f9a3b5c2d4e6f8091a2b3c4"
    asked = b"GET /a HTTP/1.1\r\nHost: h\r\nCookie: lang=de; PHPSESSID=" + value + b"\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: PHPSESSID=" + value + b"; path=/\r\nContent-Length: 0\r\n\r\n"
    out, _ = written(tmp_path, [Case("cookie", 80, [(True, asked), (False, answer)], value)], "convert")
    [exchange] = [record for record in records(out) if record["type"] == "http"]
    assert ["Cookie", "lang=de; PHPSESSID=********"] in exchange["request"]["headers"]
    assert ["Set-Cookie", "PHPSESSID=********; path=/"] in exchange["response"]["headers"]
    shown = [leak for view in views(next(out.glob("*.jsonl"))) for leak in leaks(*view, {(None, value.decode())})]
    assert shown == []


def fits(case: Case, style: str) -> bool:
    """Some places cannot hold every password: what is not quoted there ends at the first odd character."""
    if case.name.startswith("token-"):  # of ASCII by their grammar
        return False
    return "sql" not in case.name or b"'" + case.secret + b"'" in b"".join(data for _, data in case.calls)


def records(out: Path) -> list[dict[str, Any]]:
    [path] = out.glob("*.annotations.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_short_ones_are_in_no_record(tmp_path: Path) -> None:
    """Nothing is searched for so short a text: it must not get into a record of its own conversation."""
    made = list(cases(lambda: SHORT))
    out, _ = written(tmp_path, made, "convert")
    streams = {}
    shown = []
    for record in records(out):
        if record["type"] == "stream":
            streams[record["id"]] = made[record["client"]["port"] - 20000].name
            continue
        kept = {name: value for name, value in record.items() if name not in UNSEARCHED}
        found = [text[-200:] for text in strings(kept) if SHORT_SPELLINGS.search(text.encode())]
        shown += [(streams[record["stream"]], record["type"], text) for text in found]
    assert shown == []


def test_hashes_of_short_ones_are_withheld(tmp_path: Path) -> None:
    """Whoever knows all but the password could try every one of two characters."""
    made = list(cases(lambda: SHORT))
    out, _ = written(tmp_path, made, "convert")
    told = records(out)
    sighted = {record["stream"] for record in told if record["type"] == "sighting"}
    names = {one["id"]: made[one["client"]["port"] - 20000].name for one in told if one["type"] == "stream"}
    assert len(sighted) > len(made) // 2
    for stream in told:
        if stream["type"] == "stream" and stream["id"] in sighted:
            assert stream["hash_withheld"] is True, names[stream["id"]]
            sides = ("to_client",) if names[stream["id"]] == "redis-told" else ("to_server",)
            assert all(stream[f"sha256_{side}"] is None for side in sides), names[stream["id"]]
    hashes = [name for record in told if record.get("stream") in sighted for name in _hashes(record)]
    assert hashes == []


def _hashes(record: dict[str, Any]) -> Iterator[str]:
    """Of what a client said in a record."""
    todo: list[Any] = [record.get("request")]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            todo += value.values()
            empty = value.get("stdin_length", value.get("body_length")) == 0
            yield from (name for name, one in value.items() if name.endswith("sha256") and one and not empty)
