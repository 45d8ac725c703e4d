"""Decoded contents of bodies, and the secrets in them: what a hash may not be written of.

A secret in a compressed body does not stand in the stream as it is, so the search of the streams cannot find it. The
first pass therefore spools the encoded bytes (no more than passed), with the hashes that records name; the second one
decodes them again and looks for every secret of the case. Hashes of what holds one are withheld, whoever names them.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from .protocols.http.content_coding import Budget, ContentDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .redact import Redactor

_HEADER = struct.Struct("<QBI")  # number of the content, what follows, its size
_BEGIN, _BLOCK, _END = range(3)
_WINDOW = 1 << 18
_MOST_BLOCKS = 1 << 10


class _End(msgspec.Struct, array_like=True):
    """What is known of a content when it has passed."""

    stream: int
    to_server: bool
    hashes: list[str]


class Contents:
    """The first pass: gives decoders, and spools what they decode. One for each part."""

    def __init__(self, path: str, *, reveal: bool) -> None:
        """`path` is the spool file, made when there is something for it; `reveal`: nothing is withheld."""
        self._path = path
        self._reveal = reveal
        self._budget = Budget()
        self._out: BinaryIO | None = None
        self._number = 0

    def open(self, stream: int, to_server: bool, codings: Sequence[str]) -> ContentDecoder:
        """A decoder for one body."""
        if self._reveal:
            return ContentDecoder(codings, self._budget)
        self._number += 1
        return _Spooled(codings, self._budget, self, self._number, (stream, to_server))

    def write(self, number: int, kind: int, data: bytes) -> None:
        """For the decoders."""
        if self._out is None:
            self._out = open(self._path, "wb")  # noqa: SIM115 - until close()
        self._out.write(_HEADER.pack(number, kind, len(data)))
        self._out.write(data)

    def close(self) -> None:
        """Nothing more is decoded."""
        if self._out is not None:
            self._out.close()
            self._out = None


class _Spooled(ContentDecoder):
    """A decoder that spools what it decodes."""

    def __init__(
        self, codings: Sequence[str], budget: Budget, spool: Contents, number: int, where: tuple[int, bool]
    ) -> None:
        super().__init__(codings, budget)
        self._spool, self._number, self._where = spool, number, where
        self._begun = False

    def took(self, block: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._spool.write(self._number, _BEGIN, msgspec.msgpack.encode(self.codings))
        self._spool.write(self._number, _BLOCK, block)

    def close(self, hashes: Sequence[str | None]) -> None:
        if self._begun:
            end = _End(*self._where, [known for known in hashes if known is not None])
            self._spool.write(self._number, _END, msgspec.msgpack.encode(end))


class Withheld(msgspec.Struct):
    """What may not be named, of one part: hashes of contents that hold a secret, and their conversations."""

    hashes: set[str] = set()
    to_server: set[int] = set()
    to_client: set[int] = set()
    keep_blocks: bool = False
    blocks: dict[tuple[int, bool], list[list[bytes]]] = {}
    """Where they are kept: the bytes of such contents, as they passed, by conversation and direction."""

    def add(self, stream: int, to_server: bool, hashes: Iterable[str]) -> None:
        """A content that holds a secret, and went in that direction of the conversation."""
        self.hashes.update(hashes)
        (self.to_server if to_server else self.to_client).add(stream)


def without_hashes(fields: Any) -> Any:
    """The fields of a message in which every hash is null."""
    if isinstance(fields, dict):
        return {name: None if name.endswith("sha256") else without_hashes(value) for name, value in fields.items()}
    if isinstance(fields, list):
        return [without_hashes(value) for value in fields]
    return fields


class Window:
    """Looks for the secrets of a case in bytes that come in pieces."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = bytearray()
        self._reach = redactor.reach
        self.found = False

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        if not self.found:
            self._held += data
            if len(self._held) >= _WINDOW:
                self.search()
                del self._held[: max(0, len(self._held) - self._reach)]

    def search(self) -> bool:
        """Whether a secret is in what came so far."""
        if not self.found and self._held:
            self.found = self._redactor.holds(bytes(self._held))
        return self.found


def search_contents(path: str, redactor: Redactor, withheld: Withheld) -> None:
    """The second pass: decode what was spooled there, if anything, and note what holds a secret."""
    if redactor.reveal or not (redactor.reach or redactor.overfull) or not Path(path).exists():
        return
    budget = Budget()
    under_way: dict[int, tuple[ContentDecoder, Window, list[bytes]]] = {}
    with open(path, "rb", _WINDOW) as spool:
        while header := spool.read(_HEADER.size):
            number, kind, size = _HEADER.unpack(header)
            data = spool.read(size)
            if kind == _BEGIN:
                codings: Any = msgspec.msgpack.decode(data)
                under_way[number] = ContentDecoder(codings, budget), Window(redactor), []
                continue
            decoder, window, blocks = under_way[number]
            if kind == _BLOCK:
                if withheld.keep_blocks:
                    blocks.append(data)
                    if len(blocks) > _MOST_BLOCKS:
                        blocks[:] = [b""]  # too many to be kept: it is not known where they stand
                for out in decoder.feed(data):
                    window.feed(out)
                continue
            for out in decoder.finish(True):
                window.feed(out)
            del under_way[number]
            if window.search():
                end = msgspec.msgpack.decode(data, type=_End)
                withheld.add(end.stream, end.to_server, end.hashes)
                if withheld.keep_blocks:
                    withheld.blocks.setdefault((end.stream, end.to_server), []).append(blocks)
