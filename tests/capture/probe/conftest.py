"""Probes for the tests that record this machine live; skipped, with the reason, where BPF is not allowed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syswire.capture.probe.load import Probe, Settings
from syswire.convert.errors import MachineError


def loaded(settings: Settings) -> Probe:
    """A loaded probe, or a skip with the machine's reason; a program that the kernel refuses is no such reason."""
    try:
        return Probe(settings)
    except MachineError as error:
        if "does not load" in str(error):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def probe() -> Iterator[Probe]:
    """Records everything with the defaults, the tests' own process too."""
    with loaded(Settings(ring_bytes=64 << 20)) as made:
        yield made


@pytest.fixture(scope="session")
def large_probe() -> Iterator[Probe]:
    """All files, and as much payload as can be had."""
    with loaded(Settings(snaplen=65_000, files=True, ring_bytes=64 << 20)) as made:
        yield made
