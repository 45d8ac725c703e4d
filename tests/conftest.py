"""What every test may use: where the shared captures lie, and skipping where a tool is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def data() -> Path:
    """tests/data, made by our own generators."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of captures beside the repository (SYSWIRE_SHARED, else ../shared); the test is skipped without it."""
    path = Path(os.environ.get("SYSWIRE_SHARED") or ROOT.parent / "shared")
    if not (path / "data").is_dir():
        pytest.skip(f"no shared captures at {path}")
    return path


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """tool("tshark") is the program's path; the test is skipped where it is not installed."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find
