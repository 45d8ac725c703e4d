"""Recordings of MariaDB and PostgreSQL, read by tshark and by `syswire convert`: the same fields in the same order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.command import run
from support.tshark import Tshark

HIDDEN = re.compile(r"'invented-\d'")


def records(file: Path, folder: Path) -> list[dict[str, Any]]:
    """What convert wrote of logins and queries, by stream."""
    done = run("convert", "-q", file, "-o", folder / "out")
    assert done.returncode == 0, done.stderr
    lines = (folder / "out" / f"{file.stem}.annotations.jsonl").read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    return [one for one in told if one["type"] in {"login", "query"}]


def results(told: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each result of each answer."""
    for one in told:
        response = one["response"]
        if response is not None:
            yield from response.get("results", [response])


def read(program: str, file: Path, port: int, protocol: str, *fields: str) -> list[list[str]]:
    """All values of fields, in the order in which frames hold them, by stream."""
    shark = Tshark(program, file, "-d", f"tcp.port=={port},{protocol}")
    values: list[list[str]] = [[] for _ in fields]
    rows = shark.fields(protocol, "tcp.stream", *fields)
    for row in sorted(rows, key=lambda row: int(row[0][0])):
        for number, found in enumerate(row[1:]):
            values[number] += found
    return values


@pytest.mark.parametrize("name", ["mysql-client", "mysql-prepared", "mysql-compressed"])
def test_mysql(name: str, data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / f"{name}.pcap"
    told = records(file, tmp_path)
    wanted = ("query", "error_code", "sqlstate", "error.message", "user", "affected_rows")
    queries, codes, states, messages, users, affected = read(
        tool("tshark"), file, 23306, "mysql", *(f"mysql.{one}" for one in wanted)
    )
    asked = [one["request"] for one in told if one["request"]]
    said = [one["sql"] for one in asked if one.get("command") in {"query", "prepare"}]
    assert said == [HIDDEN.sub("'********'", sql) for sql in queries]
    told_of = [text for text in messages if ord(text[0]) >= 0x20]  # MariaDB's progress is no error either
    refused = [one for one in results(told) if one["result"] == "error"]
    assert [str(one["code"]) for one in refused] == [code for code in codes if code != "65535"]
    assert [one["sql_state"] for one in refused] == states
    assert [one["message"] for one in refused] == [HIDDEN.sub("'********'", text) for text in told_of]
    assert [one["user"] for one in asked if "user" in one] == users
    # tshark takes an answer to Prepare, and the end of a cursor's rows, for OK as well.
    if name == "mysql-client":
        assert [str(one["affected_rows"]) for one in results(told) if "affected_rows" in one] == affected


@pytest.mark.parametrize("name", ["postgresql-psql", "postgresql-extended"])
def test_postgresql(name: str, data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / f"{name}.pcap"
    told = records(file, tmp_path)
    wanted = ("query", "tag", "code", "message", "col.name", "auth.sasl.mech")
    queries, tags, codes, messages, columns, _ = read(
        tool("tshark"), file, 25432, "pgsql", *(f"pgsql.{one}" for one in wanted)
    )
    asked = [one["request"] for one in told if one["request"]]
    said = [one["sql"] for one in asked if one.get("command") in {"query", "prepare"}]
    assert said == [HIDDEN.sub("'********'", sql) for sql in queries]
    assert [one["tag"] for one in results(told) if "tag" in one] == tags
    complaints = [
        one
        for record in told
        if record["response"]
        for one in [*record["response"].get("notices", []), *results([record])]
        if "sql_state" in one
    ]
    assert [one["sql_state"] for one in complaints] == codes
    assert [one["message"] for one in complaints] == messages
    if name == "postgresql-psql":  # tshark gives the types of parameters the same name
        assert [column for one in results(told) for column in one.get("columns", [])] == columns
