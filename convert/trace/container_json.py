"""The JSON of container events, as libsinsp writes it. Imported where there is one: msgspec takes its time."""

from __future__ import annotations

from typing import Any, Final

import msgspec

TYPES: Final = {
    0: "docker", 1: "lxc", 2: "libvirt-lxc", 3: "mesos", 4: "rkt", 5: "custom", 6: "cri", 7: "containerd", 8: "cri-o",
    9: "bpm", 10: "static", 11: "podman",
}  # fmt: skip
"""What runs a container, by the number that libsinsp has for it."""
LONGEST: Final = 1 << 20  # bytes of JSON that are looked at
MAX_MOUNTS: Final = 4096


class Container(msgspec.Struct, frozen=True):
    """A container; what is not told is empty. `mounts`: source, destination, mode, whether it may be written, and
    propagation, each as sysdig writes it. The probes are command lines.
    """

    id: str
    name: str = ""
    image: str = ""
    image_id: str = ""
    repository: str = ""
    tag: str = ""
    digest: str = ""
    type: str = ""
    privileged: bool = False
    mounts: tuple[tuple[str, str, str, str, str], ...] = ()
    healthcheck: str = ""
    liveness_probe: str = ""
    readiness_probe: str = ""


class _Mount(msgspec.Struct):
    Source: str = ""
    Destination: str = ""
    Mode: str = ""
    RW: bool = False
    Propagation: str = ""


class _Told(msgspec.Struct):
    id: str
    name: str = ""
    image: str = ""
    imageid: str = ""
    imagerepo: str = ""
    imagetag: str = ""
    imagedigest: str = ""
    type: int = 0
    privileged: bool = False
    Mounts: list[_Mount] | None = None
    Healthcheck: Any = None
    LivenessProbe: Any = None
    ReadinessProbe: Any = None


class _Description(msgspec.Struct):
    container: _Told


_decode = msgspec.json.Decoder(_Description).decode


def described(data: bytes) -> Container | None:
    """The container that the JSON of an event describes, None where it describes none."""
    try:
        told = _decode(data[:LONGEST].rstrip(b"\0"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = told.container
    mounts = (found.Mounts or ())[:MAX_MOUNTS]
    return Container(
        id=found.id,
        name=found.name,
        image=found.image,
        image_id=found.imageid,
        repository=found.imagerepo,
        tag=found.imagetag,
        digest=found.imagedigest,
        type=TYPES.get(found.type, ""),
        privileged=found.privileged,
        mounts=tuple(
            (one.Source, one.Destination, one.Mode, "true" if one.RW else "false", one.Propagation) for one in mounts
        ),
        healthcheck=_command(found.Healthcheck),
        liveness_probe=_command(found.LivenessProbe),
        readiness_probe=_command(found.ReadinessProbe),
    )


def _command(probe: object) -> str:
    """The command line of a probe: the program and its arguments."""
    if not isinstance(probe, dict):
        return ""
    program, arguments = probe.get("healthcheck_exe"), probe.get("healthcheck_args")
    words = [program] if isinstance(program, str) else []
    if isinstance(arguments, list):
        words += [word for word in arguments if isinstance(word, str)]
    return " ".join(words)
