"""What each event type means to the state tables: an operation and where its operands stand among the parameters.

The compiled state machine knows operations (OP_*) and operands (ARG_*), never event codes or parameter positions: both
are looked up here by the names of the event table, once at start. A parameter that an exit event does not carry (files
written before the schema became exit-only) is taken from the enter event stored for the thread.
"""

from __future__ import annotations

from .event_table import (
    EF_CREATES_FD,
    EF_USES_FD,
    EVENTS,
    LARGE_PAYLOAD,
    PARAM_SIZES,
    PT_IPV4ADDR,
    PT_SOCKADDR,
    PT_SOCKTUPLE,
)

(
    OP_NONE,
    OP_RECEIVE,
    OP_SEND,
    OP_SENDFILE,
    OP_SOCKET,
    OP_SOCKETPAIR,
    OP_BIND,
    OP_CONNECT,
    OP_ACCEPT,
    OP_SHUTDOWN,
    OP_CLOSE,
    OP_CLOSE_RANGE,
    OP_DUP,
    OP_FCNTL,
    OP_PIPE,
    OP_OPEN,
    OP_ANONYMOUS,
    OP_CHDIR,
    OP_FCHDIR,
    OP_CLONE,
    OP_EXECVE,
    OP_PROCEXIT,
    OP_IDENTITY,
    OP_DROP,
    OP_CONTAINER,
    OP_USER,
    OP_CONNECT_ENTER,
) = range(27)

(
    ARG_RES,
    ARG_DATA,
    ARG_FD,
    ARG_TUPLE,
    ARG_SIZE,
    ARG_ADDR,
    ARG_NAME,
    ARG_FLAGS,
    ARG_DIRFD,
    ARG_FD2,
    ARG_HOW,
    ARG_DOMAIN,
    ARG_TYPE,
    ARG_PROTO,
    ARG_SOURCE,
    ARG_PEER,
    ARG_PID,
    ARG_PARENT,
    ARG_TID,
    ARG_VTID,
    ARG_COUNT,
) = range(21)

OPERATIONS: dict[str, int] = {
    "read": OP_RECEIVE,
    "readv": OP_RECEIVE,
    "pread": OP_RECEIVE,
    "preadv": OP_RECEIVE,
    "preadv2": OP_RECEIVE,
    "recv": OP_RECEIVE,
    "recvfrom": OP_RECEIVE,
    "recvmsg": OP_RECEIVE,
    "recvmmsg": OP_RECEIVE,
    "write": OP_SEND,
    "writev": OP_SEND,
    "pwrite": OP_SEND,
    "pwritev": OP_SEND,
    "pwritev2": OP_SEND,
    "send": OP_SEND,
    "sendto": OP_SEND,
    "sendmsg": OP_SEND,
    "sendmmsg": OP_SEND,
    "copy_file_range": OP_RECEIVE,
    "finit_module": OP_RECEIVE,
    "sendfile": OP_SENDFILE,
    "splice": OP_SENDFILE,
    "socket": OP_SOCKET,
    "socketpair": OP_SOCKETPAIR,
    "bind": OP_BIND,
    "connect": OP_CONNECT,
    "accept": OP_ACCEPT,
    "accept4": OP_ACCEPT,
    "shutdown": OP_SHUTDOWN,
    "close": OP_CLOSE,
    "close_range": OP_CLOSE_RANGE,
    "dup": OP_DUP,
    "dup2": OP_DUP,
    "dup3": OP_DUP,
    "fcntl": OP_FCNTL,
    "pipe": OP_PIPE,
    "pipe2": OP_PIPE,
    "open": OP_OPEN,
    "openat": OP_OPEN,
    "openat2": OP_OPEN,
    "creat": OP_OPEN,
    "open_by_handle_at": OP_OPEN,
    "chdir": OP_CHDIR,
    "fchdir": OP_FCHDIR,
    "clone": OP_CLONE,
    "clone3": OP_CLONE,
    "fork": OP_CLONE,
    "vfork": OP_CLONE,
    "execve": OP_EXECVE,
    "execveat": OP_EXECVE,
    "setuid": OP_IDENTITY,
    "setresuid": OP_IDENTITY,
    "setreuid": OP_IDENTITY,
    "setgid": OP_IDENTITY,
    "setresgid": OP_IDENTITY,
    "setregid": OP_IDENTITY,
    "prctl": OP_IDENTITY,
}
"""Operation of an exit event by its name in the event table."""

ENTER_OPERATIONS: dict[str, int] = {
    "procexit": OP_PROCEXIT,
    "drop": OP_DROP,
    "container": OP_CONTAINER,
    "useradded": OP_USER,
    "userdeleted": OP_USER,
    "groupadded": OP_USER,
    "groupdeleted": OP_USER,
    "connect": OP_CONNECT_ENTER,
}
"""Operation of events that only have an enter code (and of connect, whose enter names the address early)."""

