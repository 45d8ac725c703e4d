"""Content codings undone, of bytes that independent encoders made: whole, cut, wrong, too much, and in any pieces."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.protocols.http import content_coding as content_coding
from syswire.convert.protocols.http.content_coding import BAD, BEHIND, BEYOND, UNKNOWN, Budget, ContentDecoder, named


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    return made.compress(data) + made.flush()


Encoder = Callable[[bytes], bytes]
ENCODERS: list[tuple[str, Encoder]] = [
    ("gzip", gzip.compress),
    ("x-gzip", lambda data: gzip.compress(data, 1)),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstd.compress),
]
IDS = ["gzip", "x-gzip", "zlib", "deflate", "br", "zstd"]
coders = pytest.mark.parametrize(("name", "encode"), ENCODERS, ids=IDS)
_RANDOM = random.Random(5)
LONG = b"".join(_RANDOM.randbytes(40) + b"between them the same words again and again. " for _ in range(9000))


class Decoded(NamedTuple):
    data: bytes
    problems: list[str]
    complete: bool
    sha256: str | None


def decode(
    codings: list[str], data: bytes, cuts: list[int] | None = None, *, ended: bool = True, budget: Budget | None = None
) -> Decoded:
    decoder, out, at, turn = ContentDecoder(codings, budget), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)] if cuts else len(data)
        out += list(decoder.feed(data[at : at + size]))
        at, turn = at + size, turn + 1
    out += list(decoder.finish(ended))
    whole = b"".join(out)
    assert decoder.length == len(whole)
    return Decoded(whole, decoder.problems, decoder.complete, decoder.sha256())


@coders
@pytest.mark.parametrize("body", [b"x", b"hello " * 1000, LONG], ids=["one", "short", "long"])
def test_whole(name: str, encode: Encoder, body: bytes) -> None:
    wanted = Decoded(body, [], True, sha256(body).hexdigest())
    coded = encode(body)
    assert decode([name], coded) == wanted
    assert decode([name], coded, [1] if len(coded) < 9999 else [997, 3]) == wanted
    assert decode([name], coded, ended=False) == wanted._replace(complete=False)


@coders
def test_cut(name: str, encode: Encoder) -> None:
    coded = encode(LONG)
    for size in (len(coded) - 1, len(coded) // 2):
        found = decode([name], coded[:size])
        assert LONG.startswith(found.data) and len(found.data) > len(LONG) // 3
        assert (found.problems, found.complete) == ([], False)


@coders
def test_a_gap_ends_what_can_be_decoded(name: str, encode: Encoder) -> None:
    coded, decoder = encode(LONG), ContentDecoder([name])
    half = len(coded) // 2
    out = b"".join(
        [*decoder.feed(coded[:half]), *decoder.gap(), *decoder.feed(coded[half + 10 :]), *decoder.finish(True)]
    )
    assert LONG.startswith(out) and out
    assert (decoder.complete, decoder.problems) == (False, [])


@pytest.mark.parametrize(
    ("name", "encode", "good"),
    [
        ("gzip", gzip.compress, 8000),
        ("deflate", zlib.compress, 8000),
        ("zstd", lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}), 0),
    ],
    ids=["gzip", "zlib", "zstd"],
)
def test_wrong_bytes_in_the_middle(name: str, encode: Encoder, good: int) -> None:
    """Of codings with a checksum: the others may decode to something else, and nobody can tell."""
    body = LONG[:60_000]
    coded = bytearray(encode(body))
    half = len(coded) // 2
    coded[half : half + 40] = bytes(40)
    found = decode([name], bytes(coded))
    assert (found.problems, found.complete) == ([BAD], False)
    assert body[:good] == found.data[:good]
    for cuts in ([1], [4000, 7]):
        assert decode([name], bytes(coded), cuts) == found


@coders
def test_bytes_behind_the_end(name: str, encode: Encoder) -> None:
    body = LONG[:20_000]
    for behind in (b"\r\n", b"junk", bytes(8)):
        for cuts in (None, [1], [100, 7]):
            assert decode([name], encode(body) + behind, cuts)[:3] == (body, [BEHIND], True)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_plain_text_under_a_coding(name: str) -> None:
    assert decode([name], b"<html>not coded at all</html>") == (b"", [BAD], False, None)


def test_members_and_frames() -> None:
    assert decode(["gzip"], gzip.compress(b"one ") + gzip.compress(b"two"))[:3] == (b"one two", [], True)
    skipped = b"\x52\x2a\x4d\x18\x03\0\0\0abc"  # a frame to be passed over (RFC 8878, 3.1.2)
    assert decode(["zstd"], zstd.compress(b"one ") + skipped + zstd.compress(b"two"))[:3] == (b"one two", [], True)


def test_stacked_in_the_order_of_the_headers() -> None:
    coded = zstd.compress(brotli.compress(gzip.compress(LONG)))
    names = named(["GZIP ,\tidentity", "br", "zstd"])
    assert names == ["gzip", "identity", "br", "zstd"]
    assert decode(names, coded, [999])[:3] == (LONG, [], True)
    assert decode(["br", "gzip"], coded).problems == [BAD]


def test_nothing_is_nothing() -> None:
    for name in ("gzip", "deflate", "br", "zstd", "identity"):
        assert decode([name], b"") == (b"", [], True, None)


@pytest.mark.parametrize("codings", [["sdch"], ["gzip", "compress"], ["aes128gcm", "gzip"], ["gzip"] * 5])
def test_unknown(codings: list[str]) -> None:
    decoder = ContentDecoder(codings)
    assert list(decoder.feed(b"anything")) == [] == list(decoder.finish(True))
    assert decoder.fields() == {
        "content_encoding": codings,
        "content_length": None,
        "content_sha256": None,
        "content_complete": False,
    }
    assert decoder.problems == [UNKNOWN]


def zeros(size: int, encode: Encoder) -> bytes:
    return encode(bytes(size))


@pytest.mark.parametrize(
    ("codings", "bomb"),
    [
        (["br"], zeros(1 << 27, lambda data: brotli.compress(data, quality=4))),
        (["zstd"], zeros(1 << 27, zstd.compress)),
        (["gzip", "gzip"], zeros(1 << 27, lambda data: gzip.compress(gzip.compress(data)))),
        (["br", "gzip"], gzip.compress(brotli.compress(bytes(1 << 27), quality=4))),
    ],
    ids=["br", "zstd", "gzip-gzip", "br-gzip"],
)
def test_bombs_stop(codings: list[str], bomb: bytes) -> None:
    decoder = ContentDecoder(codings)
    size = sum(len(piece) for piece in (*decoder.feed(bomb), *decoder.finish(True)))
    most = max(content_coding.RATIO_FROM, content_coding.MOST_RATIO * len(bomb))
    assert size <= most + content_coding.PIECE * 2
    assert (decoder.problems, decoder.complete) == ([BEYOND], False)


def test_a_long_body_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_coding, "MOST_OUTPUT", 100_000)
    found = decode(["gzip"], gzip.compress(LONG))
    assert found.problems == [BEYOND]
    assert 100_000 < len(found.data) < 100_000 + content_coding.PIECE + 1
    assert decode(["gzip"], gzip.compress(LONG), [7]) == found


def test_many_small_bombs_share_a_budget() -> None:
    budget, bomb = Budget(), gzip.compress(bytes(1 << 22))  # below the limits of one body
    found = [decode(["gzip"], bomb, budget=budget) for _ in range(120)]
    assert found[0].complete
    assert found[-1].problems == [BEYOND]
    room = content_coding.BUDGET + 120 * len(bomb) * content_coding.BUDGET_RATIO
    assert sum(len(one.data) for one in found) < room + 120 * content_coding.PIECE


cutting = st.lists(st.integers(1, 5000), min_size=1, max_size=5)


@given(st.binary(max_size=3000), st.sampled_from(ENCODERS), cutting, st.data())
def test_any_cuts_of_anything_damaged(
    body: bytes, coder: tuple[str, Encoder], cuts: list[int], data: st.DataObject
) -> None:
    name, encode = coder
    coded = bytearray(encode(body))
    for _ in range(data.draw(st.integers(0, 3))):
        coded[data.draw(st.integers(0, len(coded) - 1))] = data.draw(st.integers(0, 255))
    coded = coded[: data.draw(st.integers(0, len(coded)))]
    whole = decode([name], bytes(coded))
    assert decode([name], bytes(coded), cuts) == whole
    assert decode([name], bytes(coded), [1]) == whole


@given(st.sampled_from(ENCODERS), st.sampled_from(ENCODERS), st.binary(max_size=2000), cutting)
def test_two_codings(first: tuple[str, Encoder], second: tuple[str, Encoder], body: bytes, cuts: list[int]) -> None:
    coded = second[1](first[1](body))
    assert decode([first[0], second[0]], coded, cuts)[:3] == (body, [], True)


@given(
    st.lists(st.sampled_from(["gzip", "deflate", "br", "zstd", "identity"]), max_size=3),
    st.binary(max_size=500),
    cutting,
)
def test_random_bytes(codings: list[str], data: bytes, cuts: list[int]) -> None:
    assert decode(codings, data, cuts) == decode(codings, data)
