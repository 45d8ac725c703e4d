"""What control groups and container events say of containers: pure functions over hostile bytes."""

from __future__ import annotations

_MARKS = (b"docker-", b"docker/", b"crio-", b"libpod-", b"cri-containerd-")
"""What stands in front of an id."""
_PLACES = (b"/lxc/", b"/lxc.payload.", b"machine.slice/", b"garden/")
"""The same, of what is taken only where none of the marks is."""
_HEX = frozenset(b"0123456789abcdef")
_FIRST = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_INNER = _FIRST | frozenset(b"_.-")
_LONGEST = 4096  # bytes of control groups that recorders keep
_LONGEST_NAME = 256
_MOST_KNOWN = 256
_LONGEST_ID = 64


_known: dict[bytes, str | None] = {}


def container_of(cgroups: bytes) -> str | None:
    """The container id that a list of control groups names (12 characters of a hash, or a name), None for the host."""
    if cgroups not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[cgroups] = _named(cgroups)
    return _known[cgroups]


def _named(cgroups: bytes) -> str | None:
    for group in cgroups[:_LONGEST].split(b"\0"):
        name = _behind(group, _MARKS) or _behind(group, _PLACES)
        if name is None and b"kubepods" in group:
            parts = reversed(group.split(b"kubepods", 1)[1].split(b"/")[1:])
            name = next(filter(None, (_id_at(part, 0) for part in parts)), None)
        if name is not None:
            return name[:12].decode() if len(name) >= 32 and _HEX.issuperset(name) else name.decode()
    return None


def _behind(group: bytes, marks: tuple[bytes, ...]) -> bytes | None:
    """The first id that stands behind one of the marks."""
    first, found = len(group), None
    for mark in marks:
        at = group.find(mark)
        while 0 <= at < first:
            name = _id_at(group, at + len(mark))
            if name is not None:
                first, found = at, name
            at = group.find(mark, at + 1)
    return found


def _id_at(text: bytes, at: int) -> bytes | None:
    """The id that begins there: 64 or 32 hexadecimal digits, else a name of 3 to 64 characters; else None."""
    name = text[at : at + _LONGEST_ID]
    digits = next((index for index, byte in enumerate(name) if byte not in _HEX), len(name))
    if digits >= 32:
        return name[: 64 if digits == 64 else 32]
    if name[:1] and name[0] in _FIRST:
        name = name[: next((index for index, byte in enumerate(name) if byte not in _INNER), len(name))]
        return name if len(name) > 2 else None
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
