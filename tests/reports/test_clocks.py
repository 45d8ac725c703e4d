"""How far two clocks were apart: bounds by who sent, worked out by hand."""

from __future__ import annotations

from syswire.reports.clocks import Apart, Clocks, in_words

START = 1_763_629_200_000_000_000
MILLI = 1_000_000


def test_each_way_gives_a_bound() -> None:
    clocks = Clocks()
    # The later input's clock is 5 ms ahead, the way takes 2 ms, then 3 ms: sent at 0, there at 2 by the true clock.
    clocks.add(0, 1, (START, START + 7 * MILLI), 0)
    clocks.add(0, 1, (START + 10 * MILLI, START + 18 * MILLI), 0)
    # Back: sent at 20 (its clock says 25), arrived at 21.
    clocks.add(0, 1, (START + 21 * MILLI, START + 25 * MILLI), 1)
    apart = clocks.apart[0, 1]
    assert apart == Apart(3, 4 * MILLI, 8 * MILLI, low=4 * MILLI, high=7 * MILLI)
    assert not apart.contradictory
    assert in_words(apart, "E-01") == "+4.000 ms to +7.000 ms ahead of E-01, by 3 messages that both saw"
    assert clocks.against(1) == [(0, apart)]
    assert clocks.against(0) == []


def test_one_way_bounds_one_side() -> None:
    clocks = Clocks()
    clocks.add(0, 2, (START, START - 3_600_000 * MILLI), 0)
    assert in_words(clocks.apart[0, 2], "E-01") == "at most -3,600.000 s ahead of E-01, by 1 message that both saw"
    clocks = Clocks()
    clocks.add(0, 2, (START, START + 250_000), 2)
    assert in_words(clocks.apart[0, 2], "E-01") == "at least +0.250 ms ahead of E-01, by 1 message that both saw"


def test_where_the_place_is_not_known_only_differences_are_told() -> None:
    clocks = Clocks()
    clocks.add(0, 1, (START, START + 100_000), None)
    clocks.add(0, 1, (START, START - 200_000), None)
    assert clocks.apart[0, 1] == Apart(2, -200_000, 100_000)
    assert in_words(clocks.apart[0, 1], "E-01") == (
        "its times of 2 messages that both saw are -0.200 ms to +0.100 ms later than those of E-01, the way between "
        "both places included"
    )


def test_bounds_that_contradict_each_other_are_told() -> None:
    clocks = Clocks()
    clocks.add(0, 1, (START, START + MILLI), 0)
    clocks.add(0, 1, (START, START + 60_000 * MILLI), 1)  # the clock was set in between
    apart = clocks.apart[0, 1]
    assert (apart.low, apart.high, apart.contradictory) == (60_000 * MILLI, MILLI, True)
    assert in_words(apart, "E-01").startswith("no constant difference to E-01 fits 2 messages that both saw: at least ")


def test_what_has_no_time_says_nothing() -> None:
    clocks = Clocks()
    clocks.add(0, 1, (0, START), 0)
    clocks.add(0, 1, (START, 0), 1)
    assert clocks.apart == {}
