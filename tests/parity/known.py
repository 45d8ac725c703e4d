"""What sysdig 0.29.3 prints and syswire does not, on purpose: each row of docs/sysdig.md that tests have to know.

A row turns sysdig's lines into those that are right; it touches nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Known(NamedTuple):
    """A known difference: which chisel or switch, why, and what its lines ought to be."""

    word: str
    cause: str
    rewrite: Callable[[list[bytes]], list[bytes]]


COLOR = re.compile(rb"\x1b\[[0-9;]*m")
COLORED = (
    "echo_fds", "spy_ip", "spy_port", "spy_file", "spy_users", "spy_logs", "spy_syslog", "httplog", "proc_exec_time",
    "netlower", "fileslower", "scallslower", "stdin", "stdout", "stderr",
)  # fmt: skip


def without_colors(lines: list[bytes]) -> list[bytes]:
    """The lines without colours."""
    return [COLOR.sub(b"", line) for line in lines]


def blue_is_written(lines: list[bytes]) -> list[bytes]:
    """spy_ip shows in blue what was written, and calls it read."""
    return [line.replace(b"\x1b[34m------ Read ", b"\x1b[34m------ Write ") for line in lines]


def nanoseconds_padded(lines: list[bytes]) -> list[bytes]:
    """-t a has the nanoseconds of 0.000029764 as 29764."""
    return [
        re.sub(rb"^(\d+ \d+\.)(\d{1,9}) ", lambda match: match[1] + match[2].rjust(9, b"0") + b" ", line)
        for line in lines
    ]


GROUP_FORMAT = "*%evt.num %thread.tid %thread.vtid %user.uid %user.name %group.gid %group.name"


def gid_of_four_bytes(lines: list[bytes]) -> list[bytes]:
    """group.gid shows eight bytes of which four are something else."""
    cut = []
    for line in lines:
        words = line.split(b" ")
        if len(words) > 5 and words[5].isdigit():
            words[5] = b"%d" % (int(words[5]) & 0xFFFFFFFF)
        cut.append(b" ".join(words))
    return cut


KNOWN: tuple[Known, ...] = (
    Known("spy_ip", "what was written is called read", blue_is_written),
    Known("a", "nanoseconds lack their zeros", nanoseconds_padded),
    Known(GROUP_FORMAT, "half of the number is something else", gid_of_four_bytes),
    *(Known(name, "colours go to terminals only", without_colors) for name in COLORED),
)


BOUND = (b"192.168.128.156:55441->145.216.3.255:514", b"127.0.0.1:55441->127.0.0.1:514")
"""The tuple of the bound UDP socket of 502Error: sysdig takes the bytes of its port and protocol for the other side's
address, and then patches its own. The tuple in its events, and the system call, have the second one."""


def expected(words: tuple[str, ...], lines: list[bytes]) -> list[bytes]:
    """Sysdig's lines after the rows that apply to this call."""
    lines = [line.replace(*BOUND) for line in lines]
    for row in KNOWN:
        if row.word in words:
            lines = row.rewrite(lines)
    return lines


def kept(words: tuple[str, ...], theirs: list[bytes], ours: list[bytes]) -> list[bytes]:
    """Our lines without those that sysdig lacks by a row of docs/sysdig.md."""
    if {"iobytes", "iobytes_net", "iobytes_file"} & set(words) and len(ours) == len(theirs) + 1:
        return ours[:-1]  # the last interval
    if "shellshock_detect" in words:
        return []  # sysdig cannot start it
    return ours


def same_argument(theirs: str, ours: str) -> bool:
    """Whether the arguments' texts agree, but for the wordings that docs/sysdig.md lists."""
    return theirs == ours
