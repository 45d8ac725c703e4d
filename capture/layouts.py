"""Which parameters the event of a system call has, as data: what the compiled encoder (events.pyx) goes through.

A layout is an event code and one operand a parameter, in the order of the event table: first those that sysdig 0.29.3
knows, then those that newer recorders append. Event codes are at most 335 where the call has such, so that sysdig
0.29.3 decodes them; setreuid, setregid, prctl and close_range have only newer ones, which sysdig 0.29.3 leaves out.

An operand is a kind and the number of the system call's argument that it is about. What the record does not tell is
absent (length 0), never made up, with one exception: ZERO stands where sysdig 0.29.3 takes a number without asking for
its length, and would print the bytes behind it. So it is with the sizes that vectors and messages ask for (ASKED), and
with what a process is where a clone or exec failed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

(
    ABSENT,
    ZERO_8,
    ZERO_32,
    ZERO_64,
    RESULT,  # what the call returned, i64
    BYTES,  # the same, but of one message of sendmmsg and recvmmsg its bytes
    GOT,  # bytes that the call moved, u32
    ASKED,  # bytes that the vectors ask for, u32: of an enter, 0 where the record does not say; of an exit, absent
    DATA,
    FD,  # of an argument: i64
    INT,  # of an argument: its lower 32 bits
    LONG,  # of an argument: u64
    SIZE,  # of an argument: u32, the largest one where it is more
    BYTE,  # of an argument: u8, 255 where it is more
    OPEN,  # of an argument: scap's flags
    MODE,  # of an argument: the mode, 0 unless the argument before it creates a file
    CREATE_MODE,
    SOCKET_FLAGS,
    FCNTL,
    RESOLVE,
    CLONE,
    OUT,  # SOCKTUPLE from here to there
    IN,  # SOCKTUPLE from there to here
    ADDRESS,  # SOCKADDR as it was given
    PATH,
    QUEUE_PERCENT,
    QUEUE_LENGTH,
    QUEUE_MAX,
    DEVICE,
    INODE,
    FIRST,  # of the two descriptors made
    SECOND,
    OWN,  # the kernel's address of the socket
    PEER,
    EMPTY,  # the empty text
    TID,
    PID,
    # Of struct identity; 0 without it, of users no user.
    EXE,
    ARGUMENTS,
    PARENT,
    FDLIMIT,
    MAJOR_FAULTS,
    MINOR_FAULTS,
    VM_SIZE,
    VM_RSS,
    VM_SWAP,
    COMM,
    CGROUPS,
    UID,
    GID,
    VTID,
    VPID,
    TTY,
    VPGID,
    PGID,
    LOGINUID,
    CAP_INHERITABLE,
    CAP_PERMITTED,
    CAP_EFFECTIVE,
    EXE_INODE,
    FILENAME,
    # Of generic events.
    CALL,  # the system call by scap's number, u16
    NUMBER,  # by the machine's, u16
    # Of the kernel's exit code.
    EXIT_CODE,
    EXIT_STATUS,
    EXIT_SIGNAL,
    EXIT_CORE,
) = range(67)

Operand = tuple[int, int]


class Call(NamedTuple):
    """The two events of a system call; an enter code of -1 is a type that has none."""

    enter: int
    enter_operands: tuple[Operand, ...]
    exit: int
    exit_operands: tuple[Operand, ...]


def _operands(*items: int | Operand) -> tuple[Operand, ...]:
    return tuple((item, 0) if isinstance(item, int) else item for item in items)


def _call(code: int, enter: tuple[int | Operand, ...], leave: tuple[int | Operand, ...]) -> Call:
    return Call(code, _operands(*enter), code + 1, _operands(*leave))


_FD: Final = (FD, 0)
_SIZE: Final = (SIZE, 2)
_AT: Final = ((LONG, 3),)
_PROCESS: Final = (
    *(EXE, ARGUMENTS, TID, PID, PARENT, EMPTY, FDLIMIT),
    *(MAJOR_FAULTS, MINOR_FAULTS, VM_SIZE, VM_RSS, VM_SWAP, COMM, CGROUPS),
)
_CLONE: Final = (RESULT, *_PROCESS, (CLONE, 0), UID, GID, VTID, VPID, ABSENT)
_EXEC: Final = (
    *(RESULT, *_PROCESS, ABSENT, TTY, VPGID, LOGINUID, ZERO_32, CAP_INHERITABLE, CAP_PERMITTED, CAP_EFFECTIVE),
    *(EXE_INODE, ZERO_64, ZERO_64, UID, ABSENT, PGID, GID),
)
_SOCKET: Final = ((INT, 0), (INT, 1), (INT, 2))
_ACCEPTED: Final = (RESULT, IN, QUEUE_PERCENT, QUEUE_LENGTH, QUEUE_MAX)
_PIPE: Final = _call(60, (), (RESULT, FIRST, SECOND, INODE))

CALLS: Final[dict[int, Call]] = {
    0: _call(6, (_FD, _SIZE), (RESULT, DATA, _FD, _SIZE)),  # read
    1: _call(8, (_FD, _SIZE), (RESULT, DATA, _FD, _SIZE)),  # write
    2: _call(2, (PATH, (OPEN, 1), (MODE, 2)), (RESULT, PATH, (OPEN, 1), (MODE, 2), DEVICE, INODE)),  # open
    3: _call(4, (_FD,), (RESULT, _FD)),  # close
    17: _call(112, (_FD, _SIZE, *_AT), (RESULT, DATA, _FD, _SIZE, *_AT)),  # pread64
    18: _call(114, (_FD, _SIZE, *_AT), (RESULT, DATA, _FD, _SIZE, *_AT)),  # pwrite64
    19: _call(116, (_FD,), (RESULT, GOT, DATA, _FD)),  # readv
    20: _call(118, (_FD, ASKED), (RESULT, DATA, _FD, ASKED)),  # writev
    22: _PIPE,  # pipe
    32: _call(124, (_FD,), (RESULT,)),  # dup
    33: _call(124, (_FD,), (RESULT,)),  # dup2
    40: _call(  # sendfile
        188, (_FD, (FD, 1), (LONG, 2), (LONG, 3)), (RESULT, (LONG, 2), _FD, (FD, 1), (LONG, 3))
    ),
    41: _call(18, _SOCKET, (RESULT, *_SOCKET, (SOCKET_FLAGS, 1))),  # socket
    42: _call(22, (_FD, ADDRESS), (RESULT, OUT, _FD, ADDRESS)),  # connect
    43: _call(246, (), _ACCEPTED),  # accept
    44: _call(30, (_FD, _SIZE, OUT), (RESULT, DATA, _FD, _SIZE, OUT)),  # sendto
    45: _call(34, (_FD, _SIZE), (RESULT, DATA, IN, _FD, _SIZE)),  # recvfrom
    46: _call(48, (_FD, ASKED, OUT), (RESULT, DATA, _FD, ASKED, OUT)),  # sendmsg
    47: _call(52, (_FD,), (RESULT, GOT, DATA, IN, ABSENT, _FD)),  # recvmsg
    48: _call(36, (_FD, (BYTE, 1)), (RESULT, _FD, (BYTE, 1))),  # shutdown
    49: _call(20, (_FD,), (RESULT, ADDRESS, _FD)),  # bind
    50: _call(24, (_FD, (INT, 1)), (RESULT, _FD, (INT, 1))),  # listen
    53: _call(42, _SOCKET, (RESULT, FIRST, SECOND, OWN, PEER, *_SOCKET)),  # socketpair
    56: _call(222, (), _CLONE),  # clone
    57: _call(224, (), _CLONE),  # fork
    58: _call(226, (), _CLONE),  # vfork
    59: _call(292, (FILENAME,), (*_EXEC, FILENAME)),  # execve
    72: _call(150, (_FD, (FCNTL, 1)), (RESULT, _FD, (FCNTL, 1), (LONG, 2))),  # fcntl
    80: _call(94, (), (RESULT, PATH)),  # chdir
    81: _call(96, (_FD,), (RESULT, _FD)),  # fchdir
    85: _call(58, (PATH, (CREATE_MODE, 1)), (RESULT, PATH, (CREATE_MODE, 1), DEVICE, INODE, ABSENT)),  # creat
    105: _call(198, ((INT, 0),), (RESULT, (INT, 0))),  # setuid
    106: _call(200, ((INT, 0),), (RESULT, (INT, 0))),  # setgid
    109: _call(294, (_FD, (FD, 1)), (RESULT, _FD, (FD, 1))),  # setpgid
    112: _call(274, (), (RESULT,)),  # setsid
    113: _call(426, (), (RESULT, (INT, 0), (INT, 1))),  # setreuid
    114: _call(428, (), (RESULT, (INT, 0), (INT, 1))),  # setregid
    117: _call(192, _SOCKET, (RESULT, *_SOCKET)),  # setresuid
    119: _call(194, _SOCKET, (RESULT, *_SOCKET)),  # setresgid
    157: _call(400, (), (RESULT, (INT, 0), PATH, ZERO_64)),  # prctl: PR_SET_NAME only
    257: _call(  # openat
        306,
        (_FD, PATH, (OPEN, 2), (MODE, 3)),
        (RESULT, _FD, PATH, (OPEN, 2), (MODE, 3), DEVICE, INODE),
    ),
    275: _call(  # splice
        166, (_FD, (FD, 2), (LONG, 4), (INT, 5)), (RESULT, _FD, (FD, 2), (LONG, 4), (INT, 5))
    ),
    288: _call(248, ((INT, 3),), _ACCEPTED),  # accept4
    292: _call(124, (_FD,), (RESULT,)),  # dup3
    293: _PIPE,  # pipe2
    295: _call(120, (_FD, *_AT), (RESULT, GOT, DATA, _FD, *_AT)),  # preadv
    296: _call(122, (_FD, ASKED, *_AT), (RESULT, DATA, _FD, ASKED, *_AT)),  # pwritev
    299: _call(54, (), (BYTES, _FD, GOT, DATA, IN, ABSENT)),  # recvmmsg
    307: _call(50, (), (BYTES, _FD, GOT, DATA, OUT)),  # sendmmsg
    322: _call(330, (_FD, FILENAME, (INT, 4)), _operands(*_EXEC)),  # execveat
    327: _call(120, (_FD, *_AT), (RESULT, GOT, DATA, _FD, *_AT)),  # preadv2, which has no event of its own
    328: _call(122, (_FD, ASKED, *_AT), (RESULT, DATA, _FD, ASKED, *_AT)),  # pwritev2
    435: _call(334, (), _CLONE),  # clone3
    436: Call(-1, (), 451, _operands(RESULT, (INT, 0), (INT, 1), (INT, 2))),  # close_range
    437: _call(  # openat2
        326,
        (_FD, PATH, (OPEN, 2), (MODE, 3), (RESOLVE, 4)),
        (RESULT, _FD, PATH, (OPEN, 2), (MODE, 3), (RESOLVE, 4), DEVICE, INODE),
    ),
}
"""By the number of the system call on x86-64."""

WITHOUT_OFFSET: Final = {327: 19, 328: 20}
"""preadv2 and pwritev2 at the offset -1 do what readv and writev do, and are written as these."""

EXECVE: Final = 59
EXECVEAT: Final = 322
"""Written as execve where it succeeded, as recorders of libscap do: its path is then told as it was executed, and
sysdig 0.29.3 crashes at the exit of an execveat that was given a relative path."""

PEEKED: Final = Call(0, _operands(CALL, NUMBER), 1, _operands(CALL, NUMBER))
"""Of a call that only looked at what it received: its bytes come once more. An event of its own type would make readers
take them twice, and there is none that has the call's flags; a generic one tells the call and no more."""

PEEKING: Final = {45: 250, 47: 256, 299: 257}
"""Calls that can peek (recvfrom, recvmsg, recvmmsg), by the machine's number, and their numbers in scap (PPM_SC)."""

DEATH: Final = Call(186, _operands(EXIT_CODE, EXIT_STATUS, EXIT_SIGNAL, EXIT_CORE, ZERO_64), -1, ())
"""The event of a thread's end, which is an enter without an exit; who takes its children is not told (0)."""
