"""All fields by name, what a name with its argument means, and how values are written."""

from __future__ import annotations

from ...scap.event_table import EVENTS, PARAM_SIZES
from ...trace.values import ip_text
from ..errors import did_you_mean, nearest
from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from .field import Value

FAMILIES: Final = {
    "evt": "evt", "syscall": "evt", "proc": "proc", "thread": "proc", "user": "identity", "group": "identity",
    "container": "container", "fd": "fd", "syslog": "syslog", "fdlist": "polled", "k8s": "absent", "mesos": "absent",
    "marathon": "absent", "span": "absent", "evtin": "absent",
}  # fmt: skip
"""The module beside this one that has the rows, by what stands before the first point of a name."""


def rows_of(module: str) -> tuple[Field, ...]:
    """The rows of a module beside this one, which is imported only now."""
    match module:
        case "evt":
            from . import evt

            return evt.FIELDS
        case "proc":
            from . import proc

            return proc.FIELDS
        case "identity":
            from . import identity

            return identity.FIELDS
        case "container":
            from . import container

            return container.FIELDS
        case "fd":
            from . import fd

            return fd.FIELDS
        case "syslog":
            from . import syslog

            return syslog.FIELDS
        case "polled":
            from . import polled

            return polled.FIELDS
    from . import absent

    return absent.FIELDS


class Fields:
    """Every field by its name, as a mapping; the rows of a family are imported when the first of them is asked for."""

    def __init__(self) -> None:
        self._known: dict[str, Field] = {}
        self._read: set[str] = set()

    def get(self, name: str) -> Field | None:
        """The field of that name; None where there is none."""
        module = FAMILIES.get(name.partition(".")[0])
        if module is not None and module not in self._read:
            self._read.add(module)
            self._known |= {row.name: row for row in rows_of(module)}
        return self._known.get(name)

    def _all(self) -> dict[str, Field]:
        return {row.name: row for module in dict.fromkeys(FAMILIES.values()) for row in rows_of(module)}

    def __getitem__(self, name: str) -> Field:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def keys(self) -> set[str]:
        """All names."""
        return set(self._all())

    def values(self) -> list[Field]:
        """All fields, family by family."""
        return list(self._all().values())


FIELDS: Final = Fields()


class Names:
    """Names that are gathered when they are first asked for."""

    def __init__(self, gather: Callable[[], frozenset[str]]) -> None:
        self._gather = gather
        self._known: frozenset[str] | None = None

    def _all(self) -> frozenset[str]:
        if self._known is None:
            self._known = self._gather()
        return self._known

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())


def _event_names() -> frozenset[str]:
    from ...scap.event_table import SYSCALLS, SYSDIG_EVENT_NAMES, SYSDIG_SYSCALL_NAMES

    old = (*SYSDIG_EVENT_NAMES.values(), *SYSDIG_SYSCALL_NAMES.values())
    return frozenset(("packet", *(row[0] for row in EVENTS), *SYSCALLS, *old)) - {""}


def _argument_names() -> frozenset[str]:
    from ...trace.arguments import OLD_NAMES

    return frozenset((*(param[0] for row in EVENTS for param in row[4]), *OLD_NAMES.values()))


def _numeric_arguments() -> frozenset[str]:
    others = {param[0] for row in EVENTS for param in row[4] if not PARAM_SIZES[param[1]]}
    return frozenset(ARGUMENT_NAMES) - others


def _not_in_packets() -> frozenset[str]:
    families = (
        "proc.", "thread.", "user.", "group.", "container.", "fdlist.", "syslog.", "fd.container", "fd.dev",
    )  # fmt: skip
    names = (name for name in FIELDS if name.startswith(families))
    return frozenset(("fd.num", "fd.uid", "fd.is_server", "evt.cpu", *names))


EVENT_NAMES: Final = Names(_event_names)
"""What evt.type may be; `packet` is what events of packet captures are."""
ARGUMENT_NAMES: Final = Names(_argument_names)
"""The names of parameters of all event types."""
NUMERIC_ARGUMENTS: Final = Names(_numeric_arguments)
"""Those of them that are numbers wherever they occur."""
NOT_IN_PACKETS: Final = Names(_not_in_packets)
"""The fields of what no packet tells: processes, descriptors' numbers, and whose machine it is."""
NUMBERED: Final = ("proc.apid", "proc.aname")
MISSING: Final = "<NA>"


class FieldProblem(ValueError):
    """A name that means no field: what is wrong, what to do, and where in the name."""

    def __init__(self, message: str, hint: str = "", place: int = 0) -> None:
        super().__init__(message, hint, place)
        self.message = message
        self.hint = hint
        self.place = place


