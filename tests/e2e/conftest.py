"""Tests from end to end: real servers, the real kernel. Collected only when asked for (`make e2e`)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import live


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make test` leaves this folder alone: these tests need root, servers, and a machine that is not too busy."""
    asked = "e2e" in str(config.option.markexpr) or any("e2e" in argument for argument in config.invocation_params.args)
    return None if asked else True


@pytest.fixture(scope="session", autouse=True)
def able() -> None:
    """Skip all where nothing can be recorded or the servers are not installed."""
    if reason := live.lacking():
        pytest.skip(reason)
    for name in ("apache2", "mariadbd", "curl"):
        if shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin") is None:
            pytest.skip(f"{name} is not installed: scripts/setup-e2e")


@pytest.fixture(scope="session")
def lamp(able: None) -> Iterator[live.Lamp]:
    """The tutorial's server."""
    with live.lamp() as servers:
        yield servers
