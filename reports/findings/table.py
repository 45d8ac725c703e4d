"""The rules that make findings: one table, in the order in which a record is offered to them.

A rule is data. `consumes` names the record it looks at, `matches` says whether it applies, `grade` gives the severity
from what the group came to. Adding a rule is adding an entry; the judge knows none of them by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..annotations import Http, Sighting
from . import severity


class Facts(NamedTuple):
    """What a group of records came to, for grading."""

    exposure: str
    outcome: str
    times: int


class Rule(NamedTuple):
    """One kind of thing worth reporting."""

    id: str
    consumes: str
    kind: str
    title: str
    short: str
    matches: Callable[[Any], bool]
    grade: Callable[[Facts], str]
    references: tuple[str, ...]
    impact: str
    advice: str


def _at(*locations: str) -> Callable[[Any], bool]:
    def matches(record: Sighting) -> bool:
        return record.protocol == "http" and record.location in locations

    return matches


def _spoken(protocol: str) -> Callable[[Any], bool]:
    def matches(record: Sighting) -> bool:
        return record.protocol == protocol and not _in_sql(record)

    return matches


def _in_sql(record: Sighting) -> bool:
    return record.protocol in SQL and record.location == QUERY_TEXT


def _elsewhere(record: Sighting) -> bool:
    return record.protocol != "http" and record.protocol not in LOGINS


def _status(low: int, high: int) -> Callable[[Any], bool]:
    def matches(record: Http) -> bool:
        response = record.response
        return response is not None and response.status is not None and low <= response.status <= high

    return matches


def _credential(facts: Facts) -> str:
    return severity.credential(facts.exposure, facts.outcome)


def _not_found(facts: Facts) -> str:
    return severity.not_found(facts.times)


def _server_error(facts: Facts) -> str:
    return severity.server_error(facts.times)


SQL = ("mysql", "postgresql")
QUERY_TEXT = "query-text"
LOGINS = {
    "ftp": ("FTP", "Use SFTP or FTP over TLS with AUTH TLS required, and switch plain FTP off."),
    "telnet": ("Telnet", "Use SSH with keys, and switch Telnet off."),
    "smtp": ("SMTP", "Offer AUTH only behind STARTTLS or on port 465, and refuse it before."),
    "pop3": ("POP3", "Serve mail only over TLS (port 995, or STLS before any login)."),
    "imap": ("IMAP", "Serve mail only over TLS (port 993, or STARTTLS with LOGINDISABLED before it)."),
    "mysql": ("MySQL", "Require TLS for the account (REQUIRE SSL), or keep the server on a local socket."),
    "postgresql": ("PostgreSQL", "Use scram-sha-256 in place of password, and hostssl entries only."),
    "redis": ("Redis", "Use TLS, or bind the server to a local socket; give each client an account of its own."),
    "socks": ("SOCKS proxy", "Reach the proxy through TLS or SSH, or let it know clients by other means."),
    "fastcgi": ("FastCGI", "Keep FastCGI on a unix socket, or on one machine; serve the site itself over TLS."),
}
"""Protocols whose logins are reported under a rule of their own: name, and what to do about it."""


def _login(protocol: str) -> Rule:
    name, remedy = LOGINS[protocol]
    return Rule(
        id=f"{protocol}-password",
        consumes="sighting",
        kind="credential",
        title=f"{name} password sent without encryption",
        short=f"{name} password",
        matches=_spoken(protocol),
        grade=_credential,
        references=("CWE-319", "CWE-522"),
        impact=f"The password crossed the {name} connection as it is. Whoever can read the traffic between the client "
        "and the server, or this capture, can use it.",
        advice=f"Change the password now, everywhere it is used. {remedy}",
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id="http-form-password",
        consumes="sighting",
        kind="credential",
        title="Password in a web form sent without encryption",
        short="password in a form",
        matches=_at("form-body"),
        grade=_credential,
        references=("CWE-319", "CWE-522"),
        impact="The form was submitted over plain HTTP. Whoever can read the traffic between the client and the "
        "server, or this capture, can use the password.",
        advice="Change the password now. Serve the form and its target only over TLS, redirect port 80 to HTTPS and "
        "set Strict-Transport-Security. Check the account's use since the time of this finding.",
    ),
    Rule(
        id="http-url-password",
        consumes="sighting",
        kind="credential",
        title="Password in a URL",
        short="password in a URL",
        matches=_at("url-query", "url-userinfo"),
        grade=_credential,
        references=("CWE-598", "CWE-319"),
        impact="The password is part of the address. Besides whoever reads the traffic, it is left in server and "
        "proxy logs, in browser histories and in Referer headers.",
        advice="Change the password now. Send credentials in the body of a POST request over TLS, never in an "
        "address, and remove the address from logs that kept it.",
    ),
    Rule(
        id="http-basic",
        consumes="sighting",
        kind="credential",
        title="HTTP Basic credentials sent without encryption",
        short="HTTP Basic credentials",
        matches=_at("authorization-basic"),
        grade=_credential,
        references=("CWE-319", "CWE-522"),
        impact="Basic authentication is encoding, not encryption: user name and password stand in every request and "
        "can be read by whoever sees one of them.",
        advice="Change the password now. Offer the service only over TLS, and prefer tokens that expire to a password "
        "in every request.",
    ),
    *map(_login, LOGINS),
    Rule(
        id="sql-password",
        consumes="sighting",
        kind="credential",
        title="Password in an SQL statement sent without encryption",
        short="password in an SQL statement",
        matches=_in_sql,
        grade=_credential,
        references=("CWE-319", "CWE-522"),
        impact="A statement set a password in readable form. Besides whoever reads the traffic, it is left in the "
        "server's query logs and in the history of the client.",
        advice="Change the password now. Set passwords over TLS or a local socket, and clear the logs that kept it.",
    ),
    Rule(
        id="cleartext-password",
        consumes="sighting",
        kind="credential",
        title="Password sent without encryption",
        short="password in clear text",
        matches=_elsewhere,
        grade=_credential,
        references=("CWE-319", "CWE-522"),
        impact="The password crossed the connection as it is. Whoever can read the traffic between the client and the "
        "server, or this capture, can use it.",
        advice="Change the password now, and use the service only through TLS, SSH or a VPN.",
    ),
    Rule(
        id="http-404",
        consumes="http",
        kind="http_error",
        title="HTTP 404 Not Found",
        short="HTTP 404",
        matches=_status(404, 404),
        grade=_not_found,
        references=(),
        impact="The server does not have what was asked for: a broken link, a moved page, or someone trying names.",
        advice="If the path should exist, restore it or redirect it. If one client asks for many missing paths, treat "
        "it as a scan: look at what else that client did.",
    ),
    Rule(
        id="http-5xx",
        consumes="http",
        kind="http_error",
        title="HTTP server error",
        short="HTTP server error",
        matches=_status(500, 599),
        grade=_server_error,
        references=(),
        impact="The server failed on a request that reached it. Users met an error page; error pages may also tell "
        "about the inside of the service.",
        advice="Look for the time of the error in the application's log, mend the cause, and make sure that error "
        "pages show no internals.",
    ),
)