def field(text: str) -> tuple[Field, str | None]:
    """The field that a text names, and its argument: proc.name, evt.arg.fd, evt.arg[0]. Raises FieldProblem."""
    if (row := FIELDS.get(text)) is not None:
        if row.argument == "required":
            raise FieldProblem(f"{text} needs an argument", f"such as {example(text)}", len(text))
        return row, None
    name, bracket, rest = text.partition("[")
    if bracket:
        if (row := FIELDS.get(name)) is not None and rest.endswith("]"):
            return row, argument_of(row, rest[:-1], len(name) + 1, True)
    else:
        at = len(text)
        while (at := text.rfind(".", 0, at)) > 0:
            if (row := FIELDS.get(text[:at])) is not None and row.argument != "none":
                return row, argument_of(row, text[at + 1 :], at + 1, False)
    raise FieldProblem(f"there is no field {text[:60]}", hint_for(name))


def hint_for(name: str) -> str:
    """What the name of a field that does not exist may have meant."""
    found = nearest(name, FIELDS)
    return did_you_mean(name, FIELDS) if found else "syswire read -l lists all"


def example(name: str) -> str:
    """How a field with an argument is written."""
    return {
        "evt.arg": "evt.arg.fd", "evt.rawarg": "evt.rawarg.res", "evt.type.is": "evt.type.is.open",
        "thread.cgroup": "thread.cgroup.memory", "evt.around": "evt.around[1404996934793590564]",
    }.get(name, f"{name}.NAME" if name.endswith("label") else f"{name}[0]")  # fmt: skip


def argument_of(row: Field, argument: str, place: int, in_brackets: bool) -> str:
    """The argument, if the field may have it. Raises FieldProblem."""
    if row.argument == "none":
        raise FieldProblem(f"{row.name} takes no argument", "", place - 1)
    if not argument:
        raise FieldProblem(f"the argument of {row.name} is missing", f"such as {example(row.name)}", place)
    if row.name in ("evt.arg", "evt.rawarg"):
        if in_brackets and not argument.isdigit():
            raise FieldProblem(
                f"{argument[:40]} is not the number of an argument", f"write {row.name}.{argument[:40]}", place
            )
        if not in_brackets and argument not in ARGUMENT_NAMES:
            raise FieldProblem(
                f"no event has an argument {argument[:40]}", did_you_mean(argument, ARGUMENT_NAMES), place
            )
    elif row.name == "evt.type.is" and argument not in EVENT_NAMES:
        raise FieldProblem(f"there is no event {argument[:40]}", did_you_mean(argument, EVENT_NAMES), place)
    elif (row.name in NUMBERED or row.name == "evt.around") and not (
        argument.isascii() and argument.isdigit() and len(argument) < 20
    ):
        raise FieldProblem(f"{argument[:40]} is not a number", f"such as {example(row.name)}", place)
    return argument


def prefix_field(text: str, place: int) -> tuple[Field, str | None, int]:
    """The longest field that begins at `place`, its argument, and where it ends: as formats name fields, with nothing
    between a field and what follows. Of proc.apid and proc.aname without a number
    the process itself is shown. Raises FieldProblem, whose place counts from `place`.
    """
    end = place
    while end < len(text) and (text[end].isalnum() or text[end] in "._"):
        end += 1
    word = text[place:end]
    if not word:
        raise FieldProblem("a field is missing", "such as %proc.name")
    for length in range(min(len(word), 64), 0, -1):
        row = FIELDS.get(word[:length])
        if row is None:
            continue
        at = place + length
        if row.argument != "none" and text[at : at + 1] == "[" and (closed := text.find("]", at)) > 0:
            return row, argument_of(row, text[at + 1 : closed], length + 1, True), closed + 1
        if row.argument != "none" and text[at : at + 1] == "." and length < len(word) - 1:
            argument = word[length + 1 :]
            if row.name in ("evt.arg", "evt.rawarg", "evt.type.is"):
                names = EVENT_NAMES if row.name == "evt.type.is" else ARGUMENT_NAMES
                argument = next(
                    (argument[:cut] for cut in range(len(argument), 0, -1) if argument[:cut] in names), argument
                )
            return row, argument_of(row, argument, length + 1, False), at + 1 + len(argument)
        if row.argument == "required":
            raise FieldProblem(f"{row.name} needs an argument", f"such as {example(row.name)}", length)
        return row, "0" if row.name in NUMBERED else None, at
    raise FieldProblem(f"there is no field {word[:60]}", hint_for(word))


def render(row: Field, value: Value) -> str:
    """A value as sysdig writes it; buffers are left to the listing, here they are decoded."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, int):
        return (
            f"{value:09d}" if row.shown == "padded" else f"{value & 0xFFFFFFFF:X}" if row.shown == "hex" else str(value)
        )
    if isinstance(value, bytes):
        if row.type in ("ipaddr", "ipnet"):
            return ip_text(value)
        return value.decode("utf-8", "surrogateescape")
    return value


__all__ = [
    "ARGUMENT_NAMES", "EVENT_NAMES", "FIELDS", "MISSING", "NOT_IN_PACKETS", "NUMERIC_ARGUMENTS", "Field",
    "FieldProblem", "field", "prefix_field", "render",
]  # fmt: skip
