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
        return record.location in locations

    return matches


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
