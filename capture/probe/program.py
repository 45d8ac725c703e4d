"""Put the probe's C text together: the parts in order, the record's layout, the kernel's offsets, the options."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from ...convert.errors import MachineError
from .classes import definitions

if TYPE_CHECKING:
    from .btf import Btf
    from .push import Settings

PARTS: Final = ("maps.h", "descriptors.h", "enter.c", "exit.c", "payload.c", "process.c")
VECTORS: Final = 40  # vectors looked at in one step; with DEPTH steps more than the 1,024 the kernel takes
DEPTH: Final = 29  # steps behind the first; the kernel allows 33 tail calls

_OFFSETS: Final = {
    "REGS_DI": "pt_regs.di",
    "REGS_SI": "pt_regs.si",
    "REGS_DX": "pt_regs.dx",
    "REGS_R10": "pt_regs.r10",
    "REGS_R8": "pt_regs.r8",
    "REGS_R9": "pt_regs.r9",
    "REGS_ORIG_AX": "pt_regs.orig_ax",
    "TASK_STATUS": "task_struct.thread_info.status",
    "TASK_FILES": "task_struct.files",
    "TASK_PARENT": "task_struct.real_parent",
    "TASK_TGID": "task_struct.tgid",
    "TASK_THREAD_PID": "task_struct.thread_pid",
    "TASK_SIGNAL": "task_struct.signal",
    "TASK_CRED": "task_struct.cred",
    "TASK_MM": "task_struct.mm",
    "TASK_MAJ": "task_struct.maj_flt",
    "TASK_MIN": "task_struct.min_flt",
    "TASK_EXIT_CODE": "task_struct.exit_code",
    "FILES_FDT": "files_struct.fdt",
    "FDT_MAX": "fdtable.max_fds",
    "FDT_FD": "fdtable.fd",
    "FILE_INODE": "file.f_inode",
    "FILE_FLAGS": "file.f_flags",
    "FILE_PRIVATE": "file.private_data",
    "INODE_MODE": "inode.i_mode",
    "INODE_INO": "inode.i_ino",
    "INODE_SB": "inode.i_sb",
    "SB_DEV": "super_block.s_dev",
    "SOCKET_SK": "socket.sk",
    "SKC_FAMILY": "sock.__sk_common.skc_family",
    "SKC_STATE": "sock.__sk_common.skc_state",
    "SKC_NUM": "sock.__sk_common.skc_num",
    "SKC_DPORT": "sock.__sk_common.skc_dport",
    "SKC_RCV_SADDR": "sock.__sk_common.skc_rcv_saddr",
    "SKC_DADDR": "sock.__sk_common.skc_daddr",
    "SK_PROTOCOL": "sock.sk_protocol",
    "SK_TYPE": "sock.sk_type",
    "SK_BACKLOG": "sock.sk_ack_backlog",
    "SK_MAX_BACKLOG": "sock.sk_max_ack_backlog",
    "PID_LEVEL": "pid.level",
    "PID_NUMBERS": "pid.numbers",
    "UPID_NR": "upid.nr",
    "SIGNAL_PIDS": "signal_struct.pids",
    "SIGNAL_RLIM": "signal_struct.rlim",
    "SIGNAL_TTY": "signal_struct.tty",
    "TTY_DRIVER": "tty_struct.driver",
    "TTY_INDEX": "tty_struct.index",
    "TTY_MAJOR": "tty_driver.major",
    "TTY_MINOR": "tty_driver.minor_start",
    "CRED_UID": "cred.uid",
    "CRED_EUID": "cred.euid",
    "CRED_GID": "cred.gid",
    "CRED_EGID": "cred.egid",
    "CRED_INHERITABLE": "cred.cap_inheritable",
    "CRED_PERMITTED": "cred.cap_permitted",
    "CRED_EFFECTIVE": "cred.cap_effective",
    "MM_TOTAL": "mm_struct.total_vm",
    "MM_RSS": "mm_struct.rss_stat",
    "MM_EXE": "mm_struct.exe_file",
    "MM_ARG_START": "mm_struct.arg_start",
    "MM_ARG_END": "mm_struct.arg_end",
    "MM_ENV_START": "mm_struct.env_start",
    "MM_ENV_END": "mm_struct.env_end",
    "BPRM_FILENAME": "linux_binprm.filename",
}
# A kernel built without IPv6, unix sockets, auditing or cgroups has no such members.
_OPTIONAL: Final = (
    {
        "SKC_V6_DADDR": "sock.__sk_common.skc_v6_daddr",
        "SKC_V6_RCV_SADDR": "sock.__sk_common.skc_v6_rcv_saddr",
    },
    {
        "UNIX_PEER": "unix_sock.peer",
        "UNIX_ADDR": "unix_sock.addr",
        "UNIX_ADDRESS_LEN": "unix_address.len",
        "UNIX_ADDRESS_NAME": "unix_address.name",
    },
    {"TASK_LOGINUID": "task_struct.loginuid"},
    {
        "TASK_CGROUPS": "task_struct.cgroups",
        "CSS_CGROUP": "css_set.dfl_cgrp",
        "CGROUP_KN": "cgroup.kn",
        "KN_NAME": "kernfs_node.name",
    },
)
_REGISTERS: Final = 128  # bytes of the registers that the program reads at once
_NEAR: Final = 120  # and of other structs
_STACK: Final = 120  # bytes of struct sock_common that fit the program's stack


def offsets(btf: Btf) -> dict[str, int]:
    """The definitions that tell where the kernel's members lie; MachineError where a needed one is not found."""
    found: dict[str, int] = {}
    for name, path in _OFFSETS.items():
        place = btf.offset(path)
        if place is None:
            raise MachineError(f"this kernel has no {path}: it is older or newer than the probe knows")
        found[f"O_{name}"] = place
    for group in _OPTIONAL:
        found |= _all_or_none(btf, group)
    for name in [name for name in found if name.startswith("O_REGS_")]:
        if found[name] % 8 or found[name] > _REGISTERS - 8:
            raise MachineError("this kernel saves its registers otherwise than the probe knows: it records x86-64 only")
    # Since 6.2 the resident pages are counters by CPU, before plain ones in a struct of their own.
    by_cpu = btf.size("mm_rss_stat") is None
    found["O_RSS_COUNT"] = btf.offset("percpu_counter.count") or 0 if by_cpu else 0
    found["SIZE_RSS"] = btf.size("percpu_counter") or 8 if by_cpu else 8
    found["SIZE_UPID"] = btf.size("upid") or 16
    # Members that are read together: the structs' beginnings that hold them.
    found["SIZE_FDT"] = _reach(found, "O_FDT_")
    found["SIZE_FILE"] = _reach(found, "O_FILE_")
    found["SIZE_INODE"] = _reach(found, "O_INODE_")
    common = [place for name, place in found.items() if name.startswith("O_SKC_")]
    found["SOCK_COMMON"] = max(common) + 16
    if found["SOCK_COMMON"] > _STACK:
        raise MachineError("this kernel's sockets are laid out otherwise than the probe knows")
    return found


