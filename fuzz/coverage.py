"""Which branches the compiled modules took: coverage.c as Python sees it, and lines from addresses."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

MADE_IN = "build/cython/"
HANDED_ON = ("cmp1", "cmp2", "cmp4", "cmp8", "const_cmp1", "const_cmp2", "const_cmp4", "const_cmp8", "switch")
REGISTERS = ("__sanitizer_cov_8bit_counters_init", "__sanitizer_cov_pcs_init")
CALL = re.compile(r"^\s*([0-9a-f]+):\s+call\s+[0-9a-f]+ <__sanitizer_cov_trace_pc@plt>", re.MULTILINE)
SOURCE_LINE = re.compile(r'^\s*/\* "(?:syswire/)?([^"]+\.p[yx][xd]?)":(\d+)$')
PLACE = re.compile(r"^(.*):(\d+)(?: |$)")


class Place(NamedTuple):
    """The address behind a call of __sanitizer_cov_trace_pc: the module's file, and the offset in it."""

    module: str
    offset: int


class Counters:
    """The counters of coverage.c, which has to be preloaded."""

    def __init__(self) -> None:
        """Raises AttributeError where coverage.c is not there."""
        self._library = ctypes.CDLL(None)
        self._library.fuzz_counters.restype = ctypes.c_void_p
        self._library.fuzz_places.restype = ctypes.c_void_p

    @property
    def reached(self) -> int:
        """How many blocks were reached so far."""
        return int(self._library.fuzz_reached())

    def hand_to(self, library: ctypes.CDLL) -> None:
        """Let the libFuzzer in `library` use the counters and see the comparisons."""
        names = (*(f"__sanitizer_cov_trace_{name}" for name in HANDED_ON), *REGISTERS)
        functions = [ctypes.cast(getattr(library, name), ctypes.c_void_p) for name in names]
        self._library.fuzz_hand_on((ctypes.c_void_p * len(functions))(*functions))
        most = int(self._library.fuzz_most())
        for name, begin, size in zip(
            REGISTERS, (self._library.fuzz_counters(), self._library.fuzz_places()), (1, 16), strict=True
        ):
            register = getattr(library, name)
            register.argtypes = [ctypes.c_void_p] * 2
            register(begin, begin + size * most)

    def places(self) -> list[Place]:
        """Every block reached so far."""
        table = ctypes.cast(self._library.fuzz_places(), ctypes.POINTER(ctypes.c_size_t))
        addresses = sorted(table[2 * number] for number in range(self.reached))
        found = []
        for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
            span, mode, offset, _, _, *name = line.split(maxsplit=5)
            if "x" in mode and name:
                begin, end = (int(text, 16) for text in span.split("-"))
                found += [Place(name[0], at - begin + int(offset, 16)) for at in addresses if begin <= at < end]
        return found


def blocks(module: Path) -> set[int]:
    """All blocks of a compiled module that are counted: the offsets behind the calls."""
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", module], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return {int(at, 16) + 5 for at in CALL.findall(text)}


def source_lines(module: Path, offsets: list[int], built: Path) -> dict[int, tuple[str, int]]:
    """Offset to (file, line) of the Cython source, for those that belong to one; `built` is where the .c files are."""
    asked = "".join(f"{offset - 1:x}\n" for offset in offsets)
    told = subprocess.run(
        ["addr2line", "-e", module], input=asked, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    comments: dict[str, list[tuple[str, int] | None]] = {}
    lines = {}
    for offset, line in zip(offsets, told, strict=True):
        place = PLACE.match(line)
        if place is None or not place[1].endswith(".c"):
            continue
        name = place[1]
        if name not in comments:
            _, known_part, rest = name.partition(MADE_IN)  # as it lay when it was compiled; the tree may have moved
            path = built / f"{known_part}{rest}"
            comments[name] = cython_lines(path) if known_part and path.is_file() else []
        at = int(place[2])
        known = comments[name]
        if at < len(known) and (found := known[at]) is not None:
            lines[offset] = found
    return lines


def cython_lines(path: Path) -> list[tuple[str, int] | None]:
    """By line of a .c file the Cython line that it was made of; none for Cython's own helpers."""
    found: list[tuple[str, int] | None] = [None]
    now: tuple[str, int] | None = None
    for line in path.read_text("utf-8", "replace").splitlines():
        match = SOURCE_LINE.match(line)
        if match:
            now = (match[1], int(match[2]))
        elif line.startswith("/* #### Code section:"):
            now = None
        found.append(now)
    return found


class Covered(NamedTuple):
    """What was reached of one source file, of what could be."""

    lines: int
    all_lines: int
    blocks: int
    all_blocks: int


def by_file(places: set[Place], tree: Path) -> dict[str, Covered]:
    """Lines and blocks reached by source file; modules of which nothing was reached are left out.

    A line counts as reached when one of its blocks was; a line without a block of its own counts nowhere.
    """
    reached: dict[str, set[int]] = defaultdict(set)
    for place in places:
        reached[place.module].add(place.offset)
    lines: dict[str, dict[int, bool]] = defaultdict(dict)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, offsets in sorted(reached.items()):
        module = Path(name)
        if tree not in module.parents or not module.is_file():
            continue
        everything = blocks(module)
        for offset, (source, line) in source_lines(module, sorted(everything), tree).items():
            hit = offset in offsets
            lines[source][line] = lines[source].get(line, False) or hit
            counts[source][0] += hit
            counts[source][1] += 1
    return {
        source: Covered(sum(known.values()), len(known), *counts[source]) for source, known in sorted(lines.items())
    }
