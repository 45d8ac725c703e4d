"""Numbers of Linux (x86-64) and the numbers that scap files carry in their place.

Event parameters of the flag types hold numbers of scap's own, the same whatever machine was recorded. The Linux side is
the kernel's uapi headers (fcntl.h, sched.h, openat2.h); the scap side is schema 4.5.1. Bits without a counterpart are
left out, as libscap does; a command without one becomes FCNTL_UNKNOWN.
"""

from __future__ import annotations

from typing import Final

OPEN_ACCESS: Final = {0: 1, 1: 2, 2: 3, 3: 0}
"""The two lowest bits of open's flags: reading, writing, both; 3 (neither) is scap's O_NONE."""

OPEN_FLAGS: Final = {
    0o100: 4,  # O_CREAT
    0o200: 32,  # O_EXCL
    0o1000: 256,  # O_TRUNC
    0o2000: 8,  # O_APPEND
    0o4000: 64,  # O_NONBLOCK
    0o10000: 16,  # O_DSYNC
    0o40000: 512,  # O_DIRECT
    0o100000: 2048,  # O_LARGEFILE
    0o200000: 1024,  # O_DIRECTORY
    0o2000000: 4096,  # O_CLOEXEC
    0o4000000: 128,  # O_SYNC without the bit of O_DSYNC, which it holds too
    0o20000000: 8192,  # O_TMPFILE without the bit of O_DIRECTORY, which it holds too
}

CLONE_FLAGS: Final = {
    0x00000100: 32768,  # CLONE_VM
    0x00000200: 2,  # CLONE_FS
    0x00000400: 1,  # CLONE_FILES
    0x00000800: 2048,  # CLONE_SIGHAND
    0x00002000: 1024,  # CLONE_PTRACE
    0x00004000: 134217728,  # CLONE_VFORK
    0x00008000: 256,  # CLONE_PARENT
    0x00010000: 8192,  # CLONE_THREAD
    0x00020000: 32,  # CLONE_NEWNS
    0x00040000: 4096,  # CLONE_SYSVSEM
    0x00080000: 33554432,  # CLONE_SETTLS
    0x00100000: 512,  # CLONE_PARENT_SETTID
    0x00200000: 8388608,  # CLONE_CHILD_CLEARTID
    0x00800000: 16384,  # CLONE_UNTRACED
    0x01000000: 16777216,  # CLONE_CHILD_SETTID
    0x02000000: 268435456,  # CLONE_NEWCGROUP
    0x04000000: 128,  # CLONE_NEWUTS
    0x08000000: 8,  # CLONE_NEWIPC
    0x10000000: 1048576,  # CLONE_NEWUSER
    0x20000000: 64,  # CLONE_NEWPID
    0x40000000: 16,  # CLONE_NEWNET
    0x80000000: 4,  # CLONE_IO
}

FCNTL_UNKNOWN: Final = 0
FCNTL_COMMANDS: Final = {
    0: 1,  # F_DUPFD
    1: 2,  # F_GETFD
    2: 3,  # F_SETFD
    3: 4,  # F_GETFL
    4: 5,  # F_SETFL
    5: 6,  # F_GETLK
    6: 8,  # F_SETLK
    7: 9,  # F_SETLKW
    8: 10,  # F_SETOWN
    9: 12,  # F_GETOWN
    10: 13,  # F_SETSIG
    11: 15,  # F_GETSIG
    15: 21,  # F_SETOWN_EX
    16: 22,  # F_GETOWN_EX
    36: 30,  # F_OFD_GETLK
    37: 31,  # F_OFD_SETLK
    38: 32,  # F_OFD_SETLKW
    1024: 23,  # F_SETLEASE
    1025: 24,  # F_GETLEASE
    1026: 27,  # F_NOTIFY
    1029: 25,  # F_CANCELLK
    1030: 26,  # F_DUPFD_CLOEXEC
    1031: 28,  # F_SETPIPE_SZ
    1032: 29,  # F_GETPIPE_SZ
}

RESOLVE_FLAGS: Final = {
    0x01: 16,  # RESOLVE_NO_XDEV
    0x02: 4,  # RESOLVE_NO_MAGICLINKS
    0x04: 8,  # RESOLVE_NO_SYMLINKS
    0x08: 1,  # RESOLVE_BENEATH
    0x10: 2,  # RESOLVE_IN_ROOT
    0x20: 32,  # RESOLVE_CACHED
}
