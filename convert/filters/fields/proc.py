"""proc.* and thread.*: who did it."""

from __future__ import annotations

from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from ...trace.model import Event, Thread
    from .field import Value

    Extract = Callable[[Event, str | None], Value | tuple[Value, ...]]

UNKNOWN: Final = "<NA>"  # what a thread that was only met, never told of, is called
SWITCHES: Final = ("switch",)
GENERATIONS: Final = 4096  # ancestors that are looked at: the tables may hold a ring
SUBSYSTEMS: Final = {"io": "blkio"}
MAIN_FLAG: Final = 1 << 29  # set for threads that libsinsp knows to be the main one


def of_thread(extract: Callable[[Thread], Value]) -> Extract:
    """A field that depends on the thread alone."""

    def value(event: Event, argument: str | None) -> Value:
        return None if event.thread is None else extract(event.thread)

    return value


def thread_number(event: Event, _: str | None) -> Value:
    """thread.tid; the event's own where nothing is known of the thread. Packets have none."""
    if event.thread is not None:
        return event.thread.tid
    return event.tid if event.trace.format == "scap" else None


def comm(thread: Thread) -> str:
    """proc.name"""
    return UNKNOWN if thread.comm is None else thread.comm


def exe(thread: Thread) -> str:
    """proc.exe"""
    return UNKNOWN if thread.exe is None else thread.exe


def line(first: str, thread: Thread) -> str:
    """A command line that begins with `first`."""
    return " ".join((first, *thread.args))


def ancestors(thread: Thread) -> Iterator[Thread]:
    """The parents of the process, the nearest first; ends where the table forms a ring."""
    main = thread.main
    seen: set[int] = set()
    while main is not None and main.tid not in seen and len(seen) < GENERATIONS:
        seen.add(main.tid)
        main = main.parent()
        if main is not None and main.tid not in seen:
            yield main


def ancestor(thread: Thread, argument: str | None) -> Thread | None:
    """The ancestor of that generation, the process itself for 0 and without a number."""
    wanted = int(argument or 0)
    if not wanted:
        return thread.main
    for generation, parent in enumerate(ancestors(thread), 1):
        if generation == wanted:
            return parent
    return None


def of_ancestors(extract: Callable[[Thread], Value]) -> Extract:
    """proc.apid and proc.aname: of one generation, or of all ancestors."""

    def value(event: Event, argument: str | None) -> Value | tuple[Value, ...]:
        if event.thread is None:
            return None
        if argument is None:
            return tuple(map(extract, ancestors(event.thread))) or None
        found = ancestor(event.thread, argument)
        return None if found is None else extract(found)

    return value


def of_parent(extract: Callable[[Thread], Value]) -> Extract:
    """A field of the thread's parent."""

    def value(event: Event, argument: str | None) -> Value:
        parent = None if event.thread is None else event.thread.parent()
        return None if parent is None else extract(parent)

    return value


def parent_id(thread: Thread) -> Value:
    """proc.ppid: the main thread's parent. The newest libraries have none where the number is not known."""
    main = thread.main
    if thread.trace.exit_only and (main is None or not main.ptid):
        return None
    return -1 if main is None or main.ptid is None else main.ptid


def login_shell(thread: Thread) -> Value:
    """proc.loginshellid: the oldest process of the line whose name ends in sh."""
    main = thread.main
    found = None
    for one in (main, *ancestors(thread)) if main is not None else ():
        if comm(one).endswith("sh"):
            found = one.pid
    return found


def session_name(thread: Thread) -> Value:
    """proc.sname: the session's leader, or the eldest ancestor in a row with the same session."""
    leader = None if thread.sid is None else thread.trace.find(thread.sid)
    if leader is not None:
        return comm(leader)
    eldest = thread.main
    if eldest is None:
        return None
    session = -1 if eldest.sid is None else eldest.sid
    for parent in ancestors(thread):
        if (-1 if parent.sid is None else parent.sid) != session:
            break
        eldest = parent
    return comm(eldest)


