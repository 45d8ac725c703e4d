"""What the documents say is so: quoted commands give the quoted output, every field and cause is described."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.outputs import Outputs
from support.outputs import syswire as run_syswire
from syswire.convert import errors
from syswire.convert.model.losses import CAUSES
from syswire.convert.packets.buffer import CAUSE_NAMES
from syswire.convert.redact import STRUCTURAL
from syswire.reports.export.csv import COLUMNS
from syswire.reports.findings.severity import LEVELS
from syswire.reports.findings.table import RULES

DOCUMENTS = (
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/formats.md", "docs/findings.md", "docs/protocols.md",
    "docs/capture.md", "docs/architecture.md", "docs/rules.md", "docs/protocols/databases.md",
    "docs/protocols/directory.md", "docs/protocols/mail.md", "docs/protocols/messaging.md", "docs/protocols/network.md",
    "docs/protocols/sessions.md", "docs/wireshark.md",
)  # fmt: skip
NEEDED = ("tshark", "jq")


class Quoted(NamedTuple):
    """A command of the README and the lines that it is said to print; "..." stands for any lines."""

    command: str
    output: list[str]


def sessions(text: str) -> Iterator[Quoted]:
    """Commands of the `console` blocks."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        command = ""
        output: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield Quoted(command, output)
                command, output = line[2:], []
            elif line.startswith("> "):
                command += "\n" + line[2:]
            else:
                output.append(line)
        yield Quoted(command, output)


def agrees(told: list[str], printed: list[str]) -> bool:
    """Whether the printed lines are those told, in order, with anything where "..." stands."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in told)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def formats(root: Path) -> str:
    return (root / "docs" / "formats.md").read_text("utf-8")


@pytest.fixture(scope="module")
def case(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    folder = tmp_path_factory.mktemp("documented") / "case"
    return run_syswire("report", data / "made" / "act1.scap.gz", folder, "--format", "jsonl,csv")


def described(text: str, heading: str) -> set[str]:
    """The names in the first column of the tables of a section."""
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    assert section, heading
    cells = re.findall(r"^\| (`[^|]*`) \|", section[1], re.M)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_readme_commands_print_what_is_quoted(readme: str, root: Path, tmp_path: Path) -> None:
    """In a folder from which the sample is found as from the repository, with `syswire` on the path."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    (tmp_path / "tests").symlink_to(root / "tests")
    program = tmp_path / "bin" / "syswire"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m syswire "$@"\n', "utf-8")
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    quoted = list(sessions(readme))
    assert len(quoted) >= 8
    for command, told in quoted:
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, (command, done.stderr.decode())
        assert agrees(told, done.stdout.decode("utf-8").splitlines()), (command, done.stdout.decode())


def test_exit_codes(readme: str, formats: str) -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    for text in (readme, formats):
        assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)} == codes


def test_causes_of_loss(formats: str, root: Path) -> None:
    assert described(formats, "Causes of loss") == set(CAUSES)
    used = set()
    for path in (root / "convert").rglob("*.py*"):
        if path.suffix in (".py", ".pyx") and path.name != "losses.py":
            used |= {cause for cause in CAUSES if f'"{cause}"' in path.read_text("utf-8")}
    assert used == set(CAUSES)


