"""Who the threads are: versions of their names, users and containers, made from the process list and rare events.

Sans-IO but for one spool: every version is packed into a file given by the caller, so that memory follows the threads
that are alive. Decoding of the hot events knows a thread only by its version id.
"""

from __future__ import annotations

import re
from array import array
from functools import lru_cache
from typing import IO, TYPE_CHECKING

import msgspec

from ..model.process import ThreadVersion
from .event_table import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .headers import ProcessEntry, UserEntry

_CONTAINER = re.compile(
    rb"(?:docker[-/]|crio-|libpod-|cri-containerd-|/lxc/|/lxc\.payload\.|machine\.slice/|garden/|kubepods[^\0]*/)"
    rb"([0-9a-f]{64}|[0-9a-f]{32}|[A-Za-z0-9][A-Za-z0-9_.-]{2,63})"
)
_HEX = re.compile(rb"[0-9a-f]{32,64}")
PR_SET_NAME = 15
NO_ID = 0xFFFFFFFF
_KEPT = 4096  # decoded versions kept beside the living ones


def text(value: bytes) -> bytes:
    """A CHARBUF parameter without its terminating NUL."""
    return value.split(b"\0", 1)[0]


def number(value: bytes, absent: int) -> int:
    """A little-endian integer of 4 or 8 bytes, signed; `absent` for any other length."""
    return int.from_bytes(value, "little", signed=True) if len(value) in (4, 8) else absent


def words(value: bytes) -> tuple[bytes, ...]:
    """NUL-separated strings (args, env, cgroups), the empty one after the last NUL left out."""
    return tuple(value[:-1].split(b"\0") if value.endswith(b"\0") else value.split(b"\0")) if value else ()


@lru_cache(maxsize=256)
def container_of(cgroups: bytes) -> str | None:
    """The container id that a list of control groups names (12 characters of a hash, or a name), None for the host."""
    if found := _CONTAINER.search(cgroups):
        name = found.group(1)
        return name[:12].decode() if _HEX.fullmatch(name) else name.decode()
    return None


class IdentityStore:
    """Thread versions by id, read back from their spool; memory holds two numbers a version and the last few read."""

    def __init__(self, spool: IO[bytes], offsets: array[int], ends: array[int]) -> None:
        self._spool, self._offsets, self._ends = spool, offsets, ends
        self._unpack = msgspec.msgpack.Decoder(ThreadVersion).decode
        self._kept: dict[int, ThreadVersion] = {}

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[ThreadVersion]:
        """All versions by id."""
        for number in range(1, len(self) + 1):
            yield self.get(number)

    def get(self, version: int) -> ThreadVersion:
        """The version by its id. Raises IndexError for an id that was never given."""
        if not 1 <= version <= len(self):
            raise IndexError(version)
        found = self._kept.get(version)
        if found is None:
            begin = self._offsets[version - 1]
            self._spool.seek(begin)
            last = version == len(self)
            found = self._unpack(self._spool.read(-1 if last else self._offsets[version] - begin))
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[version] = found
        found.end = self._ends[version - 1]
        return found


