"""Processes as they are told: parents of that time, who logged in, command lines without secrets however short."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.recording import AGES, Age, Recording
from syswire.convert.options import Options
from syswire.convert.pipeline import Case
from syswire.convert.scap.encoding import strings
from syswire.convert.scap.snapshot import Process, User


def converted(recording: Recording, folder: Path, **options: Any) -> list[dict[str, Any]]:
    file = folder / "made.scap"
    file.write_bytes(bytes(recording))
    Case([str(file)], folder / "case", Options(**options)).run()
    return [json.loads(line) for line in (folder / "case" / "made.annotations.jsonl").read_text("utf-8").splitlines()]


def people() -> list[Process]:
    """A login shell of ops (1000), told before its parents."""
    return [
        Process(30, 30, 20, b"bash", b"/bin/bash", b"/bin/bash", strings(["-l"]), loginuid=1000, uid=1000),
        Process(20, 20, 1, b"sshd", b"/usr/sbin/sshd", b"/usr/sbin/sshd", strings(["-D"])),
        Process(1, 1, 0, b"init", b"/sbin/init", b"/sbin/init"),
    ]


def machine(age: Age) -> Recording:
    recording = Recording(age)
    recording.machine(people(), users=[User(0, 0, "root"), User(1000, 1000, "ops")])
    return recording


def told(records: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in records if one["type"] == "process" and one["name"] == name)


@pytest.mark.parametrize("age", AGES)
def test_parents_and_login(age: Age, tmp_path: Path) -> None:
    recording = machine(age)
    recording.fork(30, 40, ptid=20, exe="/bin/bash", comm="bash", args=strings(["-l"]))
    recording.exec(40, "/usr/bin/sudo", strings(["make"]), ptid=30, loginuid=1000, uid=0)
    recording.fork(40, 50, ptid=30, exe="/usr/bin/sudo", comm="sudo", args=strings(["make"]))
    recording.exec(50, "/usr/bin/make", strings(["all"]), ptid=40, loginuid=1000, uid=0)
    recording.exec(40, "/usr/bin/later", b"", ptid=30, loginuid=1000)
    records = converted(recording, tmp_path)
    make = told(records, "make")
    assert (make["login_uid"], make["login_user"]) == (1000, "ops")
    assert make["parents"] == [
        {"pid": 40, "name": "sudo", "cmdline": "sudo make"},
        {"pid": 30, "name": "bash", "cmdline": "bash -l"},
        {"pid": 20, "name": "sshd", "cmdline": "sshd -D"},
        {"pid": 1, "name": "init", "cmdline": "init"},
    ]
    assert (told(records, "sshd")["login_uid"], told(records, "sshd")["login_user"]) == (-1, None)
    assert [one["pid"] for one in told(records, "bash")["parents"]] == [20, 1]


def test_eight_parents_at_most(tmp_path: Path) -> None:
    recording = Recording()
    recording.machine([Process(n, n, n - 1, b"p%d" % n, b"/p") for n in range(1, 13)])
    records = converted(recording, tmp_path)
    assert [one["pid"] for one in told(records, "p12")["parents"]] == [11, 10, 9, 8, 7, 6, 5, 4]


def test_a_circle_of_parents_ends(tmp_path: Path) -> None:
    recording = Recording()
    recording.machine([Process(5, 5, 6, b"a", b"/a"), Process(6, 6, 5, b"b", b"/b")])
    records = converted(recording, tmp_path)
    assert [one["pid"] for one in told(records, "a")["parents"]] == [6]


@pytest.mark.parametrize("age", AGES)
def test_secrets_of_processes(age: Age, tmp_path: Path) -> None:
    """A short one is masked in its own command line and as a parent's; a long one wherever it stands."""
    recording = machine(age)
    recording.exec(40, "/usr/bin/mysql", strings(["-pab", "shop"]), env=strings(["PGPASSWORD=Long-enough1"]))
    event = recording.events
    recording.fork(40, 50, exe="/usr/bin/mysql", comm="mysql", args=strings(["-pab", "shop"]))
    recording.exec(50, "/bin/echo", strings(["of Long-enough1 and cab"]), ptid=40)
    records = converted(recording, tmp_path)
    assert told(records, "mysql")["cmdline"] == "mysql -p******** shop"
    assert told(records, "echo")["cmdline"] == "echo of ******** and cab"
    assert told(records, "echo")["parents"][0]["cmdline"] == "mysql -p******** shop"
    one, other = (record for record in records if record["type"] == "sighting")
    assert (one["location"], one["field"], one["secret_length"]) == ("arguments", "-p", 2)
    assert (other["location"], other["field"], other["secret_length"]) == ("environment", "PGPASSWORD", 12)
    for record in (one, other):
        assert (record["stream"], record["exchange"], record["protocol"]) == (None, None, "process")
        assert (record["secret"], record["outcome"], record["form"]) == ("********", "unknown", "cleartext")
        assert record["client_process"] == told(records, "mysql")["id"]
        assert (record["where"]["event"], record["where"]["frame"]) == (event, None)


def test_secrets_of_the_process_list(tmp_path: Path) -> None:
    recording = Recording()
    recording.machine([Process(7, 7, 1, b"curl", b"curl", args=strings(["-u", "bob:y", "http://h/"]))])
    offset = bytes(recording).index(b"curl")
    records = converted(recording, tmp_path)
    assert told(records, "curl")["cmdline"] == "curl -u bob:******** http://h/"
    (one,) = (record for record in records if record["type"] == "sighting")
    assert (one["username"], one["where"]["event"], one["where"]["time"]) == ("bob", None, None)
    assert 0 < offset - one["where"]["offset"] < 80


def test_revealed(tmp_path: Path) -> None:
    recording = Recording()
    recording.machine([Process(7, 7, 1, b"mysql", b"mysql", args=strings(["-pab"]))])
    records = converted(recording, tmp_path, reveal=True)
    assert told(records, "mysql")["cmdline"] == "mysql -pab"
    assert [one["secret"] for one in records if one["type"] == "sighting"] == ["ab"]
