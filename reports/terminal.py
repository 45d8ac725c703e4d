"""Standard output: the bytes of the evidence as they are into a file or a pipe, made harmless on a terminal."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import BinaryIO

UNSAFE = r"\x1b\[[0-9;]{0,8}m|[^\x20-\x7e\n\t]"
"""What is looked at: colours, which chisels print, and all that is not plain ASCII. Colours are kept: evidence that
holds one can do no more than colour what follows."""
PART = 1 << 16


class Printer:
    """Writes text; what was decoded with surrogateescape becomes the recorded bytes again."""

    def __init__(self, out: BinaryIO | None = None, *, terminal: bool | None = None) -> None:
        self._out = out if out is not None else sys.stdout.buffer
        self.terminal = sys.stdout.isatty() if terminal is None else terminal
        self._waiting: list[str] = []
        self._size = 0

    @property
    def colors(self) -> bool:
        """Whether colours are wanted: on a terminal, unless NO_COLOR says otherwise."""
        return self.terminal and not os.environ.get("NO_COLOR")

    def write(self, text: str) -> None:
        """Print text; it may be held until `flush`, on a terminal until the end of the line."""
        self._waiting.append(text)
        self._size += len(text)
        if self._size > PART or self.terminal:
            self.flush()

    def flush(self) -> None:
        """Print what is held. Raises BrokenPipeError where nobody reads any more."""
        text = "".join(self._waiting)
        self._waiting, self._size = [], 0
        if self.terminal:
            import re

            text = re.sub(UNSAFE, _harmless, text)
        self._out.write(text.encode("utf-8", "surrogateescape"))
        self._out.flush()


def _harmless(match: re.Match[str]) -> str:
    """A control, reordering or broken character as an escape; others as they are."""
    char = match[0]
    if char.isprintable() or len(char) > 1:
        return char
    if 0xDC80 <= ord(char) <= 0xDCFF:
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
