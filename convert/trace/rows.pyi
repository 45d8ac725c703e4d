from typing import Any

TYPECHARS: dict[str, str]
"""Letter by kind of descriptor."""

class Fd:
    """A descriptor. Copies by dup and fork are objects of their own.

    `kind` is file, directory, ipv4, ipv6, ipv4_bound, ipv6_bound, fifo, unix, event, unsupported, signalfd,
    eventpoll, inotify, timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd or unknown. The tuple is stored as
    libsinsp stores it: s is the client's side once a role exists; a bound socket has its address in sip and sport.
    """

    num: int
    kind: str
    name: str
    ino: int | None
    raw_name: str | None
    """The name as the process gave it; None where not recorded."""
    old_name: str
    name_changed: bool
    """By the last event."""
    role: str | None
    """client or server"""
    l4: str | None
    """tcp, udp, icmp or raw"""
    sip: bytes | None
    """4 or 16 bytes, network order; so is dip."""
    dip: bytes | None
    sport: int | None
    dport: int | None
    source: int
    """Kernel addresses of a unix socket's ends: source and dest."""
    dest: int
    connected: bool
    failed: bool
    """A connect that failed."""
    pipe: bool
    """Made by pipe(2)."""
    dev: int | None
    mount: int | None
    openflags: int | None
    """PPM_O_*"""
    upper_layer: bool
    lower_layer: bool
    pid: int | None
    """Of a pidfd."""
    created: int | None
    """Ordinal of the event that made it; None: from the lists."""
    from_list: bool
    closing: bool
    """Between a close's enter and its exit."""
    cloexec: bool

    def __init__(self, num: int, kind: str, name: str = "", ino: int | None = None) -> None: ...
    @property
    def typechar(self) -> str:
        """The letter that sysdig shows for the kind."""
    @property
    def is_bound(self) -> bool:
        """A bound socket: one address, in sip and sport."""
    @property
    def is_tuple(self) -> bool:
        """An IP socket that is not bound: two addresses."""
    @property
    def is_ip(self) -> bool:
        """An IP socket of any kind."""
    @property
    def is_file(self) -> bool:
        """A file or a directory: the name is a path."""
    def copy(self, num: int) -> Fd:
        """The same under another number (dup, fork)."""

class Thread:
    """A thread; what is not known is None. A process is the thread whose tid is its pid.

    `fds` is the table of the thread's descriptors: the main thread's own where the thread shares it. Memory in KB.
    """

    trace: Any
    """The model.Trace that it belongs to."""
    tid: int
    pid: int
    ptid: int | None
    vtid: int | None
    vpid: int | None
    comm: str | None
    exe: str | None
    exepath: str | None
    args: list[str]
    env: list[str]
    own_cwd: str
    """Ends in a slash, as libsinsp keeps it."""
    root: str | None
    uid: int | None
    gid: int | None
    loginuid: int | None
    sid: int | None
    pgid: int | None
    vpgid: int | None
    tty: int | None
    flags: int
    """PPM_CL_*"""
    fdlimit: int | None
    vmsize: int | None
    vmrss: int | None
    vmswap: int | None
    pfmajor: int | None
    pfminor: int | None
    cap_permitted: int | None
    cap_effective: int | None
    cap_inheritable: int | None
    exe_writable: bool | None
    exe_upper_layer: bool | None
    exe_lower_layer: bool | None
    exe_from_memfd: bool | None
    exe_ino: int | None
    exe_ino_ctime: int | None
    exe_ino_mtime: int | None
    pidns_start: int | None
    cgroups: list[str]
    """subsystem=path"""
    container: str | None
    """Its id; None: on the host."""
    clone_ts: int | None
    """ns since the epoch; None: from the lists."""
    exec_ts: int | None
    category: int
    children: int
    program_hash: int | None
    from_list: bool
    invalid: bool
    """A placeholder: nothing is known but the tid."""
    own_fds: dict[int, Fd]
    main_tid: int
    last_enter: Any
    """A model.Event, or None."""
    last_type: int
    last_fd: int
    """0 as libsinsp begins."""
    last_valid: bool
    last_latency: int | None
    """ns, of the last exit; None: there was none."""
    last_access: int
    cloning: bool
    exiting: bool

    def __init__(self, trace: Any, tid: int, pid: int) -> None: ...
    @property
    def main(self) -> Thread | None:
        """The process's main thread; None where the trace does not know it."""
    @property
    def is_main(self) -> bool:
        """Whether this is the process's main thread."""
    @property
    def fds(self) -> dict[int, Fd]:
        """The table in which this thread's descriptors are looked up: the main thread's with CLONE_FILES."""
    @property
    def cwd(self) -> str | None:
        """The working directory, ending in a slash: the main thread's where descriptors are shared; may be empty."""
    def parent(self) -> Thread | None:
        """The thread that made it; None where the trace does not know it."""
