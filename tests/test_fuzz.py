"""The fuzzer's own parts, and some hundred inputs for each of its targets, the same ones every time."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Import = Callable[[str], Any]
RUNS = {"convert": 60, "streams": 120, "passthrough": 200, "scap": 150, "reassembly": 200}
TARGETS = ["scap", "pcap", "pcapng", "layers", "reassembly", "streams", "connection", "http1", "protocols",
           "passthrough", "convert"]  # fmt: skip
FORMATS = ["scap", "pcap", "pcapng", "captures", "segments", "steps", "http1", "protocols"]


@pytest.fixture
def fuzz(root: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    monkeypatch.syspath_prepend(str(root))
    return lambda name: importlib.import_module(f"fuzz.{name}")


def inputs(root: Path, names: tuple[str, ...]) -> list[bytes]:
    return [path.read_bytes() for name in names for path in sorted((root / "fuzz" / "corpus" / name).iterdir())]


def test_every_target_is_tried(fuzz: Import) -> None:
    assert [target.name for target in fuzz("table").TARGETS] == TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found(fuzz: Import, root: Path, tmp_path: Path, name: str) -> None:
    target = fuzz("table").target(name)
    corpus = inputs(root, target.corpus)
    runs = len(corpus) + RUNS.get(name, 400)
    run = target.load(tmp_path)
    done = fuzz("engines").loop(run, target.load_mutator(), corpus, longest=target.longest, seed=7, runs=runs)
    assert done == runs


def test_the_corpus_is_small_and_made_by_its_generator(fuzz: Import, root: Path) -> None:
    for name, make in fuzz("make_corpus").MAKERS.items():
        folder = root / "fuzz" / "corpus" / name
        kept = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("found-")}
        assert kept == dict(make())
    assert sum(path.stat().st_size for path in (root / "fuzz" / "corpus").rglob("*") if path.is_file()) < 200_000


def test_inputs_of_protocols_keep_their_protocol(fuzz: Import, root: Path) -> None:
    protocols, table = fuzz("mutate.protocols"), importlib.import_module("syswire.convert.protocols.table")
    assert {*protocols.NAMES, "http"} == set(table.BY_NAME)
    named = {path.name: protocols.split(path.read_bytes())[0] for path in (root / "fuzz/corpus/protocols").iterdir()}
    assert [name for name, protocol in named.items() if not f"{name}-".startswith(("found-", f"{protocol}-"))] == []


@pytest.mark.parametrize("name", ["plain", *FORMATS])
def test_mutators_take_any_bytes_and_repeat_themselves(fuzz: Import, root: Path, name: str) -> None:
    module = fuzz(f"mutate.{name}")
    mutate = module.change if name == "plain" else module.mutate
    starts = inputs(root, ("pcap", "pcapng", "segments", "http1"))

    @settings(max_examples=150, deadline=None)
    @given(st.one_of(st.sampled_from(starts), st.binary(max_size=80)), st.integers(0, 1 << 32))
    def check(data: bytes, seed: int) -> None:
        one, other = Random(seed), Random(seed)
        for _ in range(3):
            assert mutate(data, one) == (data := mutate(data, other))

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_pieces_are_the_whole(fuzz: Import, root: Path, name: str) -> None:
    pieces = fuzz(f"mutate.{name}").pieces
    for data in inputs(root, (name,) if name != "captures" else ("scap", "pcap", "pcapng")):
        assert b"".join(pieces(data)) == data and len(pieces(data)) > 1


def test_the_loop_finds_what_is_planted_and_makes_it_small(fuzz: Import, tmp_path: Path) -> None:
    """A parser that fails on a call to the server with an odd version behind a lost byte."""
    http1 = fuzz("mutate.http1")

    def parse(data: bytes) -> None:
        if any(one.to_server and one.lost and b"HTTP/2" in one.data for one in http1.split(data)):
            raise ValueError("planted")

    child = fuzz("child")
    watch = child.Watch(parse, tmp_path, 4096, set(), None)
    start = http1.join([http1.Call(True, 0, b"GET / HTTP/1.1\r\n\r\n"), http1.Call(False, 0, b"HTTP/1.1 200\r\n\r\n")])
    fuzz("engines").loop(watch, http1.mutate, [start], longest=4096, seed=1, runs=3000)
    [find] = tmp_path.glob("find-*[0-9a-f]")
    assert "planted" in find.with_suffix(".txt").read_text()
    child.smaller(parse, find.read_bytes(), 20, tmp_path, http1.pieces)
    smaller = (tmp_path / "smaller").read_bytes()
    [call] = http1.split(smaller)
    assert call.data == b"HTTP/2" and call.lost and call.to_server


def test_an_input_is_on_disk_before_it_is_run(fuzz: Import, tmp_path: Path) -> None:
    """It is what is known of an input that kills the process."""
    seen = []

    def run(data: bytes) -> None:
        current = (tmp_path / "current").read_bytes()
        seen.append(current[4 : 4 + int.from_bytes(current[:4], "little")])

    watch = fuzz("child").Watch(run, tmp_path, 10, set(), None)
    for data in (b"abc", b"", b"longer than it may be"):
        watch(data)
    assert seen == [b"abc", b"", b"longer tha"]


BRANCHES = """
int branch(int x) { if (x == 7) return 1; return x > 100 ? 2 : 3; }
"""
COUNTED = """
import ctypes, json, sys
from fuzz.coverage import Counters
library, counters = ctypes.CDLL(sys.argv[1]), Counters()
reached = []
for value in (1, 1, 7, 7, 1000):
    library.branch(value)
    reached.append(counters.reached)
