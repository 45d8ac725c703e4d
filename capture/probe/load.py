"""Load the probe into the kernel and attach it. The only place that imports bcc."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import time
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self

from ...convert.errors import MachineError
from ..requirements import bcc_folders
from . import btf, classes, program
from .push import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

__all__ = ["COUNTERS", "Probe", "Settings"]

COUNTERS: Final = (
    "seen",
    "emitted",
    "dropped",
    "not_socket",
    "filtered",
    "compat",
    "uring",
    "failed",
    "records",
    "records_dropped",
    "bytes_dropped",
    "enters",
    "enters_deferred",
    "lost_enter",
    "descriptors_passed",
)
_HOOKS: Final = {  # program to tracepoint; exits first, so that no enter is kept whose exit was not seen
    "on_exec": "sched_process_exec",
    "on_death": "sched_process_exit",
    "on_exit": "sys_exit",
    "on_enter": "sys_enter",
}
_BRACKETS: Final = 20
_SETTLE: Final = 0.02  # seconds: a program that runs when its hook is taken away has ended long before


class Probe:
    """The recording side in the kernel: records flow into the ring from attach() to detach().

    counters() are exact once detach() has returned: seen = emitted + dropped + filtered + not_socket + compat + uring +
    failed. All of these count calls (and ended threads); `records` counts what was put into the ring.
    """

    def __init__(self, settings: Settings) -> None:
        """Compile and load; raise MachineError, in one line with the remedy, where the machine does not let us."""
        if platform.machine() != "x86_64":
            raise MachineError(f"capture runs on x86-64 only, not on {platform.machine()}")
        bcc = _bcc()
        kernel = btf.running()
        cpus = len(bcc.utils.get_possible_cpus())
        source = program.text(settings, kernel, cpus)
        self._attached: list[str] = []
        with _messages() as said:
            try:
                self._bpf = bcc.BPF(text=source.encode(), cflags=["-Wno-everything"])
                self._load(bcc)
            except MachineError:
                raise
            except Exception as error:  # bcc raises plain Exception for all that goes wrong
                raise MachineError(_reason(error, said())) from error
        self._fill(settings)
        self.ring_fd = int(self._bpf[b"ring"].map_fd)
        self.clock_offset = clock_offset()

    def _load(self, bcc: Any) -> None:
        """Load all programs, and tell the others where the steps are."""
        kind = bcc.BPF.RAW_TRACEPOINT
        for hook in _HOOKS:
            self._bpf.load_func(hook.encode(), kind)
        steps = self._bpf[b"steps"]
        for name, number in classes.STEPS.items():
            steps[ctypes.c_int(number)] = ctypes.c_int(self._bpf.load_func(f"step_{name}".encode(), kind).fd)

    def _fill(self, settings: Settings) -> None:
        """Write the table of calls, and the conditions."""
        table = self._bpf[b"classes"]
        for call in classes.CALLS:
            table[ctypes.c_int(call.number)] = ctypes.c_uint32(call.entry)
        for name, keys in settings.keys().items():
            conditions = self._bpf[name.encode()]
            for key in keys:
                conditions[conditions.Key.from_buffer_copy(key)] = conditions.Leaf(1)

    def attach(self) -> None:
        """Let records flow. Raise MachineError where the kernel refuses the tracepoints."""
        self._bpf[b"calls"].clear()  # what had begun when it was attached before
        for hook, point in _HOOKS.items():
            try:
                self._bpf.attach_raw_tracepoint(tp=point.encode(), fn_name=hook.encode())
            except Exception as error:
                self.detach()
                raise MachineError(f"the kernel refuses the raw tracepoint {point}: {error}") from error
            self._attached.append(point)

    def detach(self) -> None:
        """Stop the flow; what is in the ring stays there. May be called twice."""
        for point in reversed(self._attached):
            self._bpf.detach_raw_tracepoint(tp=point.encode())
        if self._attached:
            time.sleep(_SETTLE)
        self._attached = []

    def counters(self) -> dict[str, int]:
        """The counters by name, summed over all CPUs."""
        of_cpus = self._bpf[b"counts"][ctypes.c_int(0)]
        return {name: sum(int(getattr(one, name)) for one in of_cpus) for name in COUNTERS}

    def close(self) -> None:
        """Detach and unload. The ring is gone with it, unless the drain keeps it open."""
        self.detach()
        self._bpf.cleanup()

    def __enter__(self) -> Self:
        """Return itself; attach() is called apart, when the drain is ready."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def clock_offset() -> int:
    """Nanoseconds from CLOCK_BOOTTIME, in which the kernel stamps records, to CLOCK_REALTIME: the best of some."""
    best, offset = 1 << 62, 0
    for _ in range(_BRACKETS):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        real = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if after - before < best:
            best, offset = after - before, real - (before + after) // 2
    return offset


def _bcc() -> Any:
    """Import bcc, in a virtual environment from the distribution's own Python."""
    try:
        bcc: Any = import_module("bcc")
    except ImportError:
        folders = [str(folder) for folder in bcc_folders()]
        sys.path += folders
        try:
            bcc = import_module("bcc")
        except ImportError as error:
            raise MachineError(
                "capture needs bcc: apt-get install python3-bpfcc (Debian, Ubuntu) or dnf install python3-bcc (RHEL)"
            ) from error
        finally:
            for folder in folders:
                sys.path.remove(folder)
    if not hasattr(bcc, "BPF"):
        raise MachineError(
            "the module bcc is not the BPF Compiler Collection: apt-get install python3-bpfcc (PyPI's bcc is another)"
        )
    import_module("bcc.utils")
    return bcc


@contextmanager
def _messages() -> Iterator[Callable[[], str]]:
    """Catch what compiler and verifier print on descriptors 1 and 2; gives a function that reads it."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    caught = os.memfd_create("messages")
    for number, _ in kept:
        os.dup2(caught, number)

    def read() -> str:
        sys.stdout.flush()
        return os.pread(caught, 1 << 20, 0).decode("utf-8", "replace")

    try:
        yield read
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(caught)


def _reason(error: Exception, said: str) -> str:
    """One line that tells what to do."""
    release = platform.release()
    if os.geteuid() != 0 and ("Permission" in said + str(error) or "not permitted" in said + str(error)):
        return "capture needs root, or the capabilities CAP_BPF and CAP_PERFMON: see docs/capture.md"
    if "not permitted" in said + str(error):
        return "the kernel does not allow BPF here (a container, or lockdown): run on the host itself, as root"
    if "kernel headers" in said or "Unable to find kernel" in said or "No such file" in said:
        return (
            f"the kernel's headers are missing (/lib/modules/{release}/build): apt-get install linux-headers-{release} "
            f"(Debian, Ubuntu) or dnf install kernel-devel-{release} (RHEL)"
        )
    lines = [line for line in said.splitlines() if "error" in line.lower()] or [str(error)]
    return f"the probe does not load into kernel {release}: {lines[0].strip()}"
