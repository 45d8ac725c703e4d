"""A capture's conversations in parts, for as many processes as are wanted.

Nothing is shipped between processes but names of spool files and counts: each part reads its pieces itself and writes
its own lines. Parts do not depend on how many workers there are, nor on their order; neither does the output.
"""

from __future__ import annotations

import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conversations.rebuilt import Rebuilt
    from .objects import ObjectPlan
    from .prepare import Prepared

P = ParamSpec("P")
T = TypeVar("T")

PIECES = 8_192
"""Pieces of a part, about: enough that a process is worth its while."""


class Part(NamedTuple):
    """Conversations `begin` to `end` (ids, the last one excluded) of one input. `key` is the case's."""

    source: int
    number: int
    prepared: Prepared
    begin: int
    end: int
    key: bytes
    reveal: bool
    objects: ObjectPlan | None = None
    redact: bool = False
    """Where secrets stand is spooled too."""
    shared_secrets: tuple[bytes, ...] = ()
    """With which RADIUS hides passwords."""

    def path(self, name: str) -> str:
        """One of the part's spool files."""
        return str(self.prepared.folder / f"{name}.{self.number}")


def divide(
    source: int,
    prepared: Prepared,
    key: bytes,
    *,
    reveal: bool,
    objects: ObjectPlan | None = None,
    redact: bool = False,
    shared_secrets: tuple[bytes, ...] = (),
) -> list[Part]:
    """The parts of one input, in order; a conversation is never divided."""
    total = prepared.decoded.conversations
    borders = [1]
    rebuilt = prepared.open()
    try:
        for target in range(PIECES, prepared.pieces, PIECES):
            border = _first_at(rebuilt, target, total)
            if borders[-1] < border <= total:
                borders.append(border)
    finally:
        rebuilt.close()
    borders.append(total + 1)
    return [
        Part(source, number, prepared, begin, end, key, reveal, objects, redact, shared_secrets)
        for number, (begin, end) in enumerate(pairwise(borders))
        if begin < end
    ]


def _first_at(rebuilt: Rebuilt, piece: int, total: int) -> int:
    """The first conversation whose pieces begin at row `piece` or later."""
    low, high = 1, total + 1
    while low < high:
        middle = (low + high) // 2
        if rebuilt.conversation(middle).totals.pieces_begin < piece:
            low = middle + 1
        else:
            high = middle
    return low


class Serial(Executor):
    """An executor without processes: a call is done when it is submitted."""

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call at once; an exception is the caller's."""
        future: Future[T] = Future()
        future.set_result(call(*args, **kwargs))
        return future


@contextmanager
def workers(jobs: int, wanted: int) -> Iterator[Executor]:
    """An executor with at most `jobs` processes for `wanted` tasks; none are started for one job or one task."""
    if min(jobs, wanted) <= 1:
        yield Serial()
        return
    pool = ProcessPoolExecutor(min(jobs, wanted), mp_context=get_context("spawn"), initializer=_ignore_interrupt)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    """Ctrl-C is the parent's to handle; it waits for what is running and cleans up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def in_order(executor: Executor, call: Callable[..., T], tasks: list[tuple[Any, ...]]) -> Iterator[T]:
    """Results in the order of the tasks. A serial executor does each only when its result is asked for."""
    if isinstance(executor, Serial):
        for task in tasks:
            yield call(*task)
        return
    futures = [executor.submit(call, *task) for task in tasks]
    for future in futures:
        yield future.result()
