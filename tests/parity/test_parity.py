"""syswire prints what sysdig 0.29.3 prints, but for the rows of docs/sysdig.md; compare.py tells what differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from parity import compare, modern
from parity.compare import Case, Figure

LEAST = {"act1.scap.gz": 0.999, "curl_google.scap": 0.995, "test_ipv6_client.scap": 0.98, "502Error.scap": 0.998}
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
    assert net.equal >= net.lines * (1 if capture.name != "502Error.scap" else 0.998), different


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
    table = Case("chisel", ("-c", "topconns"))
    assert compare.compared(table, [b"9 x", b"5 a", b"5 b"], [b"9 x", b"5 b", b"5 c"]) == (3, 3)
    assert compare.compared(table, [b"9 x", b"5 a"], [b"9 y", b"5 a"]) == (1, 2)
