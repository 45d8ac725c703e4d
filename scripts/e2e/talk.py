#!/usr/bin/env python3
"""A client and a server that write down each system call they make on a socket: what a recording has to hold.

    python3 scripts/e2e/talk.py --log DIR [--requests N] [--seed S] [--most BYTES] [--keep BYTES]

Requests with bodies of 0 to BYTES random bytes, and answers alike, over IPv4, IPv6 and unix stream sockets in turn, by
write, send, writev, sendmsg with many vectors and sendfile, taken by read, recv, readv and recvmsg with many vectors.
Two processes, one thread each. At the end DIR has client.jsonl and server.jsonl: a first line {"tid": N}, then a line
for each call that moved bytes or met the end of the stream, in order:

    {"call": "sendmsg", "family": "ipv6", "result": 7000, "vectors": 40, "head": SHA-256 of the first BYTES (--keep)}

"head" is null for sendfile, whose bytes never pass through the caller's memory. Nothing here knows of recorders.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import socket
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

FAMILIES = ("ipv4", "ipv6", "unix")
HEADER = struct.Struct("<IIBBBB")
"""Of a request: bytes to come, bytes wanted back, how they come, how they go back, and two bytes of nothing."""
CHUNK = 65536
MOST_VECTORS, RARELY = 24, 300
EACH = 20
"""Requests on a connection."""


class Log:
    """What one process did."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.lines: list[dict[str, Any]] = [{"tid": os.getpid()}]

    def note(self, call: str, family: str, result: int, data: bytes | memoryview | None, vectors: int = 1) -> None:
        """One call that returned `result`; `data` is what it moved."""
        head = None if data is None else hashlib.sha256(data[: self.keep]).hexdigest()
        self.lines.append({"call": call, "family": family, "result": result, "vectors": vectors, "head": head})

    def write(self, path: Path) -> None:
        """As JSON Lines."""
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines), "utf-8")


def pieces(data: memoryview, chance: random.Random) -> list[memoryview]:
    """The data in pieces of random sizes, empty ones among them; now and then in very many."""
    most = RARELY if chance.random() < 0.05 else MOST_VECTORS
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(most)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


class End:
    """One end of a connection: sends and takes in all the ways, and notes each call."""

    def __init__(self, log: Log, family: str, connection: socket.socket, chance: random.Random) -> None:
        self.log, self.family, self.connection, self.chance = log, family, connection, chance
        if family != "unix":  # else each small request waits for the acknowledgement of what went before
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.senders = (self._write, self._send, self._writev, self._sendmsg, self._sendfile)

    def send(self, data: bytes, how: int) -> None:
        """All of it, by one kind of call, as often as that takes."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.senders[how % len(self.senders)](rest) :]

    def _write(self, data: memoryview) -> int:
        done = os.write(self.connection.fileno(), data)
        self.log.note("write", self.family, done, data[:done])
        return done

    def _send(self, data: memoryview) -> int:
        done = self.connection.send(data)
        self.log.note("sendto", self.family, done, data[:done])
        return done

    def _writev(self, data: memoryview) -> int:
        parts = pieces(data, self.chance)
        done = os.writev(self.connection.fileno(), parts)
        self.log.note("writev", self.family, done, data[:done], len(parts))
        return done

    def _sendmsg(self, data: memoryview) -> int:
        parts = pieces(data, self.chance)
        done = self.connection.sendmsg(parts)
        self.log.note("sendmsg", self.family, done, data[:done], len(parts))
        return done

    def _sendfile(self, data: memoryview) -> int:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            done = os.sendfile(self.connection.fileno(), file.fileno(), 0, len(data))
        self.log.note("sendfile", self.family, done, None)
        return done

    def take(self, size: int) -> bytes:
        """Exactly that many bytes, or what came before the end of the stream."""
        found = bytearray()
        while len(found) < size:
            piece = self._receive(min(size - len(found), CHUNK))
            if not piece:
                break
            found += piece
        return bytes(found)

    def _receive(self, most: int) -> bytes:
        way = self.chance.randrange(4)
        number = self.connection.fileno()
        if way == 0:
            data = os.read(number, most)
            self.log.note("read", self.family, len(data), data)
            return data
        if way == 1:
            data = self.connection.recv(most)
            self.log.note("recvfrom", self.family, len(data), data)
            return data
        whole = bytearray(most)
        parts = pieces(memoryview(whole), self.chance)
        if way == 2:
            done = os.readv(number, parts)
        else:
            done = self.connection.recvmsg_into(parts)[0]
        data = bytes(whole[:done])
        self.log.note("readv" if way == 2 else "recvmsg", self.family, done, data, len(parts))
        return data


def serve(listeners: dict[str, socket.socket], order: list[str], log: Log, seed: int) -> None:
    """Answer one connection after the other, in the order of their families."""
    chance = random.Random(seed)
    for family in order:
        connection, _ = listeners[family].accept()
        with connection:
            end = End(log, family, connection, chance)
            while head := end.take(HEADER.size):
                size, wanted, _, how, _, _ = HEADER.unpack(head)
                if len(end.take(size)) < size:
                    raise SystemExit("a request ended early")
                end.send(chance.randbytes(wanted), how)


def ask(connect: Callable[[str], socket.socket], order: list[str], log: Log, options: argparse.Namespace) -> None:
    """Send the requests and take the answers."""
    chance = random.Random(options.seed)
    left = options.requests
    for family in order:
        with connect(family) as connection:
            end = End(log, family, connection, chance)
            for _ in range(min(EACH, left)):
                left -= 1
                size, wanted = (size_by_chance(chance, options.most) for _ in range(2))
                way, back = chance.randrange(5), chance.randrange(5)
                end.send(HEADER.pack(size, wanted, way, back, 0, 0), chance.randrange(4))
                end.send(chance.randbytes(size), way)
                if len(end.take(wanted)) < wanted:
                    raise SystemExit("an answer ended early")


def size_by_chance(chance: random.Random, most: int) -> int:
    """Small, large, and close to what recorders cut at."""
    kind = chance.randrange(4)
    if kind == 0:
        return chance.randrange(min(most, 600) + 1)
    if kind == 1:
        return min(most, max(0, chance.choice((4096, 16384, 65536)) + chance.randrange(-3, 4)))
    return chance.randrange(most + 1)


def main() -> int:
    """Listen, fork, talk, write the logs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=200_000)
    parser.add_argument("--keep", type=int, default=4096, help="the snaplen of the recording")
    options = parser.parse_args()
    order = [FAMILIES[number % 3] for number in range(-(-options.requests // EACH))]
    with tempfile.TemporaryDirectory(prefix="syswire-talk-") as folder:
        path = f"{folder}/socket"
        listeners = {
            "ipv4": socket.create_server(("127.0.0.1", 0)),
            "ipv6": socket.create_server(("::1", 0), family=socket.AF_INET6),
            "unix": socket.socket(socket.AF_UNIX),
        }
        listeners["unix"].bind(path)
        listeners["unix"].listen()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                log = Log(options.keep)
                serve(listeners, order, log, options.seed + 1)
                log.write(options.log / "server.jsonl")
                code = 0
            finally:
                os._exit(code)

        def connect(family: str) -> socket.socket:
            if family != "unix":
                return socket.create_connection(listeners[family].getsockname()[:2])
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            return connection

        log = Log(options.keep)
        ask(connect, order, log, options)
        log.write(options.log / "client.jsonl")
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
