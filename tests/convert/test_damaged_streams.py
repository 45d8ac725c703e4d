"""Broken compression, and the hostile files that every developer has at hand."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from pathlib import Path

import pytest
from backports import zstd

from support import plain_scap
from support.damage import Convert, blocks, converter, whole_events
from support.made import SAMPLE, SHARED

DATA = gzip.decompress(SAMPLE.read_bytes())
HOSTILE = sorted(path for path in SHARED.glob("hostile/*") if "scap" in path.name)


@pytest.fixture
def convert(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Convert:
    return converter(tmp_path, capfd)


def readable_prefix(data: bytes) -> bytes:
    """What the standard library can still inflate of a broken gzip stream, members and layers included."""
    out = bytearray()
    inflater = zlib.decompressobj(wbits=31)
    for at in range(len(data)):
        try:
            out += inflater.decompress(data[at : at + 1])
        except zlib.error:
            break
        if inflater.eof:
            inflater = zlib.decompressobj(wbits=31)
    return readable_prefix(bytes(out)) if out[:2] == b"\x1f\x8b" else bytes(out)


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.9, 0.9999])
def test_cut_gzip(convert: Convert, tmp_path: Path, share: float) -> None:
    stored = SAMPLE.read_bytes()
    stored = stored[: max(20, int(len(stored) * share))]
    source = tmp_path / "cut.scap.gz"
    source.write_bytes(stored)
    ended = convert(source)
    data = readable_prefix(stored)
    if not data:
        assert ended.code == 3 and "gzip" in ended.line and f"byte {len(stored)}" in ended.line
        return
    assert ended.code == 4
    assert "gzip" in ended.line and f"at stored byte {len(stored)}" in ended.line
    assert ended.entry["counts"]["events"] == whole_events(data)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.9999])
def test_cut_zstd(convert: Convert, tmp_path: Path, share: float) -> None:
    """Blocks of zstd are large: what was in finished ones is kept."""
    compressor = zstd.ZstdCompressor()
    pieces = [
        compressor.compress(DATA[at : at + 4096], zstd.ZstdCompressor.FLUSH_BLOCK) for at in range(0, len(DATA), 4096)
    ]
    ends = [sum(map(len, pieces[: number + 1])) for number in range(len(pieces))]
    stored = b"".join(pieces) + compressor.flush()
    stored = stored[: int(len(stored) * share)]
    source = tmp_path / "cut.scap.zst"
    source.write_bytes(stored)
    ended = convert(source)
    data = DATA[: 4096 * sum(end <= len(stored) for end in ends)]
    assert ended.code == 4
    assert "zstd" in ended.line and f"at stored byte {len(stored)}" in ended.line
    assert ended.entry["counts"]["events"] == whole_events(data)


@pytest.mark.parametrize("place", [30, 20_000, 50_000])
def test_flipped_bit_in_gzip(convert: Convert, tmp_path: Path, place: int) -> None:
    stored = bytearray(SAMPLE.read_bytes())
    stored[place] ^= 0x10
    source = tmp_path / "flip.scap.gz"
    source.write_bytes(stored)
    ended = convert(source)
    assert ended.code in (3, 4)
    assert re.search(r"at (stored )?byte \d+", ended.line)


def test_wrong_checksum_of_gzip(convert: Convert, tmp_path: Path) -> None:
    stored = bytearray(SAMPLE.read_bytes())
    stored[-8] ^= 1
    source = tmp_path / "crc.scap.gz"
    source.write_bytes(stored)
    ended = convert(source)
    assert ended.code == 4 and "gzip" in ended.line
    assert ended.entry["counts"]["events"] == whole_events(DATA)


def test_gzip_members_and_padding(convert: Convert, tmp_path: Path) -> None:
    source = tmp_path / "members.scap.gz"
    source.write_bytes(gzip.compress(DATA[:100_001]) + gzip.compress(DATA[100_001:]) + bytes(512))
    ended = convert(source)
    assert (ended.code, ended.lines) == (0, [])
    assert ended.entry["counts"]["events"] == whole_events(DATA)


def test_zstd_frames(convert: Convert, tmp_path: Path) -> None:
    source = tmp_path / "frames.scap.zst"
    source.write_bytes(zstd.compress(DATA[:100_001]) + zstd.compress(DATA[100_001:]))
    ended = convert(source)
    assert (ended.code, ended.lines, ended.entry["compression"]) == (0, [], "zstd")
    assert ended.entry["counts"]["events"] == whole_events(DATA)


@pytest.mark.parametrize("source", HOSTILE, ids=lambda path: path.name)
def test_hostile(convert: Convert, source: Path) -> None:
    expectations = json.loads((SHARED / "hostile" / "hostile.json").read_text("utf-8"))
    (told,) = (one for one in expectations if one["file"] == source.name)
    what, expected = told["what"], told.get("expect")
    base = len(plain_scap.events(plain_scap.load(SHARED / "scap" / told["base"])))
    ended = convert(source)
    stored = source.read_bytes()
    zipped = stored[:2] == b"\x1f\x8b"
    data = readable_prefix(stored) if zipped else stored
    if plain_scap.SECTION not in [kind for _, kind in blocks(data)]:
        assert expected in (None, "everything before the cut")
        assert ended.code == 3
        assert re.search(r"at (stored )?byte \d+|empty", ended.line)
        return
    count = ended.entry["counts"]["events"]
    assert count == whole_events(data)
    harmless = what in ("gzip in two members", "gzip within gzip") or (what.startswith("bits flipped") and not zipped)
    assert ended.code == 4 or harmless
    if ended.code == 4:
        assert re.search(r"at (stored )?byte \d+", ended.line)
    if expected is not None and expected.startswith("all of the base") or what == "gzip within gzip":
        assert count == base
    elif expected == "everything but the last record" and not zipped:
        assert count == base - 1
    else:
        assert count <= base
