"""Passwords that RADIUS hides, told when the user knows the secret that the server and its client share."""

from __future__ import annotations

import json
from pathlib import Path

from support.command import one_line, run

RECORDED = Path(__file__).resolve().parents[1] / "data" / "protocols" / "radius.pcap"


def hidden(folder: Path) -> set[tuple[str, str, str]]:
    lines = (folder / "radius.annotations.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return {
        (record["username"], record["secret"], record["outcome"])
        for record in records
        if record["type"] == "sighting" and record.get("details") == {"mechanism": "PAP"}
    }


def test_with_the_secret_of_the_recorded_server(tmp_path: Path) -> None:
    """radtest was told the passwords; the server accepted the first one."""
    secrets = tmp_path / "secrets"
    secrets.write_bytes(b"another one\r\n\ntesting123\n")
    given = ("--reveal", "--jobs", "1", "--no-pcapng")
    assert run("convert", RECORDED, "-o", tmp_path / "with", "--radius-secrets", secrets, *given).returncode == 0
    assert hidden(tmp_path / "with") == {
        ("ada", "Lovelace-1815", "accepted"),
        ("ada", "Wrong-Word-9", "refused"),
    }
    assert run("convert", RECORDED, "-o", tmp_path / "without", *given).returncode == 0
    assert hidden(tmp_path / "without") == set()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = run("convert", RECORDED, "-o", tmp_path / "out", "--radius-secrets", tmp_path / "none")
    assert done.returncode == 2
    assert one_line(done) == f"{tmp_path / 'none'}: No such file or directory"
