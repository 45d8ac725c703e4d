"""Decompression of gzip and zstd streams, one inside the other if need be: sans-IO, pieces in, pieces out.

Several gzip members or zstd frames follow each other as one stream. Damage ends a stream: `Layer.damage` says what and
at which byte of the layer's input, and what was decompressed before is handed out. Fast decompressors lose the output
of the call that fails; a `careful` layer feeds them so little at a time that nothing is lost. What a call gives out is
bounded: a few bytes of input can stand for gigabytes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class _Inflater(Protocol):
        @property
        def eof(self) -> bool: ...
        @property
        def unused_data(self) -> bytes: ...
        def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
LONGEST_MAGIC = 4
MAX_LAYERS = 3
SLICE = {"gzip": 1024, "zstd": 64}
MOST_IN = 1 << 20
MOST_OUT = 1 << 22


class Damage:
    """Why a stream ended early: `what` for people, `offset` in the stream's own (stored) bytes."""

    __slots__ = ("offset", "what")

    def __init__(self, what: str, offset: int) -> None:
        self.what = what
        self.offset = offset


def recognise(head: bytes) -> str | None:
    """Gzip or zstd by the first bytes, None for anything else."""
    for kind, magic in MAGIC.items():
        if head.startswith(magic):
            return kind
    return None


class Layer:
    """One compressed stream, read through `read`, which gives the next input (b"" at its end)."""

    def __init__(self, kind: str, read: Callable[[], bytes], *, careful: bool = False) -> None:
        self.kind, self._read, self._careful = kind, read, careful
        self.damage: Damage | None = None
        self._inflater: _Inflater | None = None
        self._input = b""
        self._at = 0  # offset of the first byte of _input
        self._ended = False
        self._more = False  # the decompressor has more to give without further input

    def _fresh(self) -> _Inflater:
        if self.kind == "zstd":
            from backports.zstd import ZstdDecompressor

            return ZstdDecompressor()
        if self._careful:
            import zlib

            return zlib.decompressobj(wbits=31)
        from isal import isal_zlib

        return isal_zlib.decompressobj(wbits=31)

    def read(self) -> bytes:
        """The next decompressed bytes, b"" at the end of the stream or where damage ended it."""
        while not self._ended:
            if not self._input and not self._more:
                self._input = self._read()
            if not self._input and not self._more:
                self._ended = True
                if self._inflater is not None:
                    self.damage = Damage(f"the {self.kind} stream is cut", self._at)
                break
            out = self._step()
            if out:
                return out
        return b""

    def _step(self) -> bytes:
        if self._inflater is None:
            if not self._begins():
                return b""
            self._inflater = self._fresh()
        data = self._input[: SLICE[self.kind] if self._careful else MOST_IN]
        if self._more and self.kind == "zstd":
            data = b""  # it holds what it did not use yet, and must not be given more
        before = self._inflater.copy() if self._careful and self.kind == "gzip" else None  # type: ignore[attr-defined]
        try:
            out = self._inflater.decompress(data, MOST_OUT)
        except Exception as error:
            self._ended = True
            done, out = _bytewise(before, data)
            self.damage = Damage(f"the {self.kind} stream is damaged ({error})", self._at + done)
            return out
        left = b""
        if self._inflater.eof:
            left = self._inflater.unused_data
            self._inflater, self._more = None, False
        elif self.kind == "zstd":
            self._more = not self._inflater.needs_input  # type: ignore[attr-defined]
        else:
            left = self._inflater.unconsumed_tail  # type: ignore[attr-defined]
            self._more = len(out) == MOST_OUT
        self._input = left + self._input[len(data) :]
        self._at += len(data) - len(left)
        return out

    def _begins(self) -> bool:
        """Whether another member follows; padding with zeros ends the stream, anything else is damage."""
        magic = MAGIC[self.kind]
        while len(self._input) < len(magic) and (more := self._read()):
            self._input += more
        if self._input.startswith(magic):
            return True
        self._ended = True
        if self._input.strip(b"\0"):
            self.damage = Damage(f"bytes after the end of the {self.kind} stream", self._at)
        return False


def _bytewise(inflater: _Inflater | None, data: bytes) -> tuple[int, bytes]:
    """Decompress byte by byte up to the damage: how many bytes went in, and what came out."""
    import zlib

    out, done = bytearray(), 0
    if inflater is not None:
        try:
            for done in range(len(data)):
                out += inflater.decompress(data[done : done + 1])
        except zlib.error:
            pass
    return done, bytes(out)


class Decompressor:
    """All layers over a reader of stored bytes; an uncompressed stream passes through.

    `kinds` names the layers from the outside in.
    """

    def __init__(self, read: Callable[[], bytes], *, careful: bool = False) -> None:
        self.layers: list[Layer] = []
        self._read = read
        self.head = _first(read)
        while len(self.layers) < MAX_LAYERS and (kind := recognise(self.head)) is not None:
            layer = Layer(kind, _first_then(self.head, self._read), careful=careful)
            self.layers.append(layer)
            self._read = layer.read
            self.head = _first(layer.read)

    @property
    def kinds(self) -> list[str]:
        """Names of the layers, from the outside in."""
        return [layer.kind for layer in self.layers]

    @property
    def damage(self) -> Damage | None:
        """The innermost damage that ended the stream or follows it."""
        return next((layer.damage for layer in reversed(self.layers) if layer.damage is not None), None)

    def read(self) -> bytes:
        """The next decompressed bytes, b"" at the end."""
        head, self.head = self.head, b""
        return head or self._read()


def _first(read: Callable[[], bytes]) -> bytes:
    """The first bytes, enough to recognise a layer by: a pipe may give one at a time."""
    head = read()
    while 0 < len(head) < LONGEST_MAGIC and (more := read()):
        head += more
    return head


def _first_then(first: bytes, read: Callable[[], bytes]) -> Callable[[], bytes]:
    waiting = [first]
    return lambda: waiting.pop() if waiting else read()
