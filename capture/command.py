"""The command line of `syswire capture`: sysdig's switches where it has them, tcpdump's for rotation."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, NoReturn

from ..convert.errors import EXIT_DONE, EXIT_MACHINE, UsageError
from .machinery import Options
from .output import STANDARD_OUTPUT, refuse
from .rotation import Rotation

if TYPE_CHECKING:
    from collections.abc import Sequence

SNAPLEN, MOST_SNAPLEN = 4096, 65_000  # of longer payload old sysdig refuses the block
RING, MOST_RING = 64, 1024  # MiB
UNITS = {"": 1_000_000, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
MOST = 1 << 40

DESCRIPTION = (
    "Record what this machine's programs do: the life of processes and descriptors, and what goes over sockets, as a "
    ".scap that sysdig and syswire read. As root, or with CAP_BPF and CAP_PERFMON. Ctrl-C ends it."
)
EPILOG = (
    "FILTER is in sysdig's language (syswire read -l): proc.name=apache2 and fd.port=80. What was counted goes to "
    "FILE.counts.json. The recording holds passwords and whatever else passed: only its owner may read it."
)


class _Parser(argparse.ArgumentParser):
    """Wrong usage is one line, as everywhere."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"capture: {message}")


def parser() -> argparse.ArgumentParser:
    """The grammar."""
    top = _Parser(prog="syswire capture", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    top.add_argument("-w", dest="path", metavar="FILE", help="where to: made 0600; - is standard output")
    top.add_argument("-z", dest="compress", action="store_true", help="compress with gzip")
    top.add_argument(
        "-s", dest="snaplen", metavar="SNAPLEN", type=_snaplen, default=SNAPLEN,
        help=f"bytes that are kept of what a call reads or writes (default {SNAPLEN}, {MOST_SNAPLEN} at most)",
    )  # fmt: skip
    top.add_argument("-n", dest="count", metavar="COUNT", type=_whole, help="end after so many events")
    top.add_argument("-d", dest="seconds", metavar="SECONDS", type=_seconds, help="end after so many seconds")
    top.add_argument("--files", action="store_true", help="record what is read from and written to files, too")
    top.add_argument(
        "-C", dest="megabytes", metavar="MB", type=_size,
        help="go on in a next file when one is larger (millions of bytes; with k, m, g: KiB, MiB, GiB)",
    )  # fmt: skip
    top.add_argument(
        "-G", dest="turn", metavar="SECONDS", type=_whole,
        help="go on in a next file after so many seconds; FILE is a format of strftime",
    )  # fmt: skip
    top.add_argument(
        "-W", dest="limit", metavar="COUNT", type=_whole,
        help="with -C: begin anew with the first file after so many; with -G: end after so many",
    )  # fmt: skip
    top.add_argument(
        "--ring", metavar="MB", type=_ring, default=RING,
        help=f"memory in which events wait to be written (default {RING} MiB, a power of two)",
    )  # fmt: skip
    top.add_argument(
        "--nice", metavar="N", type=int, choices=range(-20, 20),
        help="priority, from -20 (first) to 19 (default -10 where that is allowed)",
    )  # fmt: skip
    top.add_argument("--check", action="store_true", help="say what the machine lacks for recording, and end")
    top.add_argument("-q", dest="quiet", action="store_true", help="say what was lost, and nothing else")
    top.add_argument("filter", metavar="FILTER", nargs="*", help="record what this holds for")
    return top


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _snaplen(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text) or not 0 < int(text) <= MOST_SNAPLEN:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes from 1 to {MOST_SNAPLEN}")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or float(text) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return float(text)


def _size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12})([kmg]?)", text.lower())
    size = int(found[1]) * UNITS[found[2]] if found else 0
    if not 0 < size <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size")
    return size


def _ring(text: str) -> int:
    size = _whole(text)
    if size > MOST_RING or size & (size - 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not a power of two up to {MOST_RING}")
    return size


def options(words: Sequence[str]) -> Options | None:
    """What the words behind `syswire capture` ask for; None: a check of the machine. Raises UsageError."""
    given = parser().parse_args(words)
    if given.check:
        return None
    if given.path is None:
        raise UsageError("capture: name the file to write with -w")
    if given.limit is not None and given.megabytes is None and given.turn is None:
        raise UsageError("capture: -W goes with -C or -G")
    rotation = Rotation(given.megabytes, given.turn, given.limit)
    if given.path == STANDARD_OUTPUT and rotation != Rotation():
        raise UsageError("capture: -C and -G need a file; -w - is standard output")
    if "\0" in given.path or not given.path:
        raise UsageError("capture: -w needs the name of a file")
    return Options(
        path=given.path,
        compress=given.compress,
        snaplen=given.snaplen,
        count=given.count,
        seconds=given.seconds,
        files=given.files,
        rotation=rotation,
        ring=given.ring << 20,
        filter=" ".join(given.filter),
        nice=given.nice,
        quiet=given.quiet,
    )


def capture(words: Sequence[str]) -> int:
    """Run `syswire capture` with the words behind it. Returns the exit code; raises SyswireError, BrokenPipeError."""
    asked = options(words)
    if asked is None:
        return check()
    from .live import Live
    from .recorder import Recorder, tell
    from .requirements import lacking

    recorder = Recorder(asked, Live())
    if asked.rotation == Rotation():
        refuse(asked.path)
    if lacks := lacking():
        for line in lacks:
            tell(line)
        return EXIT_MACHINE
    return recorder.run()


def check() -> int:
    """Say what the machine offers and lacks, and whether it can record."""
    from . import requirements

    told, able = requirements.check()
    sys.stdout.write(told)
    sys.stdout.flush()
    return EXIT_DONE if able else EXIT_MACHINE
