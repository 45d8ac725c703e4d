"""No true secret in what is written with masks, and none at all in a capture that was redacted.

Each capture whose secrets are known is looked at as it is (secrets of eight characters or more that are no user, host
or path), and with its secrets replaced by ones that nothing else says. Both ways all captures make one case.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.canaries import replaced
from support.command import run
from support.leaks import leaks, views
from support.made import SHARED

TRUTH = SHARED / "credentials-truth.json"
LONG = 8
CLEAR = ("cleartext", "token")
TYPED = ("telnet",)
"""Key by key, so that no secret stands there whole."""
Secrets = set[tuple[str | None, str]]

pytestmark = pytest.mark.skipif(not TRUTH.is_file(), reason="the captures with known credentials are not at hand")


def entries() -> dict[str, list[dict[str, Any]]]:
    """What is certain, by capture."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in json.loads(TRUTH.read_text())["credentials"]:
        if (
            entry["status"] == "certain"
            and entry["kind"] != "identity"
            and (SHARED / "credentials" / entry["file"]).is_file()
        ):
            found[entry["file"]].append(entry)
    return found


def secrets_of(entry: dict[str, Any]) -> Iterator[str]:
    """What must not be shown: the secret, or of a hash every fragment by which it is known."""
    if entry["kind"] in CLEAR:
        yield entry["secret"]
    else:
        yield from (one for one in entry["accept"] if len(one) >= 16)


def original(folder: Path) -> tuple[list[Path], Secrets]:
    paths, known = [], set()
    users = {entry["username"] for own in entries().values() for entry in own}
    for name, own in entries().items():
        paths.append(SHARED / "credentials" / name)
        known |= {(None, secret) for entry in own for secret in secrets_of(entry)}
    return paths, {
        (None, one) for _, one in known if len(one) >= LONG and one not in users and not said_anyway(one, paths)
    }


def said_anyway(secret: str, paths: list[Path]) -> bool:
    """A word of the rules' own language, blanks aside, or of a file's name."""
    rules = Path(__file__).resolve().parents[2] / "reports" / "findings" / "rules"
    words = "".join(path.read_text() for path in sorted(rules.glob("*.toml")))
    return secret in re.sub(r"\s", "", words.lower()) or any(secret in path.name for path in paths)


def canaried(folder: Path) -> tuple[list[Path], Secrets]:
    paths: list[Path] = []
    known: Secrets = set()
    for name, own in entries().items():
        data, made = (SHARED / "credentials" / name).read_bytes(), []
        for entry in own:
            if entry["kind"] not in CLEAR or entry["protocol"] in TYPED or entry["secret"] == entry["username"]:
                continue
            if (done := replaced(data, name, entry)) is not None:
                data, canary = done
                made.append(canary)
        if made:
            path = folder / name
            path.write_bytes(data)
            paths.append(path)
            known |= {(None, one.decode()) for one in made}
    return paths, known


@pytest.fixture(scope="module", params=[original, canaried], ids=["original", "canaries"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path], Secrets]:
    folder = tmp_path_factory.mktemp("in")
    paths, known = request.param(folder)
    assert len(known) > 40
    return folder, paths, known


def told(paths: list[Path], known: Secrets, said: str) -> list[tuple[str, str]]:
    shown = leaks("what was printed", said.encode(), known)
    for path in paths:
        texts = b"\n\0\n".join(data for _, data in views(path))
        shown += leaks(path.name, texts, known)
    return sorted(set(shown))


def test_nothing_that_is_masked_shows_one(case: tuple[Path, list[Path], Secrets], tmp_path: Path) -> None:
    _, paths, known = case
    done = run("report", *paths, "-o", tmp_path / "out", "--jobs", "2", timeout=600)
    assert done.returncode in (0, 4), done.stderr
    written = [path for path in sorted((tmp_path / "out").iterdir()) if path.suffix != ".pcapng"]
    assert told(written, known, done.stdout + done.stderr) == []


def test_a_capture_that_was_redacted_holds_none(case: tuple[Path, list[Path], Secrets], tmp_path: Path) -> None:
    _, paths, known = case
    done = run("convert", *paths, "-o", tmp_path / "out", "--redact", "--jobs", "2", timeout=600)
    assert done.returncode in (0, 4), done.stderr
    captures = sorted((tmp_path / "out").glob("*.pcapng"))
    assert len(captures) == len(paths)
    assert told(captures, known, done.stdout + done.stderr) == []
