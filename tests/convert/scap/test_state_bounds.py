"""What a small capture can make the tables do is bounded; what found no room is counted."""

from __future__ import annotations

from support.recording import Recording, tcp, unix
from syswire.convert.model.rows import CHUNK_CLOSE
from syswire.convert.scap.encoding import Value

CHDIR_EXIT = 95


def test_copies_of_a_large_table_cost_no_more_than_the_file_is_long() -> None:
    """A fork of 20,000 descriptors again and again: after a while the children have none; others go on."""
    made = Recording()
    made.socket(100, 3)
    made.connect(100, 3, tcp("10.0.0.7", 40000, "10.0.0.5", 80))
    for fd in range(4, 20_000):
        made.raw(19, 100, [fd, 2, 1, 0, 0])
    values: dict[str, Value] = {"res": 500, "tid": 100, "pid": 100, "ptid": 1, "vtid": 100, "vpid": 100, "flags": 0}
    made.exit_only(223, 100, values)
    made.exit(500)
    fork = b"".join(made.blocks[-2:])
    made.blocks.append(fork * 3000)
    made.write(100, 3, b"still here")
    made.close(100, 3)
    seen = made.decoded()
    assert [kind for kind, *_ in seen.told()] == ["connect", "data", "close"]
    assert seen.chunks[-1].kind == CHUNK_CLOSE
    assert seen.result.losses["table_full"].count > 100
    assert len(seen.threads) == 3001


def test_long_directories_before_short_names() -> None:
    made = Recording()
    made.raw(CHDIR_EXIT, 100, [0, "/" + "d" * 4000])
    for fd in range(4, 40_000):
        made.raw(307, 100, [fd, -100, "a", 1])
    made.accept(100, 3, tcp("10.0.0.7", 40000, "10.0.0.5", 80))
    seen = made.decoded()
    assert 4000 < seen.result.losses["table_full"].count < 8000
    assert len(seen.chunks) == 1


def test_paths_of_sockets() -> None:
    made = Recording()
    for number in range((1 << 16) + 10):
        made.raw(247, 100, [3, unix(2 * number + 2, 2 * number + 3, b"/%d" % number)])
    seen = made.decoded()
    assert len(seen.result.paths) == 1 << 16
    assert seen.result.losses["table_full"].count == 11
