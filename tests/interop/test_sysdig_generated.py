"""The plain replay against sysdig 0.29.3 on traces made by chance (support/generated_traces.py).

What still differs there needs what no kernel does: exits of the first openat type without their enters, connects on
sockets of another family, latencies of exits without enters. So the share of equal lines is held, not every line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from parity import compare

from support.generated_traces import generated

EVENTS = 60
SEEDS = range(1000, 1030)
FORMATS: tuple[tuple[str, ...], ...] = (
    (),
    ("-p", "*%evt.num %proc.name %proc.pid %proc.ppid %proc.exe %proc.cmdline %proc.cwd %user.uid %proc.vmsize"),
    ("-p", "*%evt.num %fd.num %fd.name %fd.type %fd.l4proto %fd.cip %fd.cport %fd.sip %fd.sport %evt.res"),
)


@pytest.mark.parametrize("words", FORMATS, ids=["default", "threads", "descriptors"])
def test_lines_of_generated_traces(tmp_path: Path, tool: Callable[[str], str], words: tuple[str, ...]) -> None:
    tool("sysdig")
    equal = lines = whole = 0
    different: list[tuple[int, bytes, bytes]] = []
    for seed in SEEDS:
        path = tmp_path / f"{seed}.scap"
        path.write_bytes(generated(seed, EVENTS, "told"))
        theirs, ours = compare.sysdig(path, words), compare.syswire(path, words)
        assert len(theirs) > EVENTS // 2
        lines += max(len(theirs), len(ours))
        equal += (Counter(theirs) & Counter(ours)).total()
        whole += theirs == ours
        different += [(seed, a, b) for a, b in zip(theirs, ours, strict=False) if a != b][:1]
    assert lines > len(SEEDS) * EVENTS // 2
    assert equal >= 0.99 * lines, different
    assert whole >= 0.7 * len(SEEDS), different
