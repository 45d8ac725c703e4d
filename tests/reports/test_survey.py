"""Counts over all records, and that no table grows without end."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from syswire.reports import survey
from syswire.reports.annotations import Endpoint, Stream
from syswire.reports.display import nanoseconds
from syswire.reports.findings import judge
from syswire.reports.survey import OTHER_HOSTS, OTHER_PAIRS, Clock, Pair, Survey, Timeline

from .case import at, lamp


def test_the_tutorials_server(tmp_path: Path) -> None:
    seen = judge(tmp_path, lamp().write(tmp_path)).survey
    assert (seen.processes, seen.streams, seen.exchanges) == (4, {"tcp": 6}, 57)
    assert seen.statuses == {200: 50, 404: 4, 302: 1, 401: 1, 500: 1}
    assert [seen.status_class(hundred) for hundred in (1, 2, 3, 4, 5)] == [0, 50, 1, 5, 1]
    assert (seen.open_before, seen.with_gaps, seen.without_request, seen.without_response) == (1, 0, 0, 0)
    assert seen.http_ports == {80: 57}
    assert {name: (host.streams, host.sent, host.received) for name, host in seen.hosts.items()} == {
        "198.51.100.7": (4, 2_000, 360_000),
        "203.0.113.9": (4, 360_000, 2_000),
        "127.0.0.1": (1, 500, 5_000),
        "unix socket": (1, 9_000, 300_000),
    }
    assert {seen.programs.table[index].name: traffic.total for index, traffic in seen.by_program.items()} == {
        "httpd": 362_000 + 5_500 + 309_000,
        "curl": 5_500,
        "mysqld": 309_000,
    }
    assert seen.pairs[Pair("198.51.100.7", "203.0.113.9:80", "tcp")].streams == 4


def test_hosts_and_pairs_are_bounded_and_totals_stay_right() -> None:
    seen = Survey()
    count = survey.PAIRS + 500
    for number in range(count):
        client = Endpoint(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1)
        seen.stream(
            Stream(number, "tcp", client, Endpoint("10.255.0.1", 80), bytes_to_server=3, bytes_to_client=5), 0, 0
        )
    assert len(seen.hosts) <= survey.PAIRS + 1
    assert len(seen.pairs) == survey.PAIRS + 1
    assert sum(traffic.total for traffic in seen.pairs.values()) == 8 * count
    assert seen.pairs[OTHER_PAIRS].streams == 500
    assert seen.hosts[OTHER_HOSTS].sent == 3 * seen.hosts[OTHER_HOSTS].streams


@given(st.lists(st.tuples(st.integers(0, 2**63), st.sampled_from([200, 404, 500, None])), min_size=1, max_size=60))
def test_the_timeline_is_bounded_and_loses_nothing(exchanges: list[tuple[int, int | None]]) -> None:
    timeline = Timeline()
    for time, status in exchanges:
        timeline.add(time, status)
    intervals = timeline.intervals
    assert max(intervals) - min(intervals) < survey.BINS
    assert sum(interval.exchanges for interval in intervals.values()) == len(exchanges)
    assert sum(interval.missing for interval in intervals.values()) == [s for _, s in exchanges].count(404)
    assert sum(interval.failed for interval in intervals.values()) == [s for _, s in exchanges].count(500)
    for time, _ in exchanges:
        assert time // timeline.width in intervals


def test_the_clock_reads_what_the_pipeline_writes() -> None:
    clock = Clock()
    for seconds in (0, 1.5, 59.999999999, 60, 600.000000001):
        assert clock.read(at(seconds)) == nanoseconds(at(seconds))
    assert clock.read("2025-11-20T09:00:00Z") == nanoseconds("2025-11-20T09:00:00Z")
    assert [clock.read(text) for text in (None, "", "Z", "soon", "2025-99-20T09:00:00Z")] == [0] * 5
