"""Times as text; lengths with a unit were read off sysdig 0.29.3's evt.latency.human."""

from __future__ import annotations

import time

import pytest

from syswire.convert.trace import moments

TS = 1_506_127_469_000_006_971


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    moments.forget()


@pytest.mark.usefixtures("_utc")
def test_times() -> None:
    assert moments.clock(TS) == "00:44:29.000006971"
    assert moments.clock(TS, fine=False) == "00:44:29"
    assert moments.date(TS) == "2017-09-23 00:44:29.000006971"
    assert moments.date(TS, fine=False) == "2017-09-23 00:44:29"
    assert moments.iso8601(TS) == "2017-09-23T00:44:29.000006971+0000"
    assert moments.utc_date(2**64 - 1) == "2554-07-21 23:34:33.709551615"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0ns"), (999, "999ns"), (1000, "1.00us"), (9999, "9.99us"), (10999, "10us"), (999999, "999us"),
        (1005000, "1.00ms"), (10**7, "10ms"), (1005 * 10**6, "1.00s"), (59 * 10**9, "59.00s"), (61 * 10**9, "1:1"),
        (599 * 10**9, "9:59"), (3600 * 10**9, "01:00:00"), (90061 * 10**9, "25:01:01"), (10**15, "277:46:40"),
    ],
)  # fmt: skip
def test_lengths(length: int, text: str) -> None:
    assert moments.human(length) == text


def test_seconds() -> None:
    assert moments.seconds(1_000_000_437) == "1.000000437"
