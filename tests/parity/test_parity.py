"""syswire prints what sysdig 0.29.3 prints, but for the rows of docs/sysdig.md; compare.py tells what differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from parity import compare, modern
from parity.compare import Case, Figure

LEAST = {"act1.scap.gz": 0.999, "curl_google.scap": 0.998, "test_ipv6_client.scap": 0.998, "502Error.scap": 0.998}
"""Of all lines. What is still different there is in docs/sysdig.md; a capture that is not named has 0.995."""


def asked(capture: Path) -> list[Case]:
    """Everything of the small captures; of the large one a sample, since each question reads the whole file twice."""
    every = list(compare.cases(capture))
    if capture.stat().st_size < 1 << 20:
        return every
    return [case for index, case in enumerate(every) if case.is_net or not case.words or index % 5 == 0]


@pytest.mark.slow
@pytest.mark.parametrize("capture", compare.captures(), ids=lambda path: path.name)
def test_lines_are_those_of_sysdig(capture: Path, tool: Callable[[str], str]) -> None:
    tool("sysdig")
    total, net = Figure(0, 0), Figure(0, 0)
    different = []
    for case in asked(capture):
        figure = compare.compared(case, compare.sysdig(capture, case.words), compare.syswire(capture, case.words))
        total = Figure(total.equal + figure.equal, total.lines + figure.lines)
        if case.is_net:
            net = Figure(net.equal + figure.equal, net.lines + figure.lines)
        if figure.equal < figure.lines:
            different.append((case.words, figure))
    assert total.lines > 1000
    assert total.equal >= total.lines * LEAST.get(capture.name, 0.995), different
    assert net.equal == net.lines, different


@pytest.mark.slow
@pytest.mark.parametrize("capture", modern.captures(), ids=lambda path: path.name)
def test_the_newest_schema_is_read_as_its_library_reads_it(capture: Path) -> None:
    listing = modern.compare(capture)
    assert listing.events > 900
    assert listing.fields >= 0.995 * listing.events, listing.differing
    assert listing.arguments >= 0.97 * listing.events, listing.differing


def test_a_difference_is_seen() -> None:
    """The comparison can fail: a line that differs, is missing, or is too many counts."""
    case = Case("default", ())
    lines = [b"a", b"b", b"c"]
    assert compare.compared(case, lines, lines) == (3, 3)
    assert compare.compared(case, lines, [b"a", b"x", b"c"]) == (2, 3)
    assert compare.compared(case, lines, [b"a", b"c"]) == (2, 3)
    assert compare.compared(case, lines, [b"a", b"b", b"c", b"d"]) == (3, 4)


HEAD = [b"Bytes               Proto               Conn                ", b"-" * 80]


def shown(*rows: tuple[str, str]) -> list[bytes]:
    """A table of connections in text."""
    return [*HEAD, *(f"{size:20}{'tcp':20}{name}".encode() for size, name in rows)]


def document(*rows: tuple[int, str]) -> list[bytes]:
    """The same as JSON."""
    data = [["tcp", name, size] for size, name in rows]
    return json.dumps({"data": data, "ts": "0"}).encode().splitlines()


def full(last: tuple[str, ...]) -> list[tuple[str, str]]:
    """Thirty rows, the last ones of 5 bytes."""
    return [(f"{90 - place}B", f"c{place}") for place in range(30 - len(last))] + [("5B", name) for name in last]


def as_numbers(rows: list[tuple[str, str]]) -> list[tuple[int, str]]:
    return [(int(size[:-1]), name) for size, name in rows]


TEXT, JSON = Case("chisel", ("-c", "topconns")), Case("chisel", ("-j", "-c", "topconns"))
TWO = Case("chisel", ("-c", "topconns", "-c", "topprocs_net"))


def test_rows_of_equal_sums_may_stand_in_any_order() -> None:
    theirs, ours = [("9B", "x"), ("5B", "a"), ("5B", "b")], [("9B", "x"), ("5B", "b"), ("5B", "a")]
    assert compare.compared(TEXT, shown(*theirs), shown(*ours)) == (5, 5)
    assert compare.compared(JSON, document(*as_numbers(theirs)), document(*as_numbers(ours))) == (4, 4)
    assert compare.compared(TWO, shown(*theirs) * 2, shown(*theirs) + shown(*ours)) == (10, 10)


def test_a_table_that_is_not_cut_has_no_interchangeable_rows() -> None:
    theirs, ours = [("9B", "x"), ("5B", "a"), ("5B", "b")], [("9B", "x"), ("5B", "a"), ("5B", "c")]
    assert compare.compared(TEXT, shown(*theirs), shown(*ours)) == (4, 5)
    assert compare.compared(JSON, document(*as_numbers(theirs)), document(*as_numbers(ours))) == (3, 4)
    assert compare.compared(TWO, shown(*theirs) * 2, shown(*theirs) + shown(*ours)) == (9, 10)


def test_at_the_cut_rows_with_the_last_sum_are_interchangeable() -> None:
    theirs, ours = full(("a", "b")), full(("c", "a"))
    assert compare.compared(TEXT, shown(*theirs), shown(*ours)) == (32, 32)
    assert compare.compared(JSON, document(*as_numbers(theirs)), document(*as_numbers(ours))) == (31, 31)
    both = shown(*theirs) + shown(("5B", "a")), shown(*ours) + shown(("5B", "a"))
    assert compare.compared(TWO, *both) == (35, 35)
    assert compare.compared(TWO, both[0], shown(*ours) + shown(("5B", "b"))) == (34, 35)


@pytest.mark.parametrize("change", [("90B", "other"), ("91B", "c0"), ("61B", "c0")])
def test_a_wrong_row_of_a_cut_table_is_seen(change: tuple[str, str]) -> None:
    theirs = full(("a", "b"))
    ours = [change, *theirs[1:]]
    assert compare.compared(TEXT, shown(*theirs), shown(*ours)) == (31, 32)
    assert compare.compared(JSON, document(*as_numbers(theirs)), document(*as_numbers(ours))) == (30, 31)
    assert compare.compared(TWO, shown(*theirs) * 2, shown(*theirs) + shown(*ours)) == (63, 64)


def test_other_faults_of_tables_are_seen() -> None:
    """An order of sums that is wrong, a sum at the cut, a row too few, a heading, a document's other entries."""
    rows = [("9B", "x"), ("7B", "y"), ("5B", "a")]
    swapped = compare.compared(TEXT, shown(*rows), shown(rows[1], rows[0], rows[2]))
    assert swapped.equal < swapped.lines
    theirs = full(("a", "b"))
    assert compare.compared(TEXT, shown(*theirs), shown(*theirs[:-1], ("4B", "b"))) == (30, 32)
    assert compare.compared(TEXT, shown(*rows), shown(*rows[:2])) == (4, 5)
    assert compare.compared(TEXT, shown(*rows), [b"Octets", *shown(*rows)[1:]]) == (4, 5)
    other = [document(*as_numbers(rows))[0].replace(b'"0"', b'"1"')]
    assert compare.compared(JSON, document(*as_numbers(rows)), other) == (3, 4)
    assert compare.compared(TWO, shown(*rows) * 2, shown(*rows)) == (5, 10)