def text(settings: Settings, btf: Btf, cpus: int) -> str:
    """The whole program, ready for the compiler; `cpus` is how many the machine may ever have."""
    named = definitions() | offsets(btf)
    named |= {
        "CPUS": cpus,
        "SNAPLEN": settings.snaplen,
        "RING_PAGES": settings.ring_pages,
        "SELF": settings.own_pid,
        "VECTORS": VECTORS,
        "DEPTH": DEPTH,
        "MESSAGE_HEAD": 56,  # struct msghdr of 64-bit programs
    }
    named |= {name: 1 for name, asked in settings.switches().items() if asked}
    here = files(__package__)
    layout = files(__package__.rpartition(".")[0]).joinpath("record.h").read_text("utf-8")
    defined = "\n".join(f"#define {name} {value}" for name, value in named.items())
    return "\n".join((defined, layout, *(here.joinpath(part).read_text("utf-8") for part in PARTS)))


def _reach(found: dict[str, int], prefix: str) -> int:
    """Bytes from a struct's start to behind the last of its members that are looked at, each of at most eight."""
    reach = max(place for name, place in found.items() if name.startswith(prefix)) + 8
    if reach > _NEAR:
        raise MachineError(
            f"this kernel's structs are laid out otherwise than the probe knows ({prefix[2:-1].lower()})"
        )
    return reach


def _all_or_none(btf: Btf, paths: dict[str, str]) -> dict[str, int]:
    """The places of members that exist together."""
    found = {f"O_{name}": btf.offset(path) for name, path in paths.items()}
    places = {name: place for name, place in found.items() if place is not None}
    return places if len(places) == len(found) else {}