def duration(event: Event, argument: str | None) -> Value:
    """proc.duration: since the clone that made the thread."""
    thread = event.thread
    return event.ts - thread.clone_ts if thread is not None and thread.clone_ts else None


def usage(thread: Thread) -> float:
    """proc.fdusage"""
    return 100 * len(thread.fds) / thread.fdlimit if thread.fdlimit is not None and thread.fdlimit > 0 else 0.0


def threads_of(thread: Thread) -> Value:
    """proc.nthreads"""
    main = thread.main
    return None if main is None else main.children + 1


def groups(thread: Thread) -> Iterator[tuple[str, str]]:
    """Subsystem and path of each control group; io has the name that it had when there were no unified groups."""
    for group in thread.cgroups:
        subsystem, _, path = group.partition("=")
        yield SUBSYSTEMS.get(subsystem, subsystem), path


def control_groups(thread: Thread) -> Value:
    """thread.cgroups"""
    return " ".join(map("=".join, groups(thread))) or None


def control_group(event: Event, argument: str | None) -> Value:
    """thread.cgroup: the path of one subsystem."""
    known = groups(event.thread) if event.thread is not None else ()
    return next((path for subsystem, path in known if subsystem == argument), None)


class _Switches:
    """Since when each CPU runs what it runs, by its switch events, and each thread's sum."""

    def __init__(self) -> None:
        self.ordinal = 0
        self.last: dict[int, int] = {}
        self.ran = 0
        self.sums: dict[int, int] = {}

    def see(self, event: Event) -> int:
        """How long the thread ran that this event switches away from; asked twice, the answer is the same."""
        if event.ordinal != self.ordinal:
            self.ordinal = event.ordinal
            before = self.last.get(event.cpu)
            self.ran = 0 if before is None else event.ts - before
            self.last[event.cpu] = event.ts
            if len(self.sums) > 2 * len(event.trace.threads) + 65536:
                self.sums = {tid: ran for tid, ran in self.sums.items() if tid in event.trace.threads}
            self.sums[event.tid] = self.sums.get(event.tid, 0) + self.ran
        return self.ran


class _Used:
    """The CPU time that threads had used when one field was last asked for."""

    def __init__(self) -> None:
        self.ordinal = 0
        self.found = 0.0
        self.before: dict[int, tuple[Thread, int]] = {}

    def see(self, event: Event, thread: Thread, total: int) -> float:
        """What is new since the thread was last seen; asked twice, the answer is the same."""
        if event.ordinal != self.ordinal:
            before, used = self.before.get(event.tid, (thread, 0))
            self.ordinal = event.ordinal  # sysdig takes 0 for: not known
            self.found = float(min(100, (total - used) % (1 << 64))) if used and before is thread else 0.0
            if len(self.before) > 2 * len(event.trace.threads) + 65536:
                self.before = {tid: one for tid, one in self.before.items() if tid in event.trace.threads}
            self.before[event.tid] = thread, total
        return self.found


def used(name: str, *params: str) -> Extract:
    """A share of the CPU's time, from the sum of parameters of procinfo events."""

    def value(event: Event, _: str | None) -> Value:
        if event.info.name != "procinfo" or event.thread is None:
            return None
        state: dict[str, _Used] = event.trace.__dict__.setdefault("used", {})
        if name not in state:
            state[name] = _Used()
        total = sum(int.from_bytes(event.param(param) or b"", "little") for param in params)
        return state[name].see(event, event.thread, total)

    return value


def _switches_of(event: Event) -> _Switches:
    """What this trace's events told of switches: it is kept with the trace."""
    known: dict[str, _Switches] = event.trace.__dict__
    found = known.get("switches")
    if found is None:
        found = known["switches"] = _Switches()
    return found


def ran(event: Event, argument: str | None) -> Value:
    """thread.exectime"""
    if event.thread is None:
        return None
    return _switches_of(event).see(event) if event.name in SWITCHES else 0


def ran_in_all(event: Event, argument: str | None) -> Value:
    """thread.totexectime"""
    if event.thread is None:
        return None
    state = _switches_of(event)
    if event.name in SWITCHES:
        state.see(event)
    return state.sums.get(event.tid, 0)


