"""The table of conversations: more of them than it holds."""

from __future__ import annotations

import pytest

from support.recording import MS, Recording, tcp
from syswire.convert.model.rows import CHUNK_DATA

ROOM = 1 << 17


def other(number: int) -> tuple[str, int]:
    return f"10.{1 + number // 60_000}.0.1", 1024 + number % 60_000


@pytest.mark.slow
def test_closed_conversations_make_room_for_others_and_are_no_loss() -> None:
    made = Recording()
    made.accept(100, 3, tcp("10.0.0.9", 9999, "10.0.0.5", 80))
    made.read(100, 3, b"first")
    for number in range(ROOM + 100):
        made.accept(100, 4, tcp(*other(number), "10.0.0.5", 80))
        made.close(100, 4)
    made.write(100, 3, b"last")
    seen = made.decoded()
    assert "conversation_evicted" not in seen.result.losses
    assert [chunk.conv for chunk in seen.chunks if chunk.kind == CHUNK_DATA] == [1, 1], "who is open stays"
    assert [conv.id for conv in seen.convs] == list(range(1, ROOM + 102))


@pytest.mark.slow
def test_open_conversations_that_have_to_go_are_counted_and_go_on_as_others() -> None:
    made = Recording()
    for number in range(ROOM + 5):
        made.accept(100, 10 + number, tcp(*other(number), "10.0.0.5", 80))
    made.write(100, 10 + ROOM + 4, b"newest")
    made.now += MS
    made.write(100, 10, b"oldest")
    made.close(100, 10)
    seen = made.decoded()
    gone = seen.result.losses["conversation_evicted"].count
    assert 5 <= gone <= 6
    assert len(seen.convs) == ROOM + 5 + (gone == 6)
    assert [kind for kind, *_ in seen.told(seen.chunks[-1].conv)][-2:] == ["data", "close"]
