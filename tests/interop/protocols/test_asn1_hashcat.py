"""hashcat gets the passwords of our own recordings back out of the lines; it takes minutes: only where it is asked for.

SYSWIRE_HASHCAT=1, and `apt-get install hashcat pocl-opencl-icd`. John as Debian has it knows none of these formats.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.outputs import syswire

WORDS = ("nothing-1", "wheel+Race77", "wheel+Race78", "grist;Stone31", "grist;Stone32", "lade9Paddle", "lade9Paddle77")
MORE = ("sluice.Gate5", "pinion.Pit66", "not-there-1")


@pytest.mark.skipif(not os.environ.get("SYSWIRE_HASHCAT"), reason="SYSWIRE_HASHCAT is not set")
@pytest.mark.parametrize(
    ("file", "mode", "passwords"),
    [
        ("kerberos-rc4.pcap", 7500, {"grist;Stone31", "grist;Stone32"}),
        ("kerberos.pcap", 13100, {"sluice.Gate5"}),
        ("kerberos.pcap", 19700, {"pinion.Pit66"}),
        ("kerberos.pcap", 19800, {"lade9Paddle"}),
        ("kerberos.pcap", 19900, {"wheel+Race77", "wheel+Race78"}),
        ("snmp.pcap", 25000, {"wheel+Race77", "wheel+Race78", "grist;Stone31", "not-there-1"}),
        ("snmp.pcap", 26800, {"lade9Paddle77"}),
    ],
)
def test_hashcat(data: Path, tmp_path: Path, file: str, mode: int, passwords: set[str]) -> None:
    program = shutil.which("hashcat")
    if program is None:
        pytest.skip("hashcat is not installed")
    sightings = syswire("convert", data / "protocols" / file, tmp_path / "out", "--reveal").records["sighting"]
    lines = {one["secret"] for one in sightings if one["form"] == "hash" and one["details"]["hashcat"] == mode}
    (tmp_path / "lines").write_text("\n".join(lines) + "\n", "ascii")
    (tmp_path / "words").write_text("\n".join(WORDS + MORE) + "\n", "ascii")
    told = tmp_path / "told"
    command = [program, "-m", str(mode), "-a", "0", "--potfile-disable", "--quiet", "--self-test-disable"]
    command += ["-o", str(told), "--outfile-format", "2", "--session", tmp_path.name]
    done = subprocess.run(
        [*command, tmp_path / "lines", tmp_path / "words"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(told.read_text("ascii").split("\n")) - {""} == passwords
