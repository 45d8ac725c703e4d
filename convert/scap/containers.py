"""What control groups and container events say of containers: pure functions over hostile bytes."""

from __future__ import annotations

_ID = rb"([0-9a-f]{64}|[0-9a-f]{32}|[A-Za-z0-9][A-Za-z0-9_.-]{2,63})"
_MARKED = rb"(?:docker[-/]|crio-|libpod-|cri-containerd-)" + _ID
_PLACED = rb"(?:/lxc/|/lxc\.payload\.|machine\.slice/|garden/)" + _ID
_HEX = rb"[0-9a-f]{32,64}"
_HINTS = (b"docker", b"crio-", b"libpod-", b"cri-containerd-", b"/lxc", b"machine.slice/", b"garden/", b"kubepods")
"""One of these stands in each group that names a container: most groups need no regular expression."""
_LONGEST = 4096  # bytes of control groups that recorders keep
_LONGEST_NAME = 256
_MOST_KNOWN = 256


_known: dict[bytes, str | None] = {}


def container_of(cgroups: bytes) -> str | None:
    """The container id that a list of control groups names (12 characters of a hash, or a name), None for the host."""
    if not any(hint in cgroups for hint in _HINTS):
        return None
    if cgroups not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[cgroups] = _named(cgroups)
    return _known[cgroups]


def _named(cgroups: bytes) -> str | None:
    import re

    for group in cgroups[:_LONGEST].split(b"\0"):
        found = re.search(_MARKED, group) or re.search(_PLACED, group)
        if found is None and b"kubepods" in group:
            parts = reversed(group.split(b"kubepods", 1)[1].split(b"/")[1:])
            found = next(filter(None, (re.match(_ID, part) for part in parts)), None)
        if found is not None:
            name = found.group(1)
            return name[:12].decode() if re.fullmatch(_HEX, name) else name.decode()
    return None


def described(data: bytes) -> tuple[str, bytes] | None:
    """Id and name of the container that a container event's JSON describes, None where it describes none."""
    import msgspec

    from .container_json import decode

    try:
        found = decode(data).container
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found.id[:12], found.name[:_LONGEST_NAME].encode("utf-8", "backslashreplace")
