"""scap's numbers for flags, held to Linux's as Python and the kernel's headers know them, and to scap's names."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from syswire.capture import flags

# Names that stand in both tables; Linux's numbers of what Python does not know are from include/uapi/linux.
_OPENS = "CREAT EXCL TRUNC APPEND NONBLOCK DSYNC DIRECT DIRECTORY CLOEXEC LARGEFILE SYNC TMPFILE"
_COMMANDS = (
    "DUPFD GETFD SETFD GETFL SETFL GETLK SETLK SETLKW SETOWN GETOWN SETSIG GETSIG "
    "OFD_GETLK OFD_SETLK OFD_SETLKW SETLEASE GETLEASE NOTIFY DUPFD_CLOEXEC SETPIPE_SZ GETPIPE_SZ"
)
OPENS = [f"O_{name}" for name in _OPENS.split()]
COMMANDS = [f"F_{name}" for name in _COMMANDS.split()]
OTHER_COMMANDS = {"F_SETOWN_EX": 15, "F_GETOWN_EX": 16, "F_CANCELLK": 1029}
CLONES = {
    "VM": 0x100, "FS": 0x200, "FILES": 0x400, "SIGHAND": 0x800, "PTRACE": 0x2000, "VFORK": 0x4000, "PARENT": 0x8000,
    "THREAD": 0x10000, "NEWNS": 0x20000, "SYSVSEM": 0x40000, "SETTLS": 0x80000, "PARENT_SETTID": 0x100000,
    "CHILD_CLEARTID": 0x200000, "UNTRACED": 0x800000, "CHILD_SETTID": 0x1000000, "NEWCGROUP": 0x2000000,
    "NEWUTS": 0x4000000, "NEWIPC": 0x8000000, "NEWUSER": 0x10000000, "NEWPID": 0x20000000, "NEWNET": 0x40000000,
    "IO": 0x80000000,
}  # fmt: skip
RESOLVES = {"NO_XDEV": 1, "NO_MAGICLINKS": 2, "NO_SYMLINKS": 4, "BENEATH": 8, "IN_ROOT": 16, "CACHED": 32}


def scap(shared: Path, table: str) -> dict[str, int]:
    """scap's own names and numbers of a table of flags."""
    found: dict[str, int] = json.loads((shared / "facts" / "tables" / "flags.json").read_text("utf-8"))["tables"][table]
    return found


def test_flags_of_open(shared: Path) -> None:
    """Every flag that both know; those that hold another's bit are told by their own."""
    names = scap(shared, "file_flags")
    own = {name: int(getattr(os, name)) for name in OPENS}
    own["O_LARGEFILE"] = 0o100000  # Python's is 0 where all files are large
    own["O_SYNC"] &= ~os.O_DSYNC
    own["O_TMPFILE"] &= ~os.O_DIRECTORY
    assert {own[name]: names[name] for name in OPENS} == flags.OPEN_FLAGS
    access = {os.O_RDONLY: "O_RDONLY", os.O_WRONLY: "O_WRONLY", os.O_RDWR: "O_RDWR", os.O_ACCMODE: "O_NONE"}
    assert {number: names[name] for number, name in access.items()} == flags.OPEN_ACCESS


def test_commands_of_fcntl(shared: Path) -> None:
    """Every command that both know; F_GETLK64 and the like are the same as those without on this machine."""
    names = scap(shared, "fcntl_commands")
    linux = {name: int(getattr(fcntl, name)) for name in COMMANDS if hasattr(fcntl, name)}
    # Python knows these two by their numbers of programs of 32 bits on some builds: the kernel's are 5, 6, 7.
    linux |= OTHER_COMMANDS | {"F_GETLK": 5, "F_SETLK": 6, "F_SETLKW": 7}
    linux |= {"F_OFD_GETLK": 36, "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38}
    assert {number: names[name] for name, number in linux.items()} == flags.FCNTL_COMMANDS
    assert set(names) - set(linux) == {"F_GETLK64", "F_SETLK64", "F_SETLKW64", "UNKNOWN"}


def test_flags_of_clone(shared: Path) -> None:
    """Every flag that both know."""
    names = scap(shared, "clone_flags")
    assert {number: names[f"CLONE_{name}"] for name, number in CLONES.items()} == flags.CLONE_FLAGS


def test_flags_of_openat2(shared: Path) -> None:
    """All of them."""
    names = scap(shared, "openat2_flags")
    assert {number: names[f"RESOLVE_{name}"] for name, number in RESOLVES.items()} == flags.RESOLVE_FLAGS


def test_ways_of_shutdown_need_no_table(shared: Path) -> None:
    """The layout takes Linux's numbers as they are: they are scap's."""
    names = scap(shared, "shutdown_how")
    assert {name: names[name] for name in ("SHUT_RD", "SHUT_WR", "SHUT_RDWR")} == {
        "SHUT_RD": 0,
        "SHUT_WR": 1,
        "SHUT_RDWR": 2,
    }
