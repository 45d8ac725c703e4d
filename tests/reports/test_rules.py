"""Rules as data: what comes with syswire, what a user may write, and what is said where it is not right."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from syswire.convert.errors import UsageError
from syswire.reports.annotations import Sighting
from syswire.reports.findings import judge, rule_files, severity
from syswire.reports.findings.rule import Facts, Rule
from syswire.reports.findings.table import RULES, Sorted

from .case import Case, at, tcp

NAMES = {rule.id for rule in RULES}


def first(**told: Any) -> str:
    """The rule of ours that takes a sighting: the first one."""
    said: dict[str, Any] = {"stream": 1, "location": "login", "secret_fingerprint": "f"}
    record = Sighting(**(said | told))
    return next(rule.id for _, rule in Sorted(RULES).of(record) if rule.takes(record, lambda *_: False))


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"location": "form-body"}, "http-form-password"),
        ({"location": "url-query"}, "http-url-password"),
        ({"location": "authorization-basic"}, "http-basic"),
        ({"protocol": "ftp", "username": "Anonymous"}, "ftp-anonymous"),
        ({"protocol": "ftp", "username": "anne"}, "ftp-password"),
        ({"protocol": "mysql", "location": "query-text"}, "sql-password"),
        ({"protocol": "mysql", "form": "hash", "details": {"mechanism": "x", "hashcat": 300}}, "database-challenge"),
        ({"protocol": "smb", "form": "hash", "details": {"mechanism": "NTLMv2", "hashcat": 5600}}, "ntlm-challenge"),
        ({"protocol": "smtp", "form": "hash", "details": {"mechanism": "NTLM"}}, "ntlm-challenge"),
        ({"protocol": "smtp", "form": "hash", "details": {"mechanism": "CRAM-MD5"}}, "mail-challenge"),
        ({"protocol": "kerberos", "form": "hash", "details": {"hashcat": 13100}}, "kerberoast"),
        ({"protocol": "kerberos", "form": "hash", "details": {"hashcat": 18200}}, "as-rep-roast"),
        ({"protocol": "kerberos", "form": "hash", "details": {"hashcat": 19900}}, "kerberos-challenge"),
        ({"protocol": "ldap", "form": "hash", "details": {"mechanism": "{SSHA}"}}, "stored-hash"),
        ({"protocol": "xmpp", "form": "hash", "details": {"mechanism": "SCRAM-SHA-1"}}, "crackable-challenge"),
        ({"protocol": "snmp", "form": "hash"}, "snmpv3-digest"),
        ({"protocol": "snmp", "location": "community"}, "snmp-community"),
        ({"form": "token", "location": "cookie"}, "http-session-cookie"),
        ({"form": "token", "location": "header", "details": {"claims": {"sub": "1"}}}, "jwt"),
        ({"form": "token", "location": "header", "details": {"mechanism": "Bearer"}}, "http-bearer"),
        ({"form": "token", "location": "header"}, "http-api-key"),
        ({"form": "token", "location": "url-query"}, "http-url-token"),
        ({"protocol": "irc", "form": "token"}, "irc-token"),
        ({"protocol": "x11", "form": "token"}, "x11-cookie"),
        ({"protocol": "nats", "form": "token"}, "token"),
        ({"protocol": "process", "location": "arguments", "stream": None}, "process-arguments"),
        ({"protocol": "process", "location": "environment", "stream": None}, "process-environment"),
        ({"protocol": "never heard of"}, "cleartext-password"),
    ],
)
def test_which_rule_takes_what(told: dict[str, Any], rule: str) -> None:
    assert first(**told) == rule


@pytest.mark.parametrize(
    "protocol",
    [
        *("ftp", "telnet", "smtp", "pop3", "imap", "irc", "ldap", "mysql", "postgresql", "mssql", "redis", "mqtt"),
        *("socks", "radius", "pap", "sip", "vnc", "amqp", "stomp", "nats", "nntp", "xmpp", "mongodb", "memcached"),
        *("rsync", "rlogin", "rexec", "ppp", "smb", "fastcgi"),
    ],
)
def test_every_protocol_has_a_rule(protocol: str) -> None:
    assert first(protocol=protocol) == f"{protocol}-password"


def test_hashes_are_one_step_below_what_can_be_read() -> None:
    """Worked out by hand; where the readable table has two equal levels, internal and accepted, it is one step too."""
    steps = {"critical": "high", "high": "medium", "medium": "low", "low": "info"}
    for exposure in severity.EXPOSURES:
        for outcome in severity.OUTCOMES:
            lower = steps[severity.TABLES["readable"][exposure][outcome]]
            assert severity.TABLES["crackable"][exposure][outcome] == lower


@pytest.mark.parametrize(("plain", "possible"), [("accepted", "low"), ("unknown", "low"), ("refused", "info")])
def test_what_is_only_possible_is_low_at_most(plain: str, possible: str) -> None:
    rule = next(rule for rule in RULES if rule.id == "http-form-password")
    assert rule.grade(Facts("local", plain, 1, "possible")) == possible


def test_references_are_bare_ids() -> None:
    known = {"CWE-319", "CWE-522", "CWE-523", "CWE-598", "T1040", "T1552", "T1110", "PCI-DSS-4.2.1"}
    assert {name for rule in RULES for name in rule.references} <= known


def test_confidence_is_that_of_the_best_record(tmp_path: Path) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("8.8.8.8", 80))
    for user, sure in (("a", "possible"), ("b", "possible"), ("b", "likely"), ("c", "certain")):
        case.sighting(stream, 1, user, fingerprint=user, outcome="accepted")
        case.sightings[-1]["confidence"] = sure
    findings = judge(tmp_path, case.write(tmp_path))
    told = {record["username"]: record for record in map(findings.record, range(3))}
    assert {user: (one["confidence"], one["severity"]) for user, one in told.items()} == {
        "a": ("possible", "low"),
        "b": ("likely", "critical"),
        "c": ("certain", "critical"),
    }


@pytest.mark.parametrize("revealed", [True, False])
def test_default_communities_are_known_by_the_case_key(tmp_path: Path, revealed: bool) -> None:
    key = bytes(range(32))
    (tmp_path / "case.key").write_text(key.hex() + "\n")
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 161))
    for secret in ("public", "k2-pUblic"):
        mark = hmac.new(key, secret.encode(), "sha256").hexdigest()[:12]
        case.sighting(stream, 1, None, fingerprint=mark, location="community", outcome="accepted")
        case.sightings[-1] |= {"protocol": "snmp", "secret": secret if revealed else "********"}
    findings = judge(tmp_path, case.write(tmp_path))
    assert [(findings.rule(at).id, findings.level(at)) for at in range(2)] == [
        ("snmp-community", "high"),
        ("snmp-default-community", "medium"),
    ]


# -- a user's own

GOOD = """
[[rule]]
id = "word"
title = "The word login in addresses"
severity = {{ 1 = "low", 3 = "high" }}
match = {{ {match} }}
"""


def users(path: Path, text: str) -> tuple[Rule, ...]:
    file = path / "mine.toml"
    file.write_text(text, "utf-8")
    return rule_files.users(file, frozenset(NAMES))


def said(path: Path) -> Case:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    for number, target in enumerate(("/LOGIN.php", "/a?next=login", "/other", "/x/login/", "/logi")):
        case.exchange(stream, target, 200, 5 + number, headers=[["Host", "h"], ["User-Agent", f"sqlmap/{number}"]])
    return case


@pytest.mark.parametrize(
    ("match", "count"),
    [
        ('protocol = "http", field = "request.target", keyword = "login"', 3),
        ('field = "request.target", keyword = "login", ignore_case = false', 2),
        ('field = "request.target", expression = "^/login"', 1),
        ('field = "request.target", expression = "login[/.]"', 2),
        ('field = "request.headers.user-agent", expression = "sqlmap/[0-2]$"', 3),
        ('field = "http.host", keyword = "shop.example"', 5),
        ('field = "response.status", keyword = "200"', 5),
        ('field = "http", keyword = "/other"', 1),
        ('protocol = "ftp", field = "request.target", keyword = "login"', 0),
        ('field = "query.text", keyword = "login"', 0),
    ],
)
def test_patterns(tmp_path: Path, match: str, count: int) -> None:
    rules = users(tmp_path, GOOD.format(match=match))
    findings = judge(tmp_path, said(tmp_path).write(tmp_path), rules=rules)
    found = [findings.record(at) for at in range(len(findings))]
    assert [(one["rule"], one["kind"], one["instances_total"]) for one in found] == [("word", "pattern", count)] * bool(
        count
    )
    if count:
        assert found[0]["severity"] == ("high" if count >= 3 else "low")
        assert len(found[0]["instances"]) == count
        assert found[0]["client"] == tcp("10.0.0.1", 1)


def test_a_pattern_over_queries(tmp_path: Path) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 3306))
    manifest = case.write(tmp_path)
    path = tmp_path / "act1.annotations.jsonl"
    lines = [
        {"type": "query", "stream": stream, "protocol": "mysql", "client": tcp("10.0.0.1", 1), "time": at(1),
         "server": tcp("10.0.0.9", 3306), "request": {"text": text, "where": {"frame": 7}}, "response": None}
        for text in ("SELECT *  FROM users", "select 1", "select * from app_users where a")
    ]  # fmt: skip
    path.write_text(path.read_text() + "".join(json.dumps(line) + "\n" for line in lines))
    match = r"protocol = 'mysql', field = 'query.text', expression = 'select\s+\*\s+from\s+\w*users'"
    rules = users(tmp_path, GOOD.format(match=match))
    findings = judge(tmp_path, manifest, rules=rules)
    assert findings.record(0)["instances_total"] == 2
    assert findings.record(0)["protocol"] == "mysql"
    assert findings.frame_comments(0)[7] == ["syswire SW-0001 low: The word login in addresses"]


def test_a_users_rule_comes_in_addition(tmp_path: Path) -> None:
    case = Case()
    case.sighting(case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80)), 1, "lab-7")
    text = '[[rule]]\nid = "lab"\ntitle = "t"\nseverity = "info"\nwhen = [{ usernames = ["lab", "LAB-*"] }]\n'
    findings = judge(tmp_path, case.write(tmp_path), rules=users(tmp_path, text))
    assert [findings.rule(at).id for at in range(len(findings))] == ["http-form-password", "lab"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[rule]]\nid = x\n", "is no TOML: Invalid value (at line 2, column 6)"),
        ("rules = 1", "rules: a file of rules consists of [[rule]] tables"),
        ("", "has no [[rule]]"),
        ('\n\n[[rule]]\nid = "A b"\ntitle = "t"', "line 3: rule number 1: id: small letters"),
        ('[[rule]]\nid = "a"\ntitle = "t"', "line 1: rule a: exactly one of match, when and statuses"),
        ('[[rule]]\nid = "a"\ntitel = "t"', "line 1: rule a: titel: no such field"),
        ('[[rule]]\nid = "http-404"\ntitle = "t"\nstatuses = [1, 2]', "rule http-404: there is another one of that id"),
        (GOOD.format(match='field = "request.target"'), "line 2: rule word: match: exactly one of keyword and expr"),
        (GOOD.format(match='field = "body", keyword = "x"'), "bodies are not in the annotations"),
        (GOOD.format(match='field = "request", keyword = "x"'), "names no field of the request"),
        (GOOD.format(match='field = "request..x", keyword = "x"'), "has an empty part"),
        (GOOD.format(match='field = "request.a", expression = "(a"'), "expression: missing ), unterminated"),
        (GOOD.format(match='field = "request.a", expression = "(?=a)"'), "expression: looking around"),
        (GOOD.format(match=f'field = "request.a", expression = "{"a" * 257}"'), "expression: longer than 256"),
        (GOOD.format(match='field = "request.a", expression = "(a{30}){40}"'), "more than 1000 characters when"),
        ('[[rule]]\nid = "a"\ntitle = "t"\nstatuses = [500, 400]', "statuses: the lowest and the highest"),
        ('[[rule]]\nid = "a"\ntitle = "t"\nseverity = "grave"\nstatuses = [1, 2]', "severity: neither a level nor"),
        ('[[rule]]\nid = "a"\ntitle = "t"\nseverity = {public = "low"}\nstatuses = [1, 2]', "internal needs a level"),
        ('[[rule]]\nid = "a"\ntitle = "t"\nwhen = [{ usernames = ["*a*b*"] }]', "usernames: at most 2 stars"),
        ('[[rule]]\nid = "a"\ntitle = "t"\nwhen = [{ user = ["a"] }]', "user: no such field"),
        ('[[rule]]\nid = "a"\ntitle = ["t"]\nwhen = [{}]', "title: a text of 1 to 200 characters"),
    ],
)
def test_what_is_not_valid_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        users(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "mine.toml"))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_second_rules_line(tmp_path: Path) -> None:
    text = '[[rule]]\nid = "a"\ntitle = "t"\nwhen = [{}]\n\n[[rule]]\nid = "b"\ntitle = ""\nwhen = [{}]\n'
    with pytest.raises(UsageError, match="line 6: rule b: title"):
        users(tmp_path, text)
