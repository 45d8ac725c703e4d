"""Places of members in the running kernel's structs, read from its own type information (BTF).

The kernel's headers on the machine may be of another version than the kernel that runs; this is always its own.
Format: Documentation/bpf/btf.rst of the kernel.
"""

from __future__ import annotations

import struct
from array import array
from pathlib import Path
from typing import Final

from ...convert.errors import MachineError

KERNEL: Final = Path("/sys/kernel/btf/vmlinux")
_MAGIC: Final = 0xEB9F
_HEADER: Final = struct.Struct("<HBBIIIII")
_TYPE: Final = struct.Struct("<III")
_MEMBER: Final = struct.Struct("<III")
_INT, _ARRAY, _STRUCT, _UNION, _ENUM, _PROTO, _VAR, _DATASEC, _TAG, _ENUM64 = 1, 3, 4, 5, 6, 13, 14, 15, 17, 19
# typedef, volatile, const, restrict, type tag: they only wrap another type
_WRAPS: Final = frozenset((8, 9, 10, 11, 18))
_DEPTH: Final = 16


class Btf:
    """The structs and unions of one kernel."""

    def __init__(self, data: bytes) -> None:
        """Index the types in `data`; raise MachineError if it is not BTF."""
        if len(data) < _HEADER.size or _HEADER.unpack_from(data)[0] != _MAGIC:
            raise MachineError("the kernel's type information (BTF) is not readable: its head is wrong")
        _, _, _, head, type_at, type_size, text_at, text_size = _HEADER.unpack_from(data)
        self._types = data[head + type_at : head + type_at + type_size]
        self._text = data[head + text_at : head + text_at + text_size]
        self._starts = array("I", [0])  # type number to its place; number 0 is void
        self._named: dict[str, int] = {}
        self._index()

    def offset(self, path: str) -> int | None:
        """Bytes from the start of a struct to a member, written `struct.member` or `struct.member.member`.

        Members of unnamed structs and unions count as the outer one's, as in C. None: no such struct or member.
        """
        name, *members = path.split(".")
        number = self._named.get(name)
        total = 0
        for member in members:
            found = None if number is None else self._member(number, member, 0)
            if found is None:
                return None
            place, number = found
            total += place
        return total if members and number is not None else None

    def size(self, name: str) -> int | None:
        """Bytes of a struct; None: there is none of that name."""
        number = self._named.get(name)
        return None if number is None else int(_TYPE.unpack_from(self._types, self._starts[number])[2])

    def member_size(self, path: str) -> int | None:
        """Bytes of the member that `path` names (as for `offset`); None: no such member, or its type has no size."""
        name, *members = path.split(".")
        number = self._named.get(name)
        for member in members:
            found = None if number is None else self._member(number, member, 0)
            number = None if found is None else found[1]
        if number is None:
            return None
        kind, _, info = self._head(number)
        if kind == 2:  # a pointer
            return 8
        return info if kind in {_INT, _STRUCT, _UNION, _ENUM, _ENUM64} else None

    def _index(self) -> None:
        """Walk all types once, to know where each starts and what the structs are called."""
        place, end = 0, len(self._types)
        unpack, starts, named = _TYPE.unpack_from, self._starts, self._named
        try:
            while place < end:
                name, info, _ = unpack(self._types, place)
                kind, count = info >> 24 & 31, info & 0xFFFF
                if kind in {_STRUCT, _UNION}:
                    if name:
                        named.setdefault(self._string(name), len(starts))
                    more = count * 12
                elif kind in {_DATASEC, _ENUM64}:
                    more = count * 12
                elif kind in {_ENUM, _PROTO}:
                    more = count * 8
                else:
                    more = 12 if kind == _ARRAY else 4 if kind in {_INT, _VAR, _TAG} else 0
                starts.append(place)
                place += 12 + more
        except struct.error as error:
            raise MachineError("the kernel's type information (BTF) ends in the middle of a type") from error

    def _string(self, place: int) -> str:
        """A name from the table of names."""
        end = self._text.find(b"\0", place)
        return self._text[place:end].decode("utf-8", "replace")

    def _head(self, number: int) -> tuple[int, int, int]:
        """Kind, number of members, and size or inner type, of a type without its wraps."""
        for _ in range(_DEPTH):
            _, info, last = _TYPE.unpack_from(self._types, self._starts[number])
            kind = info >> 24 & 31
            if kind not in _WRAPS:
                return kind, info & 0xFFFF, last
            number = last
        return 0, 0, 0

    def _unwrapped(self, number: int) -> int:
        """The number of the type inside typedefs and qualifiers."""
        for _ in range(_DEPTH):
            _, info, last = _TYPE.unpack_from(self._types, self._starts[number])
            if info >> 24 & 31 not in _WRAPS:
                break
            number = last
        return number

    def _member(self, number: int, name: str, depth: int) -> tuple[int, int] | None:
        """Place and type of a member, looked for in unnamed members too."""
        number = self._unwrapped(number)
        place = self._starts[number]
        _, info, _ = _TYPE.unpack_from(self._types, place)
        if info >> 24 & 31 not in {_STRUCT, _UNION} or depth > _DEPTH:
            return None
        for index in range(info & 0xFFFF):
            label, inner, bits = _MEMBER.unpack_from(self._types, place + 12 + index * 12)
            start = (bits & 0xFFFFFF if info >> 31 else bits) // 8
            if label:
                if self._string(label) == name:
                    return start, inner
                continue
            found = self._member(inner, name, depth + 1)
            if found is not None:
                return start + found[0], found[1]
        return None


def running(path: Path = KERNEL) -> Btf:
    """The running kernel's types; raise MachineError, with the remedy, where it offers none."""
    try:
        return Btf(path.read_bytes())
    except OSError as error:
        raise MachineError(
            f"the kernel offers no type information ({path}: {error.strerror}): "
            "use a kernel built with CONFIG_DEBUG_INFO_BTF: those of Debian 11, Ubuntu 20.10, RHEL 8.2 and later are"
        ) from error
