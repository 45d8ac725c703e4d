"""What a run says on stderr: errors, damage, notes, and on a terminal how far it is."""

from __future__ import annotations

import sys

from ..convert.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


def tell(message: str) -> None:
    """One line, safe on a terminal whatever it quotes."""
    sys.stderr.write(f"syswire: {printable(message)}\n")


class Console:
    """Notes on stderr; a progress line on a terminal only, and not with `quiet`."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet, self._verbose = quiet, verbose
        self._live = not quiet and sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None
        self._name = ""

    def __enter__(self) -> Self:
        if self._live:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, message: str) -> None:
        """One line about damage: always."""
        tell(message)

    def note(self, message: str) -> None:
        """One line that a user may want: not with -q."""
        if not self._quiet:
            tell(message)

    def detail(self, message: str) -> None:
        """One line about what was done: with -v only."""
        if self._verbose:
            tell(message)

    def show(self, name: str, done: int, total: int) -> None:
        """How far a step is; `total` 0 where nobody knows."""
        if self._bar is None:
            return
        if name != self._name:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._name, self._task = name, self._bar.add_task(name, total=total or None)
        self._bar.update(self._task, completed=done, total=total or None)
