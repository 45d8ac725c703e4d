"""The command line as a user meets it: exit codes, one line for each trouble, and nothing left behind."""

from __future__ import annotations

import gzip
import json
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
from typing import Any

import pytest

from support.made import SAMPLE, Made, made

PYTHON = [sys.executable, "-m", "syswire"]
SECRETS = (b"Wonder-land7", b"hunter1", b"letmein", b"POST /login.php")


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run `syswire ARGUMENTS` and wait for it."""
    return subprocess.run([*PYTHON, *map(str, arguments)], capture_output=True, text=True, timeout=60, **more)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The only line on stderr, which is no traceback."""
    assert done.stderr.endswith("\n") and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("syswire: ")
    return done.stderr[len("syswire: ") : -1]


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample, the test's own."""
    return Path(shutil.copy(SAMPLE, tmp_path / "act1.scap.gz"))


@pytest.fixture
def report(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A whole report on the sample: not to be changed."""
    return made(tmp_path_factory, SAMPLE, "report")


# -- what a good run does


def test_report(report: Made) -> None:
    names = ["act1.pcapng", "act1.annotations.jsonl", "report.html", "report.pdf", "findings.jsonl", "findings.csv"]
    told = report.stdout.splitlines()
    assert sorted(told) == sorted(str(report.folder / name) for name in [*names, "manifest.json"])
    assert told[-1] == str(report.folder / "manifest.json")
    assert report.stderr == ""
    assert listing(report.folder) == {*names, "manifest.json"}
    assert {entry["name"] for entry in report.manifest()["outputs"]} == set(names)


def test_input_is_left_as_it_was(sample: Path, tmp_path: Path) -> None:
    sample.chmod(0o400)
    before, content = sample.stat(), sample.read_bytes()
    assert run("convert", sample, "-o", tmp_path / "case").returncode == 0
    after = sample.stat()
    assert (after.st_mtime_ns, after.st_ctime_ns, after.st_mode, after.st_nlink) == (
        before.st_mtime_ns, before.st_ctime_ns, before.st_mode, 1,
    )  # fmt: skip
    assert sample.read_bytes() == content
    (entry,) = json.loads((tmp_path / "case" / "manifest.json").read_bytes())["inputs"]
    assert entry["sha256"] == entry["sha256_after"] != ""
    assert entry["size"] == len(content)


def test_folder_and_files_are_private_whatever_the_umask(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "case"
    assert run("convert", sample, "-o", out, preexec_fn=lambda: os.umask(0)).returncode == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert listing(out) == {"act1.pcapng", "act1.annotations.jsonl", "manifest.json", "case.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}


def test_choice_of_outputs(sample: Path, tmp_path: Path) -> None:
    assert run("report", sample, "-o", tmp_path / "a", "--no-pcapng", "--format", "csv").returncode == 0
    assert listing(tmp_path / "a") == {"act1.annotations.jsonl", "findings.csv", "manifest.json", "case.key"}


def test_report_on_what_convert_wrote(sample: Path, report: Made, tmp_path: Path) -> None:
    """Nothing is decoded again: the capture may be gone, and the findings are the same."""
    key = report.folder.parent / "key"
    assert run("convert", sample, "-o", tmp_path / "case", "--case-key", key).returncode == 0
    sample.unlink()
    done = run("report", tmp_path / "case", "-o", tmp_path / "case", "--format", "jsonl,csv")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("findings.jsonl", "findings.csv"):
        assert (tmp_path / "case" / name).read_bytes() == (report.folder / name).read_bytes()
    done = run("verify", tmp_path / "case")
    assert (done.returncode, done.stderr) == (0, "")
    elsewhere = run("report", tmp_path / "case", "-o", tmp_path / "other", "--format", "jsonl")
    assert elsewhere.returncode == 0
    assert (tmp_path / "other" / "findings.jsonl").read_bytes() == (report.folder / "findings.jsonl").read_bytes()
    assert run("report", tmp_path / "case", "-o", tmp_path / "third", "--reveal").returncode == 2


def test_standard_input(report: Made, tmp_path: Path) -> None:
    key = report.folder.parent / "key"
    for number, content in enumerate((SAMPLE.read_bytes(), gzip.decompress(SAMPLE.read_bytes()))):
        out = tmp_path / str(number)
        command = [*PYTHON, "convert", "-", "-o", str(out), "--case-key", str(key)]
        done = subprocess.run(command, input=content, capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        assert listing(out) == {"stdin.pcapng", "stdin.annotations.jsonl", "manifest.json"}
        (entry,) = json.loads((out / "manifest.json").read_bytes())["inputs"]
        assert (entry["path"], entry["size"]) == ("-", len(content))
        told = (out / "stdin.annotations.jsonl").read_bytes().splitlines()[1:]
        assert told == (report.folder / "act1.annotations.jsonl").read_bytes().splitlines()[1:]


def test_several_inputs(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    plain = tmp_path / "b" / "act1.scap"
    plain.write_bytes(gzip.decompress(sample.read_bytes()))
    out = tmp_path / "case"
    done = run("convert", sample, plain, tmp_path / "missing.scap", "-o", out)
    assert done.returncode == 4
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert "act1-2" in lines[0] and str(plain) in lines[0]
    assert str(tmp_path / "missing.scap") in lines[1] and "No such file" in lines[1]
    assert listing(out) == {
        *("act1.pcapng", "act1.annotations.jsonl", "act1-2.pcapng", "act1-2.annotations.jsonl"),
        *("manifest.json", "case.key"),
    }
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert [entry["status"] for entry in manifest["inputs"]] == ["complete", "complete", "unreadable"]
    assert [entry["source"] for entry in manifest["outputs"]] == [0, 0, 1, 1]
    first, second = manifest["inputs"][:2]
    assert first["counts"] == second["counts"]
    assert manifest["counts"]["events"] == 2 * first["counts"]["events"]
    assert run("verify", out).returncode == 0


# -- 1: a difference, or what --fail-on names


def test_verify_tells_differences(report: Made, tmp_path: Path) -> None:
    out = tmp_path / "case"
    shutil.copytree(report.folder, out)
    done = run("verify", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(out) in done.stdout
    with (out / "act1.pcapng").open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    (out / "findings.csv").unlink()
    done = run("verify", out)
    assert (done.returncode, done.stderr) == (1, "")
    assert sorted(line.split(":")[0] for line in done.stdout.splitlines()) == ["act1.pcapng", "findings.csv"]


def test_verify_looks_at_the_inputs_too(sample: Path, tmp_path: Path) -> None:
    assert run("convert", sample, "-o", tmp_path / "case").returncode == 0
    with sample.open("ab") as file:
        file.write(b"x")
    done = run("verify", tmp_path / "case")
    assert done.returncode == 1 and str(sample) in done.stdout


def test_fail_on(tmp_path: Path, shared: Path) -> None:
    """The worst finding of this capture is of medium severity."""
    capture = shared / "data" / "scap-modern" / "a_http.scap.gz"
    for number, (level, code) in enumerate((("info", 1), ("medium", 1), ("high", 0), ("critical", 0))):
        out = tmp_path / str(number)
        done = run("report", capture, "-o", out, "--format", "jsonl", "--fail-on", level)
        assert (done.returncode, done.stderr) == (code, "")


def test_damage_goes_before_fail_on(tmp_path: Path) -> None:
    cut = tmp_path / "cut.scap"
    cut.write_bytes(gzip.decompress(SAMPLE.read_bytes())[:-2])
    out = tmp_path / "case"
    done = run("report", cut, "-o", out, "--format", "jsonl", "--fail-on", "info")
    assert done.returncode == 4
    assert "critical" in {json.loads(line)["severity"] for line in (out / "findings.jsonl").read_text().splitlines()}


# -- 2: wrong usage


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["convert"],
        ["convert", "x.scap"],
        ["report", "x.scap", "-o", "y", "--format", "docx"],
        ["report", "x.scap", "-o", "y", "--fail-on", "terrible"],
        ["verify", "/nonexistent"],
    ],
)
def test_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert listing(tmp_path) == set()


@pytest.mark.parametrize("link", ["same", "hard", "symbolic", "folder"])
def test_output_that_is_an_input(sample: Path, tmp_path: Path, link: str) -> None:
    """Refused before anything is read, however the two names come to be one file."""
    out = tmp_path / "case"
    out.mkdir()
    content = sample.read_bytes()
    if link == "same":
        source = sample = sample.rename(out / "act1.pcapng")
    elif link == "hard":
        source = tmp_path / "act1.scap.gz"
        os.link(source, out / "act1.annotations.jsonl")
    elif link == "symbolic":
        source = sample
        (out / "manifest.json").symlink_to(sample)
    else:
        (tmp_path / "other").symlink_to(out)
        sample.rename(out / "act1.pcapng")
        source, out = sample, tmp_path / "other"
        source = out / "act1.pcapng"
    before = listing(out)
    done = run("convert", source, "-o", out, "--force")
    assert done.returncode == 2
    assert "would overwrite the input" in one_line(done)
    assert listing(out) == before
    assert source.read_bytes() == content


def test_output_that_is_standard_input(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "case"
    out.mkdir()
    source = sample.rename(out / "stdin.pcapng")
    content = source.read_bytes()
    with source.open("rb") as file:
        done = run("convert", "-", "-o", out, stdin=file)
    assert done.returncode == 2
    assert "would overwrite the input" in one_line(done)
    assert source.read_bytes() == content


def test_another_case_needs_force(sample: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.scap.gz"
    shutil.copy(sample, other)
    out = tmp_path / "case"
    assert run("convert", sample, "-o", out).returncode == 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    done = run("convert", other, "-o", out)
    assert done.returncode == 2 and "--force" in one_line(done)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert run("convert", sample, "-o", out).returncode == 0, "the same case may be written again"
    assert run("convert", other, "-o", out, "--force").returncode == 0


def test_case_key(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not a key")
    done = run("convert", sample, "-o", tmp_path / "case", "--case-key", tmp_path / "key")
    assert done.returncode == 2 and "case key" in one_line(done)
    assert "not a key" not in done.stderr
    key = "0123456789abcdef" * 4
    (tmp_path / "key").write_text(key)
    assert run("convert", sample, "-o", tmp_path / "case", "--case-key", tmp_path / "key").returncode == 0
    assert not (tmp_path / "case" / "case.key").exists()
    assert not [path for path in (tmp_path / "case").iterdir() if key.encode() in path.read_bytes()]


# -- 3: no input could be read


def test_no_input(sample: Path, tmp_path: Path) -> None:
    done = run("convert", tmp_path / "a.scap", tmp_path / "b.scap", "-o", tmp_path / "case")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 3
    assert listing(tmp_path / "case") <= {"case.key"}


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
import syswire.convert.pcapng
from syswire import cli
def fail(*arguments, **more):
    payload = "Wonder-land7 and other payload"
    raise RuntimeError(payload)
import syswire.convert.pipeline
syswire.convert.pipeline.write_pcapng = fail
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


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupted(tmp_path: Path, jobs: str) -> None:
    out = tmp_path / "case"
    command = [*PYTHON, "convert", "-", "-o", str(out), "--jobs", jobs]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stderr
        process.stdin.write(gzip.decompress(SAMPLE.read_bytes())[:200_000])
        process.stdin.flush()
        wait_for(lambda: list(out.glob(".syswire-*/0/chunks")))
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert (process.returncode, process.stderr.read()) == (130, b"syswire: interrupted\n")
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
    master, slave = pty.openpty()
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
