"""`syswire read` as a user runs it: what it prints, writes, refuses, and how it ends."""

from __future__ import annotations

import gzip
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from syswire import cli
from syswire.reports.terminal import Printer

ENVIRONMENT = os.environ | {"TZ": "UTC"}
SYSWIRE = (sys.executable, "-m", "syswire", "read")


@pytest.fixture(scope="module")
def sample(data: Path) -> Path:
    return data / "made" / "act1.scap.gz"


def run(*words: str | Path, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*SYSWIRE, *map(str, words)], input=given, env=ENVIRONMENT, cwd="/", capture_output=True, check=False
    )


def sysdig(program: str, *words: str | Path) -> list[str]:
    done = subprocess.run([program, *map(str, words)], env=ENVIRONMENT, cwd="/", capture_output=True, check=True)
    return done.stdout.decode("utf-8").splitlines()


def without_numbers(lines: list[str]) -> list[str]:
    return [line.partition(" ")[2] for line in lines]


def test_prints_events(sample: Path) -> None:
    done = run(sample, "-n", "2")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [
        "1 09:15:00.000029764 0 httpd (1204) > accept flags=1000 ",
        "2 09:15:00.000032699 0 mysqld (900) > poll fds=20:41 21:u1 timeout=-1 ",
    ]
    assert done.stderr == b""


def test_standard_input(sample: Path) -> None:
    assert run("-", "-n", "20", given=sample.read_bytes()).stdout == run("-r", sample, "-n20").stdout


