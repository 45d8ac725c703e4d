"""Who the threads are: versions of their names, users and containers, made from the process list and rare events.

Sans-IO but for one spool: every version is packed into a file given by the caller, so that memory follows the threads
that are alive. Decoding of the hot events knows a thread only by its version id.
"""

from __future__ import annotations

from array import array
from typing import IO, TYPE_CHECKING

import msgspec

from ..model.process import ARGUMENTS, ENVIRONMENT, ProcessSighting, ThreadVersion
from .command_secrets import Found, in_arguments, in_environment
from .containers import container_of, described
from .event_table import EVENTS
from .identity_store import IdentityStore, Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .headers import ProcessEntry, UserEntry

PR_SET_NAME = 15
NO_ID = 0xFFFFFFFF
_MOST_VERSIONS = 1 << 22
_MOST_SPOOL = 1 << 30
_MOST_NAMES = 1 << 16  # users, containers
_LONGEST = 4096  # bytes of arguments, as recorders keep them
_LONGEST_NAME = 1024
_LONGEST_LABEL = 256  # of users and containers
_LONG = frozenset(("args", "cgroups", "env"))
_MOST_SIGHTINGS = 50_000


def text(value: bytes) -> bytes:
    """A CHARBUF parameter without its terminating NUL."""
    return value.split(b"\0", 1)[0]


def number(value: bytes, absent: int) -> int:
    """A little-endian integer of 4 or 8 bytes, signed; `absent` for any other length."""
    return int.from_bytes(value, "little", signed=True) if len(value) in (4, 8) else absent


def words(value: bytes) -> tuple[bytes, ...]:
    """NUL-separated strings (args, env, cgroups), the empty one after the last NUL left out."""
    return tuple(value[:-1].split(b"\0") if value.endswith(b"\0") else value.split(b"\0")) if value else ()


def _hidden(found: Sequence[Found]) -> tuple[tuple[int, int, int], ...]:
    return tuple((one.word, one.begin, one.end) for one in found)


