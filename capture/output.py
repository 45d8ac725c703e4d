"""The file that a recording goes to: private, never an existing other's, and whole up to the last second.

What is given to `write` are whole blocks. A plain file gets them at once; a compressed one as gzip members that are
written whole, each second or when they have grown large, so that the file always ends at a block. Where the disk takes
no more, the file is cut back to the last whole block or member.
"""

from __future__ import annotations

import errno
import fcntl
import os
import queue
import stat
import sys
import threading
import time
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Protocol

from ..convert.errors import MachineError, UsageError
from ..convert.model.text import spelled
from ..convert.scap.headers import EVENTS_PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

STANDARD_OUTPUT = "-"
FLUSH = 1.0  # seconds between the ends of gzip members
SYNC = 5.0  # seconds between fsyncs
MEMBER = 1 << 20  # compressed bytes at which a gzip member is ended
LEVEL = 1
SMALLEST = 1 << 12  # bytes of blocks for which a member is not worth its while
_HEAD = Struct("<II")
_REMEDIES = {
    errno.ENOSPC: "free space there, or name a file elsewhere with -w",
    errno.EDQUOT: "free space there, or name a file elsewhere with -w",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f), or rotate with -C",
    errno.EROFS: "name a file elsewhere with -w",
    errno.EACCES: "ask for permission, or name a file elsewhere with -w",
    errno.EPERM: "ask for permission, or name a file elsewhere with -w",
    errno.ENOENT: "make the directory, or name a file elsewhere with -w",
    errno.ENOTDIR: "name a file elsewhere with -w",
}


class OutputError(MachineError):
    """The output takes no more. `events`: how many of those that were given are not in it."""

    def __init__(self, path: str, error: OSError, events: int = 0) -> None:
        what = f"{spelled(path)}: {error.strerror or error}"
        remedy = _REMEDIES.get(error.errno or 0)
        super().__init__(f"{what}: {remedy}" if remedy else what)
        self.errno = error.errno
        self.events = events


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def events_in(blocks: bytes | memoryview) -> int:
    """How many event blocks there are in whole blocks."""
    return _walk(blocks, len(blocks))[1]


def cut(blocks: bytes, most: int) -> tuple[int, int]:
    """Where the first `most` events of whole blocks end, and how many there are (fewer where there are no more)."""
    at = events = 0
    while at < len(blocks) and events < most:
        kind, size = _HEAD.unpack_from(blocks, at)
        at += size
        events += kind in EVENTS_PLAIN
    return at, events


def _walk(blocks: bytes | memoryview, limit: int) -> tuple[int, int]:
    """The end of the last block that ends at or before `limit`, and the events up to there."""
    at = events = 0
    while at + 8 <= limit:
        kind, size = _HEAD.unpack_from(blocks, at)
        if size < 12 or at + size > limit:
            break
        at += size
        events += kind in EVENTS_PLAIN
    return at, events


def refuse(path: str) -> None:
    """Raise UsageError where `path` may not be written: it is there and is no regular file of this user."""
    if path == STANDARD_OUTPUT:
        if sys.stdout is None or sys.stdout.isatty():
            raise UsageError("-w -: standard output is a terminal; name a file, or pipe it into a program")
        return
    try:
        status = os.lstat(path)
    except OSError:
        return  # it is not there, or opening it will say why not
    name = f"-w {spelled(path)}"
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{name}: is a directory; name a file")
    if stat.S_ISLNK(status.st_mode):
        raise UsageError(f"{name}: is a symbolic link, which is not followed; name the file itself")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{name}: is no regular file; name another, or write to standard output with -w -")
    if status.st_uid != os.geteuid():
        raise UsageError(f"{name}: belongs to another user; remove it, or name another file")


def create(path: str) -> int:
    """A new file that its owner alone may read, in place of a regular one of the same name and owner.

    The old file is removed, not emptied: who has it open does not see the new one. Raises UsageError, OutputError.
    """
    refuse(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        Path(path).unlink(missing_ok=True)
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise OutputError(path, error) from None
    os.fchmod(descriptor, 0o600)  # whatever the umask takes away
    return descriptor


def _position(descriptor: int) -> int | None:
    """Where the next byte goes in the file that standard output is; None where that is none that can be cut back."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode) or fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND:
        return None
    return os.lseek(descriptor, 0, os.SEEK_CUR)


class Syncer:
    """Brings files to the disk in a thread of its own: the ring must not fill while a disk is slow."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self._asked: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._busy = threading.Semaphore(2)
        self._thread = threading.Thread(name="fsync", target=self._run, daemon=True)
        self._thread.start()

    def ask(self, descriptor: int, *, must: bool = False) -> None:
        """Sync what was written to `descriptor`, which may be closed at once. Left out while two others wait, unless it
        must be done.
        """
        if must or self._busy.acquire(blocking=False):
            self._asked.put((os.dup(descriptor) << 1) | must)

    def _run(self) -> None:
        while (asked := self._asked.get()) >= 0:
            descriptor, must = asked >> 1, asked & 1
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EROFS):  # pipes and sockets cannot be synced
                    self.error = error
            finally:
                os.close(descriptor)
                if not must:
                    self._busy.release()

    def close(self) -> None:
        """Wait until all that was asked for is done."""
        self._asked.put(-1)
        self._thread.join()


