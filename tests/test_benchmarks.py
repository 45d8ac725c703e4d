"""The benchmark's own arithmetic and its way of running programs; no figure of ours is judged here."""

from __future__ import annotations

import gzip
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def benchmarks(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(root))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_a_failing_command_has_no_time(benchmarks: Any) -> None:
    measure = benchmarks("measure")
    with pytest.raises(measure.RunFailed, match="exit 3 so it ends"):
        measure.run([sys.executable, "-c", "import sys; sys.stderr.write('so it ends'); sys.exit(3)"])


def test_peak_is_that_of_the_process(root: Path) -> None:
    """Measured from a small process, as the benchmark is: the kernel counts what ran before exec, too."""
    script = (
        "import sys; from benchmarks.measure import run; "
        "print(*(run([sys.executable, '-c', code]).peak for code in ('pass', \"b'x' * (300 << 20)\")))"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    small, large = map(int, told.stdout.split())
    assert 250 << 20 <= large - small <= 350 << 20


def test_sides_run_in_turn(benchmarks: Any, tmp_path: Path) -> None:
    measure, cases = benchmarks("measure"), benchmarks("cases")
    log = tmp_path / "log"
    case = cases.Case(
        name="turns",
        ours=("sh", "-c", f"mkdir {{out}} && printf 'ours ' >> {log}"),
        peer=("sh", "-c", f"test ! -e {{out}} && printf 'peer ' >> {log}"),
        meaning="each notes that it ran, and that the other's output is gone",
    )
    ours, peer = measure.alternate(case, None, tmp_path, 3)
    assert log.read_text().split() == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert len(ours.runs) == len(peer.runs) == 3


def test_figures_are_medians_and_goals_are_told(benchmarks: Any) -> None:
    measure, cases, results = benchmarks("measure"), benchmarks("cases"), benchmarks("results")
    mb = 1 << 20
    case = cases.Case("c", ("a",), ("b",), "", at_least=1.5, seconds=2.5, memory=100 * mb)
    ours = measure.Side(["a"], [measure.Run(wall, wall / 2, peak * mb) for wall, peak in ((2, 90), (9, 110), (1, 80))])
    peer = measure.Side(["b"], [measure.Run(wall, wall, 10 * mb) for wall in (4, 3, 3)])
    result = results.Result(case, "w.scap", 5_000_000, ours, peer)
    assert result.ratio == 1.5
    assert list(result.goals().values()) == [True, True, False]
    where = {"cpu": "x", "cores": 2, "python": "3", "sysdig": "", "load": 0.0}
    text = results.table([result], None, where)
    assert "within 100 MiB: MISSED" in text
    assert results.as_json([result], None, where)["results"][0]["ours"]["cpu"] == 1


def test_each_case_can_be_filled_and_asks_for_a_kind_that_is_known(benchmarks: Any, tmp_path: Path) -> None:
    """A command that names no input, or a kind that nothing makes, would measure nothing."""
    cases, measure, workloads = benchmarks("cases"), benchmarks("measure"), benchmarks("workloads")
    names = [case.name for case in cases.CASES]
    assert len(set(names)) == len(names)
    assert {"topconns", "topconns-gz", "ipv4-text", "topconns-502"} <= set(names)
    for case in cases.CASES:
        assert case.kind in ("scap", "scap.gz", "pcap", "mixed", *workloads.RECORDED)
        filled = measure.fill(case.ours, tmp_path / "x.scap", tmp_path / "out")
        assert (
            filled[1:] == measure.fill(case.module, tmp_path / "x.scap", tmp_path / "out")[2:] or case.name == "decode"
        )
        assert not any("{" in word for word in filled)


def test_a_packed_workload_is_the_plain_one(benchmarks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workloads = benchmarks("workloads")
    monkeypatch.setattr(workloads, "WORK", tmp_path)
    plain = tmp_path / "some.scap"
    plain.write_bytes(b"abc" * 10_000)
    packed = workloads.packed(plain)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert workloads.packed(plain) == packed
    assert workloads.given(plain, "scap") == plain
    assert workloads.given(plain, "scap.gz") == packed


def test_a_recorded_workload_is_skipped_where_it_is_not(
    benchmarks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYSWIRE_SHARED", str(tmp_path))
    workloads = benchmarks("workloads")
    assert workloads.workload(1000, "502Error") is None
    (tmp_path / "data" / "scap").mkdir(parents=True)
    (tmp_path / "data" / "scap" / "502Error.scap").write_bytes(b"")
    assert workloads.workload(1000, "502Error") == tmp_path / "data" / "scap" / "502Error.scap"
