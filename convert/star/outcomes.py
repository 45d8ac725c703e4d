"""A filter judged on rows: what its checks say of a thread, of a descriptor and of an event type, each asked once.

The checks of a filter fall into three groups by the row that they depend on; all others (parameters, times, counts)
stay open. What the checks of a group say of a row is that row's outcome; outcomes are few and have small numbers. The
verdict on an event follows from three of them: no, yes, or open, and then the plain evaluator decides.
"""

from __future__ import annotations

from ..filters.judge import holds
from ..filters.tree import And, Check, Not
from ..trace.model import INFOS, Event
from .codes import PROBE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from ..filters.judge import BoundCheck, Filter
    from ..filters.tree import Tree
    from ..trace.model import Fd, Thread, Trace

    Outcome = tuple[bool | None, ...]
    """What each check of a group says, None where it is open."""

NO, YES, OPEN = range(3)
MOST: Final = 256
"""Outcomes of a group; what comes after so many different ones stays open."""

BY_CODE: Final = frozenset(("evt.dir", "evt.is_io", "evt.is_io_read", "evt.is_io_write", "evt.io_dir", "evt.is_wait"))
"""Fields that depend on the event type alone."""
BY_NAME: Final = frozenset(("fd.name", "fd.directory", "fd.filename", "fd.typechar"))
"""Of a descriptor, with something to say where it is not known too."""
BY_EVENT: Final = frozenset(("thread.tid",))
"""Of a thread, but of the event where nothing is known of its thread."""
BY_SOCKET: Final = frozenset(
    (
        "fd.type", "fd.l4proto", "fd.sockfamily", "fd.ip", "fd.cip", "fd.sip", "fd.lip", "fd.rip", "fd.port",
        "fd.cport", "fd.sport", "fd.lport", "fd.rport", "fd.net", "fd.cnet", "fd.snet", "fd.lnet", "fd.rnet",
        "fd.proto", "fd.cproto", "fd.sproto", "fd.lproto", "fd.rproto",
    )
)  # fmt: skip
"""Of a descriptor alone, and the same for all files."""
BY_KIND: Final = frozenset(("fd.type", "fd.typechar", "fd.l4proto", "fd.sockfamily"))
GENERIC: Final = frozenset(("syscall",))
ASKING: Final = frozenset(
    ("evt.deltatime", "evt.deltatime.s", "evt.deltatime.ns", "thread.exectime", "thread.totexectime", "thread.cpu",
     "thread.cpu.user", "thread.cpu.system")
)  # fmt: skip
"""Fields that remember when they were last asked for: the order of the checks matters to them."""


def group(name: str, klass: str) -> str:
    """The row that a field depends on: P (thread), D (descriptor), C (event type), E (none of these)."""
    if klass == "P":
        return "P"
    if name in BY_NAME or name in BY_SOCKET:
        return "D"
    return "C" if name in BY_CODE or name == "evt.type" else "E"


class Outcomes:
    """The outcomes of one group of checks, numbered as they come; number 0 is: all open."""

    def __init__(self, checks: Sequence[BoundCheck]) -> None:
        self.checks = checks
        self.rows: list[Outcome] = [(None,) * len(checks)]
        self._number = {self.rows[0]: 0}

    def number(self, outcome: Outcome) -> int:
        """The outcome's number; 0 where there are too many."""
        found = self._number.get(outcome)
        if found is None:
            if len(self.rows) >= MOST:
                return 0
            found = self._number[outcome] = len(self.rows)
            self.rows.append(outcome)
        return found

    def of(self, event: Event, open_names: frozenset[str] = frozenset()) -> int:
        """The number of what the checks say at the event; those on `open_names` stay open."""
        return self.number(
            tuple(
                None if check.field.name in open_names else holds(check, check.field.extract(event, check.argument))
                for check in self.checks
            )
        )


class Verdicts:
    """A filter on rows. `thread`, `descriptor` and `code` number outcomes, `verdict` says what three of them mean."""

    def __init__(self, trace: Trace, wanted: Sequence[Filter]) -> None:
        """All filters of `wanted` must hold."""
        self._trace = trace
        self._trees = [(one.tree, {id(bound.check): bound for bound in one.checks}) for one in wanted if one.tree]
        checks = [bound for one in wanted for bound in one.checks]
        kinds = {kind: [c for c in checks if group(c.field.name, c.field.klass) == kind] for kind in "PDC"}
        self.threads, self.descriptors, self.codes = (Outcomes(kinds[kind]) for kind in "PDC")
        self._place = {id(c.check): (kind, index) for kind in kinds for index, c in enumerate(kinds[kind])}
        names = {check.field.name for check in self.descriptors.checks}
        self.named = bool(names & BY_NAME)
        """Whether files differ by their names."""
        self.by_kind = names <= BY_KIND
        """Whether sockets differ by their kind, transport and role alone."""
        self.absent = self.descriptors.of(self._probe(None, None), BY_NAME)
        """Of an event whose descriptor is not known."""
        self.nobody = self.threads.of(self._probe(None, None), BY_EVENT)
        """Of an event whose thread is not known."""
        self.none = self.descriptors.number((False,) * len(self.descriptors.checks))
        """Of an event type without descriptors."""

    def _probe(self, thread: Thread | None, fd: Fd | None) -> Event:
        event = Event(self._trace, INFOS[PROBE], PROBE, 0, 0, ())
        event.thread, event.fd = thread, fd
        return event

    def thread(self, thread: Thread) -> int:
        """The outcome of a thread."""
        return self.threads.of(self._probe(thread, None)) if self.threads.checks else 0

    def descriptor(self, thread: Thread, fd: Fd) -> int:
        """The outcome of a descriptor."""
        return self.descriptors.of(self._probe(thread, fd)) if self.descriptors.checks else 0

    def code(self, code: int) -> int:
        """The outcome of an event type; open for generic events, whose name is in a parameter."""
        event = Event(self._trace, INFOS[code], code, 0, 0, ())
        return 0 if INFOS[code].name in GENERIC else self.codes.of(event)

    def verdict(self, thread: int, descriptor: int, code: int) -> int:
        """NO, YES or OPEN."""
        rows = {"P": self.threads.rows[thread], "D": self.descriptors.rows[descriptor], "C": self.codes.rows[code]}

        def said(check: Check) -> bool | None:
            kind, index = self._place.get(id(check), ("", 0))
            return rows[kind][index] if kind else None

        found = [_judged(tree, said) for tree, _ in self._trees]
        if False in found:
            return NO
        return OPEN if None in found else YES


def _judged(tree: Tree, said: Callable[[Check], bool | None]) -> bool | None:
    """The three-valued judgement of a tree: None is open."""
    if isinstance(tree, Check):
        return said(tree)
    if isinstance(tree, Not):
        found = _judged(tree.child, said)
        return None if found is None else not found
    decisive = not isinstance(tree, And)
    all_found = [_judged(child, said) for child in tree.children]
    if decisive in all_found:
        return decisive
    return None if None in all_found else not decisive


__all__ = ["ASKING", "NO", "OPEN", "YES", "Verdicts", "group"]