print(json.dumps([reached, counters.places()]))
"""


def test_blocks_are_counted_when_they_are_first_reached(fuzz: Import, root: Path, tmp_path: Path) -> None:
    (tmp_path / "branches.c").write_text(BRANCHES)
    made, counting = tmp_path / "branches.so", tmp_path / "coverage.so"
    flags = ["gcc", "-O0", "-shared", "-fPIC"]
    subprocess.run([*flags, "-fsanitize-coverage=trace-pc", "-o", made, tmp_path / "branches.c"], check=True)
    subprocess.run([*flags, "-o", counting, root / "fuzz" / "coverage.c"], check=True)
    environment = os.environ | {"LD_PRELOAD": str(counting), "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", COUNTED, str(made)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    (first, again, seven, same, large), places = json.loads(done.stdout)
    assert 0 < first == again < seven == same < large == len(places)
    assert {Path(module) for module, _ in places} == {made}
    assert {offset for _, offset in places} <= fuzz("coverage").blocks(made)


def test_lines_of_c_know_the_cython_they_were_made_of(fuzz: Import, tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text(
        'static int helper;\n  /* "convert/x.pyx":7\n * source\n */\n  code();\n'
        '/* "convert/x.pyx":9\n * more\n */\n  code();\n/* #### Code section: end ### */\n  helper();\n'
    )
    sources = fuzz("coverage").cython_lines(tmp_path / "x.c")
    assert [sources[line] for line in (1, 5, 9, 11)] == [None, ("convert/x.pyx", 7), ("convert/x.pyx", 9), None]


class Broken:
    """Targets have to fail when what they look at is broken: each case breaks something."""

    @staticmethod
    def http1(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = targets("http1").read

        def read(*calls: Any, cuts: Any = None, ended: bool = True) -> Any:
            found = plain(*calls, cuts=cuts, ended=ended)
            if cuts == [1]:
                found.exchanges.clear()
            return found

        monkeypatch.setattr(targets("http1"), "read", read)

    @staticmethod
    def protocols(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = targets("protocols").talk

        def talk(make: Any, steps: Any, *, cuts: Any = None, ended: bool = True) -> Any:
            found = plain(make, steps, cuts=cuts, ended=ended)
            if cuts == [1]:
                found.records.clear()
            return found

        monkeypatch.setattr(targets("protocols"), "talk", talk)

    @staticmethod
    def pcap(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(targets("frames").pcap, "split", lambda data: (data[:24], [], b""))

    @staticmethod
    def layers(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = targets("layers").Run._check
        changed = staticmethod(lambda data, decoded: plain(data, decoded._replace(payload=decoded.payload + b"x")))
        monkeypatch.setattr(targets("layers").Run, "_check", changed)

    @staticmethod
    def reassembly(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = targets("reassembly").model
        monkeypatch.setattr(targets("reassembly"), "model", lambda *given: plain(*given)._replace(conflicts=99))

    @staticmethod
    def streams(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        module = targets("streams")
        plain = module.pcapng.from_pcap
        monkeypatch.setattr(module.pcapng, "from_pcap", lambda data: plain(data[:-1]))

    @staticmethod
    def connection(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(targets("connection"), "GAP_SNAPLEN", 99)

    @staticmethod
    def passthrough(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = targets("passthrough").write_packets

        def write_packets(out: Any, **given: Any) -> int:
            return int(plain(out, **given | {"frame_comments": {}}))

        monkeypatch.setattr(targets("passthrough"), "write_packets", write_packets)

    @staticmethod
    def scap(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(targets("scap").Stored, "readinto", lambda self, view: 0)

    @staticmethod
    def convert(targets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(targets("convert").cli, "main", lambda arguments: 70)


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "pcapng"])
def test_targets_notice_what_is_broken(
    fuzz: Import, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    target = fuzz("table").target(name)
    run = target.load(tmp_path)
    getattr(Broken, name)(lambda module: fuzz(f"targets.{module}"), monkeypatch)
    with pytest.raises(AssertionError):
        for data in inputs(root, target.corpus):
            run(data)
