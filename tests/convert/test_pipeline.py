"""The three phases as a whole: the same bytes on every run, wherever it runs and on however many processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support import pcapng
from support.made import CAPTURES, SAMPLE, Made, made
from syswire.convert.options import Options
from syswire.convert.pipeline import Case
from syswire.convert.scap.encoding import Value
from syswire.convert.scap.event_table import Code
from syswire.convert.scap.snapshot import Bound, Descriptor, Machine, Process, Socket
from syswire.convert.scap.writer import ScapWriter

VARYING = {"run"}
"""What of the manifest is of the run and not of the case."""


def contents(folder: Path) -> dict[str, bytes]:
    """Every output but the manifest."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("manifest.json", "case.key")}


def manifest(folder: Path) -> dict[str, object]:
    found = json.loads((folder / "manifest.json").read_bytes())
    return {name: value for name, value in found.items() if name not in VARYING}


def again(case: Made, out: Path, *arguments: str, **environment: str) -> None:
    """The same command another time, under another hash seed, in another place and time zone."""
    key = case.folder.parent / "key"
    subprocess.run(
        [sys.executable, "-m", "syswire", *arguments, case.capture, "-o", out, "--case-key", key],
        check=True,
        capture_output=True,
        cwd=out.parent,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_same_bytes_again(capture: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    arguments = ("report", "--format", "jsonl")
    first = made(tmp_path_factory, capture, *arguments)
    for seed in ("1", "4242"):
        again(first, tmp_path / seed, *arguments, PYTHONHASHSEED=seed, TZ="Asia/Kathmandu", LC_ALL="C")
        assert contents(tmp_path / seed) == contents(first.folder)
        assert manifest(tmp_path / seed) == manifest(first.folder)


def test_same_documents_again(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """HTML and PDF too, though they take longest."""
    first = made(tmp_path_factory, SAMPLE, "report")
    again(first, tmp_path / "deep folder", "report", PYTHONHASHSEED="7", TZ="America/Lima")
    assert set(contents(first.folder)) >= {"report.html", "report.pdf"}
    assert contents(tmp_path / "deep folder") == contents(first.folder)


def test_same_bytes_on_two_processes(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    arguments = ("report", "--format", "jsonl")
    first = made(tmp_path_factory, SAMPLE, *arguments)
    again(first, tmp_path / "two", *arguments, "--jobs", "2")
    assert contents(tmp_path / "two") == contents(first.folder)


def test_only_the_key_makes_fingerprints(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """Under another key the fingerprints differ, and nothing else does."""
    first = made(tmp_path_factory, SAMPLE, "report", "--format", "jsonl")
    (tmp_path / "key").write_text("17" * 32)
    other = tmp_path / "case"
    command = ["report", str(SAMPLE), "-o", str(other), "--case-key", str(tmp_path / "key"), "--format", "jsonl"]
    subprocess.run([sys.executable, "-m", "syswire", *command], check=True, capture_output=True)
    texts = [path.joinpath("findings.jsonl").read_text() for path in (first.folder, other)]
    records = [[json.loads(line) for line in text.splitlines()] for text in texts]
    for before, after in zip(*records, strict=True):
        marks = before.pop("secret_fingerprint"), after.pop("secret_fingerprint")
        assert (marks[0] is None) == (marks[1] is None) == (before["kind"] not in ("credential", "spread"))
        assert marks[0] is None or marks[0] != marks[1]
        before.pop("key"), after.pop("key")
        assert before == after


def test_two_inputs_are_as_each_alone(tmp_path: Path, shared: Path) -> None:
    """Captures of one case share the knowledge of secrets, and nothing else."""
    captures = [shared / "data" / "scap" / "502Error.scap", shared / "data" / "scap-modern" / "b_redis.scap.gz"]
    both = Case([str(path) for path in captures], tmp_path / "both", Options())
    both.run()
    for number, path in enumerate(captures):
        alone = Case([str(path)], tmp_path / str(number), Options())
        alone.run()
        for name in contents(tmp_path / str(number)):
            one, other = ((tmp_path / folder / name).read_bytes() for folder in (str(number), "both"))
            assert one == other.replace(b'"source":%d,' % number, b'"source":0,')


def test_a_secret_of_one_input_is_masked_in_another(tmp_path: Path) -> None:
    """curl has the password in its arguments; another capture of the same case shows only those."""
    quiet = tmp_path / "quiet.scap"
    quiet.write_bytes(small([Process(7, 7, 1, b"curl", b"curl", args=b"-d\0word=L00pback.secret\0http://localhost\0")]))
    Case([str(quiet)], tmp_path / "alone", Options()).run()
    assert b"L00pback.secret" in (tmp_path / "alone" / "quiet.annotations.jsonl").read_bytes()
    Case([str(quiet), str(SAMPLE)], tmp_path / "both", Options()).run()
    assert b"L00pback.secret" not in (tmp_path / "both" / "quiet.annotations.jsonl").read_bytes()


START = 1_700_000_000_000_000_000
WEB: list[Descriptor] = [Bound(4, "10.0.0.5", 80), Socket(5, "10.0.0.5", 80, "10.0.0.7", 40_000)]


def small(
    processes: list[Process],
    descriptors: dict[int, list[Descriptor]] | None = None,
    events: Callable[[ScapWriter], list[bytes]] = lambda _: [],
) -> bytes:
    """A small capture."""
    writer = ScapWriter()
    parts = [writer.section_header(), writer.machine(Machine("small", 1, 1 << 30)), writer.processes(processes)]
    parts += [writer.descriptors(tid, found) for tid, found in (descriptors or {}).items()]
    return b"".join([*parts, *events(writer)])


def test_descriptors_close_in_their_order(tmp_path: Path) -> None:
    """At the end of a process, both ends of many socket pairs close in one event: always the lowest number first."""
    pairs = 40

    def events(writer: ScapWriter) -> list[bytes]:
        out: list[bytes] = []
        for number in range(pairs):
            low = 3 + 2 * number
            calls: list[tuple[int, list[Value]]] = [
                (Code.SOCKET_SOCKETPAIR_E, [1, 1, 0]),
                (Code.SOCKET_SOCKETPAIR_X, [0, low, low + 1, 0x1000 + 2 * number, 0x1001 + 2 * number]),
                (Code.SYSCALL_WRITE_E, [low, 4]),
                (Code.SYSCALL_WRITE_X, [4, b"ping"]),
            ]
            for code, values in calls:
                out.append(writer.event(START + len(out) * 1000, 7, 0, code, values))
        return [*out, writer.event(START + len(out) * 1000, 7, 0, Code.PROCEXIT_1_E, [0, 0, 0, 0])]

    source = tmp_path / "pairs.scap"
    source.write_bytes(small([Process(7, 7, 1, b"pairs", b"/bin/pairs")], events=events))
    seen = set()
    for number in range(4):
        out = tmp_path / str(number)
        Case([str(source)], out, Options(case_key=key_file(tmp_path))).run()
        packets = pcapng.read(out / "pairs.pcapng").packets
        assert len(packets) > 2 * pairs
        seen.add((out / "pairs.pcapng").read_bytes())
    assert len(seen) == 1


def key_file(folder: Path) -> Path:
    path = folder / "key"
    path.write_text("ab" * 32)
    return path


def posted(writer: ScapWriter) -> list[bytes]:
    """A form is posted to the web server on descriptor 5."""
    request = b"POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    request += b"Content-Length: 23\r\n\r\nuser=eve&pass=Sesame-77"
    return [
        writer.event(START, 7, 0, Code.SYSCALL_READ_E, [5, 4096]),
        writer.event(START + 1000, 7, 0, Code.SYSCALL_READ_X, [len(request), request]),
    ]


@pytest.mark.parametrize("before", range(379, 389, 3))
def test_no_half_of_a_secret_where_a_command_line_is_cut(tmp_path: Path, before: int) -> None:
    """Comments hold the beginning of a command line: what is cut is the mask, not the password."""
    arguments = b"x" * before + b"\0Sesame-77\0" + b"y" * 100 + b"\0"
    source = tmp_path / "cut.scap"
    source.write_bytes(small([Process(7, 7, 1, b"web", b"/bin/web", args=arguments)], {7: WEB}, posted))
    assert b" Sesame" in comments(source, tmp_path / "clear", reveal=True), "it is there to be cut"
    assert b"Ses" not in comments(source, tmp_path / "case", reveal=False)


def comments(source: Path, out: Path, *, reveal: bool) -> bytes:
    """All comments of the pcapng that is made of a capture."""
    Case([str(source)], out, Options(reveal=reveal)).run()
    packets = pcapng.read(out / f"{source.stem}.pcapng").packets
    return b"\n".join(value for packet in packets for value in packet.values(pcapng.COMMENT))


@pytest.mark.parametrize("change", ["longer", "touched", "gone"])
def test_a_source_that_changes_is_told(tmp_path: Path, change: str) -> None:
    """The input is hashed again at the end: evidence that changed under our hands is damaged."""
    source = tmp_path / "act1.scap.gz"
    shutil.copy(SAMPLE, source)
    said: list[str] = []
    case = Case([str(source)], tmp_path / "case", Options(), said.append)

    def judge(_: Path, __: object) -> Callable[[int], dict[int, list[str]]]:
        if change == "gone":
            source.unlink()
        elif change == "touched":
            os.utime(source, ns=(1, 1))
        else:
            with source.open("ab") as file:
                file.write(b"more")
        return lambda _: {}

    found = case.run(judge)
    assert case.exit_code == 4
    assert said == [f"{source}: the input changed while it was read"]
    assert found["inputs"][0]["status"] == "damaged"
    assert (found["inputs"][0]["sha256"] == found["inputs"][0]["sha256_after"]) == (change == "touched")


def test_nothing_but_the_outputs_is_left(tmp_path: Path) -> None:
    out = tmp_path / "case"

    def judge(_: Path, __: object) -> Callable[[int], dict[int, list[str]]]:
        assert [path for path in out.iterdir() if path.name.startswith(".syswire-")]
        raise KeyError("a fault of whoever judges")

    with pytest.raises(KeyError):
        Case([str(SAMPLE)], out, Options()).run(judge)
    assert {path.name for path in out.iterdir()} == {"case.key", "act1.annotations.jsonl"}
