"""Endpoints and processes as short text, for grouping and for the reader."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple

from .annotations import Endpoint, Process

LABELS = 5_000


def endpoint(end: Endpoint | None) -> str:
    """`10.0.0.9:80`, `[2001:db8::1]:80`, `unix:/run/db.sock` or `unknown`."""
    if end is None:
        return "unknown"
    if end.ip is None:
        return f"unix:{end.path}" if end.path else "unix socket"
    host = f"[{end.ip}]" if ":" in end.ip else end.ip
    return host if end.port is None else f"{host}:{end.port}"


def endpoint_of(record: Mapping[str, Any] | None) -> str:
    """As `endpoint`, for an endpoint as it stands in a decoded record."""
    if record is None:
        return "unknown"
    return endpoint(Endpoint(record.get("ip"), record.get("port"), record.get("path"), record.get("inode")))


def machine(end: Endpoint | None) -> str:
    """The endpoint without its port: what stays the same when a client connects again."""
    if end is None:
        return "unknown"
    return end.ip or "unix socket"


class Program(NamedTuple):
    """What the processes of one program have in common; process ids and threads aside."""

    name: str
    exe: str | None
    user: str | None
    container: str | None


UNKNOWN = Program("unknown", None, None, None)
OTHERS = Program("other programs", None, None, None)


class Programs:
    """Which program each process of the present source is, by process id; at most LABELS programs are told apart."""

    def __init__(self) -> None:
        self.table: list[Program] = [UNKNOWN, OTHERS]
        self._indexes: dict[Program, int] = {}
        self._of_process: array[int] = array("I")

    def next_source(self) -> None:
        """Process ids begin anew; programs stay."""
        self._of_process = array("I")

    def learn(self, process: Process) -> None:
        """Note which program a process is."""
        index = self.index(Program(process.name or "unknown", process.exe, process.user, process.container))
        known = self._of_process
        if process.id >= len(known):
            known.extend([0] * (process.id + 1 - len(known)))
        known[process.id] = index

    def index(self, program: Program) -> int:
        """Index of a program in `table`, where it is put unless it is full."""
        index = self._indexes.get(program)
        if index is None:
            index = 1
            if len(self.table) < LABELS:
                index = len(self.table)
                self.table.append(program)
                self._indexes[program] = index
        return index

    def of(self, process: int | None) -> int:
        """Index into `table`; 0 where the process is not known."""
        return self._of_process[process] if process is not None and 0 <= process < len(self._of_process) else 0
