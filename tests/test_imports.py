"""What `read` imports: only what the given switches need. Start-up is most of the time that a small capture takes."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from syswire.cli import main
code = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("\\n".join(sys.modules))
sys.exit(code)
"""
# Neither the standard library's slow ones nor anything that is installed.
NEVER = (
    "argparse", "asyncio", "backports", "base64", "brotli", "csv", "ctypes", "dataclasses", "datetime", "decimal",
    "difflib", "dpkt", "enum", "fnmatch", "gzip", "hashlib", "inspect", "ipaddress", "isal", "jinja2", "json",
    "msgspec", "multiprocessing", "pathlib", "random", "re", "rich", "scapy", "selectors", "shlex", "shutil", "signal",
    "socket", "subprocess", "tempfile", "textwrap", "threading", "typing", "urllib", "weasyprint", "zlib",
)  # fmt: skip
OF_NO_USE = (
    "capture", "convert.conversations", "convert.hashing", "convert.packets", "convert.pipeline", "convert.protocols",
    "convert.scap.container_json", "convert.scap.snapshot", "convert.scap.writer", "convert.trace.container_json",
    "convert.trace.packets", "convert.trace.saving", "reports.findings", "reports.read_lists", "reports.read_write",
)  # fmt: skip
LISTING = ("reports.listing",)
CHISELS = ("echo", "http", "logs", "memcache", "rates", "saved", "slow", "state", "usage", "users")
CASES = {
    "topconns": (("-c", "topconns"), (*LISTING, *(f"reports.chisels.{name}" for name in CHISELS))),
    "lines": (("fd.type=ipv4",), ("reports.chisels", "reports.listing.json")),
    "format": (("-p", "%evt.num %fd.name"), ("reports.chisels", "convert.filters.fields.proc")),
}


@pytest.fixture(scope="module")
def capture(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, uncompressed: what decompresses it is another import."""
    path = tmp_path_factory.mktemp("plain") / "act1.scap"
    path.write_bytes(gzip.decompress((root / "tests" / "data" / "made" / "act1.scap.gz").read_bytes()))
    return path


def imported(root: Path, *words: str) -> set[str]:
    """The modules that a run of syswire leaves behind, without those of an installation (-S) and of this process."""
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(root / "build" / "tree"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return set(done.stderr.split("\n"))


@pytest.mark.parametrize("case", CASES)
def test_read_imports_what_it_needs(root: Path, capture: Path, case: str) -> None:
    words, unneeded = CASES[case]
    found = imported(root, "read", str(capture), *words)
    assert {"syswire.reports.read", "syswire.convert.trace.trace"} <= found
    assert {name.partition(".")[0] for name in found} & set(NEVER) == set()
    of_no_use = tuple(f"syswire.{name}" for name in (*OF_NO_USE, *unneeded))
    assert [name for name in found if any(name == one or name.startswith(one + ".") for one in of_no_use)] == []


def test_what_is_asked_for_is_imported(root: Path, capture: Path) -> None:
    """The other way round: so that the names above are of modules that exist."""
    for words, wanted in (
        (("-j", "-n", "1"), "reports.listing.json"),
        (("-cl",), "reports.read_lists"),
        (("-c", "echo_fds", "evt.num=0"), "reports.chisels.echo"),
        (("-p", "%proc.name", "-n", "1"), "convert.filters.fields.proc"),
    ):
        assert f"syswire.{wanted}" in imported(root, "read", str(capture), *words)
