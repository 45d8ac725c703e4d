"""The bundle for Wireshark: what is in it, and that nothing a capture or a rule says can become filter text."""

from __future__ import annotations

from pathlib import Path

import pytest

from syswire.reports.findings import judge
from syswire.reports.wireshark import files
from syswire.reports.wireshark.bundle import COLOURS, credentials, literal

from .case import Case, lamp, tcp


def bundle(directory: Path, case: Case, *, revealed: bool = False) -> dict[str, str]:
    manifest = case.write(directory)
    made = files(judge(directory, manifest), manifest, revealed=revealed)
    return {name: content.decode("utf-8") for name, content in made}


def test_names(tmp_path: Path) -> None:
    assert sorted(bundle(tmp_path, lamp())) == [
        "README.txt",
        "profiles/syswire/colorfilters",
        "profiles/syswire/decode_as_entries",
        "profiles/syswire/dfilter_buttons",
        "profiles/syswire/preferences",
        "syswire.lua",
    ]


def test_only_the_readme_of_revealed_secrets_warns(tmp_path: Path) -> None:
    assert "CONTAIN SECRETS" in bundle(tmp_path, lamp(), revealed=True)["README.txt"]
    assert "CONTAIN SECRETS" not in bundle(tmp_path, lamp())["README.txt"]


def test_a_port_that_wireshark_does_not_know_is_given_to_http(tmp_path: Path) -> None:
    case = lamp()
    case.exchange(case.stream(tcp("10.0.0.1", 50_001), tcp("10.0.0.2", 6379)), "/x", 404)
    rows = bundle(tmp_path, case)["profiles/syswire/decode_as_entries"].splitlines()[1:]
    assert rows == ["decode_as_entry: tcp.port,6379,(none),HTTP"]


def test_size_is_that_of_few_findings(tmp_path: Path) -> None:
    case = Case()
    server = tcp("203.0.113.9", 80)
    for number in range(1_000):
        stream = case.stream(tcp("198.51.100.7", 10_000 + number), server)
        case.sighting(stream, case.exchange(stream, f"/{number}", 200), f"user{number}", fingerprint=f"{number:012x}")
    many = bundle(tmp_path, case)
    assert sum(map(len, many.values())) < 20_000


@pytest.mark.parametrize("name", ['x" || tcp', "a\\b", "a\nb", "x)|(y", "日本"])
def test_a_rules_name_stays_within_its_string(name: str) -> None:
    told = literal(name)
    assert len(told) == len(name)
    assert not set(told) & set('"\\\n|()')
    assert credentials([name]).count('"') == 2


def test_hostile_names_of_a_capture_are_in_no_file(tmp_path: Path) -> None:
    case = Case()
    evil = '"); os.execute("touch /tmp/owned") --'
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.2", 80), server_process=case.process(evil, 7))
    case.sighting(stream, case.exchange(stream, f"/{evil}", 404), evil)
    assert not [name for name, text in bundle(tmp_path, case).items() if "os.execute" in text or "touch" in text]


def _luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [part / 65535 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("level", COLOURS)
def test_colours_can_be_read(level: str) -> None:
    dark, light = sorted(map(_luminance, COLOURS[level]))
    assert (light + 0.05) / (dark + 0.05) >= 7
