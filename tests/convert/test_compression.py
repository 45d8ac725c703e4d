"""Layers of gzip and zstd: members, cuts, damage, bombs; the bytes before the damage are all there."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator

import pytest
from backports import zstd

from syswire.convert import compression
from syswire.convert.compression import Decompressor, recognise

TEXT = random.Random(1).randbytes(200_000) + b"a line that repeats\n" * 20_000
KINDS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}


def pieces(data: bytes, size: int) -> Callable[[], bytes]:
    """A reader that gives `size` bytes at a time."""
    parts: Iterator[bytes] = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda: next(parts, b"")


def told(stream: Decompressor) -> tuple[str, int] | None:
    """What is wrong with a stream, and where."""
    return None if stream.damage is None else (stream.damage.what, stream.damage.offset)


def unpack(data: bytes, size: int = 5000, *, careful: bool = False) -> tuple[bytes, Decompressor]:
    stream = Decompressor(pieces(data, size), careful=careful)
    out = bytearray()
    while piece := stream.read():
        out += piece
    assert stream.read() == b""
    return bytes(out), stream


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("members", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 7, 5000, 1 << 20])
@pytest.mark.parametrize("careful", [False, True])
def test_members_follow_each_other(kind: str, members: int, size: int, careful: bool) -> None:
    text = TEXT if size > 100 else TEXT[199_000:203_000]
    step = len(text) // members + 1
    packed = b"".join(KINDS[kind](text[at : at + step]) for at in range(0, len(text), step))
    out, stream = unpack(packed, size, careful=careful)
    assert out == text
    assert (stream.kinds, stream.damage) == ([kind], None)


@pytest.mark.parametrize("outer", KINDS)
@pytest.mark.parametrize("inner", KINDS)
def test_layers(outer: str, inner: str) -> None:
    out, stream = unpack(KINDS[outer](KINDS[inner](TEXT)))
    assert out == TEXT
    assert (stream.kinds, stream.damage) == ([outer, inner], None)


def test_what_is_not_compressed_passes() -> None:
    out, stream = unpack(TEXT, 999)
    assert (out, stream.kinds, stream.damage) == (TEXT, [], None)
    assert recognise(TEXT) is None


def test_no_more_than_three_layers() -> None:
    packed = TEXT
    for _ in range(4):
        packed = gzip.compress(packed)
    out, stream = unpack(packed)
    assert out == gzip.compress(TEXT)
    assert stream.kinds == ["gzip"] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_the_end(kind: str) -> None:
    packed = KINDS[kind](TEXT)
    assert unpack(packed + bytes(5000))[1].damage is None
    out, stream = unpack(packed + b"rubbish")
    assert out == TEXT
    assert told(stream) == (f"bytes after the end of the {kind} stream", len(packed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [1, 5, 1000, 150_000])
def test_a_cut_stream_gives_all_before_the_cut(kind: str, cut: int) -> None:
    packed = KINDS[kind](TEXT)[:-cut]
    out, stream = unpack(packed)
    assert TEXT.startswith(out)
    assert told(stream) == (f"the {kind} stream is cut", len(packed))
    if kind == "gzip":
        assert out == zlib.decompressobj(wbits=31).decompress(packed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [3000, 100_000])
def test_damage_when_read_with_care(kind: str, at: int) -> None:
    checked = {zstd.CompressionParameter.checksum_flag.value: 1}
    packed = bytearray(gzip.compress(TEXT) if kind == "gzip" else zstd.compress(TEXT, options=checked))
    packed[at : at + 40] = bytes(40)
    out, stream = unpack(bytes(packed), careful=True)
    assert stream.damage is not None
    assert "damaged" in stream.damage.what
    if kind == "gzip":
        plain, expected = zlib.decompressobj(wbits=31), bytearray()
        with pytest.raises(zlib.error):
            for number in packed:
                expected += plain.decompress(bytes((number,)))
        assert out == bytes(expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("careful", [False, True])
def test_a_bomb_goes_off_in_small_pieces(kind: str, extra: int, careful: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a few bytes stand for, no more than the bound comes out at once; also at its very edge."""
    monkeypatch.setattr(compression, "MOST_OUT", 1 << 16)
    size = 20 * (1 << 16) + extra
    stream = Decompressor(pieces(KINDS[kind](bytes(size)) + KINDS[kind](b"end"), 1 << 16), careful=careful)
    total, last = 0, b""
    while piece := stream.read():
        assert len(piece) <= 1 << 16
        total, last = total + len(piece), piece
    assert (total, last, stream.damage) == (size + 3, b"end", None)


def test_a_bomb_within_a_bomb() -> None:
    packed = gzip.compress(zstd.compress(bytes(1 << 28)) + zstd.compress(b"end"))
    assert len(packed) < 20_000
    stream, total = Decompressor(pieces(packed, 1 << 18)), 0
    while piece := stream.read():
        assert len(piece) <= compression.MOST_OUT
        total += len(piece)
    assert (total, stream.damage) == ((1 << 28) + 3, None)
