"""python -m fuzz: fuzz some targets, print figures; exit code 1 where something was found."""

# ruff: noqa: T201 - a command: stdout carries its results

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from . import tree
from .coverage import Covered, by_file
from .running import Found, Plan, fuzz
from .table import TARGETS, Target, target


def arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    names = [entry.name for entry in TARGETS]
    parser.add_argument("--target", action="append", choices=names, help="may be repeated; default: all")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="for each target (default: 60)")
    parser.add_argument("--runs", type=int, metavar="N", help="for each target at most; with the loop and one --seed "
                        "the same inputs each time")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of random choices (default: 1)")
    parser.add_argument("--seeds", type=Path, metavar="DIR", help="take captures below DIR as inputs too, cut short")
    parser.add_argument("--engine", choices=["atheris", "loop"], help="default: atheris where it is installed")
    return parser.parse_args()


def show(chosen: Target, found: Found, covered: dict[str, Covered]) -> None:
    """Print the figures of a target."""
    rate = found.runs / found.seconds if found.seconds else 0
    mine = {name: one for name, one in covered.items() if name.startswith(chosen.code)}
    lines, every = sum(one.lines for one in mine.values()), sum(one.all_lines for one in mine.values())
    share = f"{lines} of {every} lines ({100 * lines / every:.0f} %)" if every else "no compiled module"
    print(
        f"{chosen.name}: {found.runs:,} executions in {found.seconds:.0f} s ({rate:.0f}/s), "
        f"{len(found.places):,} blocks reached; {share} of {len(mine)} files; {len(found.finds)} finds"
    )
    for path in sorted(found.finds):
        print(f"  {os.path.relpath(path)}: {path.with_suffix('.txt').read_text('utf-8').splitlines()[0]}")
    sys.stdout.flush()


def show_files(covered: dict[str, Covered]) -> None:
    """Print the coverage of each source file over all targets."""
    for name, one in covered.items():
        print(f"  {name:44} {one.lines:5} of {one.all_lines:5} lines {100 * one.lines / one.all_lines:4.0f} %"
              f"  {one.blocks:6} of {one.all_blocks:6} blocks")  # fmt: skip


def main() -> int:
    """Fuzz one target after the other."""
    call = arguments()
    engine = call.engine or ("atheris" if find_spec("atheris") else "loop")
    plan = Plan(tree.prepare(), engine, call.seconds, call.runs, call.seed, call.seeds)
    print(f"engine: {engine}{'' if engine == 'atheris' else ' (guided by counters, without libFuzzer)'}", flush=True)
    every = Found()
    for chosen in TARGETS if call.target is None else map(target, call.target):
        found = fuzz(chosen, plan)
        show(chosen, found, by_file(found.places, tree.TREE))
        every.runs += found.runs
        every.seconds += found.seconds
        every.places |= found.places
        every.finds |= found.finds
    print(f"all: {every.runs:,} executions in {every.seconds:.0f} s, {len(every.finds)} finds")
    show_files(by_file(every.places, tree.TREE))
    return 1 if every.finds else 0


if __name__ == "__main__":
    sys.exit(main())
