"""What calls change in their thread: working directory, users and groups, limits, memory, its name."""

from __future__ import annotations

from .threads import Table, argument, first, set_cwd
from .values import NO_ID, identity, number, signed, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import Event, Thread

PR_SET_NAME = 15


def chdir(table: Table, event: Event) -> None:
    """A chdir, or a getcwd that tells where the thread is."""
    if first(event) >= 0 and event.thread is not None:
        set_cwd(event.thread, text(event.param("path") or b""))


def fchdir(table: Table, event: Event) -> None:
    """A fchdir."""
    if first(event) >= 0 and event.thread is not None and event.fd is not None:
        set_cwd(event.thread, event.fd.name)


def taking(*names: tuple[str, str]) -> Callable[[Table, Event], None]:
    """A setter of users or groups: parameters by name and where they go."""

    def parse(table: Table, event: Event) -> None:
        if first(event) < 0 or event.thread is None:
            return
        for name, attribute in names:
            value = argument(event, name)
            if len(value) >= 4 and number(value[:4]) != NO_ID:
                setattr(event.thread, attribute, identity(value))

    return parse


def setsid(table: Table, event: Event) -> None:
    """A setsid."""
    if first(event) >= 0 and event.thread is not None:
        event.thread.sid = first(event)


def limit(table: Table, event: Event) -> None:
    """A setrlimit or prlimit of the number of descriptors."""
    if first(event) < 0 or event.thread is None or number(argument(event, "resource")) != 7:
        return
    value = event.param("newcur" if event.info.name == "prlimit" else "cur")
    if event.info.name != "getrlimit" and value and signed(value) != -1:
        event.thread.fdlimit = signed(value)


def _taker(*names: tuple[str, str]) -> Callable[[Thread, Event], None]:
    """A setter of numbers: parameters by name and where they go. Where they stand is looked up once for each type."""
    of = dict(names)
    places: dict[int, list[tuple[int, str]]] = {}

    def take(owner: Thread, event: Event) -> None:
        found = places.get(event.code)
        if found is None:
            found = [(index, of[param[0]]) for index, param in enumerate(event.info.params) if param[0] in of]
            places[event.code] = found
        params = event.params
        for place, attribute in found:
            if place < len(params) and params[place]:
                setattr(owner, attribute, number(params[place]))

    return take


_memory = _taker(("vm_size", "vmsize"), ("vm_rss", "vmrss"), ("vm_swap", "vmswap"))
_faults = _taker(("pgft_maj", "pfmajor"), ("pgft_min", "pfminor"))


def switched(event: Event) -> None:
    """The thread left the processor; the event tells its page faults and its process's memory."""
    thread = event.thread
    if thread is None:
        return
    _faults(thread, event)
    if (main := thread.main) is not None:
        _memory(main, event)


def memory(table: Table, event: Event) -> None:
    """A brk, mmap or munmap: the exit tells the thread's memory."""
    if event.thread is not None:
        _memory(event.thread, event)


def prctl(table: Table, event: Event) -> None:
    """A prctl that renames the thread."""
    if not table.newest or event.thread is None or first(event) < 0:
        return
    if number(event.param("option") or b"") == PR_SET_NAME:
        event.thread.comm = text(event.param("arg2_str") or b"")
