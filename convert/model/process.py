"""A thread as it was for a while: a new row when exec, clone, setuid or a rename changes it."""

from __future__ import annotations

import msgspec

ARGUMENTS = "arguments"
ENVIRONMENT = "environment"


class ThreadVersion(msgspec.Struct, array_like=True):
    """Identity of a thread between two changes. Text is bytes as recorded; -1 and None mean not known.

    `id` counts from 1 in order of first appearance; `begin` and `end` are ns since the epoch (`end` 0: still so at the
    end of the capture); `listed` says that it was there when the capture began; `previous` is the version that this one
    replaced (the same thread before an exec, a setuid or a rename), 0 for none. `login_uid` is who logged in, whatever
    the user is now; `parent` the version that its parent process was when this one began, 0 where it is not known.
    `hidden` are (argument, begin, end) of the secrets in `args`.
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
    login_uid: int = -1
    login_user: bytes | None = None
    parent: int = 0
    hidden: tuple[tuple[int, int, int], ...] = ()

    @property
    def cmdline(self) -> bytes:
        """Name and arguments joined by blanks, as sysdig's proc.cmdline."""
        return b" ".join((self.name, *self.args))

    def masked_cmdline(self, mask: bytes) -> bytes:
        """The same with `mask` in the place of each secret, however short it is."""
        if not self.hidden:
            return self.cmdline
        words = list(self.args)
        for number, begin, end in reversed(self.hidden):
            words[number] = words[number][:begin] + mask + words[number][end:]
        return b" ".join((self.name, *words))


class ProcessSighting(msgspec.Struct, array_like=True):
    """A secret in the arguments or the environment of a program.

    `process` is the thread version; `event`, `evt_num` and `offset` are those of the execve event, of the process list
    0, 0 and the offset of its block; `time` in ns, 0 for the process list. `field` is the switch or the variable,
    `location` ARGUMENTS or ENVIRONMENT, `raw` the bytes as they stand there (`secret` decoded), `token`: it is a token
    or a key rather than a password.
    """

    process: int
    event: int
    evt_num: int
    offset: int
    time: int
    location: str
    field: str
    username: str | None
    secret: bytes
    raw: bytes
    token: bool