class Output:
    """One file of a recording, or standard output. `size`: bytes in it; `written`: events in it."""

    def __init__(
        self, path: str, syncer: Syncer, *, compress: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = path
        self.size = 0
        self._syncer = syncer
        self._clock = clock
        self._fd = create(path) if path != STANDARD_OUTPUT else os.dup(sys.stdout.fileno())
        self._origin = (
            0 if path != STANDARD_OUTPUT else _position(self._fd)
        )  # where in the file it begins; None: no file
        self._compress = compress
        self._member: _Compressor | None = None
        self._parts: list[bytes] = []
        self._held = 0  # bytes in _parts
        self._flushed = self._synced = clock()

    @property
    def grown(self) -> int:
        """Bytes of the file with those that wait to be written."""
        return self.size + self._held

    @property
    def status(self) -> os.stat_result:
        """What the file is."""
        return os.fstat(self._fd)

    def write(self, blocks: bytes) -> None:
        """Add whole blocks. Raises OutputError, BrokenPipeError."""
        if not blocks:
            return
        if not self._compress:
            self._store(blocks)
            return
        if self._member is None:
            from isal import isal_zlib

            self._member = isal_zlib.compressobj(LEVEL, wbits=31)
        self._hold(self._member.compress(blocks))
        if self._held >= MEMBER:
            self.flush()

    def _hold(self, data: bytes) -> None:
        if data:
            self._parts.append(data)
            self._held += len(data)

    def flush(self) -> None:
        """Let the file be whole: end the gzip member. Raises OutputError, BrokenPipeError."""
        self._flushed = self._clock()
        if self._member is None:
            return
        self._hold(self._member.flush())
        data, self._member, self._parts, self._held = b"".join(self._parts), None, [], 0
        self._store(data)

    def tick(self) -> bool:
        """Flush each second, sync each five. Returns whether it flushed. Raises OutputError, BrokenPipeError."""
        now = self._clock()
        if self._syncer.error is not None:
            error, self._syncer.error = self._syncer.error, None
            raise OutputError(self.path, error)
        if now - self._flushed < FLUSH:
            return False
        self.flush()
        if now - self._synced >= SYNC:
            self._synced = now
            self._syncer.ask(self._fd)
        return True

    def _store(self, data: bytes) -> None:
        done, view = 0, memoryview(data)
        try:
            while done < len(data):
                done += os.write(self._fd, view[done:])
        except BrokenPipeError:
            raise
        except OSError as error:
            kept, lost = self._salvage(data, done) if self._compress else _cut_back(view, done)
            if self._origin is not None:
                os.ftruncate(self._fd, self._origin + self.size + kept)
                os.lseek(self._fd, self._origin + self.size + kept, os.SEEK_SET)
            self.size += kept
            raise OutputError(self.path, error, lost) from None
        self.size += done

    def _salvage(self, member: bytes, room: int) -> tuple[int, int]:
        """Put as many blocks of a member that did not fit into the `room` bytes that were written of it as will go.

        Returns how many bytes that took, and how many events are lost.
        """
        from isal import isal_zlib

        blocks = _inflate(member)
        limit = len(blocks) * room // len(member)
        while self._origin is not None and limit > SMALLEST:
            at, _ = _walk(blocks, limit)
            stream = isal_zlib.compressobj(LEVEL, wbits=31)
            smaller = stream.compress(blocks[:at]) + stream.flush()
            if at and len(smaller) <= room:
                os.pwrite(self._fd, smaller, self._origin + self.size)
                return len(smaller), events_in(memoryview(blocks)[at:])
            limit = limit * 3 // 4
        return 0, events_in(blocks)

    def close(self) -> None:
        """End the file; it is synced beside. Raises OutputError, BrokenPipeError: closed it is in any case."""
        if self._fd < 0:
            return
        try:
            self.flush()
        finally:
            self._syncer.ask(self._fd, must=True)
            os.close(self._fd)
            self._fd = -1


def _cut_back(blocks: memoryview, room: int) -> tuple[int, int]:
    """Of blocks of which only `room` bytes were written: the bytes of whole ones, and the events that are lost."""
    kept, events = _walk(blocks, room)
    return kept, events_in(blocks) - events


def _inflate(member: bytes) -> bytes:
    """The content of a gzip member of our own making."""
    from isal import isal_zlib

    return isal_zlib.decompressobj(wbits=31).decompress(member)
