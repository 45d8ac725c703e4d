"""The table of severities, case by case."""

from __future__ import annotations

import pytest

from syswire.reports.annotations import Endpoint
from syswire.reports.findings import severity
from syswire.reports.findings.rule import Facts
from syswire.reports.findings.table import RULES


@pytest.mark.parametrize(
    ("client", "server", "path"),
    [
        ("10.0.0.1", "10.0.0.2", "internal"),
        ("10.0.0.1", "172.31.255.255", "internal"),
        ("192.168.1.1", "172.32.0.1", "public"),
        ("10.0.0.1", "8.8.8.8", "public"),
        ("203.0.113.9", "198.51.100.7", "public"),
        ("127.0.0.1", "127.0.0.1", "local"),
        ("127.0.0.53", "127.0.0.1", "local"),
        ("::1", "::1", "local"),
        ("10.0.0.5", "10.0.0.5", "local"),
        ("8.8.8.8", "8.8.8.8", "local"),
        ("fe80::1", "fd00::2", "internal"),
        ("2001:db8::1", "fd00::2", "public"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "local"),
        ("::ffff:10.0.0.1", "10.0.0.2", "internal"),
        ("100.64.0.1", "10.0.0.1", "internal"),
        ("nonsense", "10.0.0.1", "internal"),
    ],
)
def test_exposure(client: str, server: str, path: str) -> None:
    assert severity.exposure(Endpoint(client, 1), Endpoint(server, 80)) == path


def test_exposure_of_unix_sockets_and_unknown_ends() -> None:
    assert severity.exposure(Endpoint(path="/run/x.sock"), Endpoint(path="/run/x.sock")) == "local"
    assert severity.exposure(None, Endpoint("10.0.0.1", 80)) == "internal"
    assert severity.exposure(None, None) == "internal"


@pytest.mark.parametrize(
    ("path", "outcome", "level"),
    [
        ("public", "accepted", "critical"),
        ("public", "unknown", "high"),
        ("public", "refused", "medium"),
        ("internal", "accepted", "high"),
        ("internal", "unknown", "high"),
        ("internal", "refused", "medium"),
        ("local", "accepted", "medium"),
        ("local", "unknown", "medium"),
        ("local", "refused", "low"),
    ],
)
def test_credentials(path: str, outcome: str, level: str) -> None:
    assert severity.TABLES["readable"][path][outcome] == level


def test_errors_grow_with_their_number() -> None:
    rules = {rule.id: rule for rule in RULES}
    for name, counts, levels in (
        ("http-404", (1, 9, 10, 1000), ["info", "info", "low", "low"]),
        ("http-5xx", (1, 2, 3, 1000), ["low", "low", "medium", "medium"]),
    ):
        assert [rules[name].grade(Facts("public", "unknown", count)) for count in counts] == levels
