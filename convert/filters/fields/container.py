"""container.*: the container that a thread runs in, as far as the trace describes it."""

from __future__ import annotations

from ..paths import glob
from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...trace.container_json import Container
    from ...trace.model import Event
    from .field import Value

    Extract = Callable[[Event, str | None], Value]

HOST: Final = "host"


def described(event: Event) -> Container | None:
    """What the trace says of the container; None on the host and where it says nothing."""
    inside = None if event.thread is None else event.thread.container
    found = event.trace.containers.get(inside) if inside else None
    if found is None:
        return None
    from ...trace.container_json import Container

    return found if isinstance(found, Container) else None


def identifier(event: Event, argument: str | None) -> Value:
    """container.id: `host` outside of containers."""
    return None if event.thread is None else event.thread.container or HOST


def told(attribute: str, on_host: str | None = None) -> Extract:
    """A text of the description; missing if it is empty."""

    def value(event: Event, argument: str | None) -> Value:
        if event.thread is None:
            return None
        if not event.thread.container:
            return on_host
        return getattr(described(event), attribute, None) or None

    return value


def privileged(event: Event, argument: str | None) -> Value:
    """container.privileged"""
    found = described(event)
    return None if found is None else found.privileged


def probe(attribute: str) -> Extract:
    """The command of a probe; NONE without one."""

    def value(event: Event, argument: str | None) -> Value:
        found = described(event)
        return None if found is None else getattr(found, attribute, None) or "NONE"

    return value


def mounts_of(event: Event) -> tuple[tuple[str, ...], ...]:
    """Each mount: source, destination, mode, whether it may be written, propagation."""
    return getattr(described(event), "mounts", ())


def mounts(event: Event, argument: str | None) -> Value:
    """container.mounts"""
    return None if described(event) is None else " ".join(map(":".join, mounts_of(event)))


def mount(part: int | None, by: int) -> Extract:
    """One mount, or a part of it: by its number, or by the text of its part `by`, a glob."""

    def value(event: Event, argument: str | None) -> Value:
        if described(event) is None or argument is None:
            return None
        known = mounts_of(event)
        if argument.isascii() and argument.isdigit():
            found = known[int(argument)] if int(argument[:9]) < len(known) else None
        else:
            fits = glob(argument)
            found = next((one for one in known if fits(one[by])), None)
        if found is None:
            return None
        return ":".join(found) if part is None else found[part]

    return value


FIELDS: Final = (
    Field("container.id", "charbuf", "P", "none", "Id of the container; host outside of one.", identifier),
    Field("container.name", "charbuf", "P", "none", "Name of the container; host outside of one.", told("name", HOST)),
    Field("container.image", "charbuf", "P", "none", "Image that it was made from.", told("image")),
    Field("container.image.id", "charbuf", "P", "none", "Id of its image.", told("image_id")),
    Field("container.type", "charbuf", "P", "none", "What runs it: docker, podman ...; host outside of one.",
          told("type", HOST)),
    Field("container.privileged", "bool", "P", "none", "Whether it has all privileges.", privileged),
    Field("container.mounts", "charbuf", "P", "none", "Mounts, SOURCE:DEST:MODE:WRITABLE:PROPAGATION each.", mounts),
    Field("container.mount", "charbuf", "P", "required", "One mount, by number or source: container.mount[/usr/*].",
          mount(None, 0)),
    Field("container.mount.source", "charbuf", "P", "required", "Source of a mount, by number or destination.",
          mount(0, 1)),
    Field("container.mount.dest", "charbuf", "P", "required", "Destination of a mount, by number or source.",
          mount(1, 0)),
    Field("container.mount.mode", "charbuf", "P", "required", "Mode of a mount, by number or source.", mount(2, 0)),
    Field("container.mount.rdwr", "charbuf", "P", "required", "Whether a mount may be written, by number or source.",
          mount(3, 0)),
    Field("container.mount.propagation", "charbuf", "P", "required", "Propagation of a mount, by number or source.",
          mount(4, 0)),
    Field("container.image.repository", "charbuf", "P", "none", "Repository of its image.", told("repository")),
    Field("container.image.tag", "charbuf", "P", "none", "Tag of its image.", told("tag")),
    Field("container.image.digest", "charbuf", "P", "none", "Digest of its image.", told("digest")),
    Field("container.healthcheck", "charbuf", "P", "none", "Command of its health check; NONE without one.",
          probe("healthcheck")),
    Field("container.liveness_probe", "charbuf", "P", "none", "Command of its liveness probe; NONE without one.",
          probe("liveness_probe")),
    Field("container.readiness_probe", "charbuf", "P", "none", "Command of its readiness probe; NONE without one.",
          probe("readiness_probe")),
)  # fmt: skip
