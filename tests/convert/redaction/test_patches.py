"""Patches, stretches, fills, header blocks and checksums, each against a plain model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.redaction.checksums import change, mended
from syswire.convert.redaction.fill import filled
from syswire.convert.redaction.header_blocks import blocks
from syswire.convert.redaction.patches import Patches
from syswire.convert.redaction.stretches import joined, overlap

INTERVALS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair))))


def covered(intervals: list[tuple[int, int]]) -> set[int]:
    return {at for begin, end in intervals for at in range(begin, end)}


@given(INTERVALS, INTERVALS, st.integers(0, 60), st.integers(0, 60))
def test_patches_change_what_they_cover(
    plain: list[tuple[int, int]], framed: list[tuple[int, int]], position: int, length: int
) -> None:
    patches = Patches(filled(plain, framed))
    wanted = bytes(
        0x82 if at in covered(framed) else ord("X") if at in covered(plain) else 0x2E
        for at in range(position, position + length)
    )
    data = bytearray(b"." * length)
    patches.to(data, position)
    assert data == wanted
    assert patches.size == len(covered(plain) | covered(framed))


def test_patches_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Patches([(5, b"ab"), (6, b"c")])
    assert Patches([]).count == 0


@given(INTERVALS, st.integers(0, 60), st.integers(0, 60))
def test_overlap(intervals: list[tuple[int, int]], begin: int, end: int) -> None:
    found = [*overlap(joined(intervals), begin, end)]
    assert covered(found) == covered(intervals) & set(range(begin, end))


def internet_sum(data: bytes) -> int:
    """RFC 1071, 4.1, word by word."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@given(st.binary(min_size=1, max_size=41), st.data())
def test_a_checksum_follows_its_bytes(tail: bytes, data: st.DataObject) -> None:
    old = b"\x45\x11" + tail  # a header is never all zero: it has an address or a port
    begin = data.draw(st.integers(2, len(old) - 1))
    new = data.draw(st.binary(min_size=1, max_size=len(old) - begin))
    whole = old[:begin] + new + old[begin + len(new) :]
    by = change(old[begin : begin + len(new)], new, odd=begin % 2 == 1)
    assert mended(internet_sum(old), by, udp=False) == internet_sum(whole)


def test_a_checksum_that_is_none_or_zero() -> None:
    assert mended(0, 77, udp=True) == 0
    # RFC 768: a computed checksum of zero is sent as all ones. Sum 0xFFFE grows by 1.
    assert mended(0x0001, 1, udp=True) == 0xFFFF
    assert mended(0x0001, 1, udp=False) == 0


def test_what_is_replaced_of_header_blocks() -> None:
    def frame(kind: int, flags: int, payload: bytes) -> bytes:
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + b"\0\0\0\1" + payload

    plain = frame(1, 4, b"abc")
    padded = frame(1, 0x28, b"\2" + b"PRIOR" + b"abcd" + b"\0\0")
    continued = frame(9, 4, b"efg")
    data = frame(0, 0, b"not a header")
    promise = frame(5, 4, b"\0\0\0\2" + b"xy")
    stream = plain + padded + continued + data + promise + plain[:10]
    found = [stream[begin:end] for begin, end in blocks(stream)]
    assert found == [b"abc", b"abcd", b"efg", b"xy", b"a"]
