"""`read -w`: the file that events are written to. It appears whole or not at all, and is never an input."""

from __future__ import annotations

import gzip
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from ..convert.ending import exit_on_sigterm
from ..convert.errors import UsageError
from ..convert.model.text import spelled
from ..convert.trace.saving import TraceSaver

if TYPE_CHECKING:
    from ..convert.source import Source
    from ..convert.trace.model import Trace

STANDARD_OUTPUT = "-"
SWAPPED = b"\x1a\x2b\x3c\x4d"  # the magic number of a section header, most significant byte first


def refuse_input(source: Source, target: str) -> None:
    """Raise UsageError where `target` is the file that is read, by whatever name, or cannot be made of it."""
    if source.peek(12)[8:] == SWAPPED:
        raise UsageError(f"-w: {source.name} comes from a big-endian machine; such captures can be read only")
    if target == STANDARD_OUTPUT:
        return
    path = Path(target)
    try:
        status = path.stat()
    except OSError:
        return
    if os.path.samestat(status, source.status):
        raise UsageError(f"-w {spelled(target)}: is the input; captures are evidence and are not overwritten")
    if path.is_dir():
        raise UsageError(f"-w {spelled(target)}: is a directory; name a file")


class Saving:
    """A scap file being written: `with Saving(...) as saving`, then `keep` and `pass_over` for every event.

    The file is given its name at the end; after an error nothing is left of it.
    """

    def __init__(self, trace: Trace, target: str, *, compress: bool) -> None:
        if trace.format != "scap":
            raise UsageError(
                f"-w writes system calls, and {trace.name} has packets; syswire convert writes a pcapng of them"
            )
        exit_on_sigterm()
        self._target = target
        self._plain = target == STANDARD_OUTPUT or _is_special(target)
        self._temporary = f"{target}.{os.getpid()}.part"
        self._raw: IO[bytes]
        if target == STANDARD_OUTPUT:
            self._raw = sys.stdout.buffer
        elif self._plain:
            self._raw = open(target, "wb")  # noqa: SIM115 - closed by __exit__
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._raw = os.fdopen(os.open(self._temporary, flags, 0o600), "wb")
        self._out: IO[bytes] = (
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._raw, mtime=0)  # type: ignore[assignment]
            if compress
            else self._raw
        )
        self._saver = TraceSaver(trace, self._out.write)
        self.keep = self._saver.keep
        self.pass_over = self._saver.pass_over

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._saver.finish()
                if self._out is not self._raw:
                    self._out.close()
                self._raw.flush()
        except BaseException:
            kind = BaseException
            raise
        finally:
            if self._target != STANDARD_OUTPUT:
                self._raw.close()
            if not self._plain:
                if kind is None:
                    Path(self._temporary).replace(self._target)
                else:
                    with suppress(OSError):
                        Path(self._temporary).unlink()


def _is_special(target: str) -> bool:
    """Whether the name is a pipe or a device, which cannot be replaced."""
    path = Path(target)
    return path.exists() and not path.is_file()
