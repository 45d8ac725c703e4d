"""Doing something within another network namespace, in a thread that ends with it: the rest of us stays where it is."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable

CLONE_NEWNET = 0x40000000


def within(path: str, work: Callable[[], None]) -> None:
    """Call `work` in the network namespace that the file `path` (/proc/PID/ns/net) stands for.

    Raises OSError where that is not allowed (it needs CAP_SYS_ADMIN there and here), or the process ended, and what
    `work` raises.
    """
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _enter(path)
            work()
        except BaseException as error:  # handed on to the caller, below
            failed.append(error)

    thread = threading.Thread(target=run, name="other network")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _enter(path: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(namespace, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(namespace)