def is_main(thread: Thread) -> bool:
    """thread.ismain"""
    return thread.tid == thread.pid or bool(thread.flags & MAIN_FLAG)


def category(number: int) -> Extract:
    """Whether the process is a container's probe of that sort."""
    return of_thread(lambda thread: thread.category == number)


def kept(attribute: str, default: int) -> Extract:
    """A number of the thread as it is, `default` where it is not known."""

    def value(event: Event, argument: str | None) -> Value:
        if event.thread is None:
            return None
        known: int | None = getattr(event.thread, attribute)
        return default if known is None else known

    return value


def of_main(attribute: str) -> Extract:
    """A number of the thread if it is the main one, 0 for others."""
    return of_thread(lambda thread: (getattr(thread, attribute) or 0) if is_main(thread) else 0)


def _cmdline(thread: Thread) -> str:
    return line(comm(thread), thread)


FIELDS: Final = (
    Field("proc.pid", "int64", "P", "none", "Id of the process.", of_thread(lambda thread: thread.pid), "id"),
    Field("proc.exe", "charbuf", "P", "none", "First word of the command line, as it was given.", of_thread(exe)),
    Field("proc.name", "charbuf", "P", "none", "Name of the program without its path.", of_thread(comm)),
    Field("proc.args", "charbuf", "P", "none", "Arguments on the command line.",
          of_thread(lambda thread: " ".join(thread.args))),
    Field("proc.env", "charbuf", "P", "optional", "Environment of the process; proc.env[NAME] gives one variable.",
          lambda event, argument: environment(event, argument)),
    Field("proc.cmdline", "charbuf", "P", "none", "proc.name and the arguments.", of_thread(_cmdline)),
    Field("proc.exeline", "charbuf", "P", "none", "proc.exe and the arguments.",
          of_thread(lambda thread: f"{exe(thread)} {' '.join(thread.args)}")),
    Field("proc.cwd", "charbuf", "P", "none", "Working directory.", of_thread(lambda thread: thread.cwd or "")),
    Field("proc.nthreads", "uint32", "R", "none", "Threads that the process has, with the main one.",
          of_thread(threads_of), "decimal"),
    Field("proc.nchilds", "uint32", "R", "none", "Threads that the process has, without the main one.",
          of_thread(lambda thread: thread.children), "decimal"),
    Field("proc.ppid", "int64", "P", "none", "Id of the parent process.", of_thread(parent_id), "id"),
    Field("proc.pname", "charbuf", "R", "none", "Name of the parent's program.", of_parent(comm)),
    Field("proc.pcmdline", "charbuf", "R", "none", "Name and arguments of the parent.", of_parent(_cmdline)),
    Field("proc.apid", "int64", "R", "optional", "Id of an ancestor: proc.apid[1] is the parent. Without a number, in "
          "filters, any ancestor.", of_ancestors(lambda thread: thread.pid), "id"),
    Field("proc.aname", "charbuf", "R", "optional", "Name of an ancestor: proc.aname[1] is the parent. Without a "
          "number, in filters, any ancestor.", of_ancestors(comm)),
    Field("proc.loginshellid", "int64", "R", "none", "Id of the oldest shell among the ancestors.",
          of_thread(login_shell), "id"),
    Field("proc.duration", "reltime", "R", "none", "Nanoseconds since the process was started.", duration, "decimal"),
    Field("proc.fdopencount", "uint64", "R", "none", "Descriptors that are open.",
          of_thread(lambda thread: len(thread.fds)), "decimal"),
    Field("proc.fdlimit", "int64", "P", "none", "Descriptors that may be open; -1 if that is not known.",
          kept("fdlimit", -1), "decimal"),
    Field("proc.fdusage", "double", "R", "none", "Open descriptors in percent of proc.fdlimit.", of_thread(usage),
          "decimal"),
    Field("proc.vmsize", "uint64", "R", "none", "Virtual memory, in KB.", kept("vmsize", 0), "decimal"),
    Field("proc.vmrss", "uint64", "R", "none", "Memory that is resident, in KB.", kept("vmrss", 0), "decimal"),
    Field("proc.vmswap", "uint64", "R", "none", "Memory that is swapped out, in KB.", kept("vmswap", 0), "decimal"),
    Field("thread.pfmajor", "uint64", "R", "none", "Page faults that read from disk.", kept("pfmajor", 0), "decimal"),
    Field("thread.pfminor", "uint64", "R", "none", "Page faults that read nothing.", kept("pfminor", 0), "decimal"),
    Field("thread.tid", "int64", "P", "none", "Id of the thread.", thread_number, "id"),
    Field("thread.ismain", "bool", "P", "none", "Whether it is the process's first thread.", of_thread(is_main)),
    Field("thread.exectime", "reltime", "R", "none", "Nanoseconds that the thread ran, on switch events; else 0.", ran,
          "decimal"),
    Field("thread.totexectime", "reltime", "R", "none", "Nanoseconds that the thread ran until now, by switch events.",
          ran_in_all, "decimal"),
    Field("thread.cgroups", "charbuf", "P", "none", "Control groups, SUBSYSTEM=PATH each.",
          of_thread(control_groups)),
    Field("thread.cgroup", "charbuf", "P", "required", "Control group of one subsystem: thread.cgroup.memory.",
          control_group),
    Field("thread.vtid", "int64", "P", "none", "Id of the thread in its own namespace.",
          of_thread(lambda thread: thread.vtid), "id"),
    Field("proc.vpid", "int64", "P", "none", "Id of the process in its own namespace.",
          of_thread(lambda thread: thread.vpid), "id"),
    Field("thread.cpu", "double", "R", "none", "CPU time since the last procinfo event of the thread, on such events: "
          "hundredths of a second, 100 at most.", used("thread.cpu", "cpu_usr", "cpu_sys")),
    Field("thread.cpu.user", "double", "R", "none", "The same of the time in the program.",
          used("thread.cpu.user", "cpu_usr")),
    Field("thread.cpu.system", "double", "R", "none", "The same of the time in the kernel.",
          used("thread.cpu.system", "cpu_sys")),
    Field("thread.vmsize", "uint64", "R", "none", "Virtual memory in KB on the main thread; 0 on others.",
          of_main("vmsize"), "decimal"),
    Field("thread.vmrss", "uint64", "R", "none", "Resident memory in KB on the main thread; 0 on others.",
          of_main("vmrss"), "decimal"),
    Field("proc.sid", "int64", "P", "none", "Id of the session.", kept("sid", -1), "id"),
    Field("proc.sname", "charbuf", "R", "none", "Name of the session's first process.", of_thread(session_name)),
    Field("proc.tty", "int32", "P", "none", "Device number of the terminal; 0 without one.", kept("tty", 0), "id"),
    Field("proc.exepath", "charbuf", "P", "none", "Path of the program.",
          of_thread(lambda thread: thread.exepath or "")),
    Field("proc.vpgid", "int64", "P", "none", "Process group, as seen in its own namespace.", kept("vpgid", -1), "id"),
    Field("proc.is_container_healthcheck", "bool", "P", "none", "Whether a container's health check runs it.",
          category(2)),
    Field("proc.is_container_liveness_probe", "bool", "P", "none", "Whether a container's liveness probe runs it.",
          category(3)),
    Field("proc.is_container_readiness_probe", "bool", "P", "none", "Whether a container's readiness probe runs it.",
          category(4)),
    Field("proc.is_exe_writable", "bool", "P", "none", "Whether its user may write to the program's file.",
          of_thread(lambda thread: bool(thread.exe_writable))),
)  # fmt: skip


def environment(event: Event, argument: str | None) -> Value:
    """proc.env, and one variable of it."""
    if event.thread is None:
        return None
    if argument is None:
        return " ".join(event.thread.env)
    prefix = f"{argument}="
    return next((one.removeprefix(prefix) for one in event.thread.env if one.startswith(prefix)), None)
