"""The command line as a user meets it: what it writes, and what it refuses."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from support.command import PYTHON, listing, one_line, run
from support.made import SAMPLE, Made, made


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


SPREAD = b'{"type":"spread"'


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
        wanted = (report.folder / "act1.annotations.jsonl").read_bytes().splitlines()[1:]
        # What is written to files is looked at in a second reading, for which a pipe's bytes are gone.
        assert [line for line in told if SPREAD not in line] == [line for line in wanted if SPREAD not in line]
        assert any(b'"way":"file"' in line for line in wanted) and not any(b'"way":"file"' in line for line in told)


def test_named_pipe(report: Made, tmp_path: Path) -> None:
    """It can be read only once: it is not opened again to see whether it changed."""
    source, out = tmp_path / "act1.scap", tmp_path / "case"
    os.mkfifo(source)
    key = report.folder.parent / "key"
    with subprocess.Popen(
        [*PYTHON, "convert", str(source), "-o", str(out), "--case-key", str(key)], stderr=subprocess.PIPE
    ) as process:
        source.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
        assert process.stderr is not None
        assert (process.wait(30), process.stderr.read()) == (0, b"")
    (entry,) = json.loads((out / "manifest.json").read_bytes())["inputs"]
    assert (entry["status"], entry["sha256_after"]) == ("complete", None)
    assert (out / "act1.pcapng").stat().st_size > 100_000


def test_nothing_of_an_earlier_run_is_left(sample: Path, tmp_path: Path) -> None:
    """A masked case holds no report that an earlier run wrote in the clear; what others put there stays."""
    out = tmp_path / "case"
    assert run("report", sample, "-o", out, "--reveal", "--format", "html,csv,jsonl").returncode == 0
    (out / "notes.txt").write_text("mine")
    with (out / "findings.csv").open("a") as file:
        file.write("a line of my own")
    assert run("report", sample, "-o", out, "--format", "jsonl", "--no-pcapng").returncode == 0
    assert listing(out) == {
        *("act1.annotations.jsonl", "findings.jsonl", "manifest.json", "case.key"),
        *("notes.txt", "findings.csv"),
    }
    other = tmp_path / "other.scap.gz"
    shutil.copy(sample, other)
    assert run("convert", other, "-o", out, "--force").returncode == 0
    assert listing(out) >= {"other.annotations.jsonl", "other.pcapng", "manifest.json", "case.key", "notes.txt"}
    assert not listing(out) & {"act1.annotations.jsonl", "findings.jsonl"}


def test_the_folder_for_wireshark_is_of_the_case(sample: Path, tmp_path: Path) -> None:
    """It is in the manifest, verified, and goes with the next run; what is not ours in it stays."""
    out = tmp_path / "case"
    given = ("report", sample, "-o", out, "--no-pcapng", "--format")
    for own in (False, True):
        assert run(*given, "csv,wireshark").returncode == 0
        assert "wireshark/syswire.lua" in {
            entry["name"] for entry in json.loads((out / "manifest.json").read_bytes())["outputs"]
        }
        assert run("verify", out).returncode == 0
        (out / "wireshark" / "syswire.lua").write_text("--")
        done = run("verify", out)
        assert (done.returncode, done.stdout) == (1, "wireshark/syswire.lua: differs from the manifest\n")
        assert run(*given, "csv,wireshark").returncode == 0
        if own:
            (out / "wireshark" / "notes.txt").write_text("mine")
        assert run(*given, "csv").returncode == 0
        left = {"act1.annotations.jsonl", "findings.csv", "manifest.json", "case.key"}
        assert listing(out) - {"wireshark"} == (left | {"wireshark/notes.txt"} if own else left)
        assert (out / "wireshark").exists() == own


@pytest.mark.parametrize(
    "name", ["../x.csv", "/etc/x.csv", "wireshark/../../x.csv", "wireshark//x.csv", "a/findings.csv"]
)
def test_a_manifest_does_not_reach_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "case").mkdir()
    manifest = {"inputs": [], "outputs": [{"name": name, "size": 0, "sha256": "00"}]}
    (tmp_path / "case" / "manifest.json").write_text(json.dumps(manifest))
    done = run("verify", tmp_path / "case")
    assert (done.returncode, done.stdout) == (1, f"{name}: not a name within the directory\n")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 and control characters in names: escaped in everything that is written."""
    source = os.fsencode(tmp_path) + b"/\xff\xe9\x1b[2J\n.scap.gz"
    shutil.copy(SAMPLE, os.fsdecode(source))
    out = os.fsencode(tmp_path) + b"/ca\xfese"
    done = run("report", os.fsdecode(source), "-o", os.fsdecode(out), "--format", "html,csv,jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 6 and "\x1b" not in done.stdout
    folder = Path(os.fsdecode(out))
    assert r"\xff\xe9\x1b[2J\n.pcapng" in listing(folder)
    (entry,) = json.loads((folder / "manifest.json").read_bytes())["inputs"]
    assert entry["name"] == "\\xff\\xe9\x1b[2J\n.scap.gz"
    assert run("verify", folder).returncode == 0
    assert run("convert", os.fsdecode(source), "-o", folder).returncode == 0, "the same case again"
    broken = os.fsencode(tmp_path) + b"/\xff.scap"
    Path(os.fsdecode(broken)).write_bytes(gzip.decompress(SAMPLE.read_bytes())[:50_001])
    done = run("convert", os.fsdecode(broken), tmp_path / "missing", "-o", tmp_path / "other")
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 2)


def test_input_that_is_named_like_a_report(sample: Path, tmp_path: Path) -> None:
    """To report once more on what convert wrote replaces the reports, and takes nothing else away."""
    source, out = sample.rename(tmp_path / "report.scap.gz"), tmp_path / "case"
    assert run("convert", source, "-o", out).returncode == 0
    for format_ in ("csv,jsonl", "csv"):
        assert run("report", out, "-o", out, "--format", format_).returncode == 0
    assert listing(out) == {
        *("report.pcapng", "report.annotations.jsonl", "findings.csv", "manifest.json", "case.key"),
    }
    assert run("verify", out).returncode == 0


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