@pytest.mark.parametrize(
    "wanted", ["", "fd.port=80", "evt.is_io=true and evt.dir=<", "evt.type=read and proc.name=httpd"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_written_sysdig_reads(
    sample: Path, tmp_path: Path, tool: Callable[[str], str], wanted: str, packed: bool
) -> None:
    out = tmp_path / "out.scap"
    done = run(sample, "-q", *(["-z"] if packed else []), "-w", out, wanted)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert out.read_bytes().startswith(b"\x1f\x8b" if packed else b"\n\r\r\n")
    assert out.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [out]
    program = tool("sysdig")
    told = without_numbers(sysdig(program, "-r", out))
    assert told == without_numbers(sysdig(program, "-r", sample, *([wanted] if wanted else [])))
    assert told == without_numbers(run(out).stdout.decode().splitlines())
    assert len(told) > 50


def test_the_state_is_kept(sample: Path, tmp_path: Path) -> None:
    """Names of descriptors that were opened by calls that are not shown."""
    out = tmp_path / "out.scap"
    wanted = ("evt.type=sendto", "and", "evt.dir=<")
    form = ("-p", "*%evt.rawtime %proc.name %fd.name %evt.latency")
    run(sample, "-q", "-w", out, *wanted)
    assert run(out, *form).stdout == run(sample, *form, *wanted).stdout
    assert b"->" in run(out, *form).stdout


def test_writing_everything_keeps_everything(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.scap"
    printed = run(sample, "-w", out)
    assert printed.stdout == run(sample).stdout == run(out).stdout


def test_an_input_is_never_overwritten(sample: Path, tmp_path: Path) -> None:
    copy, link, hard = tmp_path / "a.scap.gz", tmp_path / "b", tmp_path / "c"
    copy.write_bytes(sample.read_bytes())
    link.symlink_to(copy)
    hard.hardlink_to(copy)
    for target in (copy, link, hard):
        done = run(copy, "-w", target)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"is the input" in done.stderr
    assert copy.read_bytes() == sample.read_bytes()


def test_an_older_file_stays_until_the_new_one_is_whole(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.scap"
    out.write_bytes(b"older")
    assert run(sample, "-q", "-w", out, "fd.nme=x").returncode == 2
    assert out.read_bytes() == b"older"
    assert run(sample, "-q", "-w", out).returncode == 0
    assert out.read_bytes() != b"older"
    assert list(tmp_path.iterdir()) == [out]


def test_damage_is_told_and_what_came_before_is_read(sample: Path) -> None:
    plain = gzip.decompress(sample.read_bytes())
    done = run("-", given=plain[:30_000])
    assert done.returncode == 4
    assert b"not a whole block" in done.stderr
    assert 50 < len(done.stdout.splitlines()) < 1000
    whole = run("-", given=plain).stdout
    assert whole.startswith(done.stdout)


def test_what_is_no_capture(tmp_path: Path) -> None:
    for content in (b"", b"hello, world, this is text", b"\n\r\r\n"):
        path = tmp_path / "x"
        path.write_bytes(content)
        done = run(path)
        assert (done.returncode, done.stdout) == (3, b""), content
        assert len(done.stderr.splitlines()) == 1
    assert run(tmp_path / "none").returncode == 3


WRONG: tuple[tuple[str, ...], ...] = (
    ("fd.prt=80",), ("prc.name=httpd",), ("evt.type=opne",), ("fd.port=abc",), ("fd.port==",), ("fd.port",),
    ("proc.name=a", "proc.name=b"), ("(proc.name=a",), ("proc.name=a)",), ("proc.name=a and",), ("or proc.name=a",),
    ("not",), ("fd.ip=1.2.3",), ("fd.net=10.0.0.0/99",), ("evt.is_io=1",), ("evt.num=x",), ("proc.name='a",),
    ("proc.name in a",), ("proc.name in (a",), ("evt.num contains 3",), ("proc.name regex '('",), ("proc.name && a",),
    ("evt.arg=5",), ("fd.name like x",), ("proc.aname[x]=a",),
    ("-p", "%evt.nmu"), ("-p", "%"), ("-p", "%fd.ip"), ("-p", ""), ("-p", "%-10proc.name"),
    ("-c", "topcons"), ("-c", "spy_ip"), ("-c", "spy_ip", "nonsense"), ("-c", "spy_port", "http"), ("-i", "topcons"),
    ("-c", "fdbytes_by", "fd.nme"), ("-n", "x"), ("-Q",), ("-t", "z"), ("--nothing",), ("-c",),
)  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_calls_end_with_2_and_a_message(
    sample: Path, words: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """One message: a line, and for filters and formats two more that show the place."""
    assert cli.main(["read", str(sample), *words]) == 2
    out, told = capfd.readouterr()
    assert out == ""
    lines = told.splitlines()
    assert lines[0].startswith("syswire: ")
    assert len(lines) in (1, 3)
    if len(lines) == 3:
        assert lines[2].strip() == "^"
        assert len(lines[2]) <= len(lines[1]) + 1


def test_no_capture_is_named() -> None:
    done = run()
    assert done.returncode == 2
    assert b"which capture?" in done.stderr


def test_a_closed_pipe_ends_quietly(sample: Path) -> None:
    command = f"set -o pipefail; '{sys.executable}' -m syswire read '{sample}' | head -1"
    done = subprocess.run(["bash", "-c", command], env=ENVIRONMENT, cwd="/", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.splitlines()) == 1


def test_lists() -> None:
    fields = run("-l").stdout.decode()
    named = [line.split()[0] for line in fields.splitlines() if "." in line.split(" ")[0]]
    assert len(set(named)) >= 257
    assert "fd.cip" in named
    assert run("-lv").stdout.count(b"(Type: ") >= 257
    assert b"`fd.cip` | IPADDR" in run("--list-markdown").stdout
    assert b"> open(FSPATH name, " in run("-L").stdout
    chisels = run("-cl").stdout.decode()
    assert "Category: Net\n-------------\niobytes_net " in chisels
    assert "spy_ip " in run("-i", "spy_ip").stdout.decode()
    assert run("--help").stdout.startswith(b"usage: syswire read ")
    assert run("-pp").stdout.startswith(b"%evt.num %evt.outputtime")


def test_every_chisel_is_described_and_runs(sample: Path) -> None:
    names = [line.split()[0] for line in run("-cl").stdout.decode().splitlines() if line[:1].islower()][:-1]
    assert len(names) > 35
    for name in names:
        assert name in run("-i", name).stdout.decode()


def test_on_a_terminal_evidence_is_harmless() -> None:
    out = BytesIO()
    printer = Printer(out, terminal=True)
    printer.write("a\x1b]0;evil\x07b\x1b[31mred\x1b[0m\tc\u202e\udcff\r\nd\u00e9\n")
    printer.flush()
    assert out.getvalue() == "a\\x1b]0;evil\\x07b\x1b[31mred\x1b[0m\tc\\u202e\\xff\\r\nd\u00e9\n".encode()


def test_into_a_pipe_bytes_are_as_recorded() -> None:
    out = BytesIO()
    printer = Printer(out, terminal=False)
    printer.write("a\x1b]0;evil\x07\udcff\n")
    printer.flush()
    assert out.getvalue() == b"a\x1b]0;evil\x07\xff\n"


@pytest.mark.parametrize("no_color", [False, True])
def test_colours_on_a_terminal_only(sample: Path, no_color: bool) -> None:
    words = (sample, "-c", "echo_fds", "fd.port=80")
    assert b"\x1b[" not in run(*words).stdout
    controller, terminal = pty.openpty()
    environment = ENVIRONMENT | ({"NO_COLOR": "1"} if no_color else {})
    with subprocess.Popen(
        [*SYSWIRE, *map(str, words), "-n", "40"][:-2], stdout=terminal, stderr=terminal, env=environment, cwd="/"
    ) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        process.wait()
    os.close(controller)
    assert (b"\x1b[31m" in shown) is not no_color


def test_packets_tell_once_what_they_do_not_know(shared: Path) -> None:
    capture = shared / "data" / "http" / "arkime__CVE-2018-6794.pcap"
    done = run(capture, "proc.name=curl", "or", "fd.port=8089")
    assert done.returncode == 0
    assert done.stderr.decode().count("packets do not tell proc.name") == 1
    assert len(done.stdout.splitlines()) == 15
    refused = run(capture, "-w", "/tmp/never.scap")
    assert refused.returncode == 2
    assert b"syswire convert" in refused.stderr
