"""Content codings of HTTP, undone while they pass (RFC 9110, 8.4.1): gzip, deflate, br, zstd, one upon the other.

gzip by RFC 1952, several members too; deflate by RFC 1950, and without that wrapping, as some servers send it; br by
RFC 7932; zstd by RFC 8878 with the window that RFC 9659 allows. What comes out depends on the bytes alone, never on
how they were cut: they are decoded in blocks of BLOCK. Input is hostile: output is limited, and memory with it.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...model.record import Value

BLOCK = 1 << 16
"""Encoded bytes that are decoded at once."""
PIECE = 1 << 18
"""Decoded bytes that are handed out at once, about."""
MOST_OUTPUT = 1 << 28
"""Decoded bytes of one body; with stacked codings what each of them gives counts."""
MOST_RATIO = 1000
"""Decoded bytes for each encoded one, once there are RATIO_FROM."""
RATIO_FROM = 1 << 22
MOST_CODINGS = 4
BUDGET = 1 << 28
BUDGET_RATIO = 100
"""What all bodies of a Budget may come to: BUDGET, and so many bytes for each encoded one."""

UNKNOWN = "unknown-content-coding"
BAD = "bad-content-coding"
BEYOND = "content-beyond-limits"
BEHIND = "bytes-behind-content"

_ZSTD_WINDOW = 23  # RFC 9659, 3: 8 MiB


class Budget:
    """How much many bodies may come to, decoded: a bomb is small, and many of them fit into a capture."""

    def __init__(self) -> None:
        self.room = BUDGET


class _WrongDataError(Exception):
    """The bytes are not what the coding says."""


class _Coder(Protocol):
    """One coding on its way. `ended`: it may end here; `behind`: bytes came after its end."""

    ended: bool
    behind: bool

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class _Raw(Protocol):
    """What zlib's and zstd's decompressors share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Members:
    """A coding of members (gzip) or frames (zstd): behind one that ended another one may begin."""

    def __init__(self, make: Callable[[], _Raw], error: type[Exception], first: bytes) -> None:
        self._make, self._error, self._first = make, error, first
        self._inner: _Raw | None = make()
        self._began = False  # a member was whole
        self._gave = False  # the present one gave something
        self.ended = self.behind = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while not self.behind:
            if self._inner is None:
                if not data:
                    return
                if data[0] not in self._first:
                    self.behind = True
                    return
                self._inner, self._gave, self.ended = self._make(), False, False
            try:
                out = self._inner.decompress(data, PIECE)
            except self._error as error:
                if self._began and not self._gave:  # no further member
                    self.ended = self.behind = True
                    return
                raise _WrongDataError from error
            if out:
                self._gave = True
                yield out
            if self._inner.eof:
                data = self._inner.unused_data
                self._inner, self._began, self.ended = None, True, True
            else:
                data = getattr(self._inner, "unconsumed_tail", b"")
                if not data and len(out) < PIECE:
                    return


