"""All fields by name, what a name with its argument means, and how values are written."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final

from ...scap.event_table import EVENTS, PARAM_SIZES, SYSCALLS, SYSDIG_EVENT_NAMES, SYSDIG_SYSCALL_NAMES
from ...trace.arguments import OLD_NAMES
from ..errors import did_you_mean, nearest
from . import absent, container, evt, fd, identity, polled, proc, syslog
from .field import Field, Value

FIELDS: Final[dict[str, Field]] = {
    row.name: row
    for row in (
        *evt.FIELDS, *proc.FIELDS, *identity.FIELDS, *container.FIELDS, *fd.FIELDS, *syslog.FIELDS, *polled.FIELDS,
        *absent.FIELDS,
    )
}  # fmt: skip
"""Every field by its name."""

EVENT_NAMES: Final = frozenset(
    {"packet", *(row[0] for row in EVENTS), *SYSCALLS, *SYSDIG_EVENT_NAMES.values(), *SYSDIG_SYSCALL_NAMES.values()}
) - {""}
"""What evt.type may be; `packet` is what events of packet captures are."""
ARGUMENT_NAMES: Final = frozenset({param[0] for row in EVENTS for param in row[4]} | set(OLD_NAMES.values()))
"""The names of parameters of all event types."""
NUMERIC_ARGUMENTS: Final = ARGUMENT_NAMES - {
    param[0] for row in EVENTS for param in row[4] if not PARAM_SIZES[param[1]]
}
"""Those of them that are numbers wherever they occur."""
NUMBERED: Final = ("proc.apid", "proc.aname")
NOT_IN_PACKETS: Final = frozenset(
    name
    for name in FIELDS
    if name.startswith(
        ("proc.", "thread.", "user.", "group.", "container.", "fdlist.", "syslog.", "fd.container", "fd.dev")
    )
) | {"fd.num", "fd.uid", "fd.is_server", "evt.cpu"}
"""The fields of what no packet tells: processes, descriptors' numbers, and whose machine it is."""
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
            return inet_ntop(AF_INET6 if len(value) == 16 else AF_INET, value)
        return value.decode("utf-8", "surrogateescape")
    return value


__all__ = [
    "ARGUMENT_NAMES",
    "EVENT_NAMES",
    "FIELDS",
    "MISSING",
    "NOT_IN_PACKETS",
    "NUMERIC_ARGUMENTS",
    "Field",
    "FieldProblem",
    "Value",
    "field",
    "prefix_field",
    "render",
]
