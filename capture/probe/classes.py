"""Which system calls the probe follows, and what it does with each: the table by number (x86-64) that it looks up.

Numbers: arch/x86/entry/syscalls/syscall_64.tbl of the kernel. A table entry is the number of the step that makes the
record, and flags; both go into the program's text by the names given here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Steps: programs that make a record, reached by a tail call.
PLAIN, LENGTH, PATH, ADDRESS, PAIR, BUFFER, VECTORS, MESSAGE, MESSAGES, GATHER, REST, PROCESS, ASKED = range(1, 14)
STEPS: Final = {
    "plain": PLAIN,
    "length": LENGTH,
    "path": PATH,
    "address": ADDRESS,
    "pair": PAIR,
    "buffer": BUFFER,
    "vectors": VECTORS,
    "message": MESSAGE,
    "messages": MESSAGES,
    "gather": GATHER,
    "rest": REST,
    "process": PROCESS,
    "asked": ASKED,
}

STEP: Final = 0xFF
IO: Final = 1 << 8  # moves bytes: only for sockets unless all files are asked for, and subject to conditions
SENDS: Final = 1 << 9
OWN_ENTER: Final = 1 << 10  # may block, or sends: the enter is a record of its own
URING: Final = 1 << 11  # counted only
FCNTL: Final = 1 << 12  # only where it duplicates
LISTENER: Final = 1 << 13  # accept: the first argument listens
SECOND: Final = 1 << 14  # the path is the second argument
NAMED: Final = 1 << 15  # sends or receives with an address
MANY: Final = 1 << 16  # many messages
CLONE: Final = 1 << 17
EXEC: Final = 1 << 18
SIZED: Final = 1 << 19  # what it is asked to send is told by vectors: summed up for the enter
RENAME: Final = 1 << 23  # prctl: only where it names the thread
WHICH: Final = 7 << 20  # which descriptor the record is about
FIRST, RESULT, OF_PAIR, OF_SENDFILE, OF_SPLICE = (number << 20 for number in range(1, 6))

_READ: Final = IO | OWN_ENTER | FIRST
_WRITE: Final = _READ | SENDS


class Call(NamedTuple):
    """A system call that the probe follows."""

    name: str
    number: int
    entry: int  # step and flags


CALLS: Final = tuple(
    Call(*row)
    for row in (
        ("read", 0, BUFFER | _READ),
        ("write", 1, BUFFER | _WRITE),
        ("open", 2, PATH | RESULT),
        ("close", 3, PLAIN),
        ("pread64", 17, BUFFER | _READ),
        ("pwrite64", 18, BUFFER | _WRITE),
        ("readv", 19, VECTORS | _READ),
        ("writev", 20, VECTORS | _WRITE | SIZED),
        ("pipe", 22, PAIR | OF_PAIR),
        ("dup", 32, PLAIN | RESULT),
        ("dup2", 33, PLAIN | RESULT),
        ("sendfile", 40, LENGTH | IO | OWN_ENTER | OF_SENDFILE),
        ("socket", 41, PLAIN | RESULT),
        ("connect", 42, ADDRESS | OWN_ENTER | FIRST),
        ("accept", 43, ADDRESS | OWN_ENTER | RESULT | LISTENER),
        ("sendto", 44, BUFFER | _WRITE | NAMED),
        ("recvfrom", 45, BUFFER | _READ | NAMED),
        ("sendmsg", 46, MESSAGE | _WRITE | NAMED | SIZED),
        ("recvmsg", 47, MESSAGE | _READ | NAMED),
        ("shutdown", 48, PLAIN | FIRST),
        ("bind", 49, ADDRESS | FIRST),
        ("listen", 50, PLAIN | FIRST),
        ("socketpair", 53, PAIR | OF_PAIR),
        ("clone", 56, PROCESS | CLONE | OWN_ENTER),
        ("fork", 57, PROCESS | CLONE | OWN_ENTER),
        ("vfork", 58, PROCESS | CLONE | OWN_ENTER),
        ("execve", 59, PROCESS | EXEC),
        ("fcntl", 72, PLAIN | RESULT | FCNTL),
        ("chdir", 80, PATH),
        ("fchdir", 81, PLAIN),
        ("creat", 85, PATH | RESULT),
        ("setuid", 105, PROCESS),
        ("setgid", 106, PROCESS),
        ("setpgid", 109, PLAIN),
        ("setsid", 112, PLAIN),
        ("setreuid", 113, PROCESS),
        ("setregid", 114, PROCESS),
        ("setresuid", 117, PROCESS),
        ("setresgid", 119, PROCESS),
        ("prctl", 157, PATH | RENAME),
        ("openat", 257, PATH | RESULT | SECOND),
        ("splice", 275, LENGTH | IO | OWN_ENTER | OF_SPLICE),
        ("accept4", 288, ADDRESS | OWN_ENTER | RESULT | LISTENER),
        ("dup3", 292, PLAIN | RESULT),
        ("pipe2", 293, PAIR | OF_PAIR),
        ("preadv", 295, VECTORS | _READ),
        ("pwritev", 296, VECTORS | _WRITE | SIZED),
        ("recvmmsg", 299, MESSAGES | _READ | NAMED | MANY),
        ("sendmmsg", 307, MESSAGES | _WRITE | NAMED | MANY),
        ("execveat", 322, PROCESS | EXEC | SECOND),
        ("preadv2", 327, VECTORS | _READ),
        ("pwritev2", 328, VECTORS | _WRITE | SIZED),
        ("io_uring_enter", 426, URING),
        ("clone3", 435, PROCESS | CLONE | OWN_ENTER),
        ("close_range", 436, PLAIN),
        ("openat2", 437, PATH | RESULT | SECOND),
    )
)


def definitions() -> dict[str, int]:
    """The names by which the program's text knows steps and flags."""
    flags = {
        "IO": IO,
        "SENDS": SENDS,
        "OWN_ENTER": OWN_ENTER,
        "URING": URING,
        "FCNTL": FCNTL,
        "RENAME": RENAME,
        "LISTENER": LISTENER,
        "SECOND": SECOND,
        "NAMED": NAMED,
        "MANY": MANY,
        "CLONE": CLONE,
        "EXEC": EXEC,
        "SIZED": SIZED,
        "WHICH": WHICH,
        "STEP": STEP,
    }
    named = {f"CLASS_{name}": value for name, value in flags.items()}
    named |= {f"STEP_{name.upper()}": number for name, number in STEPS.items()}
    which = {"FIRST": FIRST, "RESULT": RESULT, "PAIR": OF_PAIR, "SENDFILE": OF_SENDFILE, "SPLICE": OF_SPLICE}
    return named | {f"WHICH_{name}": value for name, value in which.items()}
