"""The command line in trouble: a full disk, a missing library, a fault of our own, Ctrl-C, closed pipes, terminals."""

from __future__ import annotations

import gzip
import os
import pty
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import PYTHON, listing, one_line, run
from support.made import SAMPLE, Made, made

SECRETS = (b"Wonder-land7", b"hunter1", b"letmein", b"POST /login.php")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample, the test's own."""
    return Path(shutil.copy(SAMPLE, tmp_path / "act1.scap.gz"))


@pytest.fixture
def report(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A whole report on the sample: not to be changed."""
    return made(tmp_path_factory, SAMPLE, "report")


# -- 5: the machine


@pytest.mark.parametrize("limit", [0, 1_000, 30_000, 100_000, 155_000])
def test_no_room(sample: Path, tmp_path: Path, limit: int) -> None:
    """Wherever writing fails, in Python or in compiled code: one line that says where and what helps."""
    out = tmp_path / "case"
    done = run(
        "convert", sample, "-o", out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert done.returncode == 5
    line = one_line(done)
    assert str(out) in line and ("elsewhere with -o" in line or "disk full" in line)
    assert listing(out) <= {"case.key", "act1.annotations.jsonl"}
    assert done.stdout == ""


def test_directory_that_cannot_be_made(sample: Path) -> None:
    done = run("convert", sample, "-o", "/proc/case")
    assert done.returncode == 5
    assert "/proc/case" in one_line(done)


def test_missing_library(tmp_path: Path) -> None:
    """Without WeasyPrint the other outputs are made, and the one line names the remedy."""
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    out = tmp_path / "case"
    done = run("report", SAMPLE, "-o", out, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 5
    assert "apt-get install" in one_line(done) and "pango" in done.stderr
    assert "report.html" in done.stdout and "report.pdf" not in done.stdout
    assert {"report.html", "findings.jsonl", "manifest.json"} <= listing(out) and "report.pdf" not in listing(out)
    assert run("verify", out).returncode == 0


# -- 70: our own fault

FAULT = """
import sys
import syswire.convert.capture_files
from syswire import cli
def fail(*arguments, **more):
    payload = "Wonder-land7 and other payload"
    raise RuntimeError(payload)
syswire.convert.capture_files.write_pcapng = fail
sys.exit(cli.main(sys.argv[1:]))
"""


def test_our_own_fault(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "case"
    command = [sys.executable, "-c", FAULT, "convert", str(sample), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 70
    crash = out / "syswire-crash.txt"
    assert str(crash) in one_line(done) and "RuntimeError" in done.stderr
    text = crash.read_text()
    assert stat.S_IMODE(crash.stat().st_mode) == 0o600
    assert "RuntimeError" in text and "pipeline.py" in text
    assert not [secret for secret in SECRETS if secret in text.encode() or secret in done.stderr.encode()]
    assert "other payload" not in done.stderr
    assert listing(out) <= {"case.key", "syswire-crash.txt", "act1.annotations.jsonl"}


# -- 130, and pipes


def wait_for(condition: Callable[[], object]) -> None:
    """Until it is true: a process is doing its work."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("sent", "code", "told"),
    [(signal.SIGINT, 130, b"syswire: interrupted\n"), (signal.SIGTERM, 143, b"")],
)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted(tmp_path: Path, jobs: str, sent: signal.Signals, code: int, told: bytes) -> None:
    out = tmp_path / "case"
    command = [*PYTHON, "convert", "-", "-o", str(out), "--jobs", jobs]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stderr
        process.stdin.write(gzip.decompress(SAMPLE.read_bytes())[:200_000])
        process.stdin.flush()
        wait_for(lambda: list(out.glob(".syswire-*/0/chunks")))
        spooled = [path for path in out.rglob("*") if path.is_file()]
        assert spooled and {path.stat().st_mode & 0o777 for path in spooled} == {0o600}
        process.send_signal(sent)
        process.wait(30)
        assert (process.returncode, process.stderr.read()) == (code, told)
    assert listing(out) <= {"case.key"}


def test_closed_pipe(report: Made, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for arguments in (["verify", str(report.folder)], ["convert", str(SAMPLE), "-o", str(tmp_path / "case")]):
        done = subprocess.run([*PYTHON, *arguments], stdout=writing, stderr=subprocess.PIPE, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
    os.close(writing)


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_closed_descriptors(tmp_path: Path, closed: int) -> None:
    done = run("convert", SAMPLE, "-o", tmp_path / "case", preexec_fn=lambda: os.close(closed))
    assert (done.returncode, done.stderr) == (0, "")
    assert run("verify", tmp_path / "case").returncode == 0


def test_closed_standard_input_is_no_input(tmp_path: Path) -> None:
    done = run("convert", "-", "-o", tmp_path / "case", preexec_fn=lambda: os.close(0))
    assert done.returncode == 3 and "closed" in one_line(done)


# -- the terminal


def in_terminal(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and what a terminal on stderr was shown."""
    try:
        master, slave = pty.openpty()
    except OSError as error:  # such as a container without /dev/pts
        pytest.skip(f"no terminal to be had: {error}")
    with subprocess.Popen(
        [*PYTHON, *arguments], stdout=subprocess.DEVNULL, stderr=slave, env=os.environ | {"TERM": "xterm"} | environment
    ) as process:
        os.close(slave)
        shown = b""
        try:
            while data := os.read(master, 4096):
                shown += data
        except OSError:  # how a terminal ends
            pass
        os.close(master)
        return process.wait(60), shown.decode()


def test_progress_on_a_terminal_only(tmp_path: Path) -> None:
    code, shown = in_terminal("convert", str(SAMPLE), "-o", str(tmp_path / "a"))
    assert code == 0 and "\x1b[" in shown
    code, shown = in_terminal("convert", str(SAMPLE), "-o", str(tmp_path / "b"), "-q")
    assert (code, shown) == (0, "")
    done = run("convert", SAMPLE, "-o", tmp_path / "c")
    assert (done.returncode, done.stderr) == (0, "")


def test_no_color(tmp_path: Path) -> None:
    code, shown = in_terminal("convert", str(SAMPLE), "-o", str(tmp_path / "a"), NO_COLOR="1")
    assert code == 0
    assert "\x1b[3" not in shown and "\x1b[9" not in shown


def test_names_cannot_drive_a_terminal(tmp_path: Path) -> None:
    evil = tmp_path / "a\x1b[2Jb\nc\u202e.scap"
    evil.write_bytes(b"not a capture")
    done = run("convert", evil, "-o", tmp_path / "case")
    assert done.returncode == 3
    assert not set(one_line(done)) & {"\x1b", "\u202e"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["convert", "--help"], ["report", "--help"]])
def test_help_imports_nothing_large(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom syswire import cli\n"
        "try:\n cli.main(sys.argv[1:])\nexcept SystemExit as end:\n assert not end.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert not loaded & {"scapy", "weasyprint", "jinja2", "rich", "numpy", "msgspec", "isal", "asyncio"}
    assert done.stdout


def test_small_captures_import_nothing_large(tmp_path: Path) -> None:
    script = "import sys\nfrom syswire import cli\ncli.main(sys.argv[1:])\nprint(*sorted(sys.modules), file=sys.stderr)"
    command = [sys.executable, "-c", script, "convert", str(SAMPLE), "-o", str(tmp_path / "case")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in done.stderr.split()} & {"scapy", "weasyprint", "jinja2", "rich", "numpy"}