class Identities:
    """All thread versions of one capture. `containers` lists container ids by index, 0 being the host."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self.offsets = array("Q")
        self.ends = array("Q")
        self._position = 0
        self._living: set[int] = set()
        self._kept = Kept()
        self._by_tid: dict[int, int] = {}
        self._pack = msgspec.msgpack.Encoder().encode
        self._store = IdentityStore(spool, self.offsets, self.ends)
        self._fields: dict[int, dict[str, int]] = {}
        self.users: dict[int, bytes] = {}
        self.containers: list[str] = [""]
        self._container_index: dict[str | None, int] = {None: 0, "": 0}
        self.refused = 0
        self.container_names: dict[str, bytes] = {}
        self.began = 0
        self.sightings: list[ProcessSighting] = []
        self._sighted: set[tuple[bytes, str, str, bytes]] = set()
        self.sightings_left_out = 0

    def restart(self, ts: int) -> None:
        """Another capture follows in the same file: nobody of the first is known to live on."""
        for version in list(self._living):
            self._end(version, ts)
        self._by_tid.clear()

    def __len__(self) -> int:
        return len(self.offsets)

    def get(self, version: int) -> ThreadVersion:
        """The version by its id. Raises IndexError for an id that was never given."""
        if (found := self._kept.get(version)) is not None:
            return found
        self._spool.flush()
        found = self._store.get(version)
        self._spool.seek(0, 2)
        if version in self._living:
            self._kept.put(found)
        return found

    def _add(self, version: ThreadVersion) -> int:
        """Take in a version. Returns its id, 0 where there is no room for more."""
        packed = self._pack(version)
        if len(self.offsets) >= _MOST_VERSIONS or self._position + len(packed) > _MOST_SPOOL:
            self.refused += 1
            return 0
        self.offsets.append(self._position)
        self.ends.append(0)
        self._spool.write(packed)
        self._position += len(packed)
        self._living.add(version.id)
        self._kept.put(version)
        self._by_tid[version.tid] = version.id
        return version.id

    def _end(self, version: int, ts: int) -> None:
        if version in self._living:
            self._living.discard(version)
            self._kept.drop(version)
            self.ends[version - 1] = ts

    @staticmethod
    def _container(cgroups: bytes, before: ThreadVersion | None = None) -> str | None:
        """By the control groups, else as before (the parent's, or the same thread's)."""
        if cgroups:
            return container_of(cgroups)
        return before.container if before is not None else None

    def container_index(self, version: int) -> int:
        """Index in `containers` of the container that the version runs in."""
        name = self.get(version).container if version else None
        found = self._container_index.get(name)
        if found is None:
            if len(self.containers) >= _MOST_NAMES:
                self.refused += 1
                return 0
            found = self._container_index[name] = len(self.containers)
            self.containers.append(name or "")
        return found

    def listed(self, entry: ProcessEntry, offset: int = 0) -> tuple[int, int]:
        """A thread of the process list, whose block is at `offset`. Returns its version id and container index."""
        self._end(self._by_tid.get(entry.tid, 0), self.began)
        args = words(entry.args[:_LONGEST])
        found = in_arguments(entry.exepath or entry.exe or entry.comm, args)
        login = -1 if entry.loginuid == NO_ID else entry.loginuid
        version = self._add(
            ThreadVersion(
                id=len(self) + 1,
                tid=entry.tid,
                pid=entry.pid,
                ppid=entry.ptid,
                name=entry.comm[:_LONGEST_NAME],
                exe=entry.exe[:_LONGEST_NAME],
                exepath=entry.exepath[:_LONGEST_NAME],
                args=args,
                uid=-1 if entry.uid == NO_ID else entry.uid,
                gid=-1 if entry.gid == NO_ID else entry.gid,
                user=self.users.get(entry.uid),
                container=self._container(entry.cgroups),
                begin=self.began,
                listed=True,
                previous=0,
                login_uid=login,
                login_user=self.users.get(login),
                parent=self._by_tid.get(entry.ptid, 0),
                hidden=_hidden(found),
            )
        )
        if version and entry.tid == entry.pid:
            self.given(version, (0, 0, offset), self.began, found, args, words(entry.env[:_LONGEST]))
        return version, self.container_index(version)

    def _named(self, code: int, params: Sequence[bytes]) -> dict[str, bytes]:
        fields = self._fields.get(code)
        if fields is None:
            fields = self._fields[code] = {name: i for i, (name, _, _) in enumerate(EVENTS[code][4])}
        return {
            name: params[i][: _LONGEST if name in _LONG else _LONGEST_NAME]
            for name, i in fields.items()
            if i < len(params)
        }

    def cloned(
        self, ts: int, code: int, params: Sequence[bytes], tid: int, pid: int, from_parent: bool
    ) -> tuple[int, int]:
        """A new thread by a clone, fork or vfork exit, the parent's own (`from_parent`) or the child's."""
        got = self._named(code, params)
        self._end(self._by_tid.get(tid, 0), ts)
        caller = number(got.get("pid", b""), -1)
        ppid = number(got.get("ptid", b""), -1)
        if from_parent and pid == tid:
            ppid = caller
        maker = pid if pid != tid else caller if from_parent else ppid
        parent = self._latest(maker)
        name = text(got.get("comm", b"")) or (parent.name if parent else text(got.get("exe", b"")).rsplit(b"/", 1)[-1])
        uid = self._id(got, "uid", parent.uid if parent else -1)
        exe, args = text(got.get("exe", b"")), words(got.get("args", b""))
        found = in_arguments(exe, args) if args else []
        version = self._add(
            ThreadVersion(
                id=len(self) + 1,
                tid=tid,
                pid=pid,
                ppid=ppid,
                name=name,
                exe=exe,
                exepath=parent.exepath if parent else b"",
                args=args,
                uid=uid,
                gid=self._id(got, "gid", parent.gid if parent else -1),
                user=self.users.get(uid),
                container=self._container(got.get("cgroups", b""), parent),
                begin=ts,
                listed=False,
                previous=0,
                login_uid=parent.login_uid if parent else -1,
                login_user=parent.login_user if parent else None,
                parent=self._living_id(ppid),
                hidden=_hidden(found),
            )
        )
        return version, self.container_index(version)

    def executed(
        self,
        ts: int,
        code: int,
        params: Sequence[bytes],
        previous: int,
        tid: int,
        pid: int,
        filename: bytes,
        cwd: bytes,
        place: tuple[int, int, int] = (0, 0, 0),
    ) -> tuple[int, int]:
        """A new program by an execve exit; `filename` is what it was called with, where recorded,
        `cwd` the directory that it is relative to (empty: not known). `place`: the event's ordinal and number, and the
        offset of its block.
        """
        got = self._named(code, params)
        old = self.get(previous) if previous else None
        self._end(previous, ts)
        exe = text(got.get("exe", b""))
        path = text(got.get("trusted_exepath", b""))
        if not path:
            path = text(filename[:_LONGEST_NAME])
            if path and cwd and not path.startswith(b"/"):
                path = cwd[:_LONGEST_NAME].rstrip(b"/") + b"/" + path
        uid = self._id(got, "uid", old.uid if old else -1)
        login = self._id(got, "loginuid", -1) if got.get("loginuid") else old.login_uid if old else -1
        args = words(got.get("args", b""))
        found = in_arguments(path or exe, args)
        ppid = number(got.get("ptid", b""), old.ppid if old else -1)
        version = self._add(
            ThreadVersion(
                id=len(self) + 1,
                tid=tid,
                pid=pid,
                ppid=ppid,
                name=text(got.get("comm", b"")) or (path or exe).rsplit(b"/", 1)[-1][:15],
                exe=exe,
                exepath=path,
                args=args,
                uid=uid,
                gid=self._id(got, "gid", old.gid if old else -1),
                user=self.users.get(uid),
                container=self._container(got.get("cgroups", b""), old),
                begin=ts,
                listed=False,
                previous=previous,
                login_uid=login,
                login_user=self.users.get(login),
                parent=self._living_id(ppid) or (old.parent if old and old.ppid == ppid else 0),
                hidden=_hidden(found),
            )
        )
        if version:
            self.given(version, place, ts, found, args, words(got.get("env", b"")))
        return version, self.container_index(version)

    def _living_id(self, pid: int) -> int:
        """The version of a process as it is now, 0 where it is not known or gone."""
        version = self._by_tid.get(pid, 0)
        return version if version in self._living else 0

    def given(
        self,
        version: int,
        place: tuple[int, int, int],
        ts: int,
        found: Sequence[Found],
        args: Sequence[bytes],
        env: Sequence[bytes],
    ) -> None:
        """A program began with these: note the secrets (`found` are those of `args`), each once for each program."""
        seen = [(ARGUMENTS, one) for one in found] + [(ENVIRONMENT, one) for one in in_environment(env)]
        if not seen:
            return
        program = self.get(version).exepath
        for location, one in seen:
            key = one.secret, location, one.field, program
            if key in self._sighted:
                continue
            if len(self.sightings) >= _MOST_SIGHTINGS:
                self.sightings_left_out += 1
                continue
            self._sighted.add(key)
            self.sightings.append(
                ProcessSighting(version, *place, ts, location, one.field, one.username, one.secret, one.raw, one.token)
            )

    @staticmethod
    def _id(got: dict[str, bytes], name: str, absent: int) -> int:
        value = number(got.get(name, b"")[:4], NO_ID) & NO_ID
        return absent if value == NO_ID else value

    def changed(self, ts: int, code: int, params: Sequence[bytes], previous: int, before: Sequence[bytes] = ()) -> int:
        """A user, group or name changed; `before` are the enter's parameters. Returns the new version's id, or
        `previous` where nothing changed or there is no room.
        """
        if not previous:
            return previous
        old, got = self.get(previous), self._named(code, params)
        if before:
            got = self._named(code - 1, before) | {name: value for name, value in got.items() if value}
        uid = self._id(got, "euid" if "euid" in got else "uid", old.uid)
        gid = self._id(got, "egid" if "egid" in got else "gid", old.gid)
        name = old.name
        if "option" in got:
            if number(got["option"], 0) != PR_SET_NAME or not got.get("arg2_str"):
                return previous
            name = text(got["arg2_str"])
        if (uid, gid, name) == (old.uid, old.gid, old.name):
            return previous
        new = self._add(
            msgspec.structs.replace(
                old,
                id=len(self) + 1,
                uid=uid,
                gid=gid,
                name=name,
                user=self.users.get(uid) if uid != old.uid else old.user,
                begin=ts,
                listed=False,
                previous=previous,
                end=0,
            )
        )
        if new:
            self._end(previous, ts)
        return new or previous

    def _latest(self, tid: int) -> ThreadVersion | None:
        """The thread as it is now, None where it is not known or gone."""
        version = self._by_tid.get(tid, 0)
        return self.get(version) if version in self._living else None

    def exited(self, ts: int, version: int) -> None:
        """The thread ended."""
        if version:
            tid = self.get(version).tid
            if self._by_tid.get(tid) == version:
                del self._by_tid[tid]
            self._end(version, ts)

    def user(self, entry: UserEntry) -> None:
        """A user of the user list (groups are not looked up)."""
        if not entry.group:
            self._user(entry.uid, entry.name)

    def _user(self, uid: int, name: bytes) -> None:
        if uid not in self.users and len(self.users) >= _MOST_NAMES:
            self.refused += 1
        else:
            self.users[uid] = name[:_LONGEST_LABEL]

    def described(self, ts: int, code: int, params: Sequence[bytes]) -> None:
        """A user was added or removed, or a container described."""
        name = EVENTS[code][0]
        names = (field[0] for field in EVENTS[code][4])
        got = dict(zip(names, params, strict=False))  # uncut, unlike _named: JSON may be long
        if name == "useradded" and (uid := self._id(got, "uid", -1)) >= 0:
            self._user(uid, text(got.get("name", b"")))
        elif name == "container" and got.get("json"):
            if (found := described(text(got["json"]))) is not None:
                self._name_container(*found)
        elif name == "container" and got.get("id"):
            identity, label = text(got["id"])[:12], text(got.get("name", b""))[:_LONGEST_LABEL]
            self._name_container(identity.decode("utf-8", "replace"), label)

    def _name_container(self, container: str, name: bytes) -> None:
        if container not in self.container_names and len(self.container_names) >= _MOST_NAMES:
            self.refused += 1
        else:
            self.container_names[container] = name
