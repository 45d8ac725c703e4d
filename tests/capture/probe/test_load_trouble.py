"""What the user is told where the machine does not let the probe load: one line, with the remedy, exit code 5."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from syswire.capture.probe.load import Probe, Settings
from syswire.convert.errors import MachineError
{before}
try:
    Probe(Settings())
except MachineError as error:
    print(error.exit_code, error)
"""


def told(before: str = "", **environment: str) -> str:
    """What a load in a process of its own says."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(autouse=True)
def _allowed(probe: object) -> None:
    """These need a machine on which the probe loads otherwise."""


def test_no_headers() -> None:
    said = told(BCC_KERNEL_SOURCE="/nonexistent")
    assert said.startswith("5 the kernel's headers are missing")
    assert "apt-get install linux-headers-" in said
    assert "dnf install kernel-devel-" in said
    assert said.count("\n") == 1


def test_no_rights() -> None:
    # given away late: Python itself may lie where only root can read
    said = told(
        "import os; from syswire.capture.probe import program; made = program.text\n"
        "program.text = lambda *a: (made(*a), os.setuid(65534))[0]"
    )
    assert "CAP_BPF and CAP_PERFMON" in said
    assert said.startswith("5 ")
    assert said.count("\n") == 1


def test_no_bcc() -> None:
    said = told(
        "sys.meta_path.insert(0, type('No', (), {'find_spec': staticmethod(no)})())".join(
            (
                """
def no(name, *_):
    if name == 'bcc':
        raise ImportError(name)
""",
                "\n",
            )
        )
    )
    assert said.startswith("5 ")
    assert "python3-bpfcc" in said
    assert "python3-bcc" in said


def test_bcc_is_looked_for_where_the_machine_check_finds_it(tmp_path: Path) -> None:
    """In all folders of the distribution's Python, RHEL's too; here one that holds something else of the name."""
    (tmp_path / "bcc").mkdir()
    (tmp_path / "bcc" / "__init__.py").write_text("")
    said = told(
        "from pathlib import Path; from syswire.capture.probe import load\n"
        f"load.bcc_folders = lambda: [Path({str(tmp_path)!r})]"
    )
    assert said.startswith("5 the module bcc is not the BPF Compiler Collection")


def test_no_type_information() -> None:
    said = told(
        "from syswire.capture.probe import btf; from pathlib import Path\n"
        "btf.running.__defaults__ = (Path('/nonexistent'),)"
    )
    assert said.startswith("5 the kernel offers no type information")
