"""The servers of scripts/e2e/servers, recorded once for all tests here."""

from __future__ import annotations

import sys

import pytest

from support import live

if str(live.E2E) not in sys.path:
    sys.path.append(str(live.E2E))  # where the package `servers` is

from support import both_recordings


@pytest.fixture(scope="session")
def both(able: None, tmp_path_factory: pytest.TempPathFactory) -> both_recordings.Both:
    """All conversations with all servers, recorded twice at once."""
    if both_recordings.tcpdump_program() is None:
        pytest.skip("tcpdump is not installed: scripts/setup-e2e")
    return both_recordings.recorded(tmp_path_factory.mktemp("both"))
