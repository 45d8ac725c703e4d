"""A recording from its begin to its end: probe to ring, ring to drain, drain to file.

The probe is attached first and the state of the machine is read then, so that nothing that happens meanwhile is
missed; the events wait in the ring. At a rotation all that was recorded goes to the old file before the state is read
again for the new one.
"""

from __future__ import annotations

import errno
import signal
import sys
import time
from typing import TYPE_CHECKING

from ..convert.errors import EXIT_DONE, UsageError
from ..convert.model.text import printable, spelled
from ..convert.scap.counts import SUFFIX, Events, Tally, Truncated
from .counts import CountsFile, calls, lost, summary
from .filtering import Judge, push, wanted
from .output import STANDARD_OUTPUT, Output, OutputError, Syncer, cut, events_in, refuse
from .rotation import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from .machinery import Machinery, Options

WAIT = 100  # ms that the ring is waited for; the file is flushed, and ends are noticed, as often
PAUSE = 0.01  # seconds between two looks at a ring that had little: records are taken together
FEW = 2000  # records; where there were more, there are more already
LOOKS = 8  # at a ring that does not become empty, at a rotation
ANY_TIME = (1 << 63) - 1
NOT_MADE = ("malformed", "unknown", "unwritten")  # what the drain could make no event of, by its own names
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def tell(message: str) -> None:
    """One line on stderr, safe on a terminal."""
    sys.stderr.write(f"syswire: {printable(message)}\n")
    sys.stderr.flush()