ANONYMOUS_KINDS: dict[str, int] = {
    "eventfd": 9,
    "eventfd2": 9,
    "signalfd": 11,
    "signalfd4": 11,
    "epoll_create": 12,
    "epoll_create1": 12,
    "inotify_init": 13,
    "inotify_init1": 13,
    "timerfd_create": 14,
    "bpf": 17,
    "userfaultfd": 18,
    "io_uring_setup": 19,
    "memfd_create": 20,
    "pidfd_open": 21,
    "pidfd_getfd": 21,
}
"""Descriptor kind (scap numbering) by the event that creates one without a path or an address."""

_NAMES: dict[str, int] = {
    "res": ARG_RES,
    "data": ARG_DATA,
    "fd": ARG_FD,
    "tuple": ARG_TUPLE,
    "size": ARG_SIZE,
    "addr": ARG_ADDR,
    "name": ARG_NAME,
    "path": ARG_NAME,
    "flags": ARG_FLAGS,
    "dirfd": ARG_DIRFD,
    "mountfd": ARG_DIRFD,
    "how": ARG_HOW,
    "cmd": ARG_HOW,
    "domain": ARG_DOMAIN,
    "type": ARG_TYPE,
    "proto": ARG_PROTO,
    "source": ARG_SOURCE,
    "peer": ARG_PEER,
    "oldfd": ARG_FD,
    "newfd": ARG_FD2,
    "out_fd": ARG_FD,
    "fd_out": ARG_FD,
    "fdout": ARG_FD,
    "fdin": ARG_FD2,
    "in_fd": ARG_FD2,
    "fd_in": ARG_FD2,
    "first": ARG_FD,
    "last": ARG_FD2,
    "res_or_fd": ARG_RES,
    "tid": ARG_TID,
    "vtid": ARG_VTID,
    "pid": ARG_PID,
    "ptid": ARG_PARENT,
}

_CREATORS = frozenset((OP_SOCKET, OP_ACCEPT, OP_OPEN))


def _arguments(name: str, exit_event: bool, params: tuple[tuple[str, int, str], ...]) -> list[int]:
    places = [-1] * ARG_COUNT
    operation = OPERATIONS.get(name, OP_NONE) if exit_event else OP_NONE
    for index, (param, kind, _) in enumerate(params):
        argument = _NAMES.get(param)
        if operation in (OP_SOCKETPAIR, OP_PIPE) and param in ("fd1", "fd2"):
            argument = ARG_FD if param == "fd1" else ARG_FD2
        elif exit_event and index == 0 and (operation in _CREATORS or name in ANONYMOUS_KINDS):
            argument = ARG_RES
        elif kind == PT_SOCKTUPLE:
            argument = ARG_TUPLE
        elif kind == PT_SOCKADDR:
            argument = ARG_ADDR
        elif name in ("execve", "execveat") and param in ("filename", "pathname"):
            argument = ARG_NAME
        elif param == "size" and operation == OP_RECEIVE and index == 1:
            argument = None  # what readv and recvmsg got, not what they asked for
        if argument is not None and places[argument] < 0:
            places[argument] = index
    return places


def type_rows() -> list[tuple[int, ...]]:
    """One row for each event code: operation, enter, number of parameters, wide lengths, numbered by sysdig 0.29.3,
    uses a descriptor, its enter must be kept whole, detail (kind of an anonymous descriptor), idle, then ARG_COUNT
    indexes.
    """
    rows = []
    for code, (name, direction, _category, flags, params, known, _old) in enumerate(EVENTS):
        exit_event = direction == "<"
        places = _arguments(name, exit_event, params)
        if not exit_event:
            operation = ENTER_OPERATIONS.get(name, OP_NONE)
        elif name in ANONYMOUS_KINDS and flags & EF_CREATES_FD:
            operation = OP_ANONYMOUS
        else:
            operation = OPERATIONS.get(name, OP_NONE)
        follows = EVENTS[code + 1][0] if code + 1 < len(EVENTS) else ""
        more = any(places[a] >= 0 for a in range(ARG_COUNT) if a not in (ARG_FD, ARG_SIZE))
        more = more or (bool(params) and OPERATIONS.get(follows) == OP_IDENTITY)
        keep = not exit_event and more and operation in (OP_NONE, OP_CONNECT_ENTER)
        has_exit = follows in OPERATIONS or name in ANONYMOUS_KINDS
        rows.append(
            (
                operation,
                int(not exit_event),
                len(params),
                int(code in LARGE_PAYLOAD),
                int(known),
                int(bool(flags & EF_USES_FD)),
                int(keep and has_exit),
                ANONYMOUS_KINDS.get(name, 0),
                int(operation == OP_NONE and (exit_event or not has_exit)),
                *places,
            )
        )
    return rows


def param_widths() -> list[bytes]:
    """For each event code the byte widths of its parameters, 0 where the length varies, 250 for SOCKADDR and 251 for
    SOCKTUPLE (their ports are in the writer's byte order): what swapping a foreign byte order needs.
    """
    width_of = list(PARAM_SIZES)
    width_of[PT_SOCKADDR], width_of[PT_SOCKTUPLE], width_of[PT_IPV4ADDR] = 250, 251, 0
    return [bytes([width_of[param[1]] for param in row[4]]) for row in EVENTS]