def test_causes_in_code_are_on_the_list(root: Path) -> None:
    """Names that the code gives to losses: keys of `losses[...]` and of the dictionaries they are made of."""
    found = set()
    for path, function in (("convert/decode.py", "_losses"), ("convert/prepare.py", "_rebuild")):
        found |= set(re.findall(r'losses\["(\w+)"\]', (root / path).read_text("utf-8")))
        for node in ast.walk(ast.parse((root / path).read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == function:
                found |= keys_of_losses(node)
    source = (root / "convert/conversations/from_events.pyx").read_text("utf-8")
    found |= set(re.findall(r'"(\w+)": loss_tuple', source))
    for name in ("conversations/flows.pyx", "packets/layers.pyx", "packets/fragments.pyx"):
        found |= set(re.findall(r'"(\w+)": t(?:old|ally_tuple)', (root / "convert" / name).read_text("utf-8")))
    found |= set(CAUSE_NAMES)  # of the files
    for name in ("scap/counts.py", "prepare.py"):
        found |= set(re.findall(r'"(\w+)": Loss\(', (root / "convert" / name).read_text("utf-8")))
    found |= set(re.findall(r'\("(\w+)", done\.', (root / "convert/prepare.py").read_text("utf-8")))
    assert found == set(CAUSES)


def keys_of_losses(function: ast.FunctionDef) -> set[str]:
    """Keys of dictionary displays, and what a loop over a tuple of names takes."""
    found = set()
    for node in ast.walk(function):
        names: list[ast.expr | None] = []
        if isinstance(node, ast.Dict) and all(isinstance(value, ast.Tuple) for value in node.values):
            names = list(node.keys)
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name) and node.target.id == "cause":
            names = list(node.iter.elts) if isinstance(node.iter, ast.Tuple) else []
        found |= {name.value for name in names if isinstance(name, ast.Constant) and isinstance(name.value, str)}
    return found


def undescribed(record: dict[str, Any], known: set[str], opaque: tuple[str, ...] = ()) -> set[str]:
    """Fields that are not described. `opaque` ones are objects that have a section of their own."""
    return {name for name in record if name not in known and name not in opaque}


@pytest.mark.parametrize("kind", ["capture", "process", "stream", "http", "sighting", "spread"])
def test_every_field_of_every_record(kind: str, case: Outputs, formats: str) -> None:
    known = described(formats, kind)
    endpoint, where = described(formats, "endpoint"), described(formats, "where")
    message = described(formats, "request and response")
    assert case.records[kind]
    for record in case.records[kind]:
        assert not undescribed(record, known | {"type"})
        for side in ("client", "server"):
            assert not undescribed(record.get(side) or {}, endpoint)
        for part in ("request", "response"):
            told = record.get(part) or {}
            assert not undescribed(told, message)
            assert not undescribed(told.get("where") or {}, where)
        assert not undescribed(record.get("where") or {}, where)
        for loss in record.get("losses", {}).values():
            assert set(loss) == {"count", "bytes", "first"}
            assert not undescribed(loss["first"] or {}, where)


def test_every_documented_field_is_written(case: Outputs, formats: str) -> None:
    """But for those that are said to be there only now and then, and what only a longer list would show."""
    for kind, rare in {
        "capture": {"contains_secrets"},
        "process": {"escaped"},
        "stream": {"hash_withheld", "tunnel"},
        "http": {"escaped"},
        "sighting": {"escaped", "announced", "details"},
        "spread": {"escaped"},
    }.items():
        written = {name for record in case.records[kind] for name in record} - {"type"}
        assert described(formats, kind) - rare - written == set(), kind


def test_manifest(case: Outputs, formats: str) -> None:
    manifest = json.loads((case.folder / "manifest.json").read_text("utf-8"))
    assert set(manifest) == described(formats, "manifest.json") - {"objects", "compared"}
    assert set(manifest["inputs"][0]) == described(formats, "inputs") - {"redacted"}
    assert set(manifest["inputs"][0]["machine"]) == {"hostname", "cpus", "memory", "boot_time"}
    assert all(set(entry) == described(formats, "outputs") for entry in manifest["outputs"])
    assert set(manifest["run"]) == described(formats, "run")


def test_findings(case: Outputs, formats: str, root: Path) -> None:
    for finding in case.findings():
        assert set(finding) == described(formats, "findings.jsonl") - {"contains_secrets"}
        for instance in finding["instances"]:
            assert set(instance) == described(formats, "where") | {"stream", "outcome"}
    told = re.search(r"^## findings\.csv\n(.*?)(?=^#)", formats, re.M | re.S)
    assert told and re.findall(r"`(\w+)`", told[1])[: len(COLUMNS)] == [name for name, _ in COLUMNS]
    rules = (root / "docs" / "findings.md").read_text("utf-8")
    assert described(rules, "Rules") == {rule.id for rule in RULES}
    assert all(level in rules for level in LEVELS)


def test_structural_fields(formats: str) -> None:
    section = re.search(r"^Never masked:(.*?)\n\n", formats, re.M | re.S)
    assert section and set(re.findall(r"`(\w+)`", section[1])) == STRUCTURAL


def test_every_weird_is_told(root: Path) -> None:
    """Names that parsers give to oddities stand in the documents of protocols."""
    folder = root / "docs" / "protocols"
    told = "".join(path.read_text("utf-8") for path in (root / "docs" / "protocols.md", *folder.glob("*.md")))
    named = set()
    for path in (root / "convert" / "protocols").rglob("*.py*"):
        if path.suffix in (".py", ".pyx"):
            named |= set(re.findall(r'weird\("([a-z0-9.-]+)"', path.read_text("utf-8")))
    assert len(named) > 50
    assert {name for name in named if f"`{name}`" not in told} == set()


def test_parts_of_the_documents_that_are_linked_exist(root: Path) -> None:
    """Links to a heading name one."""
    paths = [root / "README.md", *(root / "docs").rglob("*.md")]
    for path in paths:
        for file, part in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", path.read_text("utf-8")):
            text = ((path.parent / file) if file else path).read_text("utf-8")
            heads = {
                re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.*)$", text, re.M)
            }
            assert part in heads, (path, part)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_and_links_exist(name: str, root: Path) -> None:
    text = (root / name).read_text("utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", (root / "Makefile").read_text("utf-8"), re.M))
    spoken = re.findall(r"`(?:\w+=\S+ )?make ([a-z0-9-]+)", text) + re.findall(r"^    make ([a-z0-9-]+)", text, re.M)
    assert set(spoken) <= targets
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert ((root / name).parent / link).exists(), link
    assert "\N{EM DASH}" not in text


def test_every_make_target_is_told(root: Path) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (root / "Makefile").read_text("utf-8"), re.M)
    text = (root / "CONTRIBUTING.md").read_text("utf-8")
    assert phony and all(f"make {target}" in text for target in phony[1].split() if target not in INNER)


INNER = ("build", "npm", "python", "system", "system-test")
"""Targets that others use."""
