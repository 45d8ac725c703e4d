"""What a recording needs of the machine, and what there is: each lack in one line with what helps against it.

Everything is looked up below `Surroundings.root` and in the values beside it, so that any machine can be described by
a folder; nothing is loaded or run. What only makes a recording poorer is a hint, and stops nothing.

Sources: capabilities(7); linux/capability.h for their numbers; bcc's search for headers (BCC_KERNEL_SOURCE, then
/lib/modules/RELEASE/build, then the kernel's own archive); kernel_lockdown(7).
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF = 2, 19, 21, 38, 39
OLDEST = (5, 8)
"""The first kernel with the BPF ring buffer; distributions put it into older ones too."""
RING_BUFFER = b"\0BPF_MAP_TYPE_RINGBUF\0"
FIRST_PROCESSES = "pid:[4026531836]"
"""The process namespace of the whole machine, whose number is part of the kernel's interface (linux/proc_ns.h)."""
_BTF = "sys/kernel/btf/vmlinux"
_TRACING = ("sys/kernel/tracing", "sys/kernel/debug/tracing")
_HEADER = "include/linux/kconfig.h"
_OWN_HEADERS = "sys/kernel/kheaders.tar.xz"
_MOST_BTF = 1 << 28


class Verdict(Enum):
    """Whether a thing is there; a hint is told and stops nothing."""

    THERE = "yes"
    HINT = "hint"
    LACKING = "NO"


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that a recording needs: what was found, in one line, which has the remedy in it where it is needed."""

    verdict: Verdict
    line: str


def _module_found(name: str) -> str | None:
    """Where Python's own search finds a package."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return found.origin if found is not None else None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine as it is looked at; the defaults are the one that we run on."""

    root: Path = Path("/")
    release: str = field(default_factory=lambda: os.uname().release)
    architecture: str = field(default_factory=platform.machine)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    module: Callable[[str], str | None] = _module_found

    def has(self, name: str) -> bool:
        """Whether there is something at that path below the root."""
        try:
            return (self.root / name).exists()
        except OSError:
            return False

    def read(self, name: str, limit: int = 1 << 16) -> bytes | None:
        """The beginning of a file below the root; None where it cannot be read."""
        try:
            with open(self.root / name, "rb") as file:
                return file.read(limit)
        except OSError:
            return None


def offers(around: Surroundings | None = None) -> list[Offer]:
    """All that a recording needs, in the order in which one would set it right."""
    at = around or Surroundings()
    types = at.read(_BTF, _MOST_BTF)
    return [
        _architecture(at),
        _kernel(at, types),
        _rights(at),
        _numbers(at),
        _lockdown(at),
        _types(types),
        _tracing(at),
        _headers(at),
        _bcc(at),
        _other_processes(at),
    ]


def lacking(around: Surroundings | None = None) -> list[str]:
    """A line for each thing without which nothing can be recorded; none where the machine has all."""
    return [offer.line for offer in offers(around) if offer.verdict is Verdict.LACKING]


def check(around: Surroundings | None = None) -> tuple[str, bool]:
    """What `capture --check` prints, and whether the machine can record."""
    found = offers(around)
    lacks = sum(offer.verdict is Verdict.LACKING for offer in found)
    lines = [f"{offer.verdict.value:5}{offer.line}" for offer in found]
    lines.append(f"this machine cannot record: {lacks} of the above missing" if lacks else "this machine can record")
    return "".join(line + "\n" for line in lines), not lacks


def _there(line: str) -> Offer:
    return Offer(Verdict.THERE, line)


def _lacking(what: str, debian: str, ubuntu: str | None = None, rhel: str | None = None) -> Offer:
    """Without a remedy of its own a distribution has that of the one before it."""
    ubuntu = ubuntu or debian
    told: dict[str, list[str]] = {}
    for name, remedy in (("Debian", debian), ("Ubuntu", ubuntu), ("RHEL", rhel or ubuntu)):
        told.setdefault(remedy, []).append(name)
    return Offer(Verdict.LACKING, f"{what}. " + "; ".join(f"{', '.join(on)}: {remedy}" for remedy, on in told.items()))


def _architecture(at: Surroundings) -> Offer:
    if at.architecture == "x86_64":
        return _there("processor: x86-64")
    return _lacking(f"capture runs on x86-64 only, not on {at.architecture}", "record on an x86-64 machine")


def _kernel(at: Surroundings, types: bytes | None) -> Offer:
    numbers = re.match(r"(\d+)\.(\d+)", at.release)
    version = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if version >= OLDEST or (types is not None and RING_BUFFER in types):
        return _there(f"kernel: {at.release}, with the BPF ring buffer")
    return _lacking(
        f"the kernel {at.release} is too old: it has no BPF ring buffer (Linux 5.8)",
        "run Debian 11 or later, or the kernel from backports",
        "run 22.04 or later, or apt-get install linux-generic-hwe-20.04",
        "run RHEL 9 or later, or dnf update kernel on RHEL 8",
    )


def capabilities(status: bytes | None) -> int:
    """The effective capabilities in a /proc/PID/status, as bits; 0 where it tells none."""
    found = re.search(rb"^CapEff:\s*([0-9a-f]+)$", status or b"", re.MULTILINE)
    return int(found[1], 16) if found else 0


def _may(bits: int, *wanted: int) -> bool:
    return all(bits >> one & 1 for one in wanted)


