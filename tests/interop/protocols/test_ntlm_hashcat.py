"""hashcat finds the invented passwords of our recordings in the lines that we make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cracking import cracks
from support.parsing import talk
from support.recorded_talk import recorded
from syswire.convert.protocols.mssql.parser import MsSql
from syswire.convert.protocols.smb.parser import Smb

_DATA = Path(__file__).resolve().parents[2] / "data/protocols"
_CASES = [
    ("smb1.pcap", 445, 5500, b"Attic-Ladder-7"),
    ("smb1.pcap", 139, 5500, b"Wrong-Ladder-8"),
    ("smb2.pcap", 445, 5600, b"Attic-Ladder-7"),
    ("smb-rpc.pcap", 445, 5600, b"Attic-Ladder-7"),
    ("mssql-tsql.pcap", 1433, 5600, b"Hash-Me-Softly-4"),
]


@pytest.mark.parametrize(("name", "port", "mode", "password"), _CASES)
def test_the_lines_are_read(name: str, port: int, mode: int, password: bytes) -> None:
    parser = MsSql if port == 1433 else Smb
    found = [sighting for calls in recorded(_DATA / name, port) for sighting in talk(parser, calls).sightings]
    lines = [one.secret for one in found if one.details is not None and one.details.get("hashcat") == mode]
    assert lines
    assert cracks(lines[-1], mode, password)
