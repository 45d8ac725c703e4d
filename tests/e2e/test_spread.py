"""Where a password goes from a form: into the database, a log file, a program's arguments and another server.

Each hop is held to what sysdig says of the same event, and to what the servers themselves wrote and received.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support import live

pytestmark = pytest.mark.e2e
PASSWORD = "Wander-l0g.9x"
ENCODED = base64.b64encode(PASSWORD.encode()).decode()
DIGEST = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()

PAGE = """<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$pass = $_POST['pass'];
$database = new mysqli('localhost', 'shop', 'db-Pass0', 'shop', 0, getenv('DB_SOCKET'));
$database->query("SELECT id FROM users WHERE pass = '" . $database->real_escape_string($pass) . "'");
$database->query("SELECT id FROM users WHERE pass = '" . md5($pass) . "'");
file_put_contents('%(log)s', "login of {$_POST['login']} with $pass\\n", FILE_APPEND);
exec('curl -sS -o /dev/null --data ' . base64_encode($pass) . ' %(other)s');
echo "welcome\\n";
"""


class Told(NamedTuple):
    """A recording with what came of it, and what the other side received."""

    file: Path
    received: list[bytes]
    log: Path
    records: list[dict[str, Any]]
    masked: bytes


@contextmanager
def another_server() -> Iterator[tuple[str, list[bytes]]]:
    """A server on the loopback interface that keeps what is posted to it."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", received
        finally:
            server.shutdown()
            thread.join(live.PATIENCE)


def converted(file: Path, folder: Path, *options: str) -> Path:
    command = [*live.SYSWIRE, "convert", str(file), "-o", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=live.PATIENCE)
    assert done.returncode == 0, done.stderr
    return folder / "spread.annotations.jsonl"


@pytest.fixture(scope="module")
def told(lamp: live.Lamp, tmp_path_factory: pytest.TempPathFactory) -> Told:
    home = tmp_path_factory.mktemp("spread")
    log = lamp.folder / "shop.log"
    log.touch()
    log.chmod(0o666)
    with another_server() as (other, received):
        (lamp.folder / "pages" / "spread.php").write_text(PAGE % {"log": log, "other": other})
        file = home / "spread.scap.gz"
        with live.recording(file, "-z", "--files"):
            form = f"login=alice&pass={PASSWORD}"
            command = ["curl", "-sS", "--data", "@-", f"{lamp.url}/spread.php"]
            done = subprocess.run(command, input=form, capture_output=True, text=True, timeout=live.PATIENCE)
            assert done.stdout == "welcome\n", done
    clear = converted(file, home / "clear", "--reveal")
    records = [json.loads(line) for line in clear.read_text("utf-8").splitlines()]
    masked = converted(file, home / "masked").read_bytes()
    return Told(file, list(received), log, records, masked)


def hops(told: Told, **wanted: object) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(record, process) of the hops of the form's password that are as wanted."""
    processes = {one["id"]: one for one in told.records if one["type"] == "process"}
    origin = next(one for one in told.records if one["type"] == "sighting" and one["location"] == "form-body")
    assert origin["secret"] == PASSWORD
    found = [
        one
        for one in told.records
        if one["type"] == "spread" and one["secret_fingerprint"] == origin["secret_fingerprint"]
    ]
    assert all(one["from_sighting"]["stream"] == origin["stream"] for one in found)
    assert all(one["from_sighting"]["exchange"] == origin["exchange"] for one in found)
    assert all(one["time"] >= origin["time"] for one in found)
    return [
        (one, processes[one["process"]]) for one in found if all(one[name] == value for name, value in wanted.items())
    ]


def sysdig_agrees(told: Told, tool: Any, record: dict[str, Any], process: dict[str, Any], *calls: str) -> str:
    """sysdig's line of the same event: the process and the call are the same. Returns its file or connection."""
    form = "*%proc.name %proc.pid %evt.type %fd.name"
    words = [tool("sysdig"), "-r", str(told.file), "-p", form, f"evt.num={record['where']['evt_num']}"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=live.PATIENCE).stdout.strip()
    name, pid, call, *rest = said.split(" ", 3)
    assert (name, int(pid)) == (process["name"], process["pid"]), said
    assert call in calls, said
    return rest[0] if rest else ""


def test_what_happened(told: Told) -> None:
    assert told.received == [ENCODED.encode()]
    assert told.log.read_text() == f"login of alice with {PASSWORD}\n"


@pytest.mark.parametrize("spelling", ["plain", "md5"])
def test_into_the_database(told: Told, tool: Any, spelling: str) -> None:
    """PHP runs within Apache; what MariaDB reads is no hop of its own."""
    found = hops(told, way="socket", spelling=spelling)
    assert [process["name"] for _, process in found] == ["apache2"]
    record, process = found[0]
    streams = {one["id"]: one for one in told.records if one["type"] == "stream"}
    assert streams[record["stream"]]["server"]["path"] == record["path"]
    assert record["path"].endswith("/mysqld.sock")
    assert record["path"] in sysdig_agrees(told, tool, record, process, "write", "sendto", "writev", "sendmsg")


def test_into_a_log_file(told: Told, tool: Any) -> None:
    found = hops(told, way="file", path=str(told.log))
    assert [(one["spelling"], process["name"]) for one, process in found] == [("plain", "apache2")]
    record, process = found[0]
    assert record["stream"] is None and record["where"]["frame"] is None
    assert sysdig_agrees(told, tool, record, process, "write", "writev") == str(told.log)


def test_into_arguments_of_a_program(told: Told, tool: Any) -> None:
    found = hops(told, way="arguments", spelling="base64")
    assert {process["name"] for _, process in found} == {"sh", "curl"}
    for record, process in found:
        assert "apache2" in [one["name"] for one in process["parents"]]
        sysdig_agrees(told, tool, record, process, "execve")


def test_to_another_server(told: Told, tool: Any) -> None:
    found = hops(told, way="socket", spelling="base64")
    assert [process["name"] for _, process in found] == ["curl"]
    record, process = found[0]
    assert [one["name"] for one in process["parents"]][:2] == ["sh", "apache2"]
    sysdig_agrees(told, tool, record, process, "write", "sendto", "send", "sendmsg")


def test_in_the_order_of_time(told: Told) -> None:
    """Database, its digest, log file, arguments of the shell, those of curl, the other server."""
    ways = [(one["way"], one["spelling"]) for one, process in hops(told) if process["name"] != "mariadbd"]
    assert ways == [
        ("socket", "plain"),
        ("socket", "md5"),
        ("file", "plain"),
        ("arguments", "base64"),
        ("arguments", "base64"),
        ("socket", "base64"),
    ]


def test_nothing_of_it_is_shown(told: Told) -> None:
    for spelled in (PASSWORD, ENCODED):
        assert spelled.encode() not in told.masked
    assert b'"type":"spread"' in told.masked
