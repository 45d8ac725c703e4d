"""What all servers have in common: a folder, an address, starting, waiting until they answer, stopping by process."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple

PATIENCE = 40.0
"""Seconds that a server may take to answer or to end, and a client to be done."""
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATHS, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent"}
PYTHON = Path(sys.executable).name[:15]
"""The name of a process that runs a client written in Python."""
HERE = Path(__file__).resolve().parent


class Missing(Exception):
    """This machine cannot run the server; the text says what it lacks."""


class Secret(NamedTuple):
    """A password that a client sent once in the clear, and what the server made of it."""

    username: str | None
    secret: str
    outcome: str


class Said(NamedTuple):
    """What was said to one listener in one protocol: values of whole fields as text, and how often they were sent."""

    protocol: str
    """The row's name in syswire's table of protocols."""
    transport: str
    """tcp, udp or unix."""
    port: int
    path: str
    requests: dict[str, int]
    answers: dict[str, int]
    secrets: list[Secret]
    clients: set[str]
    """Names of the processes that asked."""
    servers: set[str]
    sealed: int = 0
    """How many conversations end in TLS or SSH."""


def program(*names: str) -> str:
    """The path of the first of these programs; raises Missing."""
    for name in names:
        if found := shutil.which(name, path=PATHS):
            return found
    raise Missing(f"{names[0]} is not installed: scripts/setup-e2e")


def account(*names: str) -> str:
    """The first of these users that the machine has; raises Missing."""
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise Missing(f"none of these users exists: {', '.join(names)}")


class Server:
    """One server, or a few that belong together."""

    name: ClassVar[str]
    protocols: ClassVar[tuple[str, ...]]
    """What is spoken, by the names in syswire's table of protocols."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder / self.name
        self.folder.mkdir(mode=0o755)
        self.address = f"127.86.0.{number}"
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self) -> None:
        """Start, and wait until it answers. Raises Missing, or RuntimeError with the end of the log."""
        raise NotImplementedError

    def talk(self) -> None:
        """All conversations, one after the other. Raises AssertionError where the server does not behave."""
        raise NotImplementedError

    def said(self) -> list[Said]:
        """What `talk` said, listener by listener."""
        raise NotImplementedError

    # -- for those that inherit

    def port(self, start: int, kind: int = socket.SOCK_STREAM) -> int:
        """The first free port from `start` on."""
        for port in range(start, start + 200):
            with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind((self.address, port))
                return port
        raise RuntimeError(f"no free port from {start} on")

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """A file of configuration, in the server's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    def give(self, user: str, *names: str) -> list[Path]:
        """Make folders that belong to a user."""
        made = []
        for name in names:
            path = self.folder / name
            path.mkdir(parents=True, exist_ok=True)
            shutil.chown(path, user)
            made.append(path)
        return made

    def launch(self, *command: object, ready: Callable[[], bool], **environment: str) -> None:
        """Start a program in the foreground, its output in a log, and wait until `ready()`."""
        words = [str(word) for word in command]
        name = Path(words[0]).name
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT | environment,
                cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        self.running.append((name, process))
        end = time.monotonic() + PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} does not serve: {self.log(name)}")
            time.sleep(0.05)

    def log(self, name: str) -> str:
        """The end of what a program said."""
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace")[-2000:] if path.exists() else ""

    def prepare(self, *command: object) -> None:
        """Run a program that lays something for the server; raises RuntimeError."""
        done = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT,
            cwd=self.folder, timeout=PATIENCE, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {(done.stdout + done.stderr)[-2000:]!r}")

    def as_user(self, user: str) -> list[str]:
        """The words that run a command with a user's rights."""
        return [program("setpriv"), f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]

    def listens(self, *ports: int) -> bool:
        """Whether somebody accepts connections there."""
        for port in ports:
            try:
                socket.create_connection((self.address, port), timeout=2).close()
            except OSError:
                return False
        return True

    def client(self, *command: object, said: bytes | str = b"", code: int | None = 0, **environment: str) -> bytes:
        """Run a client to its end; returns its output. Raises AssertionError where it does not end with `code`."""
        words = [program(str(command[0])), *map(str, command[1:])] if "/" not in str(command[0]) else command
        done = subprocess.run(
            [str(word) for word in words], input=said.encode() if isinstance(said, str) else said,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT | environment, cwd=self.folder,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        told = f"{words[0]} ended with {done.returncode}, not {code}: {done.stdout[-2000:]!r}"
        assert code is None or done.returncode == code, told
        return done.stdout

    def python(self, name: str, *arguments: object) -> bytes:
        """Run a client of servers/clients to its end; it raises where the server does not behave."""
        return self.client(
            sys.executable, "-m", f"servers.clients.{name}", *arguments,
            PYTHONPATH=str(HERE.parent), PYTHONDONTWRITEBYTECODE="1",
        )  # fmt: skip

    def stop(self) -> None:
        """End what was started, the last one first."""
        for name, process in reversed(self.running):
            process.terminate()
            try:
                process.wait(PATIENCE / 4)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.returncode not in (0, -15, 143, 255):
                print(f"{self.name}: {name} ended with {process.returncode}", file=sys.stderr)
        self.running.clear()


def able() -> None:
    """Raises Missing where no server can be started at all."""
    if os.geteuid():
        raise Missing("not root")
