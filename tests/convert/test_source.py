"""One capture through every door: plain, compressed, pipe, short reads, all give the same rows."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from support.recording import Conversations, decode_source
from syswire.convert.errors import InputError
from syswire.convert.model.rows import CHUNK, Chunk
from syswire.convert.source import Source


@pytest.fixture(scope="module")
def capture(data: Path) -> bytes:
    return gzip.decompress((data / "made" / "act1.scap.gz").read_bytes())


def members(data: bytes, count: int) -> bytes:
    step = len(data) // count + 1
    return b"".join(gzip.compress(data[at : at + step], 1) for at in range(0, len(data), step))


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": lambda data: members(data, 1),
    "gzip of two members": lambda data: members(data, 2),
    "gzip of three members": lambda data: members(data, 3),
    "zstd": zstd.compress,
    "gzip+gzip": lambda data: gzip.compress(gzip.compress(data, 1), 1),
    "zstd+gzip": lambda data: zstd.compress(gzip.compress(data, 1)),
}


class Halting(Source):
    """Gives few bytes at a time, as a pipe may."""

    def readinto(self, view: memoryview) -> int:
        return super().readinto(view[: self.chance.choice((1, 3, 8, 13, 100, 5000, 70000))])

    chance = random.Random(3)


def events_and_payload(seen: Conversations) -> tuple[list[Chunk], list[bytes]]:
    """Rows without the place of the payload, which differs between a capture and a spool file."""
    return [Chunk(*row)._replace(payload=0) for row in CHUNK.iter_unpack(seen.raw)], seen.payload


@pytest.fixture(scope="module")
def expected(capture: bytes, tmp_path_factory: pytest.TempPathFactory) -> Conversations:
    folder = tmp_path_factory.mktemp("plain")
    (folder / "capture").write_bytes(capture)
    return decode_source(Source(folder / "capture"), folder)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(form: str, capture: bytes, expected: Conversations, tmp_path: Path) -> None:
    path = tmp_path / "any name"
    stored = FORMS[form](capture)
    path.write_bytes(stored)
    source = Source(path)
    seen = decode_source(source, tmp_path)
    assert source.compression == form.split(" ")[0]
    assert source.sha256() == hashlib.sha256(stored).hexdigest()
    assert (source.size, source.damage, seen.result.damage) == (len(stored), None, None)
    assert events_and_payload(seen) == events_and_payload(expected)
    assert seen.convs == expected.convs
    assert seen.threads == expected.threads
    assert seen.result.losses == expected.result.losses


@pytest.mark.parametrize("form", ["none", "gzip"])
def test_short_reads(form: str, capture: bytes, expected: Conversations, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(FORMS[form](capture))
    assert events_and_payload(decode_source(Halting(path), tmp_path)) == events_and_payload(expected)


@pytest.mark.parametrize("form", ["none", "gzip of two members", "zstd"])
def test_standard_input(
    form: str, capture: bytes, expected: Conversations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = FORMS[form](capture)
    there, here = os.pipe()

    def feed() -> None:
        with os.fdopen(here, "wb", buffering=0) as pipe:
            for at in range(0, len(stored), 4001):
                pipe.write(stored[at : at + 4001])

    writer = threading.Thread(target=feed)
    writer.start()
    with os.fdopen(there, "rb", buffering=0) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        source = Source(None)
        seen = decode_source(source, tmp_path)
        writer.join()
    assert (source.plain_fd, source.size) == (None, len(stored))
    assert source.sha256() == hashlib.sha256(stored).hexdigest()
    assert events_and_payload(seen) == events_and_payload(expected)


@pytest.mark.parametrize("form", ["gzip", "zstd", "gzip+gzip"])
def test_damage_of_the_container_is_told(form: str, capture: bytes, expected: Conversations, tmp_path: Path) -> None:
    """Also where it falls between two blocks, or behind the last one."""
    path = tmp_path / "capture"
    path.write_bytes(FORMS[form](capture)[:-3])
    seen = decode_source(Source(path), tmp_path)
    assert seen.result.damage is not None
    assert "is cut, at stored byte" in seen.result.damage[0]
    path.write_bytes(FORMS[form](capture) + b"rubbish")
    seen = decode_source(Source(path), tmp_path)
    assert seen.result.damage is not None
    assert "bytes after the end" in seen.result.damage[0]
    assert seen.result.damage[1] == len(capture)
    assert events_and_payload(seen) == events_and_payload(expected)


def test_peek_takes_nothing(capture: bytes, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    for stored in (capture, gzip.compress(capture, 1)):
        path.write_bytes(stored)
        source = Source(path)
        assert source.peek(600_000) == capture[:600_000]
        assert source.peek(4) == capture[:4]
        out, view = bytearray(), memoryview(bytearray(100_000))
        while count := source.readinto(view):
            out += view[:count]
        assert bytes(out) == capture
        source.close()


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    for path, told in ((tmp_path, "is a directory"), (tmp_path / "no", "No such file"), (tmp_path / "empty", "empty")):
        with pytest.raises(InputError, match=told):
            Source(path)
