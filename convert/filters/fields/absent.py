"""k8s.*, mesos.*, marathon.*, span.* and evtin.*: what a trace does not hold. They parse, and are always missing."""

from __future__ import annotations

from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ...trace.model import Event
    from .field import Argument, Shown, Type, Value


def never(event: Event, argument: str | None) -> Value:
    """Nothing of the kind is in a trace."""
    return None


def row(name: str, what: str, argument: Argument = "none", type: Type = "charbuf") -> Field:
    """A field that is always missing."""
    shown: Shown = "text" if type == "charbuf" else "id" if type == "int64" else "decimal"
    return Field(name, type, "P", argument, f"{what}; always missing.", never, shown)


ORCHESTRATED: Final = (
    ("k8s.pod", "Kubernetes pod"),
    ("k8s.rc", "Kubernetes replication controller"),
    ("k8s.svc", "Kubernetes service"),
    ("k8s.ns", "Kubernetes namespace"),
    ("k8s.rs", "Kubernetes replica set"),
    ("k8s.deployment", "Kubernetes deployment"),
    ("mesos.task", "Mesos task"),
    ("marathon.app", "Marathon application"),
)


def orchestrated() -> list[Field]:
    """Name, id, one label and all labels of each thing that an orchestrator knows."""
    rows = []
    for prefix, what in ORCHESTRATED:
        rows += [
            row(f"{prefix}.name", f"Name of the {what}"),
            row(f"{prefix}.id", f"Id of the {what}"),
            row(f"{prefix}.label", f"One label of the {what}: {prefix}.label.NAME", "required"),
            row(f"{prefix}.labels", f"Labels of the {what}"),
        ]
        if prefix == "mesos.task":
            rows += [
                row(f"mesos.framework.{part}", f"{part.capitalize()} of the Mesos framework") for part in ("name", "id")
            ]
    return rows + [
        row(f"marathon.group.{part}", f"{part.capitalize()} of the Marathon group") for part in ("name", "id")
    ]


PARTS: Final[tuple[tuple[str, str, Argument, Type], ...]] = (
    ("id", "id", "none", "int64"),
    ("ntags", "number of tags", "none", "uint32"),
    ("nargs", "number of arguments", "none", "uint32"),
    ("tags", "tags", "none", "charbuf"),
    ("tag", "one tag, by number", "required", "charbuf"),
    ("args", "arguments", "none", "charbuf"),
    ("arg", "one argument, by number or name", "required", "charbuf"),
)
WITHIN: Final = (
    ("evtin.span.", "in the same thread"),
    ("evtin.span.p.", "in the same process"),
    ("evtin.span.s.", "in the same script"),
    ("evtin.span.m.", "anywhere on the machine"),
)


def spans() -> list[Field]:
    """Spans of the tracers that a program writes to /dev/null, and the events within them."""
    rows = [
        row("span.id", "Id of the tracer's span", type="int64"),
        row("span.time", "Time of the span's beginning"),
        *(row(f"span.{part}", f"The span's {what}", argument, type) for part, what, argument, type in PARTS[1:]),
        row("span.enterargs", "Arguments of the span's beginning"),
        row("span.enterarg", "One argument of the span's beginning, by number or name", "required"),
        row("span.duration", "How long the span took, in nanoseconds", type="reltime"),
        row("span.duration.human", "How long the span took, for reading"),
    ]
    for prefix, where in WITHIN:
        rows += [
            row(f"{prefix}{part}", f"Events {where} during a span, by its {what}", argument, type)
            for part, what, argument, type in PARTS
        ]
    return rows


FIELDS: Final = (*orchestrated(), *spans())
