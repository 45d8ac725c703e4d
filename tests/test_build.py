"""scripts/build.py: a compiled module that is not the one the sources ask for is never left in place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = '''# cython: language_level=3
"""A module to build."""
from syswire.convert.rows cimport ANSWER

def answer() -> int:
    return ANSWER

def item(bytes data, int index) -> int:
    return data[index]
'''


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A small repository laid out as ours, under another name."""
    place = tmp_path / "clone"
    (place / "scripts").mkdir(parents=True)
    for name in ("setup.py", "requirements.in", "__init__.py", "scripts/build.py"):
        shutil.copy(root / name, place / name)
    for top in ("capture", "convert", "reports"):
        (place / top).mkdir()
        (place / top / "__init__.py").write_text("")
    (place / "convert" / "rows.pxd").write_text("cdef enum:\n    ANSWER = 42\n")
    (place / "convert" / "toy.pyx").write_text(SOURCE)
    return place


def build(place: Path, *arguments: str, bounds: str = "0", expect: int = 0) -> str:
    environment = {**os.environ, "SYSWIRE_BOUNDS": bounds}
    command = [sys.executable, "scripts/build.py", *arguments]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def ask(place: Path, expression: str) -> str:
    (place.parent / "path").mkdir(exist_ok=True)
    link = place.parent / "path" / "syswire"
    if not link.is_symlink():
        link.symlink_to(place)
    code = f"import sys; sys.path.insert(0, {str(link.parent)!r}); from syswire.convert import toy; print({expression})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def test_changes_are_built(checkout: Path) -> None:
    assert build(checkout) == "syswire.convert.toy: built\n"
    assert ask(checkout, "toy.answer()") == "42"
    assert build(checkout) == ""
    (checkout / "convert" / "rows.pxd").write_text("cdef enum:\n    ANSWER = 43\n")
    assert build(checkout, "convert/toy.pyx") == "syswire.convert.toy: built\n"
    assert ask(checkout, "toy.answer()") == "43"


def test_headers_of_ours_are_built_anew(checkout: Path) -> None:
    """Also those that a header includes; the system's are no matter of ours."""
    (checkout / "convert" / "inner.h").write_text("#define INNER 40\n")
    (checkout / "convert" / "outer.h").write_text(
        '#include <stdint.h>\n#include "inner.h"\n#define OUTER (INNER + 2)\n'
    )
    declared = 'cdef extern from "../../../../convert/outer.h":\n    enum:\n        OUTER\n'
    (checkout / "convert" / "rows.pxd").write_text(declared + 'cdef extern from "stdint.h":\n    pass\n')
    (checkout / "convert" / "toy.pyx").write_text(SOURCE.replace("ANSWER", "OUTER"))
    assert build(checkout) == "syswire.convert.toy: built\n"
    assert ask(checkout, "toy.answer()") == "42"
    assert build(checkout) == ""
    (checkout / "convert" / "inner.h").write_text("#define INNER 41\n")
    assert build(checkout) == "syswire.convert.toy: built\n"
    assert ask(checkout, "toy.answer()") == "43"


def test_foreign_binary_is_replaced_and_orphan_removed(checkout: Path) -> None:
    build(checkout)
    (binary,) = (checkout / "convert").glob("toy.*.so")
    binary.write_bytes(b"not what was built")
    assert build(checkout) == "syswire.convert.toy: from an earlier build\n"
    assert ask(checkout, "toy.answer()") == "42"
    (checkout / "convert" / "toy.pyx").unlink()
    assert "its source is gone" in build(checkout)
    assert not binary.exists()


def test_failure_leaves_no_old_binary(checkout: Path) -> None:
    build(checkout)
    source = checkout / "convert" / "toy.pyx"
    source.write_text(SOURCE + "\nanswer is not Cython\n")
    output = build(checkout, expect=1)
    assert output.startswith("syswire.convert.toy: FAILED\n")
    assert "convert/toy.pyx:11:" in output
    assert "Traceback" not in output
    assert list((checkout / "convert").glob("toy.*.so")) == []


def test_checked_build_is_kept_apart(checkout: Path) -> None:
    probe = "toy.item(b'abc', 2)"
    build(checkout)
    assert ask(checkout, probe) == "99"
    assert build(checkout, bounds="1") == "syswire.convert.toy: built\n"
    assert ask(checkout, probe) == "99"
    assert ask(checkout, "toy.item(b'abc', 3)") == "", "the checked build raises IndexError"
    assert build(checkout, bounds="1") == ""
    assert build(checkout) == "syswire.convert.toy: from an earlier build\n"
    assert ask(checkout, probe) == "99"


def test_relative_cimports_are_refused(checkout: Path) -> None:
    (checkout / "convert" / "toy.pyx").write_text("from .rows cimport ANSWER\n")
    command = [sys.executable, "scripts/build.py"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "convert/toy.pyx: cimports are absolute" in done.stderr
