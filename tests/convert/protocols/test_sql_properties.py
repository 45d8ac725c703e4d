"""MySQL and PostgreSQL: the same however bytes are cut, never an exception, and memory that stays within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.parsing import Found, talk
from support.sql_talk import Calls, recorded
from syswire.convert.protocols.mysql.parser import MySql
from syswire.convert.protocols.postgresql.parser import PostgreSql

DATA = Path(__file__).resolve().parents[2] / "data" / "protocols"
RECORDINGS = {
    "mysql-client": 23306, "mysql-compressed": 23306, "mysql-prepared": 23306, "mysql-binlog": 23306,
    "postgresql-psql": 25432, "postgresql-extended": 25432,
}  # fmt: skip
Parser = type[MySql] | type[PostgreSql]
TALKS: list[tuple[Parser, Calls]] = [
    (MySql if name.startswith("mysql") else PostgreSql, calls)
    for name, port in RECORDINGS.items()
    for calls in recorded(DATA / f"{name}.pcap", port)
]
quietly = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


def joined(calls: Calls) -> Calls:
    """What one side says at once in one call."""
    turns: Calls = []
    for to_server, data in calls:
        assert isinstance(data, bytes)
        if turns and turns[-1][0] is to_server:
            before = turns[-1][1]
            assert isinstance(before, bytes)
            turns[-1] = (to_server, before + data)
        else:
            turns.append((to_server, data))
    return turns


def spans_aside(found: Found) -> object:
    """All that was found, but for the places that spans name."""
    return [(r.kind, r.request and r.request.fields, r.response and r.response.fields) for r in found.records], [
        (s.secret, s.span.offset, s.span.length, s.outcome) for s in found.sightings
    ]


@pytest.mark.parametrize("number", range(len(TALKS)))
def test_recordings_are_the_same_however_they_are_cut(number: int) -> None:
    make, calls = TALKS[number]
    whole = talk(make, calls)
    assert whole.records
    for cuts in ([1], [2, 3], [7, 1, 30], [64]):
        assert talk(make, calls, cuts=cuts).said() == whole.said()
        assert talk(make, calls, cuts=cuts, boundaries=False).said() == whole.said()
    assert spans_aside(talk(make, joined(calls))) == spans_aside(whole)


@quietly
@given(st.sampled_from(TALKS), st.lists(st.integers(1, 90), min_size=1, max_size=8), st.data())
def test_begun_in_the_middle_and_changed_bytes(
    talked: tuple[Parser, Calls], cuts: list[int], data: st.DataObject
) -> None:
    make, calls = talked
    begin = data.draw(st.integers(0, len(calls) - 1))
    changed = list(calls[begin:])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        to_server, content = changed[at]
        if isinstance(content, bytes) and content:
            where = data.draw(st.integers(0, len(content) - 1))
            what = data.draw(st.binary(max_size=3))
            changed[at] = to_server, content[:where] + what + content[where + data.draw(st.integers(0, 3)) :]
    changed = [(to_server, content) for to_server, content in changed if content]
    assert talk(make, changed, cuts=cuts).said() == talk(make, changed).said()


@quietly
@given(st.sampled_from(TALKS), st.lists(st.integers(1, 90), min_size=1, max_size=8), st.data())
def test_with_losses(talked: tuple[Parser, Calls], cuts: list[int], data: st.DataObject) -> None:
    make, calls = talked
    lost: Calls = []
    for to_server, content in calls:
        assert isinstance(content, bytes)
        begin = data.draw(st.integers(0, len(content))) if data.draw(st.integers(0, 9)) == 0 else len(content)
        end = data.draw(st.integers(begin, len(content)))
        parts: list[bytes | int] = [content[:begin], end - begin, content[end:]]
        lost += [(to_server, part) for part in parts if part]
    found = talk(make, lost, cuts=cuts)
    assert found.said() == talk(make, lost).said()
    whole = talk(make, calls)
    known = {str((one or {}).get("sql")) for one in whole.asked}
    for one in found.asked:
        sql = str((one or {}).get("sql"))
        assert sql in known or any(text.startswith(sql) for text in known) or (one or {}).get("sql_complete") is False


@quietly
@given(
    st.sampled_from([MySql, PostgreSql]),
    st.lists(st.tuples(st.booleans(), st.one_of(st.binary(min_size=1, max_size=80), st.integers(1, 50))), max_size=12),
    st.lists(st.integers(1, 20), min_size=1, max_size=4),
)
def test_any_bytes_at_all(make: Parser, calls: Calls, cuts: list[int]) -> None:
    assert talk(make, calls, cuts=cuts).said() == talk(make, calls).said()


@pytest.mark.parametrize("number", range(len(TALKS)))
def test_each_side_alone(number: int) -> None:
    make, calls = TALKS[number]
    for side in (True, False):
        said = [call for call in calls if call[0] is side]
        found = talk(make, said)
        assert all((r.request is None) is not side for r in found.records)
        assert bool(found.records) is bool(said)
