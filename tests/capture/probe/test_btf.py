"""Places of members: from type information made by hand, and from the running kernel's."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from syswire.capture.probe import btf
from syswire.capture.probe.btf import Btf
from syswire.convert.errors import MachineError

INT, POINTER, ARRAY, STRUCT, UNION, TYPEDEF, CONST = 1, 2, 3, 4, 5, 8, 10


class Made:
    """Type information, built type by type; numbers count from 1."""

    def __init__(self) -> None:
        self.types = b""
        self.text = b"\0"

    def name(self, name: str) -> int:
        """The place of a name among the names; 0 for none."""
        if not name:
            return 0
        place = len(self.text)
        self.text += name.encode() + b"\0"
        return place

    def add(self, kind: int, name: str, last: int, count: int = 0, tail: bytes = b"", flag: int = 0) -> None:
        """One type."""
        self.types += struct.pack("<III", self.name(name), flag << 31 | kind << 24 | count, last) + tail

    def members(self, *members: tuple[str, int, int]) -> bytes:
        """Name, type and place in bits of each."""
        return b"".join(struct.pack("<III", self.name(name), inner, bits) for name, inner, bits in members)

    def data(self) -> bytes:
        """The whole."""
        head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self.types), len(self.types), len(self.text))
        return head + self.types + self.text


@pytest.fixture
def made() -> Btf:
    """struct outer { int a; union { struct inner in; long b; }; const alias *p; alias q; int bits:3 (flagged) };"""
    m = Made()
    m.add(INT, "int", 4, tail=bytes(4))  # 1
    m.add(STRUCT, "inner", 8, 2, m.members(("x", 1, 0), ("y", 1, 32)))  # 2
    m.add(UNION, "", 8, 2, m.members(("in", 2, 0), ("b", 1, 0)))  # 3
    m.add(TYPEDEF, "alias", 2)  # 4
    m.add(CONST, "", 4)  # 5
    m.add(POINTER, "", 5)  # 6
    m.add(ARRAY, "", 0, tail=struct.pack("<III", 1, 1, 3))  # 7
    m.add(STRUCT, "outer", 40, 5, m.members(("a", 1, 0), ("", 3, 64), ("p", 6, 128), ("q", 5, 192), ("r", 7, 256)))  # 8
    m.add(STRUCT, "flagged", 8, 2, m.members(("one", 1, 3 << 24 | 0), ("two", 1, 32)), flag=1)  # 9
    m.add(19, "enumeration", 8, 1, bytes(12))  # 10
    m.add(STRUCT, "last", 4, 1, m.members(("z", 1, 0)))  # 11
    return Btf(m.data())


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("outer.a", 0),
        ("outer.in", 8),
        ("outer.in.y", 12),
        ("outer.b", 8),
        ("outer.p", 16),
        ("outer.q.y", 28),
        ("outer.r", 32),
        ("flagged.two", 4),
        ("last.z", 0),
        ("outer.none", None),
        ("outer.a.none", None),
        ("none.a", None),
        ("outer", None),
    ],
)
def test_places(made: Btf, path: str, place: int | None) -> None:
    assert made.offset(path) == place


def test_sizes(made: Btf) -> None:
    assert (made.size("outer"), made.size("inner"), made.size("none")) == (40, 8, None)
    assert (made.member_size("outer.a"), made.member_size("outer.p"), made.member_size("outer.in")) == (4, 8, 8)
    assert made.member_size("outer.none") is None


@pytest.mark.parametrize("data", [b"", b"\x9f\xeb", bytes(64)])
def test_what_is_no_type_information(data: bytes) -> None:
    with pytest.raises(MachineError, match="BTF"):
        Btf(data)


def test_a_kernel_without(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="CONFIG_DEBUG_INFO_BTF"):
        btf.running(tmp_path / "vmlinux")


def test_the_running_kernel() -> None:
    if not btf.KERNEL.exists():
        pytest.skip("the kernel offers no type information")
    kernel = btf.running()
    # fixed by the x86-64 system call interface (arch/x86/include/uapi/asm/ptrace.h)
    registers = [kernel.offset(f"pt_regs.{name}") for name in ("r10", "r9", "r8", "dx", "si", "di", "orig_ax")]
    assert registers == [56, 64, 72, 96, 104, 112, 120]
    assert kernel.size("pt_regs") == 168
