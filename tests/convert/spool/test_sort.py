"""External sort against Python's own, with memory for a few rows only."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syswire.convert.spool.sort import sort_rows

FIELDS = [(0, 8), (8, 4), (12, 2), (14, 1), (15, 1)]
SIZE = 16 + 4  # a row ends in its number


def fits(keys: list[tuple[int, int]]) -> bool:
    return sum(width for _, width in keys) <= 16


def sort(folder: Path, data: bytes, size: int, keys: list[tuple[int, int]], memory: int) -> bytes:
    source, target = folder / "source", folder / "target"
    source.write_bytes(data)
    assert sort_rows(str(source), str(target), size, keys, memory=memory, scratch=str(folder)) == len(data) // size
    assert sorted(path.name for path in folder.iterdir()) == ["source", "target"]
    return target.read_bytes()


def expected(data: bytes, size: int, keys: list[tuple[int, int]]) -> bytes:
    def key(row: bytes) -> list[int]:
        return [int.from_bytes(row[at : at + width], "little") for at, width in keys]

    ordered = sorted((data[at : at + size] for at in range(0, len(data), size)), key=key)
    return b"".join(ordered)


@settings(max_examples=60, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**128 - 1) | st.integers(0, 3), max_size=300),
    keys=st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3, unique=True).filter(fits),
    memory=st.sampled_from([0, 1, 5_000, 1 << 20]),
)  # fmt: skip
def test_equals_sorted(seeds: list[int], keys: list[tuple[int, int]], memory: int) -> None:
    data = b"".join(seed.to_bytes(16, "little") + number.to_bytes(4, "little") for number, seed in enumerate(seeds))
    with tempfile.TemporaryDirectory() as folder:
        assert sort(Path(folder), data, SIZE, keys, memory) == expected(data, SIZE, keys)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 33, 1000, 40_000])
def test_many_merge_passes(tmp_path: Path, count: int) -> None:
    data = b"".join(struct.pack("<QQ", number * 7919 % 1009, number) for number in range(count))
    assert sort(tmp_path, data, 16, [(0, 2)], 1) == expected(data, 16, [(0, 2)])


def test_refuses_what_is_no_table(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(17))
    target = str(tmp_path / "target")
    with pytest.raises(ValueError, match="whole number of rows"):
        sort_rows(str(source), target, 16, [(0, 8)], scratch=str(tmp_path))
    for keys in ([(9, 8)], [(0, 3)], [(-1, 4)], [], [(0, 8), (8, 8), (0, 1)]):
        with pytest.raises(ValueError, match="key field"):
            sort_rows(str(source), target, 16, keys, scratch=str(tmp_path))
    with pytest.raises(ValueError, match="65,536"):
        sort_rows(str(source), target, 0, [(0, 8)], scratch=str(tmp_path))


def test_refuses_to_overwrite_its_source(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(16)))
    with pytest.raises(ValueError, match="same file"):
        sort_rows(str(source), str(source), 16, [(0, 8)], scratch=str(tmp_path))
    assert source.read_bytes() == bytes(range(16))