class Recorder:
    """One recording; `run` does it all."""

    def __init__(
        self,
        options: Options,
        machinery: Machinery,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = tell,
    ) -> None:
        """Raises UsageError where the filter is none."""
        self.options = options
        self._machinery = machinery
        self._clock = clock
        self._say = say
        self._filter = wanted(options.filter) if options.filter else None
        self._judge: Judge | None = None
        self._names = Names(options.path, options.rotation)
        self._signal = 0
        self._found = 0  # events of -n
        self._filtered = self._beyond = 0
        self._dropped: dict[str, int] = {}
        self._state: dict[str, int] = {}
        self._why = ""
        self._files = 0
        self._turned = True

    def run(self) -> int:
        """Record until somebody or something ends it. Returns the exit code; raises SyswireError, BrokenPipeError."""
        options = self.options
        pushed = push(self._filter.tree if self._filter else None)
        if pushed.whole and options.count is None:
            self._filter = None  # nothing is left to be judged
        numbers = [
            number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
        ]
        before = {number: signal.signal(number, self._end) for number in numbers}  # under nohup it goes on
        self._syncer = Syncer()
        try:
            with self._machinery.probe(options, pushed) as self._probe:
                self._drain = self._machinery.drain(self._probe, options)
                if self._signal:
                    if not options.quiet:
                        self._say(f"{spelled(options.path)}: not written, the recording was ended before it began")
                    return EXIT_DONE
                self._machinery.prefer(options.nice)
                return self._record()
        finally:
            self._syncer.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, _: FrameType | None) -> None:
        self._signal = number

    # -- the loop

    def _record(self) -> int:
        failure: OutputError | None = None
        self._start = self._clock()
        try:
            self._begin(attach=True)
            while not self._over():
                if self._drain.poll(WAIT) < FEW:
                    time.sleep(PAUSE)
                self._pass_on(self._drain.take(ANY_TIME))
                if self._output.tick():
                    self._note_counts(None)
                self._rotate()
        except OutputError as error:
            if not self._files:
                raise
            failure = error
            self._lose(error)
        finally:
            self._probe.detach()
        return self._finish(failure)

    def _over(self) -> bool:
        """Whether the recording is to end, and why."""
        options = self.options
        if self._signal:
            self._why = f"by {signal.Signals(self._signal).name}"
        elif options.count is not None and self._found >= options.count:
            self._why = f"after {options.count} events"
        elif options.seconds is not None and self._clock() - self._start >= options.seconds:
            self._why = f"after {options.seconds:g} seconds"
        elif self._turned and (last := options.rotation.last) is not None and self._files >= last:
            self._why = f"after {last} files"
        return bool(self._why)

    def _pass_on(self, blocks: bytes) -> None:
        """Write what is wanted of whole event blocks."""
        count = self.options.count
        most = None if count is None else count - self._found
        if most is not None and most <= 0:
            self._beyond += events_in(blocks)
            return
        if self._judge is not None:
            blocks, filtered, found, beyond = self._judge(blocks, most)
            self._filtered += filtered
            self._found, self._beyond = self._found + found, self._beyond + beyond
        elif most is not None:
            at, found = cut(blocks, most)
            self._found, self._beyond = self._found + found, self._beyond + events_in(blocks[at:])
            blocks = blocks[:at]
        self._output.write(blocks)

    def _rest(self) -> Iterator[bytes]:
        """All that is in the ring by now; where records go on to come, what is taken in some looks."""
        for _ in range(LOOKS):
            if not self._drain.poll(0):
                break
            yield self._drain.take(ANY_TIME)
        yield self._drain.take(None)

    # -- files

    def _begin(self, *, attach: bool = False) -> None:
        """The next file, with the state of the machine in front."""
        name = self._names.next(time.time(), older=self._turned)
        self._turned = False
        try:
            for each in (name, *([] if name == STANDARD_OUTPUT else [name + SUFFIX])):
                refuse(each)  # before what is there is removed
            self._output = Output(name, self._syncer, compress=self.options.compress, clock=self._clock)
            self._counts = CountsFile(name, self._tally() if self._files else Tally())
        except UsageError as error:
            if not self._files:
                raise
            raise OutputError(name, OSError(errno.EEXIST, str(error))) from None
        self._files += 1
        self._begun = self._clock()
        if attach:
            self._probe.attach()
            self._start = self._clock()
        state = self._machinery.state()
        self._state = dict(state.losses)
        if attach and not self.options.quiet:
            for note in state.notes:
                self._say(note)
        if self._filter is not None and self._judge is None:
            self._judge = Judge(self._filter, state.blocks)
        self._output.write(state.blocks)
        self._output.flush()

    def _rotate(self) -> None:
        """Go on in the next file where it is time."""
        rotation = self.options.rotation
        self._turned = rotation.seconds is not None and self._clock() - self._begun >= rotation.seconds
        if not self._turned and (rotation.bytes is None or self._output.grown <= rotation.bytes):
            return
        if self._over():
            return
        for blocks in self._rest():
            self._pass_on(blocks)
        self._output.close()
        self._note_counts("the next file was begun")
        self._begin()

    def _lose(self, error: OutputError) -> None:
        cause = "disk_full" if error.errno in DISK_FULL else "write_error"
        self._dropped[cause] = self._dropped.get(cause, 0) + error.events
        self._why = "the disk was full" if cause == "disk_full" else "the file could not be written"

    def _finish(self, failure: OutputError | None) -> int:
        """Write what is left, and say how it was."""
        while True:
            looked = self._drain.poll(0)
            blocks = self._drain.take(ANY_TIME if looked else None)
            failure = self._last(blocks, failure)
            if not looked:
                break
        try:
            self._output.close()
        except OutputError as error:
            self._lose(error)
            failure = failure or error
        self._note_counts(self._why)
        told, name = self._tally(), spelled(self.options.path)
        if not self.options.quiet:
            self._say(summary(name, told, self._clock() - self._start))
        elif losses := lost(told):
            self._say(f"{name}: {losses}")
        if failure is not None:
            raise failure
        return EXIT_DONE

    def _last(self, blocks: bytes, failure: OutputError | None) -> OutputError | None:
        """Write what came last, or count it where nothing can be written any more."""
        if failure is None:
            try:
                self._pass_on(blocks)
            except OutputError as error:
                self._lose(error)
                return error
        else:
            failure.events = events_in(blocks)
            self._lose(failure)
        return failure

    # -- counts

    def _note_counts(self, ended: str | None) -> None:
        """Bring the file of counts up to date."""
        try:
            self._counts.write(self._tally(), self._output.size, ended)
            if ended is not None:
                self._counts.close()
        except OSError as error:
            self._say(f"{spelled(self._output.path)}: its counts cannot be written: {error.strerror}")

    def _tally(self) -> Tally:
        """All that was counted since the begin."""
        told = self._drain.counts
        dropped = self._dropped | {name: told[name] for name in NOT_MADE if told.get(name)}
        made = told["events"] + sum(told.get(name, 0) for name in NOT_MADE)
        waiting = told.get("waiting", 0)
        return Tally(
            filter=self.options.filter,
            snaplen=self.options.snaplen,
            files=self.options.files,
            calls=calls(self._probe.counters()),
            events=Events(
                made=made,
                written=made - waiting - self._filtered - self._beyond - sum(dropped.values()),
                filtered=self._filtered,
                beyond_count=self._beyond,
                waiting=waiting,
                dropped=dropped,
            ),
            truncated=Truncated(told.get("truncated_events", 0), told.get("truncated_bytes", 0)),
            late=told.get("late", 0),
            state=self._state,
            drain=dict(told),
        )
