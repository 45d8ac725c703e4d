"""finding.schema.json: the fields of docs/formats.md and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def schema(root: Path) -> Any:
    return json.loads((root / "reports" / "export" / "finding.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def section(root: Path) -> str:
    whole = (root / "docs" / "formats.md").read_text("utf-8")
    return whole.partition("\n## findings.jsonl\n")[2].partition("\n## ")[0]


def test_fields_are_those_of_the_documentation(schema: Any, section: str) -> None:
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(schema["properties"]) == told
    assert set(schema["required"]) == told - {"contains_secrets"}


def test_words_are_those_of_the_documentation(schema: Any, section: str) -> None:
    for name in ("kind", "severity", "exposure", "confidence"):
        words = schema["properties"][name]["enum"]
        assert all(f"`{word}`" in section for word in words), name
    assert all(f"`{word}`" in section for word in schema["$defs"]["hop"]["properties"]["place"]["enum"])
