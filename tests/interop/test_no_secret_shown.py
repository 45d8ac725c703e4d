"""No secret in any masked output, in any spelling; with --reveal they are there, and every file says so."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import pcapng
from support.leaks import leaks, spellings, views
from support.made import CAPTURES, SAMPLE, Made, made
from support.tshark import Tshark

A_HTTP = [path for path in CAPTURES if path.name == "a_http.scap.gz"]
Secrets = set[tuple[str | None, str]]


@pytest.fixture(params=[SAMPLE, *A_HTTP], ids=lambda path: path.name)
def capture(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def secrets(capture: Path, data: Path) -> Secrets:
    """The planted ones, as whoever made the captures tells them."""
    if capture != SAMPLE:
        return {("alice", "S3same-0pen"), ("bob", "T0pSecret")}
    truth = json.loads((data / "made" / "truth.json").read_text("utf-8"))
    found = {(one["username"], one["secret"]) for one in truth["credentials"]}
    found |= {(None, one["secret"]) for one in truth["also_in"]}
    assert len(found) >= 10
    return found


@pytest.fixture
def masked(capture: Path, tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], str]) -> Made:
    tool("pdftotext")
    return made(tmp_path_factory, capture, "report")


@pytest.fixture
def revealed(capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory, capture, "report", "--reveal")


def files(case: Made) -> list[Path]:
    """All outputs that are to be masked."""
    found = sorted(path for path in case.folder.iterdir() if path.suffix != ".pcapng")
    names = {path.name for path in found}
    assert {"report.html", "report.pdf", "findings.jsonl", "findings.csv", "manifest.json"} <= names
    assert f"{case.stem}.annotations.jsonl" in names
    return found


def outside_packets(case: Made) -> Iterator[tuple[str, bytes]]:
    """What a pcapng says beside its packets (those are the evidence): comments, names, processes."""
    found = pcapng.read(case.pcapng)
    for options in (found.section, *found.interfaces, *(packet.options for packet in found.packets)):
        yield from (("option of the pcapng", value) for _, value in options)
    yield from (("name of the pcapng", name.encode()) for _, name in (*found.names, *found.processes))


def test_masked(masked: Made, secrets: Secrets) -> None:
    shown = [leak for path in files(masked) for view in views(path) for leak in leaks(*view, secrets)]
    shown += [leak for view in outside_packets(masked) for leak in leaks(*view, secrets)]
    shown += leaks("what was printed", f"{masked.stdout}{masked.stderr}".encode(), secrets)
    assert shown == []


def test_masked_in_wireshark(masked: Made, secrets: Secrets, tool: Callable[[str], str]) -> None:
    comments = Tshark(tool("tshark"), masked.pcapng).fields("frame.comment", "frame.comment")
    assert comments
    for (texts,) in comments:
        for text in texts:
            assert leaks("comment", text.encode(), secrets) == []
    told = subprocess.run([tool("capinfos"), str(masked.pcapng)], capture_output=True, check=True)
    assert leaks("capinfos", told.stdout, secrets) == []


def test_fingerprints_but_no_hashes_of_secrets(masked: Made, revealed: Made) -> None:
    """A hash of bytes that hold a secret would let it be guessed: it is withheld, and said to be."""
    posted = {record["exchange"] for record in revealed.records("sighting") if record["location"] == "form-body"}
    streams = {record["stream"] for record in revealed.records("sighting")}
    said = masked.said()
    for number in posted:
        request = said[number - 1]["request"]
        assert request["body_sha256"] is None and request["hash_withheld"] is True
    for stream in masked.records("stream"):
        if stream["id"] in streams:
            assert stream["sha256_to_server"] is None and stream["hash_withheld"] is True
    clear = {stream["id"]: stream for stream in revealed.records("stream")}
    kept = 0
    for stream in masked.records("stream"):
        for name in ("sha256_to_server", "sha256_to_client"):
            if stream[name] is not None:
                assert stream[name] == clear[stream["id"]][name]
                kept += 1
    assert kept > 3
    for record in masked.records("sighting"):
        assert record["secret"] == "********"
        assert len(record["secret_fingerprint"]) == 12


def test_same_fingerprint_for_the_same_secret(masked: Made, revealed: Made) -> None:
    pairs = {
        (hidden["secret_fingerprint"], clear["secret"])
        for hidden, clear in zip(masked.records("sighting"), revealed.records("sighting"), strict=True)
    }
    assert len({mark for mark, _ in pairs}) == len({secret for _, secret in pairs}) == len(pairs)


def test_revealed(revealed: Made, secrets: Secrets) -> None:
    """The looking itself: where nothing is masked, the same looking finds every secret, in every format."""
    planted = {secret for user, secret in secrets if user is not None}
    for name in ("findings.jsonl", "findings.csv", "report.html", "report.pdf", f"{revealed.stem}.annotations.jsonl"):
        shown = {secret for view in views(revealed.folder / name) for _, secret in leaks(*view, secrets)}
        assert planted <= shown, name
    assert {secret for view in outside_packets(revealed) for _, secret in leaks(*view, secrets)}


def test_revealed_files_say_so(revealed: Made, masked: Made, tool: Callable[[str], str]) -> None:
    assert revealed.manifest()["masked"] is False
    assert masked.manifest()["masked"] is True
    pages = subprocess.run(
        [tool("pdftotext"), str(revealed.folder / "report.pdf"), "-"], capture_output=True, text=True, check=True
    ).stdout.split("\f")[:-1]
    assert pages
    for number, page in enumerate(pages, 1):
        assert "contains secrets" in " ".join(page.lower().split()), f"page {number}"
    for path in files(revealed):
        if path.suffix == ".jsonl":
            first = json.loads(path.read_text("utf-8").splitlines()[0])
            assert first["contains_secrets"] is True, path.name
        elif path.suffix in (".html", ".csv"):
            assert "contains secrets" in path.read_text("utf-8").lower(), path.name
    for path in files(masked):
        assert b"contains secrets" not in path.read_bytes().lower() and b"contains_secrets" not in path.read_bytes()
    heads = [[value for code, value in pcapng.read(case.pcapng).section if code == 1] for case in (revealed, masked)]
    assert [any(b"CONTAIN SECRETS" in text for text in head) for head in heads] == [True, False]


def test_looking_finds_every_spelling() -> None:
    secret: Secrets = {("al", "p&ss w=rd+1%é")}
    for text in (
        b"p&ss w=rd+1%\xc3\xa9", b"x=p%26ss+w%3Drd%2B1%25%C3%A9&", b"p&amp;ss w=rd+1%&eacute;", b"p&ss w=rd+1%\xe9",
        b"p%2526ss%20w%3drd%2b1%2525%C3%A9", b'"p&ss w=rd+1%\\u00e9"', b"p&ss w=rd+1%\\xc3\\xa9",
        "p&ss w=rd+1%é".encode().hex().upper().encode(),
        b"YWw6cCZzcyB3PXJkKzElw6k=", b"eHAmc3Mgdz1yZCsxJcOpeQ==",
    ):  # fmt: skip
        assert leaks("here", text, secret), text
    assert not leaks("here", b"nothing of the kind", secret)
    assert all(len(one) >= 4 for one in spellings(None, "abcd"))


def test_nobody_else_may_read(masked: Made, revealed: Made) -> None:
    for case in (masked, revealed):
        assert stat.S_IMODE(case.folder.stat().st_mode) == 0o700
        for path in case.folder.iterdir():
            assert path.is_file() and stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
