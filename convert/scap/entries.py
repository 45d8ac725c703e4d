"""The entries of the lists that describe the machine at the start of a scap file: plain classes, made in no time."""

from __future__ import annotations


class Entry:
    """An entry of a list: equal to another where all it tells is equal."""

    __slots__: tuple[str, ...] = ()

    def told(self) -> dict[str, object]:
        """All values by name."""
        return {name: getattr(self, name) for name in type(self).__slots__}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and type(other) is type(self) and self.told() == other.told()

    __hash__ = None  # type: ignore[assignment]  # nobody looks entries up


class Machine(Entry):
    """Machine info block: memory in bytes, boot time in ns since the epoch (0: not recorded)."""

    __slots__ = ("boot_time", "cpus", "hostname", "max_pid", "memory")

    def __init__(
        self,
        cpus: int,
        memory: int,
        max_pid: int,
        hostname: bytes,
        boot_time: int,
    ) -> None:
        self.cpus = cpus
        self.memory = memory
        self.max_pid = max_pid
        self.hostname = hostname
        self.boot_time = boot_time


class ProcessRest(Entry):
    """What else the process list says of a thread; 0 or -1 where its layout has no room for it. Memory in KB."""

    __slots__ = (
        "fdlimit",
        "pfmajor",
        "pfminor",
        "root",
        "sid",
        "tail",
        "vmrss",
        "vmsize",
        "vmswap",
        "vpgid",
        "vpid",
        "vtid",
    )

    def __init__(
        self,
        sid: int,
        vpgid: int,
        fdlimit: int,
        vmsize: int,
        vmrss: int,
        vmswap: int,
        pfmajor: int,
        pfminor: int,
        vtid: int,
        vpid: int,
        root: bytes,
        tail: bytes,
    ) -> None:
        self.sid = sid
        self.vpgid = vpgid
        self.fdlimit = fdlimit
        self.vmsize = vmsize
        self.vmrss = vmrss
        self.vmswap = vmswap
        self.pfmajor = pfmajor
        self.pfminor = pfminor
        self.vtid = vtid
        self.vpid = vpid
        self.root = root
        self.tail = tail  # of layout 9, behind the root directory


class ProcessEntry(Entry):
    """One thread of the process list; texts as recorded, args, env and cgroups NUL-separated."""

    __slots__ = (
        "args",
        "cgroups",
        "comm",
        "cwd",
        "env",
        "exe",
        "exepath",
        "flags",
        "gid",
        "loginuid",
        "pid",
        "ptid",
        "rest",
        "tid",
        "uid",
    )

    def __init__(
        self,
        tid: int,
        pid: int,
        ptid: int,
        comm: bytes,
        exe: bytes,
        exepath: bytes,
        args: bytes,
        cwd: bytes,
        flags: int,
        uid: int,
        gid: int,
        env: bytes,
        cgroups: bytes,
        loginuid: int,
        rest: ProcessRest | None = None,
    ) -> None:
        self.tid = tid
        self.pid = pid
        self.ptid = ptid
        self.comm = comm
        self.exe = exe
        self.exepath = exepath
        self.args = args
        self.cwd = cwd
        self.flags = flags
        self.uid = uid
        self.gid = gid
        self.env = env
        self.cgroups = cgroups
        self.loginuid = loginuid
        self.rest = rest


class DescriptorEntry(Entry):
    """One descriptor of a thread's fd list; addresses in network order, `name` a path or empty."""

    __slots__ = (
        "dest",
        "device",
        "dip",
        "dport",
        "fd",
        "inode",
        "kind",
        "l4",
        "name",
        "open_flags",
        "sip",
        "source",
        "sport",
    )

    def __init__(
        self,
        fd: int,
        inode: int,
        kind: int,
        sip: bytes,
        dip: bytes,
        sport: int,
        dport: int,
        l4: int,
        source: int,
        dest: int,
        name: bytes,
        open_flags: int = 0,
        device: int = 0,
    ) -> None:
        self.fd = fd
        self.inode = inode
        self.kind = kind
        self.sip = sip
        self.dip = dip
        self.sport = sport
        self.dport = dport
        self.l4 = l4
        self.source = source
        self.dest = dest
        self.name = name
        self.open_flags = open_flags
        self.device = device

    def description(self) -> tuple[object, ...]:
        """All but the number: two numbers that share one open file description tell the same."""
        return (
            self.inode, self.kind, self.sip, self.dip, self.sport, self.dport, self.l4, self.source, self.dest,
            self.name, self.open_flags, self.device,
        )  # fmt: skip


class InterfaceEntry(Entry):
    """One network interface; `family` 4 or 6."""

    __slots__ = ("address", "family", "name", "netmask")

    def __init__(
        self,
        family: int,
        address: bytes,
        netmask: bytes,
        name: bytes,
    ) -> None:
        self.family = family
        self.address = address
        self.netmask = netmask
        self.name = name


class UserEntry(Entry):
    """One user, or group where `group` is set (then only gid and name are given)."""

    __slots__ = ("gid", "group", "home", "name", "shell", "uid")

    def __init__(
        self,
        group: bool,
        uid: int,
        gid: int,
        name: bytes,
        home: bytes = b"",
        shell: bytes = b"",
    ) -> None:
        self.group = group
        self.uid = uid
        self.gid = gid
        self.name = name
        self.home = home
        self.shell = shell
