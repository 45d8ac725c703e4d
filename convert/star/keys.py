"""The key of a sum in parts: what of it depends on the thread, on the descriptor, on the event type."""

from __future__ import annotations

from ..filters.fields.table import FieldProblem, field, render
from ..trace.model import INFOS, Event
from .codes import PROBE
from .outcomes import BY_NAME, GENERIC, group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from ..filters.fields.field import Field
    from ..trace.model import Fd, Thread, Trace

    class Sums(Protocol):
        """Who sums: `add` takes a key, one text for each of `key_names`, and a number greater than 0."""

        @property
        def key_names(self) -> Sequence[str]:
            """The fields of the key."""

        @property
        def value_name(self) -> str:
            """The field that is summed."""

        def add(self, key: tuple[str, ...], value: float) -> None:
            """Add to the key's sum."""

    Part = tuple[str, ...]

VALUES = ("evt.rawarg.res", "evt.count")
"""Values that the compiled walk can take from an event: what a call returned, and one for each."""


class Keys:
    """Gives the parts of keys. `order` says for each field of the key which part it is in (P, D or C), and where."""

    def __init__(self, trace: Trace, names: Sequence[str]) -> None:
        """Raises FieldProblem where a field is none, or depends on more than a row."""
        self._trace = trace
        self._event = Event(trace, INFOS[PROBE], PROBE, 0, 0, ())  # asked for the parts of rows
        self._fields: dict[str, list[tuple[Field, str | None]]] = {"P": [], "D": [], "C": []}
        self.order: list[tuple[str, int]] = []
        for name in names:
            found, argument = field(name)
            kind = group(found.name, found.klass)
            if kind == "E" or found.filter_only:
                raise FieldProblem(f"{name} is not of a row")
            self.order.append((kind, len(self._fields[kind])))
            self._fields[kind].append((found, argument))
        self.named = any(found.name in BY_NAME for found, _ in self._fields["D"])
        """Whether files differ by their names."""

    def _part(self, kind: str, event: Event) -> Part | None:
        out = []
        for found, argument in self._fields[kind]:
            value = found.extract(event, argument)
            if value is None or isinstance(value, tuple):
                return None
            out.append(value if type(value) is str else render(found, value))
        return tuple(out)

    def thread(self, thread: Thread) -> Part | None:
        """The thread's part; None where something is missing."""
        self._event.thread, self._event.fd = thread, None
        return self._part("P", self._event)

    def descriptor(self, thread: Thread, fd: Fd) -> Part | None:
        """The descriptor's part; None where something is missing."""
        self._event.thread, self._event.fd = thread, fd
        return self._part("D", self._event)

    def code(self, code: int) -> Part | None:
        """The event type's part; None for generic events too, whose name is in a parameter."""
        if INFOS[code].name in GENERIC:
            return None
        return self._part("C", Event(self._trace, INFOS[code], code, 0, 0, ()))


__all__ = ["VALUES", "Keys"]
