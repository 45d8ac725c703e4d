"""The head of a recording as sysdig 0.29.3 understands it: descriptors, roles, threads, users, processes."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.witness import THREAD_NAME, witness
from syswire.capture.snapshot import snapshot
from syswire.convert.scap.writer import ScapWriter

READ_ENTER, NANOSECONDS = 6, 1_700_000_000_000_000_000
Ask = Callable[..., list[str]]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with witness(str(tmp_path_factory.mktemp("witness"))) as told:
        yield told


@pytest.fixture(scope="module")
def recording(facts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The head, and an event for each descriptor, by the witness and by its thread."""
    writer = ScapWriter()
    numbers = [end["fd"] for ends in facts["sockets"].values() for end in ends] + sorted(facts["others"].values())
    events = [
        writer.event(NANOSECONDS + place, tid, 0, READ_ENTER, [fd, 100])
        for tid in (facts["pid"], facts["tid"])
        for place, fd in enumerate(numbers)
    ]
    path = tmp_path_factory.mktemp("head") / "head.scap"
    path.write_bytes(snapshot().blocks + b"".join(events))
    return path


@pytest.fixture(scope="module")
def ask(recording: Path) -> Ask:
    def run(*arguments: str) -> list[str]:
        done = subprocess.run(["sysdig", "-r", str(recording), *arguments], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run


@pytest.fixture(scope="module")
def fields(tool: Callable[[str], str], ask: Ask, facts: dict[str, Any]) -> dict[tuple[int, int], list[str]]:
    """By thread and descriptor: type, transport, name, client, server, whether the server is local."""
    tool("sysdig")
    form = "*%thread.tid|%fd.num|%fd.type|%fd.l4proto|%fd.name|%fd.cip:%fd.cport|%fd.sip:%fd.sport|%fd.is_server"
    rows = [line.split("|") for line in ask(f"-p{form}", f"proc.pid={facts['pid']}")]
    return {(int(tid), int(fd)): rest for tid, fd, *rest in rows}


@pytest.mark.parametrize("who", ["pid", "tid"])
@pytest.mark.parametrize(("name", "transport"), [("tcp4", "tcp"), ("udp4", "udp"), ("mapped", "tcp")])
def test_ipv4(
    facts: dict[str, Any], fields: dict[tuple[int, int], list[str]], who: str, name: str, transport: str
) -> None:
    if name not in facts["sockets"]:
        pytest.skip("no IPv6")
    _, client, *accepted = facts["sockets"][name]
    ends = f"127.0.0.1:{client['own'][1]}", f"127.0.0.1:{client['peer'][1]}"
    told = ["ipv4", transport, f"{ends[0]}->{ends[1]}", *ends, "true"]
    for one in (client, *accepted):
        assert fields[facts[who], one["fd"]] == told


def test_listening(facts: dict[str, Any], fields: dict[tuple[int, int], list[str]]) -> None:
    for name, kind, ip in (("tcp4", "ipv4", "127.0.0.1"), ("tcp6", "ipv6", "::1"), ("mapped", "ipv6", "::")):
        if name not in facts["sockets"]:
            continue
        server = facts["sockets"][name][0]
        port = server["own"][1]
        assert fields[facts["pid"], server["fd"]] == [kind, "tcp", f"{ip}:{port}", "<NA>:<NA>", f"<NA>:{port}", "true"]


def test_ipv6_has_its_addresses(facts: dict[str, Any], fields: dict[tuple[int, int], list[str]]) -> None:
    """Old sysdig gives what is IPv6 in the list no role, and so no transport."""
    if "tcp6" not in facts["sockets"]:
        pytest.skip("no IPv6")
    for end in facts["sockets"]["tcp6"][1:]:
        kind, _, name, *_ = fields[facts["pid"], end["fd"]]
        assert (kind, name) == ("ipv6", f"::1:{end['own'][1]}->::1:{end['peer'][1]}")


def test_unix_and_files(facts: dict[str, Any], fields: dict[tuple[int, int], list[str]]) -> None:
    names = [fields[facts["pid"], end["fd"]] for end in facts["sockets"]["unix"]]
    path = f"{facts['cwd']}/talk here.sock"
    assert [(row[0], row[2]) for row in names] == [("unix", path), ("unix", ""), ("unix", path)]
    kinds = {name: fields[facts["pid"], fd][0] for name, fd in facts["others"].items()}
    assert kinds == {
        "pipe": "pipe", "pipe_to": "pipe", "log": "file", "folder": "directory", "null": "file", "epoll": "eventpoll",
        "eventfd": "event", "memory": "file",
    }  # fmt: skip


def test_the_chisels(tool: Callable[[str], str], ask: Ask, facts: dict[str, Any]) -> None:
    tool("sysdig")
    listed = [line.split() for line in ask("-c", "lsof", f"thread.tid={facts['pid']}")[1:]]
    log = str(facts["others"]["log"])
    assert [row[4:] for row in listed if row[4] == log] == [[log, "file", f"{facts['cwd']}/log"]]
    port = str(facts["sockets"]["tcp4"][0]["own"][1])
    states = [line.split()[3] for line in ask("-c", "netstat", f"thread.tid={facts['pid']}") if f":{port} " in line]
    assert sorted(states) == ["ESTABLISHED", "ESTABLISHED", "LISTEN"]
    rows = [line.split() for line in ask("-c", "ps", f"proc.pid={facts['pid']}")[1:]]
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert [row[:3] for row in rows] == [[str(facts[who]), str(facts["pid"]), user] for who in ("pid", "tid")]
    assert " ".join(rows[1][6:]) == THREAD_NAME.decode()


def test_the_process(tool: Callable[[str], str], ask: Ask, facts: dict[str, Any]) -> None:
    tool("sysdig")
    form = "*%proc.exeline|%proc.exepath|%proc.cwd|%proc.ppid|%proc.sid|%user.loginuid|%user.name"
    lines = set(ask(f"-p{form}", f"thread.tid={facts['pid']}"))
    login = int(Path(f"/proc/{facts['pid']}/loginuid").read_text())
    login -= 1 << 32 if login == 0xFFFFFFFF else 0
    parts = [" ".join(facts["argv"]), facts["python"], facts["cwd"] + "/", facts["ppid"], facts["sid"], login]
    assert lines == {"|".join(map(str, [*parts, pwd.getpwuid(os.geteuid()).pw_name]))}
