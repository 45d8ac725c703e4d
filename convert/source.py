"""Open an input: recognise compression by magic, read the decompressed bytes, hash the stored ones.

An input is evidence: it is opened read-only and never written. Reading stops at the first damage of the container
(a cut or corrupt gzip or zstd stream); what came before is handed out and `Source.damage` says what and where.
SHA-256 covers the bytes as stored. For regular files it is computed in a thread of its own over a second file
description, beside the decoding; for pipes while reading.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STEP = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Damage(NamedTuple):
    """Why reading ended early: `what` for people, `offset` in the stored bytes."""

    what: str
    offset: int


class _Inflater(Protocol):
    """A decompression object for one gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes) -> bytes: ...


class Hasher(threading.Thread):
    """SHA-256 of a file's stored bytes, computed beside other work; `digest()` waits for it."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="sha256", daemon=True)
        self._path = path
        self._hash = hashlib.sha256()
        self._error: OSError | None = None
        self.start()

    def run(self) -> None:
        """Read the file once, in pieces large enough that hashlib releases the interpreter lock."""
        try:
            with self._path.open("rb", buffering=0) as file:
                buffer = bytearray(STEP)
                view = memoryview(buffer)
                while count := file.readinto(buffer):
                    self._hash.update(view[:count])
        except OSError as error:
            self._error = error

    def digest(self) -> str:
        """The hash as 64 hex digits. Raises InputError where the file could not be read to its end."""
        self.join()
        if self._error is not None:
            raise InputError(f"{self._path}: {self._error.strerror}")
        return self._hash.hexdigest()


class Source:
    """One input, as a stream of decompressed bytes.

    `size` counts the stored bytes, `compression` is none, gzip or zstd, `plain_fd` is a file descriptor whose offsets
    are those of the stream (plain regular files), else None: then payload must be spooled.
    """

    def __init__(self, path: Path | None) -> None:
        """Open `path`, or standard input where None. Raises InputError when it cannot be opened or is empty."""
        self.path = path
        self.name = "-" if path is None else str(path)
        try:
            self._fd = os.dup(sys.stdin.fileno()) if path is None else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror}") from error
        status = os.fstat(self._fd)
        if stat.S_ISDIR(status.st_mode):
            os.close(self._fd)
            raise InputError(f"{self.name}: is a directory")
        self.regular = path is not None and stat.S_ISREG(status.st_mode)
        self.status = status
        self.size = status.st_size if self.regular else 0
        self.damage: Damage | None = None
        self.plain_fd: int | None = None
        self._hash = None if self.regular else hashlib.sha256()
        self._hasher: Hasher | None = None
        self._stored = 0
        self._inflater: _Inflater | None = None
        self._pending = memoryview(b"")
        self._member = 0  # stored offset where the current gzip member or zstd frame begins
        self._made = 0  # bytes decompressed of it
        self._new_inflater: Callable[[], _Inflater] | None = None
        self._head = self._read_stored(STEP)
        self.compression = self._recognise()

    def _recognise(self) -> str:
        if not self._head:
            raise InputError(f"{self.name}: empty file")
        if self._head.startswith(GZIP_MAGIC):
            from isal import isal_zlib

            self._new_inflater = lambda: isal_zlib.decompressobj(wbits=31)
            return "gzip"
        if self._head.startswith(ZSTD_MAGIC):
            from backports.zstd import ZstdDecompressor

            self._new_inflater = ZstdDecompressor
            return "zstd"
        if self.regular:
            self.plain_fd = self._fd
        return "none"

    def _read_stored(self, count: int) -> bytes:
        try:
            data = os.read(self._fd, count)
        except OSError as error:
            self.damage = Damage(f"cannot be read further: {error.strerror}", self._stored)
            return b""
        self._stored += len(data)
        if self._hash is not None:
            self._hash.update(data)
            self.size = self._stored
        return data

    def start_hashing(self) -> None:
        """Begin the SHA-256 of a regular file beside the reading (pipes are hashed as they are read)."""
        if self.regular and self.path is not None and self._hasher is None:
            self._hasher = Hasher(self.path)

    def sha256(self) -> str:
        """The hash of all stored bytes; waits for it. A pipe is read to its end first."""
        if self._hasher is not None:
            return self._hasher.digest()
        while self._read_stored(STEP):
            pass
        if self._hash is None:
            self.start_hashing()
            return self.sha256()
        return self._hash.hexdigest()

    def peek(self, count: int) -> bytes:
        """The next decompressed bytes without taking them: `count` where there are as many within the first piece."""
        if self._new_inflater is None:
            while len(self._head) < count and (more := self._read_stored(STEP)):
                self._head += more
            return self._head[:count]
        while not self._pending and self._inflate():
            pass
        return bytes(self._pending[:count])

    def readinto(self, view: memoryview) -> int:
        """Fill `view` with the next decompressed bytes; 0 at the end or where damage ended the stream."""
        if self._new_inflater is None:
            if self._head:
                count = min(len(view), len(self._head))
                view[:count] = self._head[:count]
                self._head = self._head[count:]
                return count
            if self._hash is not None:
                data = self._read_stored(len(view))
                view[: len(data)] = data
                return len(data)
            try:
                count = os.readv(self._fd, [view])
            except OSError as error:
                self.damage = Damage(f"cannot be read further: {error.strerror}", self._stored)
                return 0
            self._stored += count
            return count
        while not self._pending:
            if not self._inflate():
                return 0
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _inflate(self) -> bool:
        """Decompress the next stored bytes into `_pending`; False at the end of the stream or at damage."""
        if self.damage is not None:
            return False
        assert self._new_inflater is not None
        data = self._head or self._read_stored(STEP >> 2)
        self._head = b""
        if self._inflater is None:
            if not data:
                return False
            self._inflater = self._new_inflater()
            self._member, self._made = self._stored - len(data), 0
        if not data:
            self.damage = Damage(f"the {self.compression} stream is cut", self._stored)
            return False
        begin = self._stored - len(data)
        try:
            out = self._inflater.decompress(data)
        except Exception as error:  # noqa: BLE001 - isal, zlib and zstd each raise their own error type
            self._pending = memoryview(self._salvage(begin))
            self.damage = Damage(f"the {self.compression} stream is damaged ({error})", begin)
            return bool(self._pending)
        self._made += len(out)
        self._pending = memoryview(out)
        if self._inflater.eof:
            self._after_member(self._inflater.unused_data)
        return True

    def _after_member(self, rest: bytes) -> None:
        """A gzip member or zstd frame ended: another one follows, or padding, or junk, or nothing."""
        self._inflater = None
        rest = rest or self._read_stored(STEP >> 2)
        magic = GZIP_MAGIC if self.compression == "gzip" else ZSTD_MAGIC
        if rest.startswith(magic) or (len(rest) < len(magic) and rest and magic.startswith(rest)):
            self._head = rest
        elif rest.strip(b"\0"):
            self.damage = Damage(f"bytes after the end of the {self.compression} stream", self._stored - len(rest))
        else:
            self._head = b""

    def _salvage(self, failed: int) -> bytes:
        """Output of the member that the failing call swallowed: `failed` is the stored offset where its input began.

        A decompressor that raises loses what it had made in that call, so the member is decompressed again from its
        start, from `failed` on byte by byte. A pipe cannot be read again: it keeps what was handed out before.
        """
        if not self.regular or self._new_inflater is None:
            return b""
        again = self._new_inflater()
        made, tail, position = 0, bytearray(), self._member
        while True:
            data = os.pread(self._fd, min(STEP, failed - position) if position < failed else 1, position)
            if not data:
                break
            try:
                out = again.decompress(data)
            except Exception:  # noqa: BLE001 - the damage is reached a second time: this is the end
                break
            position += len(data)
            tail += out[max(0, self._made - made) :]
            made += len(out)
            if again.eof or position > failed + STEP:
                break
        return bytes(tail)

    def close(self) -> None:
        """Close the descriptor; payload can no longer be read through `plain_fd`."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
