"""A process that opens one descriptor of each kind and tells what they are: the independent source for /proc readers.

Run as a program it prints one line of JSON and stays until its standard input ends. `--namespace` lets it work in a
network namespace of its own. It shares no code with the product.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
THREAD_NAME = b"watching thread"


def own_network() -> None:
    """Leave for a new network namespace, with its loopback up; raises OSError where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket() as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def pair(family: int, kind: int, host: str, target: str | None = None) -> tuple[socket.socket, ...]:
    """Listening (or bound), connected to it, and for streams the accepted one."""
    server = socket.socket(family, kind)
    if family == socket.AF_INET6 and host == "::":
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((host, 0))
    if kind == socket.SOCK_STREAM:
        server.listen()
    to_v4 = target is not None and "." in target
    client = socket.socket(socket.AF_INET if to_v4 else family, kind)
    client.connect((target or host, server.getsockname()[1]))
    return (server, client, server.accept()[0]) if kind == socket.SOCK_STREAM else (server, client)


def unix(address: str, kind: int) -> tuple[socket.socket, ...]:
    """The same over a unix socket."""
    server = socket.socket(socket.AF_UNIX, kind)
    server.bind(address)
    server.listen()
    client = socket.socket(socket.AF_UNIX, kind)
    client.connect(address)
    return server, client, server.accept()[0]


def described(end: socket.socket) -> dict[str, Any]:
    """Number, inode and addresses as the socket itself tells them."""
    try:
        peer = end.getpeername()
    except OSError:
        peer = None
    own = end.getsockname()
    told: dict[str, Any] = {"fd": end.fileno(), "inode": os.fstat(end.fileno()).st_ino}
    if end.family in (socket.AF_INET, socket.AF_INET6):
        told |= {"own": own[:2], "peer": peer[:2] if peer else None}
    return told


def main(folder: str, namespace: bool) -> None:
    """Open everything, tell it, wait."""
    if namespace:
        try:
            own_network()
        except OSError as error:
            print(json.dumps({"refused": str(error)}), flush=True)
            return
    os.chdir(folder)
    sockets: dict[str, Any] = {
        "tcp4": pair(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"),
        "udp4": pair(socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"),
        "unix": unix(f"{folder}/talk here.sock", socket.SOCK_STREAM),
        "abstract": unix(f"\0witness-{os.getpid()}", socket.SOCK_SEQPACKET),
        "pair": socket.socketpair(),
        "unbound": (socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        "netlink": (socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),),
    }
    if socket.has_ipv6 and Path("/proc/net/if_inet6").exists():
        sockets["tcp6"] = pair(socket.AF_INET6, socket.SOCK_STREAM, "::1")
        sockets["udp6"] = pair(socket.AF_INET6, socket.SOCK_DGRAM, "::1")
        sockets["mapped"] = pair(socket.AF_INET6, socket.SOCK_STREAM, "::", "127.0.0.1")
    read_end, write_end = os.pipe()
    waiting = select.epoll()
    log = os.open(f"{folder}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
    others = {
        "pipe": read_end,
        "pipe_to": write_end,
        "log": log,
        "folder": os.open(folder, os.O_RDONLY),
        "null": os.open("/dev/null", os.O_RDWR),
        "epoll": waiting.fileno(),
        "eventfd": os.eventfd(0),
        "memory": os.memfd_create("kept", 0),
    }
    told = {name: [described(end) for end in ends] for name, ends in sockets.items()}
    tids: list[int] = []
    stop = threading.Event()

    def wait() -> None:
        ctypes.CDLL(None).prctl(15, THREAD_NAME, 0, 0, 0)
        tids.append(threading.get_native_id())
        stop.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    while not tids:
        pass
    facts = {
        "pid": os.getpid(), "ppid": os.getppid(), "sid": os.getsid(0), "pgid": os.getpgid(0), "tid": tids[0],
        "uid": os.geteuid(), "gid": os.getegid(), "cwd": str(Path.cwd()), "python": os.path.realpath(sys.executable),
        "argv": sys.orig_argv, "sockets": told, "others": others,
        "inodes": {name: os.fstat(fd).st_ino for name, fd in others.items()}, "device": os.fstat(log).st_dev,
        "namespace": str(Path("/proc/self/ns/net").readlink()),
    }  # fmt: skip
    print(json.dumps(facts), flush=True)
    sys.stdin.read()
    stop.set()


@contextmanager
def witness(folder: str, *, namespace: bool = False) -> Iterator[dict[str, Any]]:
    """What a witness tells, while it runs; {"refused": why} where it may not have a namespace."""
    command = [sys.executable, __file__, folder, *(["--namespace"] if namespace else [])]
    environment = {**os.environ, "WITNESS_SECRET": "must-not-be-recorded"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin and process.stdout
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(20)


if __name__ == "__main__":
    main(sys.argv[1], "--namespace" in sys.argv)
