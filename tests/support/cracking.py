"""hashcat, where it is installed: whether a line that we give lets it find an invented password."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_PATIENCE = 120
_NO_DEVICE = (b"No OpenCL", b"No devices found", b"No OpenCL-compatible", b"clGetPlatformIDs", b"Not a native")


def _home() -> Path:
    """Where hashcat keeps the kernels that it compiled, which takes most of its time."""
    home = Path(tempfile.gettempdir()) / f"syswire-hashcat-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    return home


def cracks(line: bytes, mode: int, password: bytes) -> bool:
    """Whether hashcat finds `password` in this mode, among wrong ones. Skips the test where it cannot run."""
    program = shutil.which("hashcat", path="/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("hashcat is not installed")
    with tempfile.TemporaryDirectory() as folder:
        ground = Path(folder)
        (ground / "line").write_bytes(line + b"\n")
        (ground / "words").write_bytes(b"wrong-1\n" + password + b"\nwrong-2\n")
        found = ground / "found"
        command = [program, "-m", str(mode), "-a", "0", "-D", "1", "--force", "--quiet", "--self-test-disable"]
        command += ["--potfile-disable", "--outfile", str(found), "--outfile-format", "2", "--session", "one"]
        home = {"HOME": str(_home()), "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        arguments = [*command, str(ground / "line"), str(ground / "words")]
        done = subprocess.run(arguments, capture_output=True, timeout=_PATIENCE, cwd=ground, env=home)
        if found.exists():
            return found.read_bytes().rstrip(b"\n") == password
        if any(sign in done.stderr + done.stdout for sign in _NO_DEVICE):
            pytest.skip("hashcat has no device to run on")
        return False