class Identities:
    """All thread versions of one capture. `containers` lists container ids by index, 0 being the host."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self.offsets = array("Q")
        self.ends = array("Q")
        self._position = 0
        self._living: dict[int, ThreadVersion] = {}
        self._by_tid: dict[int, int] = {}
        self._pack = msgspec.msgpack.Encoder().encode
        self._store = IdentityStore(spool, self.offsets, self.ends)
        self._fields: dict[int, dict[str, int]] = {}
        self.users: dict[int, bytes] = {}
        self.containers: list[str] = [""]
        self.container_names: dict[str, bytes] = {}
        self.began = 0

    def restart(self, ts: int) -> None:
        """Another capture follows in the same file: nobody of the first is known to live on."""
        for version in list(self._living):
            self._end(version, ts)
        self._by_tid.clear()

    def __len__(self) -> int:
        return len(self.offsets)

    def get(self, version: int) -> ThreadVersion:
        """The version by its id. Raises IndexError for an id that was never given."""
        if (found := self._living.get(version)) is not None:
            return found
        self._spool.flush()
        found = self._store.get(version)
        self._spool.seek(0, 2)
        return found

    def _add(self, version: ThreadVersion) -> int:
        packed = self._pack(version)
        self.offsets.append(self._position)
        self.ends.append(0)
        self._spool.write(packed)
        self._position += len(packed)
        self._living[version.id] = version
        self._by_tid[version.tid] = version.id
        return version.id

    def _end(self, version: int, ts: int) -> None:
        if version and self._living.pop(version, None) is not None:
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
        if not name:
            return 0
        if name not in self.containers:
            if len(self.containers) >= 60000:
                return 0
            self.containers.append(name)
        return self.containers.index(name)

    def listed(self, entry: ProcessEntry) -> tuple[int, int]:
        """A thread of the process list. Returns its version id and container index."""
        version = self._add(
            ThreadVersion(
                id=len(self) + 1,
                tid=entry.tid,
                pid=entry.pid,
                ppid=entry.ptid,
                name=entry.comm,
                exe=entry.exe,
                exepath=entry.exepath,
                args=words(entry.args),
                uid=entry.uid,
                gid=entry.gid,
                user=self.users.get(entry.uid),
                container=self._container(entry.cgroups),
                begin=self.began,
                listed=True,
                previous=0,
            )
        )
        return version, self.container_index(version)

    def _named(self, code: int, params: Sequence[bytes]) -> dict[str, bytes]:
        fields = self._fields.get(code)
        if fields is None:
            fields = self._fields[code] = {name: i for i, (name, _, _) in enumerate(EVENTS[code][4])}
        return {name: params[i] for name, i in fields.items() if i < len(params)}

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
        parent = self._living.get(self._by_tid.get(maker, 0))
        name = text(got.get("comm", b"")) or (parent.name if parent else text(got.get("exe", b"")).rsplit(b"/", 1)[-1])
        uid = self._id(got, "uid", parent.uid if parent else -1)
        version = self._add(
            ThreadVersion(
                id=len(self) + 1,
                tid=tid,
                pid=pid,
                ppid=ppid,
                name=name,
                exe=text(got.get("exe", b"")),
                exepath=parent.exepath if parent else b"",
                args=words(got.get("args", b"")),
                uid=uid,
                gid=self._id(got, "gid", parent.gid if parent else -1),
                user=self.users.get(uid),
                container=self._container(got.get("cgroups", b""), parent),
                begin=ts,
                listed=False,
                previous=0,
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
        filename: bytes | None,
        cwd: bytes,
    ) -> tuple[int, int]:
        """A new program by an execve exit; `filename` is what the enter was called with, where recorded."""
        got = self._named(code, params)
        old = self.get(previous) if previous else None
        self._end(previous, ts)
        exe = text(got.get("exe", b""))
        path = text(got.get("trusted_exepath", b""))
        if not path:
            path = text(got.get("filename", b"") or filename or b"")
            if path and not path.startswith(b"/"):
                path = cwd.rstrip(b"/") + b"/" + path
        uid = self._id(got, "uid", old.uid if old else -1)
        version = self._add(
            ThreadVersion(
                id=len(self) + 1,
                tid=tid,
                pid=pid,
                ppid=number(got.get("ptid", b""), old.ppid if old else -1),
                name=text(got.get("comm", b"")) or (path or exe).rsplit(b"/", 1)[-1][:15],
                exe=exe,
                exepath=path,
                args=words(got.get("args", b"")),
                uid=uid,
                gid=self._id(got, "gid", old.gid if old else -1),
                user=self.users.get(uid),
                container=self._container(got.get("cgroups", b""), old),
                begin=ts,
                listed=False,
                previous=previous,
            )
        )
        return version, self.container_index(version)

    @staticmethod
    def _id(got: dict[str, bytes], name: str, absent: int) -> int:
        value = number(got.get(name, b"")[:4], NO_ID) & NO_ID
        return absent if value == NO_ID else value

    def changed(self, ts: int, code: int, params: Sequence[bytes], previous: int) -> int:
        """A user, group or name changed; returns the new version's id, or `previous` where nothing did."""
        if not previous:
            return previous
        old, got = self.get(previous), self._named(code, params)
        uid = self._id(got, "euid" if "euid" in got else "uid", old.uid)
        gid = self._id(got, "egid" if "egid" in got else "gid", old.gid)
        name = old.name
        if "option" in got:
            if number(got["option"], 0) != PR_SET_NAME or not got.get("arg2_str"):
                return previous
            name = text(got["arg2_str"])
        if (uid, gid, name) == (old.uid, old.gid, old.name):
            return previous
        self._end(previous, ts)
        return self._add(
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
            self.users[entry.uid] = entry.name

    def described(self, ts: int, code: int, params: Sequence[bytes]) -> None:
        """A user was added or removed, or a container described."""
        name, got = EVENTS[code][0], self._named(code, params)
        if name == "useradded" and (uid := self._id(got, "uid", -1)) >= 0:
            self.users[uid] = text(got.get("name", b""))
        elif name == "container" and got.get("json"):
            self._container_json(text(got["json"]))
        elif name == "container" and got.get("id"):
            self._name_container(text(got["id"]), text(got.get("name", b"")))

    def _container_json(self, data: bytes) -> None:
        try:
            described = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        found = described.get("container") if isinstance(described, dict) else None
        if isinstance(found, dict) and isinstance(found.get("id"), str) and isinstance(found.get("name"), str):
            self._name_container(found["id"].encode(), found["name"].encode())

    def _name_container(self, container: bytes, name: bytes) -> None:
        if len(self.container_names) < 60000:
            self.container_names[container[:12].decode("utf-8", "replace")] = name
