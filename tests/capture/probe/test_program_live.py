"""The program's text loads with every option, and for kernels that lack what is optional."""

from __future__ import annotations

import os

import pytest

from syswire.capture.probe import btf, program
from syswire.capture.probe.btf import Btf
from syswire.capture.probe.load import Probe, Settings
from syswire.convert.errors import MachineError

LACKING = ("skc_v6", "unix_sock", "loginuid", "cgroup")


@pytest.fixture(autouse=True)
def _allowed(probe: Probe) -> None:
    """These need a machine on which the probe loads at all."""


@pytest.mark.parametrize("snaplen", [1, 65_000])
def test_all_conditions(snaplen: int) -> None:
    settings = Settings(
        snaplen=snaplen,
        files=True,
        pids=(os.getpid(),),
        comms=(b"a",),
        ports=(1,),
        addresses=(bytes(4), bytes(16)),
        own_pid=os.getpid(),
    )
    with Probe(settings) as probe:
        probe.attach()
        os.close(os.dup(0))


def test_a_kernel_that_lacks_what_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Btf.offset
    monkeypatch.setattr(
        Btf, "offset", lambda self, path: None if any(x in path for x in LACKING) else whole(self, path)
    )
    with Probe(Settings()) as probe:
        probe.attach()


def test_a_kernel_that_lacks_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Btf.offset
    monkeypatch.setattr(Btf, "offset", lambda self, path: None if path == "file.f_inode" else whole(self, path))
    with pytest.raises(MachineError, match=r"no file\.f_inode"):
        Probe(Settings())


def test_registers_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Btf.offset
    monkeypatch.setattr(Btf, "offset", lambda self, path: 200 if path == "pt_regs.di" else whole(self, path))
    with pytest.raises(MachineError, match="x86-64"):
        program.offsets(btf.running())
