"""The recorded sample: what Apache's log and curl said of the same seconds (told.json) is what is found in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from hashlib import sha1
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support import plain_scap
from support.made import RECORDED, Made, made
from support.tshark import Tshark

PASSWORDS = Counter({("alice", "Wonder-land7"): 2, ("bob", "builder+Can 1"): 1, ("bob", "guess&me=1"): 1})
"""What the visitors of scripts/e2e/sample.py type in."""
DATABASE_PASSWORD = b"db-Pass0"
"""Of the user `shop`, in scripts/e2e: database.sql, login.php, and what the administrator types in (sample.py)."""
SENT_BY_SENDFILE = 30_000


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.with_name("told.json").read_bytes())
    return found


@pytest.fixture(scope="module")
def log(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Apache's log, a line a request."""
    found = []
    for line in told["apache"]:
        client, port, pid, status, received, sent, _, request = line.split(" ", 7)
        method, target, _ = request.strip('"').split()
        found.append(
            {
                "client": {"ip": client, "port": int(port)}, "pid": int(pid), "status": int(status),
                "received": int(received), "sent": int(sent), "method": method, "target": target,
            }
        )  # fmt: skip
    return found


@pytest.fixture
def case(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory, RECORDED, "report", "--reveal", "--format", "jsonl")


def test_it_is_small_and_of_the_shop_alone() -> None:
    assert RECORDED.stat().st_size < 500_000
    data = plain_scap.load(RECORDED)
    headers = plain_scap.headers(data)
    machine = next(one for one in headers if one.kind == "machine").entries[0]
    assert machine["hostname"] == b"shop"
    threads = [entry for one in headers if one.kind == "processes" for entry in one.entries]
    assert {one["comm"] for one in threads} == {b"apache2", b"mariadbd", b"bash"}
    assert {one["env"] for one in threads} == {b""}
    groups = {part.partition(b"=")[2] for one in threads for part in one["cgroups"].split(b"\0")}
    assert groups <= {b"", b"/"}
    users = {entry["name"] for one in headers if one.kind == "users" for entry in one.entries if entry["kind"] == 0}
    assert users == {b"root", b"www-data", b"mysql", b"nobody"}
    known = {one["tid"] for one in threads}
    events = plain_scap.events(data)
    births = [one for one in events if one.name in ("clone", "clone3", "vfork") and one.direction == "<"]
    assert {one.tid for one in events} <= known | {int.from_bytes(one.params[0], "little") for one in births}
    assert all(one.ts <= two.ts for one, two in pairwise(events))


def test_every_request_is_in_it_with_who_answered(case: Made, log: list[dict[str, Any]]) -> None:
    processes = {one["id"]: one for one in case.records("process")}
    found = Counter(
        (
            *one["client"].values(), one["request"]["method"], one["request"]["target"], one["response"]["status"],
            processes[one["server_process"]]["name"], processes[one["server_process"]]["pid"],
        )
        for one in case.records("http")
    )  # fmt: skip
    wanted = Counter(
        (*one["client"].values(), one["method"], one["target"], one["status"], "apache2", one["pid"]) for one in log
    )
    assert found == wanted


def test_streams_are_as_long_as_apache_says(case: Made, log: list[dict[str, Any]]) -> None:
    """Apache counts the first byte of a request twice where that came in before the answer to the last was out."""
    wanted: dict[int, list[int]] = {}
    for one in log:
        both = wanted.setdefault(one["client"]["port"], [0, 0, -1])
        both[0] += one["received"]
        both[1] += one["sent"]
        both[2] += 1
    streams = [one for one in case.records("stream") if (one["server"] or {}).get("port") == 80]
    assert {one["client"]["port"]: one["bytes_to_client"] for one in streams} == {
        port: sent for port, (_, sent, _) in wanted.items()
    }
    for one in streams:
        received, _, twice = wanted[one["client"]["port"]]
        assert received - twice <= one["bytes_to_server"] <= received
    assert sum(one["missing_bytes"] for one in streams) == SENT_BY_SENDFILE


def test_the_passwords_typed_in_are_found(case: Made) -> None:
    found = [one for one in case.findings() if one["kind"] == "credential" and one["protocol"] == "http"]
    assert (
        Counter({(one["username"], one["secret"]): one["instances_total"] for one in found}).keys() == PASSWORDS.keys()
    )
    total = Counter[tuple[str, str]]()
    for one in found:
        total[one["username"], one["secret"]] += one["instances_total"]
        assert one["server_process"]["name"] == "apache2"
    assert total == PASSWORDS


