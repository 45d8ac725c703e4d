"""scripts/e2e/trim.py: of the generated sample as if it were a recording, only some processes are left."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support import plain_scap


@pytest.fixture(scope="module")
def trim(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("trim", root / "scripts" / "e2e" / "trim.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def whole(data: Path) -> bytes:
    return plain_scap.load(data / "made" / "act1.scap.gz")


def threads(whole: bytes) -> dict[int, dict[str, Any]]:
    return {
        entry["tid"]: entry for one in plain_scap.headers(whole) if one.kind == "processes" for entry in one.entries
    }


def test_the_whole_tree_of_a_process_is_kept(trim: ModuleType, whole: bytes) -> None:
    roots = {tid for tid, entry in threads(whole).items() if entry["comm"] == b"httpd" and entry["ptid"] == 1}
    assert len(roots) == 1
    ours = trim.kept(whole, roots)
    at_start = {tid for tid, entry in threads(whole).items() if entry["comm"] == b"httpd"}
    forked = {
        event.value(0) for event in plain_scap.events(whole)
        if event.name in ("clone", "fork", "vfork") and event.direction == "<" and event.tid in roots
    } - {0}  # fmt: skip
    assert forked and ours == at_start | forked


def test_nothing_of_others_is_left(trim: ModuleType, whole: bytes) -> None:
    mysqld = {tid for tid, entry in threads(whole).items() if entry["comm"] == b"mysqld"}
    small = trim.trimmed(whole, trim.kept(whole, {min(mysqld)}))
    assert set(threads(small)) == mysqld
    before, after = plain_scap.events(whole), plain_scap.events(small)
    assert [one[3:] for one in before if one.tid in mysqld] == [one[3:] for one in after]
    lists = [one for one in plain_scap.headers(small) if one.kind == "descriptors"]
    assert {one.entries[0]["tid"] for one in lists} <= mysqld and lists
    assert {one.kind for one in plain_scap.headers(small)} == {one.kind for one in plain_scap.headers(whole)}


def test_what_is_left_is_found(trim: ModuleType, whole: bytes) -> None:
    mysqld = {tid for tid, entry in threads(whole).items() if entry["comm"] == b"mysqld"}
    assert trim.foreign(trim.trimmed(whole, mysqld), mysqld, "a-host-elsewhere") == []
    found = trim.foreign(whole, mysqld, "a-host-elsewhere")
    assert any("a block of thread" in one for one in found) and any(one.startswith("thread ") for one in found)
    assert trim.foreign(whole, set(threads(whole)), "shop.example.org") != []
