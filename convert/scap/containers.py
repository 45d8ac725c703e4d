"""What control groups and container events say of containers: pure functions over hostile bytes."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_ID = rb"([0-9a-f]{64}|[0-9a-f]{32}|[A-Za-z0-9][A-Za-z0-9_.-]{2,63})"
_MARKED = re.compile(rb"(?:docker[-/]|crio-|libpod-|cri-containerd-)" + _ID)
_PLACED = re.compile(rb"(?:/lxc/|/lxc\.payload\.|machine\.slice/|garden/)" + _ID)
_NAME = re.compile(_ID)
_HEX = re.compile(rb"[0-9a-f]{32,64}")
_LONGEST = 4096  # bytes of control groups that recorders keep
_LONGEST_NAME = 256


@lru_cache(maxsize=256)
def container_of(cgroups: bytes) -> str | None:
    """The container id that a list of control groups names (12 characters of a hash, or a name), None for the host."""
    for group in cgroups[:_LONGEST].split(b"\0"):
        found = _MARKED.search(group) or _PLACED.search(group)
        if found is None and b"kubepods" in group:
            found = next(filter(None, map(_NAME.match, reversed(group.split(b"kubepods", 1)[1].split(b"/")[1:]))), None)
        if found is not None:
            name = found.group(1)
            return name[:12].decode() if _HEX.fullmatch(name) else name.decode()
    return None


class _Container(msgspec.Struct):
    id: str
    name: str


class _Described(msgspec.Struct):
    container: _Container


_decode = msgspec.json.Decoder(_Described).decode


def described(data: bytes) -> tuple[str, bytes] | None:
    """Id and name of the container that a container event's JSON describes, None where it describes none."""
    try:
        found = _decode(data).container
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found.id[:12], found.name[:_LONGEST_NAME].encode("utf-8", "backslashreplace")
