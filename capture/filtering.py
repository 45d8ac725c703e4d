"""A filter on what is recorded: which of its conditions the kernel judges, and the judgement of every event after it.

The kernel sees less than the filter's language asks for, so what is pushed down is weaker than the filter or equal to
it: it may let too much pass, never too little. Events are judged again by the plain evaluator before they are written,
unless the kernel judged the whole filter exactly. Events that change what is known of threads and descriptors always
stay.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from ..convert.errors import UsageError
from ..convert.filters.errors import FilterError
from ..convert.filters.judge import Filter, compile_filter
from ..convert.filters.tree import And, Check, Or, Tree
from ..convert.scap.event_table import EF_READS_FROM_FD, EF_WRITES_TO_FD
from ..convert.trace.trace import open_recording
from .output import events_in

COMM = 15  # bytes of a thread's name that the kernel keeps
PORTS = frozenset(f"fd.{side}port" for side in ("", "s", "c", "l", "r"))
ADDRESSES = frozenset(f"fd.{side}ip" for side in ("", "s", "c", "l", "r"))
MAX_VALUES = 256  # of one kind that are pushed down
MOVES_BYTES = EF_READS_FROM_FD | EF_WRITES_TO_FD
MOVES_UNFLAGGED = frozenset(("sendfile", "splice"))  # events that move bytes though the table does not say so
_SIZE = Struct("<I")


@dataclass(frozen=True)
class Pushed:
    """What the kernel is told: an event may pass if each kind that is not empty has a value that fits.

    `whole`: that is all that the filter asks for, and the kernel judges it as exactly as the evaluator would. (By port
    and address it lets pass what has no peer yet.)
    """

    pids: tuple[int, ...] = ()
    comms: tuple[bytes, ...] = ()
    ports: tuple[int, ...] = ()
    addresses: tuple[bytes, ...] = ()
    whole: bool = False


def wanted(text: str) -> Filter:
    """The filter of a text. Raises UsageError, one line, where it is none."""
    try:
        return compile_filter(text)
    except FilterError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise UsageError(f"filter: {error.message}{hint}, at character {error.position + 1}") from None


def push(tree: Tree | None) -> Pushed:
    """The conditions of a filter that the kernel can judge: those that hold whenever the filter does."""
    found: dict[str, tuple[object, ...]] = {}
    parts: tuple[Tree, ...] = () if tree is None else tree.children if isinstance(tree, And) else (tree,)
    whole = bool(parts)
    for part in parts:
        kind, values = _values(part)
        whole = whole and kind in ("pids", "comms") and kind not in found
        if kind and (kind not in found or len(values) < len(found[kind])):
            found[kind] = values
    return Pushed(**found, whole=whole)  # type: ignore[arg-type]


def _values(tree: Tree) -> tuple[str, tuple[object, ...]]:
    """The kind of a condition and its values; no kind where the kernel cannot judge it."""
    if isinstance(tree, Or):
        told = [_values(child) for child in tree.children]
        kinds = {kind for kind, _ in told}
        values = tuple(dict.fromkeys(value for _, some in told for value in some))
        return (told[0][0], values) if len(kinds) == 1 and len(values) <= MAX_VALUES else ("", ())
    if not isinstance(tree, Check) or tree.operator not in ("=", "in") or not 0 < len(tree.values) <= MAX_VALUES:
        return "", ()
    try:
        if tree.field == "proc.pid":
            return "pids", _numbers(tree.values, 1 << 22)
        if tree.field in PORTS:
            return "ports", _numbers(tree.values, 0xFFFF)
        if tree.field in ADDRESSES:
            return "addresses", tuple(dict.fromkeys(ipaddress.ip_address(value).packed for value in tree.values))
    except ValueError:
        return "", ()
    names = tuple(dict.fromkeys(value.encode("utf-8", "surrogateescape") for value in tree.values))
    if tree.field == "proc.name" and all(0 < len(name) <= COMM for name in names):
        return "comms", names
    return "", ()


def _numbers(values: tuple[str, ...], most: int) -> tuple[int, ...]:
    """Whole numbers from 1 on. Raises ValueError where one is none, or is too large."""
    numbers = tuple(dict.fromkeys(int(value, 0) if value[:2] in ("0x", "0X") else int(value) for value in values))
    if any(not 0 < number <= most for number in numbers):
        raise ValueError(values)
    return numbers


class Judged(NamedTuple):
    """What came of some blocks: those to be written, how many of their events were left out (fewer than none where an
    enter that was left out before was needed after all), how many the filter wants, and how many were not looked at.
    """

    blocks: bytes
    filtered: int
    found: int
    beyond: int


class Judge:
    """Judges events as they are recorded; `head` are the blocks that stand in front of them in the file.

    An exit is understood only behind its enter: where the filter wants the one and not the other, the enter comes
    right in front of the exit.
    """

    def __init__(self, filter: Filter, head: bytes) -> None:
        self._judge = filter.judge
        self._trace = open_recording(head)
        self._left: dict[int, tuple[int, bytes]] = {}  # by thread: ordinal and block of the last enter left out

    def __call__(self, blocks: bytes, most: int | None = None) -> Judged:
        """Judge whole event blocks; no further ones once `most` were found that the filter wants."""
        out: list[memoryview | bytes] = []
        view, base = memoryview(blocks), self._trace.position
        run = filtered = found = 0  # run: where the blocks begin that are to be copied next
        for event in self._trace.more(blocks):
            begin = event.offset - base
            end = begin + _SIZE.unpack_from(blocks, begin + 4)[0]
            good = self._judge(event)
            found += good
            if not good and (event.info.flags & MOVES_BYTES or event.name in MOVES_UNFLAGGED):
                out.append(view[run:begin])
                run = end
                filtered += 1
                if not event.is_exit:
                    self._left[event.tid] = event.ordinal, blocks[begin:end]
            elif (
                event.is_exit
                and (left := self._left.pop(event.tid, None)) is not None
                and event.enter is not None
                and event.enter.ordinal == left[0]
            ):
                out += (view[run:begin], left[1])
                run = begin
                filtered -= 1
            if found == most:
                out.append(view[run:end])
                return Judged(b"".join(out), filtered, found, events_in(view[end:]))
        out.append(view[run:])
        if len(self._left) > 2 * len(self._trace.threads) + 1024:
            self._left = {tid: left for tid, left in self._left.items() if tid in self._trace.threads}
        return Judged(b"".join(out), filtered, found, 0)