def test_the_other_credentials_are_the_administrators_and_the_databases(case: Made) -> None:
    """The administrator's shell and its mariadb have the password as an argument; each program that asks logs in."""
    found = [one for one in case.findings() if one["kind"] == "credential" and one["protocol"] != "http"]
    assert {(one["username"], one["instances_total"]) for one in found} == {("shop", 1)}
    assert Counter((one["rule"], one["client_process"]["name"], "ip" in (one["client"] or {})) for one in found) == {
        ("process-arguments", "bash", False): 1,
        ("process-arguments", "mariadb", False): 1,
        ("database-challenge", "mariadb", False): 1,
        ("database-challenge", "apache2", False): PASSWORDS.total(),  # login.php: mysqli on the unix socket,
        ("database-challenge", "apache2", True): PASSWORDS.total(),  # and PDO on 127.0.0.1
    }
    assert {one["secret"] for one in found if one["protocol"] == "process"} == {DATABASE_PASSWORD.decode()}
    assert all(one["client"] is None for one in found if one["protocol"] == "process")


def test_the_logins_hashes_are_of_the_databases_password(case: Made) -> None:
    """Each is what mysql_native_password makes of the password: SHA1(p) xor SHA1(salt + SHA1(SHA1(p)))."""
    recorded = plain_scap.load(RECORDED)
    hashes = [one["secret"] for one in case.findings() if one["rule"] == "database-challenge"]
    assert len(set(hashes)) == len(hashes) == 2 * PASSWORDS.total() + 1
    once = sha1(DATABASE_PASSWORD).digest()
    for line in hashes:
        name, salt, answer = line.removeprefix("$").split("$")[0], *map(bytes.fromhex, line.split("$")[2].split("*"))
        assert (name, len(salt)) == ("mysqlna", 20)
        mask = sha1(salt + sha1(once).digest()).digest()
        assert bytes(one ^ two for one, two in zip(once, mask, strict=True)) == answer
        assert recorded.count(answer) == recorded.count(salt[:8] + b"\0") == recorded.count(salt[8:] + b"\0") == 2


def test_where_the_passwords_went(case: Made) -> None:
    """login.php reads from the database the password that should have been typed in; the shell runs mariadb."""
    processes = {one["id"]: one["name"] for one in case.records("process")}
    events = plain_scap.events(plain_scap.load(RECORDED))
    wanted = {
        ("alice", "socket", "/srv/shop/mysqld.sock", "mariadbd", 2): b"\x0cWonder-land7",
        ("bob", "socket", "/srv/shop/mysqld.sock", "mariadbd", 1): b"\x0dbuilder+Can 1",
        ("shop", "arguments", None, "mariadb", 1): b"--password=" + DATABASE_PASSWORD,
    }
    found = {}
    for one in case.records("spread"):
        assert one["spelling"] == "plain"
        found[one["username"], one["way"], one["path"], processes[one["process"]], one["count"]] = one["where"]["event"]
    assert found.keys() == wanted.keys()
    for key, text in wanted.items():
        assert any(text in param for param in events[found[key] - 1].params), key
    told = Counter(one["username"] for one in case.findings() if one["kind"] == "spread")
    assert told == Counter(["alice", "bob", "shop"])
    kinds = {one["kind"] for one in case.findings()}
    assert kinds == {"credential", "spread", "http_error"}


def test_the_database_was_asked_both_ways(case: Made) -> None:
    processes = {one["id"]: one["name"] for one in case.records("process")}
    both = [one for one in case.records("stream") if "mariadbd" in (processes.get(one["server_process"]), "")]
    assert {one["protocol"] for one in both} == {"tcp", "unix"}
    assert {processes[one["client_process"]] for one in both} == {"apache2", "mariadb"}
    recorded = plain_scap.load(RECORDED)
    assert recorded.count(b"SELECT id, pass FROM users WHERE login = 'alice'") == 4  # two visits, two ends
    assert recorded.count(b"INSERT INTO visits (login, known) VALUES ('alice', 1)") == 4


def test_tshark_sees_curls_statuses(case: Made, told: dict[str, Any], tool: Callable[[str], str]) -> None:
    shark = Tshark(tool("tshark"), Path(case.pcapng))
    assert shark.wrong() == []
    codes = Counter(row[0] for row in shark.one("http.response", "http.response.code"))
    assert codes == Counter(str(status) for _, status, _, _ in told["answers"]) + Counter(
        {"200": 1}
    )  # the shop's own curl
