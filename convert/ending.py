"""How a run ends before its time without leaving files behind."""

from __future__ import annotations

import sys


def exit_on_sigterm() -> None:
    """Let SIGTERM raise SystemExit, so that spool files and unfinished outputs are removed on the way out.

    Call it before the first such file is made: a run that makes none needs no handler, nor the import of signal.
    """
    import signal

    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    except ValueError:  # not in the main thread: whoever called handles signals
        return