class _Deflate:
    """deflate: zlib's format, or what is inside of it alone; the first two bytes tell, or that they were wrong."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: _Members | None = None
        self.ended = self.behind = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None:
            self._head = data = self._head + data
            if len(data) < 2:
                return
            self._head = b""
            wrapped = data[0] & 15 == 8 and data[0] >> 4 <= 7 and (data[0] << 8 | data[1]) % 31 == 0
            self._inner = _zlib(15 if wrapped else -15, b"")
            gave = False
            try:
                for out in self._inner.feed(data):
                    gave = True
                    yield out
            except _WrongDataError:
                if gave or not wrapped:
                    raise
                self._inner = _zlib(-15, b"")
                yield from self._inner.feed(data)
        else:
            yield from self._inner.feed(data)
        self.ended, self.behind = self._inner.ended, self._inner.behind


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._error: type[Exception] = brotli.error
        self._inner = brotli.Decompressor()
        self.ended = self.behind = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self.ended:
            self.behind = self.behind or bool(data)
            return
        while True:
            try:
                out = self._inner.process(data, output_buffer_limit=PIECE)
            except self._error as error:  # also for bytes behind the end, see ContentDecoder._recover
                raise _WrongDataError from error
            if out:
                yield out
            self.ended = self._inner.is_finished()
            if self.ended or (not out and self._inner.can_accept_more_data()):
                return
            data = b""


def _zlib(window: int, first: bytes) -> _Members:
    import zlib

    return _Members(lambda: zlib.decompressobj(window), zlib.error, first)


def _gzip() -> _Coder:
    return _zlib(31, b"\x1f")


def _zstd() -> _Coder:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    options = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW}
    first = bytes([0x28, *range(0x50, 0x60)])  # of a frame, and of those to be skipped
    return _Members(lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError, first)


_CODERS: dict[str, Callable[[], _Coder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _zstd,
}


def named(headers: Sequence[str]) -> list[str]:
    """The codings that these header lines name, in order and in lower case."""
    return [name for name in (part.strip(" \t").lower() for part in ",".join(headers).split(",")) if name]


class ContentDecoder:
    """One body's content. `codings` as the message names them, in the order in which they were applied.

    `length` counts what was decoded, `problems` are names of weirds. A body that is cut keeps what came out of it.
    """

    def __init__(self, codings: Sequence[str], budget: Budget | None = None) -> None:
        self.codings = list(codings)
        self._wanted = [name for name in reversed(self.codings) if name != "identity"]
        self._budget = budget
        self._held = bytearray()
        self._hash = sha256()
        self._first = True
        self._over = False  # nothing more is decoded
        self._gap = False
        self._taken = self._work = 0
        self.length = 0
        self.complete = False
        self.problems: list[str] = []
        self.known = len(self._wanted) <= MOST_CODINGS and all(name in _CODERS for name in self._wanted)
        """Its codings are known: something can be decoded."""
        self._coders = self._fresh() if self.known else []
        if not self.known:
            self._stop(UNKNOWN)

    @property
    def failed(self) -> bool:
        """What passed could not be decoded: it is not what its headers say, or that is not known here."""
        return not self.known or BAD in self.problems

    def _fresh(self) -> list[_Coder]:
        return [_CODERS[name]() for name in self._wanted]

    def _stop(self, problem: str) -> None:
        self._over = True
        self.problems.append(problem)

    # What comes of it may see the encoded bytes

    def took(self, block: bytes) -> None:
        """A block is about to be decoded."""

    def close(self, hashes: Sequence[str | None]) -> None:
        """All has passed, and a record will name these SHA-256 of the content, or of what is in it or around it."""

    # Feeding

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Take encoded bytes; gives decoded ones. It has to be asked for all of them."""
        if self._over:
            return
        held = self._held
        held += data
        while len(held) >= BLOCK and not self._over:
            block = bytes(held[:BLOCK])
            del held[:BLOCK]
            yield from self._decode(block)

    def gap(self) -> Iterator[bytes]:
        """Bytes are lost here: what follows cannot be decoded."""
        self._gap = True
        yield from self._rest()
        self._over = True

    def finish(self, ended: bool) -> Iterator[bytes]:
        """Nothing follows; `ended`: every byte of the body was there, and its end was seen."""
        yield from self._rest()
        whole = not self._taken or all(coder.ended for coder in self._coders)
        self.complete = ended and self.known and whole and not self._gap and not {BAD, BEYOND} & {*self.problems}
        if any(coder.behind for coder in self._coders) and not self.failed:
            self.problems.append(BEHIND)
        self._over = True

    def _rest(self) -> Iterator[bytes]:
        if self._held and not self._over:
            block = bytes(self._held)
            self._held.clear()
            yield from self._decode(block)

    def _decode(self, block: bytes) -> Iterator[bytes]:
        self.took(block)
        self._taken += len(block)
        if self._budget is not None:
            self._budget.room += len(block) * BUDGET_RATIO
        try:
            for out in self._through(block, 0):
                yield self._gave(out)
                if self._over:
                    break
        except _WrongDataError:
            if self._first:
                yield from self._recover(block)
            else:
                self._stop(BAD)
        self._first = False

    def _gave(self, out: bytes) -> bytes:
        self.length += len(out)
        self._hash.update(out)
        return out

    def _through(self, data: bytes, layer: int) -> Iterator[bytes]:
        if layer == len(self._coders):
            yield data
            return
        for out in self._coders[layer].feed(data):
            self._count(len(out))
            yield from self._through(out, layer + 1)
            if self._over:
                return

    def _count(self, size: int) -> None:
        self._work += size
        beyond = self._work > MOST_OUTPUT or (self._work > RATIO_FROM and self._work > MOST_RATIO * self._taken)
        if self._budget is not None:
            self._budget.room -= size
            beyond = beyond or self._budget.room < 0
        if beyond and not self._over:
            self._stop(BEYOND)

    def _recover(self, block: bytes) -> Iterator[bytes]:
        """The first block is wrong somewhere, and decoders lose what the failing call would have given.

        Finds the place in ever smaller steps, with fresh decoders; hands out what lies before it. brotli's also fails
        where nothing is wrong but that bytes follow its end.
        """
        good, given = 0, self.length
        for step in (4096, 64, 1):
            self._coders, self._work, produced = self._fresh(), 0, 0
            begins = [*range(min(good, 1)), *range(good, len(block), step)]  # what is known to be good goes as one
            try:
                for begin in begins:
                    end = good if begin < good else min(begin + step, len(block))
                    for out in self._through(block[begin:end], 0):
                        before, produced = produced, produced + len(out)
                        if step == 1 and produced > given:
                            yield self._gave(out[max(0, given - before) :])
                    if self._over:
                        return
                    if any(coder.behind for coder in self._coders):
                        break
                    good = end
            except _WrongDataError:
                pass
        if all(coder.ended for coder in self._coders):
            self._coders[0].behind = self._over = True
        else:
            self._stop(BAD)

    def sha256(self) -> str | None:
        """Of what was decoded; None where that is nothing."""
        return self._hash.hexdigest() if self.length else None

    def fields(self) -> dict[str, Value]:
        """What the message's record says of its content (docs/protocols.md)."""
        return {
            "content_encoding": list(self.codings),
            "content_length": self.length if self.known else None,
            "content_sha256": self.sha256(),
            "content_complete": self.complete,
        }
