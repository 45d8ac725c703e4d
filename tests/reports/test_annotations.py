"""Records are read once through, and found again by their number."""

from __future__ import annotations

from pathlib import Path

import pytest

from syswire.reports.annotations import EXCHANGE, STEP, Annotations, Http, Process, Sighting, Stream
from syswire.reports.errors import AnnotationsDamaged

from .case import Case, lamp, tcp


def opened(directory: Path, case: Case) -> Annotations:
    case.write(directory)
    return Annotations(directory / f"{case.stem}.annotations.jsonl", 0)


def test_scan_yields_every_record_with_its_offset(tmp_path: Path) -> None:
    annotations = opened(tmp_path, lamp())
    records = list(annotations.scan())
    kinds = [type(record) for _, record in records]
    assert [kinds.count(kind) for kind in (Process, Stream, Http, Sighting)] == [4, 6, 57, 4]
    for offset, record in records:
        again = annotations.at(offset)
        if isinstance(record, Stream | Process):
            assert again["id"] == record.id


def test_numbered_records(tmp_path: Path) -> None:
    case = Case()
    for pid in range(100, 100 + 5 * STEP + 3):
        case.process(f"p{pid}", pid)
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.2", 80))
    for number in range(3 * STEP + 1):
        case.exchange(stream, f"/{number}", 200)
    annotations = opened(tmp_path, case)
    assert annotations.numbered("process", 1) is None, "nothing is known before the scan"
    list(annotations.scan())
    for number in (1, STEP, STEP + 1, 5 * STEP + 3, 2):
        found = annotations.numbered("process", number)
        assert found is not None
        assert found["pid"] == 99 + number
    exchange = annotations.numbered(EXCHANGE, 2 * STEP + 1)
    assert exchange is not None
    assert exchange["request"]["target"] == f"/{2 * STEP}"
    assert annotations.numbered("process", 0) is None
    assert annotations.numbered("process", 5 * STEP + 4) is None
    assert annotations.numbered("process", None) is None


def test_ids_with_holes_as_a_filter_leaves_them(tmp_path: Path) -> None:
    case = Case()
    for pid in range(60):
        case.process("p", pid)
    case.processes = [process for process in case.processes if process["id"] % 3 == 0]
    annotations = opened(tmp_path, case)
    list(annotations.scan())
    for number in range(1, 61):
        found = annotations.numbered("process", number)
        assert (found is not None) == (number % 3 == 0)
        assert found is None or found["id"] == number


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b'{"type":"process","id":"one"}\n',
        b'{"type":"stream","id":2}\n',
        b'{"type":"process","id":0}\n',
        b'{"type":"process","id":99999999999}\n',
        b'{"type":"http","stream":1,"request":{"method":"GET"\n',
    ],
)
def test_damage_names_the_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "x.annotations.jsonl"
    path.write_bytes(b'{"type":"capture"}\n{"type":"process","id":1}\n' + line)
    with pytest.raises(AnnotationsDamaged, match=r"x\.annotations\.jsonl, line 3: "):
        list(Annotations(path, 0).scan())


def test_records_of_other_kinds_and_unknown_fields_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.annotations.jsonl"
    path.write_bytes(b'{"type":"dns","x":1}\n{"later":1,"type":"process","id":1,"name":"a","new":[{}]}\n{"a":1}\n')
    assert [(offset, record.id) for offset, record in Annotations(path, 0).scan() if isinstance(record, Process)] == [
        (21, 1)
    ]
