"""What makes inputs and runs them: libFuzzer by way of atheris, or a loop of our own that needs nothing."""

from __future__ import annotations

import ctypes
import sys
from importlib import import_module
from pathlib import Path
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any

from .mutate.plain import change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .coverage import Counters
    from .table import Mutator

    Run = Callable[[bytes], None]

OWN = 0.6
"""How often an input is changed by what knows its format; else bytes are changed blindly."""


def loop(
    run: Run,
    mutator: Mutator,
    corpus: Sequence[bytes],
    *,
    longest: int,
    seed: int,
    runs: int | None = None,
    seconds: float | None = None,
    counters: Counters | None = None,
) -> int:
    """Run the corpus, then inputs made of it, until `runs` or `seconds` are over; how many were run.

    Where there are counters, inputs that reach new code join the corpus.
    """
    random = Random(seed)
    inputs = list(corpus) or [b""]
    for data in inputs:
        run(data)
    done = len(inputs)
    began = monotonic()
    while (runs is None or done < runs) and (seconds is None or monotonic() - began < seconds):
        data = random.choice(inputs)
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            data = mutator(data, random) if random.random() < OWN else change(data, random)
        data = data[:longest]
        before = counters.reached if counters is not None else 0
        run(data)
        done += 1
        if counters is not None and counters.reached > before:
            inputs.append(data)
    return done


def libfuzzer(
    run: Run,
    mutator: Mutator,
    folders: Sequence[Path],
    *,
    longest: int,
    seed: int,
    runs: int | None,
    seconds: int,
    counters: Counters | None,
) -> None:
    """Run inputs until `runs` or `seconds` are over; does not return. `folders`: the first takes what is new."""
    atheris: Any = import_module("atheris")

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        random = Random(seed)
        chance = random.random()
        if chance < OWN:
            data = mutator(data, random)
        if chance > OWN - 0.1:
            data = bytes(atheris.Mutate(data[:longest], longest))
        return data[:longest]

    arguments = [
        sys.argv[0],
        f"-max_len={longest}",
        f"-seed={seed}",
        f"-max_total_time={seconds}",
        "-len_control=0",
        "-timeout=30",
        "-rss_limit_mb=2000",
        "-print_final_stats=1",
        "-verbosity=1",
        *([f"-runs={runs}"] if runs is not None else []),
        *map(str, folders),
    ]
    atheris.Setup(arguments, run, custom_mutator=mutate, internal_libfuzzer=True)
    if counters is not None:
        counters.hand_to(ctypes.CDLL(import_module("atheris.core_with_libfuzzer").__file__))
    atheris.Fuzz()
