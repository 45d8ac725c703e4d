"""The table of groups is bounded, and counts what it merges."""

from __future__ import annotations

from syswire.reports.findings import groups
from syswire.reports.findings.groups import Groups, Identity

RULES = [("first", "credential"), ("second", "http_error")]


def identity(rule: int, user: str, server: str = "s:80") -> Identity:
    return Identity(rule, user, "f", "c", server)


def test_beyond_the_bound_groups_are_merged_by_rule_and_server() -> None:
    table = Groups(RULES, bound=3)
    for number in range(10):
        table.count(table.find(identity(0, f"u{number}"), "public"), 0, number, number, "unknown", complete=True)
    assert [(group.identity.user, group.count, group.merged) for group in table] == [
        ("u0", 1, False),
        ("u1", 1, False),
        ("u2", 1, False),
        (None, 7, True),
    ]
    assert table.merged_records == 7


def test_one_kind_does_not_crowd_out_another() -> None:
    table = Groups(RULES, bound=3)
    for number in range(10):
        table.find(identity(1, f"u{number}"), "public")
    assert not table[table.find(identity(0, "alice"), "public")].merged


def test_merged_groups_are_bounded_too() -> None:
    table = Groups(RULES, bound=1)
    for number in range(2 * groups.SPILL):
        table.find(identity(0, "u", f"server{number}"), "public")
    assert len(table) == 1 + groups.SPILL + 1
    assert table[len(table) - 1].identity.server == "several servers"


def test_long_texts_are_cut_but_told_apart() -> None:
    table = Groups(RULES)
    long = "A" * 100_000
    indexes = {table.find(identity(0, long + end), "public") for end in "abc"}
    assert len(indexes) == 3
    assert all(len(group.identity.user or "") == groups.NAME + 3 for group in table)
    assert len({group.key for group in table}) == 3


def test_places_hold_source_and_offset() -> None:
    table = Groups(RULES)
    index = table.find(identity(0, "u"), "public")
    table.count(index, 300, (1 << 47) + 5, 9, "unknown", complete=True)
    assert table[index].instances() == [(300, (1 << 47) + 5)]
