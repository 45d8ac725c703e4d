"""The process that fuzzes one target, with instrumented modules: python -m fuzz.child, called by running.py.

An input is written to the file `current` before it is run, so that whoever started this knows it when the process
dies. Exceptions do not end the process: each new kind is kept as `find-N`, with its traceback beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mmap
import signal
import tempfile
import time
import traceback
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .coverage import Counters
from .engines import libfuzzer, loop
from .minimise import minimised
from .table import target

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
OFTEN = 5  # seconds
LENGTH = 4  # bytes before the input in `current`


def kind(error: BaseException) -> str:
    """What is the same in two exceptions of one cause: the type, and the place within syswire or the target."""
    if isinstance(told := getattr(error, "kind", None), str):
        return told
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/atheris/" not in frame.filename]
    last = frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {last.name}"


class Watch:
    """Runs inputs, and keeps those that raise."""

    def __init__(
        self, run: Callable[[bytes], None], folder: Path, longest: int, known: set[str], counters: Counters | None
    ) -> None:
        self.runs = 0
        self._counters = counters
        self._began = self._told = time.monotonic()
        self._run = run
        self._folder = folder
        self._known = known
        with (folder / "current").open("w+b") as file:
            file.truncate(longest + LENGTH)
            self._current = mmap.mmap(file.fileno(), 0)

    def __call__(self, data: bytes) -> None:
        """Run one input."""
        self.runs += 1
        data = data[: len(self._current) - LENGTH]
        self._current[LENGTH : LENGTH + len(data)] = data
        self._current[:LENGTH] = len(data).to_bytes(LENGTH, "little")
        if time.monotonic() - self._told > OFTEN:
            self.tell()
        try:
            self._run(data)
        except Exception as error:  # whatever it is: that is what is looked for
            name = kind(error)
            if name not in self._known:
                self._known.add(name)
                self._keep(name, data, error)

    def tell(self) -> None:
        """Write the figures; again and again, since libFuzzer ends the process by itself."""
        self._told = time.monotonic()
        places = self._counters.places() if self._counters is not None else []
        figures = {"runs": self.runs, "seconds": self._told - self._began, "places": places}
        part = self._folder / "figures.part"
        part.write_text(json.dumps(figures))
        part.replace(self._folder / "figures.json")

    def _keep(self, name: str, data: bytes, error: Exception) -> None:
        short = hashlib.sha256(name.encode()).hexdigest()[:12]
        (self._folder / f"find-{short}").write_bytes(data)
        (self._folder / f"find-{short}.txt").write_text(f"{name}\n\n{''.join(traceback.format_exception(error))}")


def arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--engine", choices=["atheris", "loop", "once", "minimise"], required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where finds and figures go")
    parser.add_argument("--corpus", type=Path, action="append", default=[])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python", action="store_true", help="be guided by branches of Python code too")
    parser.add_argument("--known", type=Path, help="kinds that need not be kept, one a line")
    return parser.parse_args()


def smaller(
    run: Callable[[bytes], None], data: bytes, seconds: float, folder: Path, pieces: Callable[[bytes], list[bytes]]
) -> None:
    """Write the smallest input found that raises the same as `data` to the file `smaller`; none where it does not."""

    def told(data: bytes) -> str | None:
        try:
            run(data)
        except Exception as error:  # the same as is kept
            return kind(error)
        return None

    name = told(data)
    if name is not None:
        (folder / "smaller").write_bytes(minimised(data, lambda data: told(data) == name, seconds, pieces))


def counters() -> Counters | None:
    """The counters, where coverage.c is preloaded."""
    try:
        return Counters()
    except AttributeError:
        return None


def main() -> None:
    """Fuzz until the time is over."""
    call = arguments()
    chosen = target(call.target)
    counting = counters()
    if counting is not None:
        syswire = find_spec("syswire")
        assert syswire is not None and syswire.origin is not None
        assert ROOT / "convert" not in Path(syswire.origin).resolve().parents, syswire.origin
    instrumented: AbstractContextManager[object] = nullcontext()
    if call.engine == "atheris" and call.python:
        instrumented = import_module("atheris").instrument_imports(include=["syswire"], enable_loader_override=False)
    scratch = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    known = set(call.known.read_text("utf-8").splitlines()) if call.known else set()
    with scratch, instrumented:
        if call.engine == "minimise":
            smaller(
                chosen.load(Path(scratch.name)), call.corpus[0].read_bytes(), call.seconds, call.folder, chosen.pieces
            )
            return
        watch = Watch(chosen.load(Path(scratch.name)), call.folder, chosen.longest, known, counting)
        if call.engine == "atheris":
            libfuzzer(
                watch,
                chosen.load_mutator(),
                call.corpus,
                longest=chosen.longest,
                seed=call.seed,
                runs=call.runs,
                seconds=call.seconds,
                counters=counting,
            )
        else:
            signal.alarm(call.seconds + 30)
            inputs = [
                path.read_bytes()[: chosen.longest]
                for folder in call.corpus
                for path in sorted(folder.iterdir() if folder.is_dir() else [folder])
            ]
            loop(
                watch,
                chosen.load_mutator(),
                inputs,
                longest=chosen.longest,
                seed=call.seed,
                runs=len(inputs) if call.engine == "once" else call.runs,
                seconds=call.seconds,
                counters=counting,
            )
            watch.tell()


if __name__ == "__main__":
    main()
