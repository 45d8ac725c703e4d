"""Whether hashcat (openssl for VNC) finds the invented passwords in what recordings of real servers gave."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from hashlib import md5, sha512
from pathlib import Path

import pytest

from support.cracking import cracks
from support.outputs import Record, syswire

PASSWORD = b"Lovelace-1815"


def accepted(data: Path, name: str, folder: Path) -> list[Record]:
    found = syswire("convert", data / "protocols" / f"{name}.pcap", folder / "out", "--reveal").records["sighting"]
    return [one for one in found if one["outcome"] == "accepted" and one["form"] == "hash"]


@pytest.mark.parametrize(
    ("name", "mechanism", "mode"),
    [
        ("radius", "CHAP", 4800),
        ("radius", "EAP-MD5", 4800),
        ("radius", "MS-CHAP", 5500),
        ("radius", "EAP-MSCHAPv2", 5500),
        ("sip", "Digest", 11400),
        ("rsync", "sha512", 1710),
    ],
)
def test_hashcat_finds_it(data: Path, tmp_path: Path, name: str, mechanism: str, mode: int) -> None:
    one = next(one for one in accepted(data, name, tmp_path) if one["details"]["mechanism"] == mechanism)
    assert one["details"]["hashcat"] == mode
    assert cracks(one["secret"].encode(), mode, PASSWORD)


def test_chap_by_hand(data: Path, tmp_path: Path) -> None:
    """RFC 1994, 4.1."""
    lines = [one["secret"] for one in accepted(data, "radius", tmp_path) if one["details"]["hashcat"] == 4800]
    assert len(lines) == 2
    for line in lines:
        answer, challenge, identifier = map(bytes.fromhex, line.split(":"))
        assert md5(identifier + PASSWORD + challenge).digest() == answer


def test_rsync_by_hand(data: Path, tmp_path: Path) -> None:
    lines = [one["secret"] for one in accepted(data, "rsync", tmp_path)]
    assert len(lines) == 2
    for line in lines:
        answer, _, challenge = line.partition(":")
        assert sha512(PASSWORD + challenge.encode()).hexdigest() == answer


def test_vnc_by_openssl(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    """DES with the password's first eight characters, the bits of each turned round (RFC 6143, 7.2.2)."""
    [one] = accepted(data, "vnc", tmp_path)
    _, challenge, answer = one["secret"].split("*")
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in b"Tango-77")
    command = [tool("openssl"), "enc", "-e", "-des-ecb", "-nopad", "-K", key.hex()]
    command += ["-provider", "legacy", "-provider", "default"]
    done = subprocess.run(command, input=bytes.fromhex(challenge), capture_output=True)
    if done.returncode:
        pytest.skip("openssl has no DES")
    assert done.stdout.hex() == answer
