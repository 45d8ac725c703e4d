"""Open an input: recognise compression by magic, read the decompressed bytes, hash the stored ones.

An input is evidence: it is opened read-only and never written. Reading stops at the first damage of the container
(a cut or corrupt gzip or zstd stream); what came before is handed out and `Source.damage` says what and where.
SHA-256 covers the bytes as stored. For regular files it is computed in a thread of its own over a second file
description, beside the decoding; for pipes while reading.
"""

from __future__ import annotations

import os
import stat
import sys

from .compression import LONGEST_MAGIC, Damage, Decompressor, recognise
from .errors import InputError
from .model.text import spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .hashing import Hasher

STEP = 1 << 20
PART = 1 << 18  # of compressed input at a time


class Source:
    """One input, as a stream of decompressed bytes.

    `size` counts the stored bytes; `compression` is none, gzip, zstd or such as gzip+gzip; `plain_fd` is a file
    descriptor whose offsets are those of the stream (plain regular files), else None: then payload must be spooled.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        """Open `path`, or standard input where None. Raises InputError when it cannot be opened or is empty."""
        self.path = None if path is None else os.fspath(path)
        self.name = "-" if path is None else spelled(os.fspath(path))
        if path is None and sys.stdin is None:
            raise InputError("-: standard input is closed")
        try:
            self._fd = os.dup(sys.stdin.fileno()) if path is None else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror}") from error
        self.status = os.fstat(self._fd)
        if stat.S_ISDIR(self.status.st_mode):
            os.close(self._fd)
            raise InputError(f"{self.name}: is a directory")
        self.regular = path is not None and stat.S_ISREG(self.status.st_mode)
        self.size = self.status.st_size if self.regular else 0
        self.plain_fd: int | None = None
        self._error: Damage | None = None
        self._hash = None
        if not self.regular:
            import hashlib

            self._hash = hashlib.sha256()
        self._hasher: Hasher | None = None
        self._stored = 0
        self._given = 0  # decompressed bytes handed out
        self._careful = False
        first = self._read_stored(PART)
        while 0 < len(first) < LONGEST_MAGIC and (more := self._read_stored(PART)):
            first += more
        self._pending = memoryview(first)
        if not first:
            os.close(self._fd)
            raise InputError(f"{self.name}: {self._why_empty()}")
        self._stream: Decompressor | None = None
        if recognise(first[:LONGEST_MAGIC]) is not None:
            waiting = [first]
            self._stream = Decompressor(lambda: waiting.pop() if waiting else self._read_stored(PART))
            self._pending = memoryview(self._next())
        elif self.regular:
            self.plain_fd = self._fd

    def _why_empty(self) -> str:
        return self._error.what if self._error is not None else "empty file"

    @property
    def compression(self) -> str:
        """How the input is compressed, from the outside in."""
        return "+".join(self._stream.kinds) if self._stream is not None else "none"

    @property
    def damage(self) -> Damage | None:
        """Why reading ended before the end of the input, or what follows it that does not belong there."""
        return self._error or (self._stream.damage if self._stream is not None else None)

    def _read_stored(self, count: int) -> bytes:
        try:
            data = os.read(self._fd, count)
        except OSError as error:
            self._error = Damage(f"cannot be read further: {error.strerror}", self._stored)
            return b""
        self._stored += len(data)
        if self._hash is not None:
            self._hash.update(data)
            self.size = self._stored
        return data

    def _next(self) -> bytes:
        """The next decompressed bytes. At damage of a file that can be read again, again and with more care: fast
        decompressors lose the output of the call that fails.
        """
        assert self._stream is not None
        data = self._stream.read()
        if not data and self.regular and not self._careful and self._stream.damage is not None:
            self._careful = True
            os.lseek(self._fd, 0, os.SEEK_SET)
            self._stored = 0
            self._stream = Decompressor(lambda: self._read_stored(PART), careful=True)
            known = self._given
            while data := self._stream.read():
                if len(data) > known:
                    data = data[known:]
                    break
                known -= len(data)
        self._given += len(data)
        return data

    def start_hashing(self) -> None:
        """Begin the SHA-256 of a regular file beside the reading (pipes are hashed as they are read)."""
        if self.regular and self.path is not None and self._hasher is None:
            from .hashing import Hasher

            self._hasher = Hasher(self.path)

    def sha256(self) -> str:
        """The hash of all stored bytes; waits for it. A pipe is read to its end first."""
        if self._hash is None:
            self.start_hashing()
            assert self._hasher is not None
            return self._hasher.digest()
        while self._read_stored(STEP):
            pass
        return self._hash.hexdigest()

    def peek(self, count: int) -> bytes:
        """The next bytes without taking them: `count` of them, fewer where the input ends before."""
        while len(self._pending) < count and (more := self._more(PART)):
            self._pending = memoryview(bytes(self._pending) + more)
        return bytes(self._pending[:count])

    def _more(self, count: int) -> bytes:
        return self._next() if self._stream is not None else self._read_stored(count)

    def readinto(self, view: memoryview) -> int:
        """Fill `view` with the next decompressed bytes; 0 at the end or where damage ended the stream."""
        if not self._pending:
            if self.plain_fd is not None:
                try:
                    count = os.readv(self._fd, [view])
                except OSError as error:
                    self._error = Damage(f"cannot be read further: {error.strerror}", self._stored)
                    return 0
                self._stored += count
                return count
            self._pending = memoryview(self._more(len(view)))
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def close(self) -> None:
        """Close the descriptor; payload can no longer be read through `plain_fd`."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
