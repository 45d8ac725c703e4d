"""spy_users, list_login_shells and shellshock_detect: what users do at their shells, and who misuses one."""

from __future__ import annotations

from typing import Final

from ...convert.errors import UsageError
from ...convert.trace.model import Event
from . import text
from .base import Chisel, Output
from .values import int_getter, known, text_getter

ANCESTORS: Final = 16
"""Ancestors that are looked at for a shell."""
COMMANDS_MOST: Final = 65_536
"""Processes whose depth is remembered; all are forgotten when there are more."""
SHELLS_MOST: Final = 65_536


class SpyUsers(Chisel):
    """Commands that are run below a shell, each under the outermost shell, and the directories that shells go to."""

    filter = (
        "((evt.type=execve and evt.dir=<) or (evt.type=chdir and evt.dir=< and proc.name contains sh and "
        "not proc.name contains sshd)) and evt.failed=false"
    )
    columns = ("time", "shell", "depth", "user", "container", "command")

    def __init__(self, output: Output, depth: int = ANCESTORS) -> None:
        super().__init__(output)
        self.most = depth
        self.exe = text_getter("proc.exe")
        self.arguments = text_getter("proc.args")
        self.path = text_getter("evt.arg.path")
        self.user = text_getter("user.name")
        self.pid = int_getter("proc.pid")
        self.parent = int_getter("proc.ppid")
        self.container = text_getter("container.name")
        self.container_id = text_getter("container.id")
        self.names = [text_getter(f"proc.aname[{generation}]") for generation in range(ANCESTORS + 1)]
        self.pids = [int_getter(f"proc.apid[{generation}]") for generation in range(ANCESTORS + 1)]
        self.depths: dict[int, int] = {}

    def shell_of(self, event: Event, first: int) -> int | None:
        """The outermost shell among the process and its ancestors from the generation `first` on."""
        shell = None
        for name, pid in zip(self.names[first:], self.pids[first:], strict=True):
            found = name(event)
            if found is None:
                break
            if found.endswith("sh"):
                shell = pid(event)
        return shell

    def event(self, event: Event) -> None:
        """A line for a command, or for another directory."""
        goes = event.info.name == "chdir"
        shell = self.shell_of(event, 0 if goes else 1)
        pid, parent = self.pid(event), self.parent(event)
        if shell is None or pid is None:
            return
        if goes:
            depth = self.depths.get(pid, -1) + 1
            command = f"cd {known(self.path(event))}"
        else:
            depth = self.depths.get(parent, -1) + 1 if parent is not None else 0
            if len(self.depths) >= COMMANDS_MOST:
                self.depths.clear()
            self.depths[pid] = depth
            command = f"{known(self.exe(event))} {self.arguments(event) or ''}"
        if depth > self.most:
            return
        user, when = self.user(event), text.clock(event.ts)
        container, container_id = self.container(event), self.container_id(event)
        indent, at, color = "   " * depth, "", ""
        if self.output.containers:
            indent, at = "    " * depth, f"@{known(container)}"
            if self.output.colors:
                color = text.GREEN if container_id in (None, "host") else text.BLUE
        self.record(
            (when, shell, depth, user, container, command.rstrip()),
            f"{color}{indent}{shell} {when} {known(user)}{at}) {command}\n",
        )

    def end(self) -> None:
        """Gives the terminal its colour back."""
        self.header(f"{text.RESET if self.output.colors else ''}\n")
        self.close()


def spy_users(output: Output, depth: str | None = None) -> Chisel:
    """spy_users [DEPTH]."""
    if depth is None:
        return SpyUsers(output)
    if not (depth.isascii() and depth.isdigit() and len(depth) < 9):
        raise UsageError(f"spy_users takes a number of generations, not {depth}")
    return SpyUsers(output, int(depth))


class LoginShells(Chisel):
    """The login shells below which commands were run, or those whose commands hold a text."""

    filter = "evt.type=execve"
    columns = ("shell", "container_id", "container")

    def __init__(self, output: Output, command: str = "*", argument: str | None = None) -> None:
        super().__init__(output)
        self.command, self.argument = command, argument
        self.shell = text_getter("proc.loginshellid")
        self.exe = text_getter("evt.arg.exe")
        self.arguments = text_getter("evt.arg.args")
        self.container = text_getter("container.name")
        self.container_id = text_getter("container.id")
        self.shells: dict[str, tuple[str | None, str | None]] = {}

    def event(self, event: Event) -> None:
        """Remembers the shell."""
        shell, exe = self.shell(event), self.exe(event)
        if shell is None or exe is None or shell in self.shells or len(self.shells) >= SHELLS_MOST:
            return
        if self.command != "*" and self.command not in exe:
            return
        if self.argument is not None and self.argument not in (self.arguments(event) or ""):
            return
        self.shells[shell] = (self.container_id(event), self.container(event))

    def end(self) -> None:
        """The list, in order of the first command."""
        if self.command == "*":
            self.header("All shells:\n")
        else:
            behind = "" if self.argument is None else f" {self.argument}"
            self.header(f"Shells containing {self.command}{behind}:\n")
        for shell, (container_id, container) in self.shells.items():
            inside = f" {known(container_id)} {known(container)}" if self.output.containers else ""
            number = int(shell) if shell.isascii() and shell.isdigit() and len(shell) < 19 else shell
            self.record((number, container_id, container), f"{shell}{inside}\n")
        self.close()


class Shellshock(Chisel):
    """Shells that are started with a function in their environment, as the bug in bash of 2014 needs it."""

    filter = "(proc.name=bash or proc.name=sh) and evt.type=execve and evt.dir=<"
    columns = ("time", "process", "pid", "function")

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.parent = text_getter("proc.pname")
        self.parent_id = int_getter("proc.ppid")
        self.time = text_getter("evt.time")
        self.header(f"{'TIME':22}{'PROCNAME':22}{'PID':8}FUNCTION\n")

    def event(self, event: Event) -> None:
        """A line for each variable that begins as a function does."""
        for variable in (event.param("env") or b"").split(b"\0"):
            value = variable.partition(b"=")[2]
            if not value.startswith(b"() {"):
                continue
            function = value.decode("utf-8", "surrogateescape")
            process, pid, when = self.parent(event), self.parent_id(event), self.time(event)
            self.record((when, process, pid, function), f"{when:22}{known(process):22}{known(pid):8}{function}\n")

    def end(self) -> None:
        """The end of the list."""
        self.close()
