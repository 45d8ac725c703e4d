"""Two processes that are connected before anybody records, and talk when they are told to. Tells what is true.

Run as a program it prints one line of JSON (both processes, ports), waits for a line, talks, prints a line, and stays
until its standard input ends. The client writes with send(), the server reads with read(): calls of different families,
of which only one tells addresses.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ANSWER = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def request(name: str) -> bytes:
    """What the client asks over the connection of that name."""
    return f"GET /{name} HTTP/1.1\r\nHost: older\r\n\r\n".encode()


def main(folder: str) -> None:
    """Connect, tell, wait, talk."""
    listeners = {"tcp4": socket.socket(), "unix": socket.socket(socket.AF_UNIX)}
    listeners["tcp4"].bind(("127.0.0.1", 0))
    listeners["unix"].bind(f"{folder}/older.sock")
    if Path("/proc/net/if_inet6").exists():
        listeners["tcp6"] = socket.socket(socket.AF_INET6)
        listeners["tcp6"].bind(("::1", 0))
    for one in listeners.values():
        one.listen()
    from_parent, to_child = os.pipe()
    from_child, to_parent = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            ends = {}
            for name, listener in listeners.items():
                ends[name] = socket.socket(listener.family)
                ends[name].connect(listener.getsockname())
                listener.close()
            ports = {name: end.getsockname()[1] for name, end in ends.items() if name != "unix"}
            os.write(to_parent, json.dumps(ports).encode())
            os.read(from_parent, 1)
            for name, end in ends.items():
                end.send(request(name))
                assert end.recv(100) == ANSWER
            os.write(to_parent, b".")
            os.read(from_parent, 1)
        finally:
            os._exit(0)
    ports = json.loads(os.read(from_child, 4096))
    ends = {name: listener.accept()[0] for name, listener in listeners.items()}
    servers = {name: one.getsockname()[1] for name, one in listeners.items() if name != "unix"}
    facts = {"server": os.getpid(), "client": child, "ports": ports, "servers": servers, "names": list(ends)}
    print(json.dumps(facts), flush=True)
    sys.stdin.readline()
    os.write(to_child, b".")
    for name, end in ends.items():
        assert os.read(end.fileno(), 100) == request(name)
        os.write(end.fileno(), ANSWER)
    os.read(from_child, 1)
    print("talked", flush=True)
    sys.stdin.read()
    os.write(to_child, b".")
    os.waitpid(child, 0)


@contextmanager
def older(folder: str) -> Iterator[tuple[dict[str, Any], Callable[[], None]]]:
    """The facts, and what makes the two talk."""
    command = [sys.executable, __file__, folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        into, out = process.stdin, process.stdout

        def talk() -> None:
            into.write(b"\n")
            into.flush()
            assert out.readline() == b"talked\n"

        try:
            yield json.loads(out.readline()), talk
        finally:
            into.close()
            process.wait(20)


if __name__ == "__main__":
    main(sys.argv[1])
