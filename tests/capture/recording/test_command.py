"""The command line of `syswire capture`: what its words mean, and that wrong ones are told in a line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syswire.capture.command import options, parser
from syswire.capture.machinery import Options
from syswire.capture.rotation import Rotation
from syswire.convert.errors import UsageError


def asked(words: str) -> Options:
    found = options(words.split())
    assert found is not None
    return found


def test_as_in_the_tutorial() -> None:
    assert asked("-w act1.scap.gz -z -n 1000") == Options("act1.scap.gz", compress=True, count=1000)
    assert asked("-w act1.scap.gz -z -s 4096") == Options("act1.scap.gz", compress=True, snaplen=4096)
    assert asked("-w a").snaplen == 4096


def test_everything() -> None:
    words = "-q -w a -s 65000 -n 5 -d 2.5 --files -C 3 -G 60 -W 7 --ring 16 --nice -5 proc.name=x and fd.port = 80"
    assert asked(words) == Options(
        path="a", snaplen=65000, count=5, seconds=2.5, files=True, rotation=Rotation(3_000_000, 60, 7),
        ring=16 << 20, nice=-5, quiet=True, filter="proc.name=x and fd.port = 80",
    )  # fmt: skip


@pytest.mark.parametrize(("text", "size"), [("1", 1_000_000), ("2k", 2048), ("3M", 3 << 20), ("4g", 4 << 30)])
def test_sizes_as_in_tcpdump(text: str, size: int) -> None:
    assert asked(f"-w a -C {text}").rotation == Rotation(bytes=size)


def test_check() -> None:
    assert options(["--check"]) is None


@pytest.mark.parametrize(
    "words",
    [
        "", "-w", "-z", "-w a -n 0", "-w a -n x", "-w a -n ٣", "-w a -s 0", "-w a -s 65001", "-w a -s -1", "-w a -d 0",
        "-w a -d inf", "-w a -d nan", "-w a -d 1e3", "-w a -C 0", "-w a -C 1t", "-w a -C 1.5", "-w a -G 0", "-w a -W 2",
        "-w a -C 1 -W 0", "-w a --ring 3", "-w a --ring 2048", "-w a --ring 0", "-w a --nice 20", "-w a --nice x",
        "-w - -C 1", "-w - -G 1", "-w a --fil", "-w a --bogus", "-w a -x",
    ],
)  # fmt: skip
def test_wrong_usage(words: str) -> None:
    with pytest.raises(UsageError, match=r"\A[^\n]+\Z"):
        options(words.split())


def test_every_option_is_described(root: Path) -> None:
    told = set(re.findall(r"^\| `(-[^ `]+)", (root / "docs" / "capture.md").read_text("utf-8"), re.M))
    have = {name for action in parser()._actions for name in action.option_strings} - {"-h", "--help"}
    assert told == have
