"""What the report says of tokens, hashes, sessions and processes: nothing that is not so."""

from __future__ import annotations

from pathlib import Path

from syswire.reports import document, html, model
from syswire.reports.findings import judge

from .case import Case, tcp
from .test_document import text

LINE = "anne::CORP:1122334455667788:aa:bb"


def mixed() -> Case:
    """A password, a token with claims, an NTLM answer and a session cookie, on the way to one server."""
    case = Case()
    httpd = case.process("httpd", 801)
    case.processes[-1] |= {
        "parents": [{"pid": 790, "name": "apachectl", "cmdline": "a"}, {"pid": 1, "name": "init", "cmdline": ""}],
        "login_user": "ops",
        "login_uid": 1000,
        "container": "0123456789ab",
    }  # fmt: skip
    stream = case.stream(tcp("198.51.100.7", 4000), tcp("203.0.113.9", 80), server_process=httpd)
    post = case.exchange(stream, "/x", 200, 2)
    case.sighting(stream, post, "alice", fingerprint="aa", outcome="accepted")
    case.sighting(stream, post, "svc", location="header", fingerprint="bb", outcome="accepted")
    claims = {"iss": "https://issuer.example", "sub": "svc", "exp": 1795478400}
    case.sightings[-1] |= {"form": "token", "details": {"mechanism": "Bearer", "alg": "RS256", "claims": claims}}
    case.sighting(stream, post, "CORP\\anne", location="authorization-ntlm", fingerprint="cc")
    details = {"mechanism": "NTLMv2", "hashcat": 5600, "john": "netntlmv2", "challenge_seen": False}
    case.sightings[-1] |= {"form": "hash", "details": details, "confidence": "likely", "field": None}
    case.sighting(stream, post, None, location="cookie", fingerprint="dd")
    case.sightings[-1] |= {"form": "token", "field": "PHPSESSID"}
    return case


def test_forms_are_told_apart(tmp_path: Path) -> None:
    manifest = mixed().write(tmp_path)
    findings = judge(tmp_path, manifest)
    report = document.build(manifest, findings, model.SCREEN, revealed=False)
    assert [(figure.value, figure.label) for figure in report.figures][:4] == [
        ("2", "critical and high findings"),
        ("1", "distinct passwords in readable form"),
        ("2", "distinct tokens, and answers to guess passwords from"),
        ("0", "responses with status 404"),
    ]
    said = " ".join(text(paragraph) for paragraph in report.summary)
    assert "1 password of alice was sent without encryption to 203.0.113.9:80." in said
    assert "1 token of svc (keys and the like, which stand for a password) was sent without encryption" in said
    assert "1 answer to a challenge of CORP\\anne was sent to 203.0.113.9:80. No password can be read from it" in said
    assert "1 session cookie crossed a connection without encryption" in said
    steps = [text(step) for step in report.first_steps]
    assert steps[0].startswith("Change the password of alice today")
    assert any(step.startswith("Revoke the tokens and keys that could be read") for step in steps)
    assert any(step.startswith("Give the accounts whose logins can be guessed") for step in steps)
    stories = {card.id: text(card.story) for card in report.cards}
    by_rule = {findings.rule(at).id: findings.number(at) for at in range(len(findings))}
    hash_ = stories[by_rule["ntlm-challenge"]]
    assert "the answer to a challenge of CORP\\anne" in hash_ and "from which the password can be guessed" in hash_
    assert "readable" not in hash_
    assert "a session cookie to" in stories[by_rule["http-session-cookie"]]


def test_what_is_known_of_a_hash_and_a_token(tmp_path: Path) -> None:
    manifest = mixed().write(tmp_path)
    findings = judge(tmp_path, manifest)
    report = document.build(manifest, findings, model.SCREEN, revealed=False)
    facts = {
        findings.rule(at).id: {
            label: text(value)
            for card in report.cards
            if card.id == findings.number(at)
            for label, value in card.brief + card.facts
        }
        for at in range(len(findings))
    }
    assert facts["ntlm-challenge"]["Mechanism"] == "NTLMv2"
    assert facts["ntlm-challenge"]["Confidence"] == "likely"
    assert facts["ntlm-challenge"]["Guessing"] == (
        "hashcat -m 5600, john --format=netntlmv2, the challenge is not in the capture, so the line cannot be used as "
        "it is"
    )
    assert facts["http-bearer" if "http-bearer" in facts else "jwt"]["Claims"] == (
        "alg RS256, iss https://issuer.example, sub svc, exp 1795478400"
    )
    assert facts["ntlm-challenge"]["Server process"] == (
        "httpd [pid 801], user www-data, container 0123456789ab, /usr/bin/httpd; logged in as ops; started by "
        "apachectl [790] < init [1]; seen making the system call"
    )
    record = next(findings.record(at) for at in range(4) if findings.rule(at).id == "ntlm-challenge")
    assert (record["form"], record["mechanism"], record["hashcat"]) == ("hash", "NTLMv2", 5600)
    assert record["details"]["challenge_seen"] is False
    assert record["server_process"]["login_user"] == "ops"
    assert [parent["pid"] for parent in record["server_process"]["parents"]] == [790, 1]


def test_a_line_is_shown_only_when_it_is_revealed(tmp_path: Path) -> None:
    for revealed in (False, True):
        case = mixed()
        case.masked = not revealed
        case.sightings[2]["secret"] = LINE if revealed else "********"
        manifest = case.write(tmp_path)
        findings = judge(tmp_path, manifest)
        page = html.render(document.build(manifest, findings, model.SCREEN, revealed=revealed)).decode()
        assert (LINE in page) == revealed


def test_hostile_details(tmp_path: Path) -> None:
    case = mixed()
    evil = "<script>\u202e" + "A" * 5000
    claims = {evil + str(number): evil for number in range(50)}
    case.sightings[1]["details"] = {"mechanism": evil, "alg": evil, "claims": claims, "john": evil, "hashcat": "x"}
    case.sightings[2]["details"] = {"mechanism": 7, "claims": [evil]}
    case.processes[-1] |= {"parents": [{"pid": 1, "name": evil, "cmdline": evil}] * 30, "login_user": evil}
    manifest = case.write(tmp_path)
    page = html.render(document.build(manifest, judge(tmp_path, manifest), model.SCREEN, revealed=False)).decode()
    assert "<script>" not in page and "\u202e" not in page
    assert len(page) < 400_000


def test_secrets_of_a_process(tmp_path: Path) -> None:
    case = Case()
    curl = case.process("curl", 4242)
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    case.sighting(stream, 1, "frank", location="arguments")
    case.sightings[-1] |= {
        "stream": None, "exchange": None, "protocol": "process", "client": None, "server": None, "client_process": curl,
        "client_attribution": "observed",
    }  # fmt: skip
    manifest = case.write(tmp_path)
    findings = judge(tmp_path, manifest)
    report = document.build(manifest, findings, model.SCREEN, revealed=False)
    (card,) = report.cards
    assert (card.severity, text(card.story)) == ("medium", "The arguments of curl held the password of frank, once.")
    assert text(dict(card.facts)["Process"]).startswith("curl [pid 4242], user www-data")
    assert "Connection" not in dict(card.facts)
    assert findings.record(0)["exposure"] == "local"
    assert "No password was seen in readable form" in text(report.summary[1])
    assert any("1 secret was given to programs in their arguments" in text(line) for line in report.summary)