def _rights(at: Surroundings) -> Offer:
    bits = capabilities(at.read("proc/self/status"))
    if _may(bits, CAP_SYS_ADMIN):
        return _there("rights: CAP_SYS_ADMIN")
    if _may(bits, CAP_BPF, CAP_PERFMON):
        return _there("rights: CAP_BPF and CAP_PERFMON")
    missing = [name for name, bit in (("CAP_BPF", CAP_BPF), ("CAP_PERFMON", CAP_PERFMON)) if not _may(bits, bit)]
    return _lacking(
        f"not allowed to record: neither root's rights nor {' and '.join(missing)}",
        "run it with sudo, or with CAP_BPF and CAP_PERFMON (docs/capture.md says how)",
    )


def _numbers(at: Surroundings) -> Offer:
    """In a process namespace of its own a recorder would give the processes of the head numbers that events have for
    others.
    """
    try:
        namespace = (at.root / "proc/self/ns/pid").readlink().name
    except OSError:
        namespace = FIRST_PROCESSES
    if namespace == FIRST_PROCESSES:
        return _there("process numbers: the kernel's own")
    return _lacking(
        "processes have other numbers here than in the kernel (a container)",
        "record on the host, or in a container with its process namespace (--pid=host)",
    )


def _lockdown(at: Surroundings) -> Offer:
    state = at.read("sys/kernel/security/lockdown") or b""
    if b"[confidentiality]" not in state:
        return _there("lockdown: not in the way")
    boot = "boot with lockdown=integrity, or without lockdown="
    return _lacking("kernel lockdown (confidentiality) keeps BPF from reading memory", boot)


def _types(types: bytes | None) -> Offer:
    if types:
        return _there("kernel types (BTF): /sys/kernel/btf/vmlinux")
    return _lacking(
        "the kernel offers no type information (/sys/kernel/btf/vmlinux: CONFIG_DEBUG_INFO_BTF)",
        "run its own kernel, of Debian 11 or later",
        "run its own kernel, of 20.10 or later",
        "run its own kernel, of RHEL 8.2 or later",
    )


def _tracing(at: Surroundings) -> Offer:
    # Only root may look into it, but everybody sees that it is mounted.
    mounted = b" tracefs " in (at.read("proc/self/mounts", 1 << 22) or b"")
    if mounted or any(at.has(f"{folder}/events") for folder in _TRACING):
        return _there("tracing: tracefs is mounted")
    mount = "mount -t tracefs tracefs /sys/kernel/tracing"
    if any(at.has(folder) for folder in _TRACING):
        return Offer(Verdict.HINT, f"tracefs is not mounted; capture does without, other tools do not. {mount}")
    return _lacking(
        "the kernel has no tracefs (/sys/kernel/tracing: CONFIG_FTRACE)", "run the distribution's own kernel"
    )


def _headers(at: Surroundings) -> Offer:
    chosen = at.environment.get("BCC_KERNEL_SOURCE")
    if chosen:
        if at.has(f"{chosen.lstrip('/')}/{_HEADER}"):
            return _there(f"kernel headers: {chosen} (BCC_KERNEL_SOURCE)")
        return _lacking(f"no kernel headers at {chosen}", "unset BCC_KERNEL_SOURCE")
    modules = f"lib/modules/{at.release}"
    if at.has(f"{modules}/build") and any(at.has(f"{modules}/{name}/{_HEADER}") for name in ("build", "source")):
        return _there(f"kernel headers: /{modules}/build")
    if at.has(_OWN_HEADERS):
        return _there(f"kernel headers: the kernel's own, /{_OWN_HEADERS}")
    return _lacking(
        f"no kernel headers for {at.release} (/{modules}/build)",
        "apt-get install linux-headers-$(uname -r), or linux-headers-amd64 and restart into its kernel",
        "apt-get install linux-headers-$(uname -r)",
        "dnf install kernel-devel-$(uname -r)",
    )


def bcc_folders(root: Path = Path("/")) -> list[Path]:
    """Folders of the distribution's own Python that hold bcc, which a virtual environment does not search."""
    candidates = [root / "usr/lib/python3/dist-packages"]
    candidates += sorted((root / "usr/lib").glob("python3.*/site-packages"))
    candidates += sorted((root / "usr/lib").glob("python3.*/dist-packages"))
    return [folder for folder in candidates if _is_bcc(folder / "bcc")]


def _is_bcc(package: Path) -> bool:
    """Whether that is the BPF Compiler Collection; the package index has another one of the name."""
    return (package / "__init__.py").is_file() and (package / "libbcc.py").is_file()


def _bcc(at: Surroundings) -> Offer:
    origin = at.module("bcc")
    if origin is not None and _is_bcc(Path(origin).parent):
        return _there(f"bcc: {Path(origin).parent}")
    if origin is not None:
        uninstall = "pip uninstall bcc, and {} install {}"
        what = f"{Path(origin).parent} is not the BPF Compiler Collection but another package of the name"
        debian, rhel = uninstall.format("apt-get", "python3-bpfcc"), uninstall.format("dnf", "python3-bcc")
        return _lacking(what, debian, rhel=rhel)
    for folder in bcc_folders(at.root):
        return _there(f"bcc: {folder / 'bcc'}")
    return _lacking("bcc is not installed", "apt-get install python3-bpfcc", rhel="dnf install python3-bcc")


def _other_processes(at: Surroundings) -> Offer:
    if _may(capabilities(at.read("proc/self/status")), CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH):
        return _there("state at the start: all processes and their descriptors")
    return Offer(
        Verdict.HINT,
        "without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH other users' descriptors are not read at the start: their "
        "connections older than the recording have no addresses. Run it with sudo, or as docs/capture.md says",
    )
