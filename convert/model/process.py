"""A thread as it was for a while: a new row when exec, clone, setuid or a rename changes it."""

from __future__ import annotations

import msgspec


class ThreadVersion(msgspec.Struct, array_like=True):
    """Identity of a thread between two changes. Text is bytes as recorded; -1 and None mean not known.

    `id` counts from 1 in order of first appearance; `begin` and `end` are ns since the epoch (`end` 0: still so at the
    end of the capture); `listed` says that it was there when the capture began; `previous` is the version that this one
    replaced (the same thread before an exec, a setuid or a rename), 0 for none.
    """

    id: int
    tid: int
    pid: int
    ppid: int
    name: bytes
    exe: bytes
    exepath: bytes
    args: tuple[bytes, ...]
    uid: int
    gid: int
    user: bytes | None
    container: str | None
    begin: int
    listed: bool
    previous: int
    end: int = 0

    @property
    def cmdline(self) -> bytes:
        """Name and arguments joined by blanks, as sysdig's proc.cmdline."""
        return b" ".join((self.name, *self.args))
