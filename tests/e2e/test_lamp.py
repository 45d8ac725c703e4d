"""The tutorial from end to end: a web server is recorded while somebody browses, and all its questions are answered.

What is true comes from the programs themselves: curl's statuses, Apache's log with lengths, ports and processes.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from parity import compare
from parity.compare import Case

from support import live, plain_scap
from support.tshark import Tshark

pytestmark = pytest.mark.e2e
SECRETS = {"alice": "Wonder-land7", "bob": "builder+Can 1", "mallory": "guess&me=1"}
MISSING = ("/hi", "/favicon.ico", "/old/page.html")
QUERIES = [f"SELECT id, pass FROM users WHERE login = '{name}'" for name in SECRETS]
INSERTS = [f"INSERT INTO visits (login, known) VALUES ('{name}', {int(name != 'mallory')})" for name in SECRETS]


class Told(NamedTuple):
    """A recording, and what was true meanwhile."""

    file: Path
    answers: list[live.Answer]
    requests: list[live.Request]
    lamp: live.Lamp
    counts: dict[str, Any]
    stderr: str


@pytest.fixture(scope="module")
def act1(lamp: live.Lamp, tmp_path_factory: pytest.TempPathFactory) -> Told:
    file = tmp_path_factory.mktemp("recorded") / "act1.scap.gz"
    before = len(lamp.requests())
    with live.recording(file, "-z", "-s", "4096") as recorder:
        answers = live.browse(lamp.url)
    return Told(file, answers, lamp.requests()[before:], lamp, recorder.counts(), recorder.stderr())


@pytest.fixture(scope="module")
def case(act1: Told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reported") / "case"
    command = [*live.SYSWIRE, "report", str(act1.file), "--reveal", "--format", "jsonl,html", "-o", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def lines(file: Path, kind: str = "") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [one for one in found if not kind or one["type"] == kind]


def test_curl_saw_what_the_script_says(act1: Told) -> None:
    statuses = [answer.status for answer in act1.answers]
    assert statuses == [200, 200, 200, 200, 404, 200, 404, 200, 200, 403, 404]
    assert [request.status for request in act1.requests] == statuses


def test_nothing_was_lost(act1: Told) -> None:
    assert act1.stderr.count("\n") <= 3, act1.stderr
    assert act1.file.stat().st_mode & 0o777 == 0o600
    assert len(live.read(act1.file, "-p", "%evt.num").splitlines()) > 500


def rows(act1: Told, chisel: str, *words: str) -> list[list[Any]]:
    found: list[list[Any]] = json.loads(live.read(act1.file, "-j", "-c", chisel, *words))["data"]
    return found


def counted(answer: live.Answer) -> int:
    """What sysdig's sums have of a request and its answer: all but the body that went out by sendfile."""
    return answer.sent + answer.received - (answer.body if answer.target == "/big.bin" else 0)


def test_topprocs_net(act1: Told) -> None:
    """Apache's processes read and wrote over TCP what curl sent and got, by the process that Apache's log names."""
    text = live.read(act1.file, "-c", "topprocs_net")
    names = [line.split()[1] for line in text.splitlines()[2:]]
    assert {"apache2", "curl", "mariadbd"} <= set(names)
    pids = {request.client_port: request.pid for request in act1.requests}
    by_pid = Counter[int]()
    for answer in act1.answers:
        by_pid[pids[answer.port]] += counted(answer)
    told = Counter[int]()
    for row in rows(act1, "topprocs_net", f"proc.name=apache2 and fd.sport={act1.lamp.port}"):
        told[int(row[1])] += int(row[-1])
    assert told == by_pid


def test_topconns(act1: Told) -> None:
    by_port = Counter[int]()
    for answer in act1.answers:
        by_port[answer.port] += counted(answer)
    told = {}
    for protocol, name, size in rows(act1, "topconns", f"proc.name=apache2 and fd.sport={act1.lamp.port}"):
        assert protocol == "tcp"
        client, server = name.split("->")
        assert server == f"127.0.0.1:{act1.lamp.port}"
        told[int(client.rpartition(":")[2])] = size
    assert told == by_port


def test_what_a_client_and_apache_said(act1: Told) -> None:
    text = live.read(act1.file, "-s", "4096", "-A", "-c", "echo_fds", "fd.cip=127.0.0.1", "and", "proc.name=apache2")
    answer = next(one for one in act1.answers if one.target == "/hi")
    who = f"127.0.0.1:{answer.port}->127.0.0.1:{act1.lamp.port} (apache2)"
    assert f"------ Read {answer.sent}B from   {who}\n\nGET /hi HTTP/1.1" in text
    assert f"------ Write {answer.received}B to   {who}\n\nHTTP/1.1 404 Not Found" in text
    assert "The requested URL was not found on this server." in text


def test_a_keyword_in_what_was_read(act1: Told) -> None:
    words = "fd.ip=127.0.0.1 and proc.name=apache2 and evt.is_io_read=true and evt.buffer contains login"
    text = live.read(act1.file, "-A", "-c", "echo_fds", *words.split())
    assert "POST /login.php HTTP/1.1" in text
    assert "login=alice&pass=Wonder-land7&Submit=Login" in text
    assert "login=bob&pass=builder%2BCan+1&Submit=Login" in text
    assert text.count("POST /login.php HTTP/1.1") == 3


@pytest.mark.parametrize(("kind", "wanted"), [("unix", QUERIES), ("ipv4", INSERTS)])
def test_the_database_was_asked(act1: Told, kind: str, wanted: list[str]) -> None:
    """PHP's query over the unix socket and over TCP: what Apache wrote, and what MariaDB read."""
    for process, way in (("apache2", "write"), ("mariadbd", "read")):
        words = f"proc.name={process} and fd.type={kind} and evt.is_io_{way}=true".split()
        text = live.read(act1.file, "-A", "-c", "echo_fds", *words)
        assert [query for query in wanted if query in text] == wanted, (process, text)


def test_passwords_are_found_with_who_sent_them(act1: Told, case: Path) -> None:
    found = [one for one in lines(case / "findings.jsonl") if one["rule"] == "http-form-password"]
    assert {one["username"]: one["secret"] for one in found} == SECRETS
    pids = [request.pid for request in act1.requests if request.line.startswith("POST")]
    for one in found:
        assert one["client_process"]["name"] == "curl"
        assert one["server_process"]["name"] == "apache2"
        assert one["server_process"]["pid"] in pids


def test_missing_pages_are_found_with_who_answered(act1: Told, case: Path) -> None:
    found = {one["path"]: one for one in lines(case / "findings.jsonl") if one.get("status") == 404}
    assert set(found) == set(MISSING)
    for path, one in found.items():
        request = next(one for one in act1.requests if one.line.split()[1] == path)
        assert (one["client_process"]["name"], one["server_process"]["name"]) == ("curl", "apache2")
        assert one["server_process"]["pid"] == request.pid
        assert one["client"]["port"] == request.client_port


def test_streams_are_as_long_as_curl_says(act1: Told, case: Path) -> None:
    by_port: dict[int, list[int]] = {}
    for answer in act1.answers:
        one = by_port.setdefault(answer.port, [0, 0])
        one[0] += answer.sent
        one[1] += answer.received
    annotations = case / "act1.annotations.jsonl"
    processes = {one["id"]: one for one in lines(annotations, "process")}
    found = {}
    for stream in lines(annotations, "stream"):
        if (stream["server"] or {}).get("port") == act1.lamp.port:
            found[stream["client"]["port"]] = [stream["bytes_to_server"], stream["bytes_to_client"]]
            assert processes[stream["client_process"]]["name"] == "curl"
            assert processes[stream["server_process"]]["name"] == "apache2"
            assert (stream["client_attribution"], stream["server_attribution"]) == ("observed", "observed")
            assert stream["opened"] and stream["closed"]
    assert found == by_port


def test_exchanges_are_those_of_curl(act1: Told, case: Path) -> None:
    exchanges = lines(case / "act1.annotations.jsonl", "http")
    told = [(one["response"]["status"], one["request"]["target"]) for one in exchanges]
    assert sorted(told) == sorted((answer.status, answer.target) for answer in act1.answers)


@pytest.fixture
def pcapng(case: Path) -> Path:
    return case / "act1.pcapng"


def test_tshark_finds_nothing_wrong(act1: Told, pcapng: Path, tool: Callable[[str], str]) -> None:
    shark = Tshark(tool("tshark"), pcapng, "-d", f"tcp.port=={act1.lamp.port},http")
    assert shark.wrong() == []
    codes = [row[0] for row in shark.one(f"http.response && tcp.port == {act1.lamp.port}", "http.response.code")]
    assert sorted(codes) == sorted(str(answer.status) for answer in act1.answers)
    # Whatever else the machine did meanwhile may hold real resets, of which Wireshark warns.
    expert = f"expert,warn,tcp.port=={act1.lamp.port}||tcp.port=={act1.lamp.database_port}"
    done = subprocess.run([tool("tshark"), "-r", pcapng, "-q", "-z", expert], capture_output=True, text=True)
    assert done.returncode == 0
    assert "Warns" not in done.stdout and "Errors" not in done.stdout
    assert [line for line in done.stderr.splitlines() if "Running as user" not in line] == []


OURS = "proc.name=apache2 or proc.name=mariadbd or proc.name=curl or proc.name=browse"


def questions(port: int) -> Iterator[tuple[str, ...]]:
    """What the tutorial asks, and the list of events."""
    yield (OURS,)
    yield ("-c", "topprocs_net")
    yield ("-c", "topports_server")
    yield ("-c", "topconns", "proc.name=apache2")
    yield ("-s", "4096", "-A", "-c", "echo_fds", "fd.cip=127.0.0.1 and proc.name=apache2")
    yield ("-A", "-c", "echo_fds", "fd.ip=127.0.0.1 and proc.name=apache2 and evt.buffer contains login")
    yield ("-A", "-c", "echo_fds", "fd.type=unix and proc.name=mariadbd")
    yield ("-c", "spy_port", str(port))
    yield ("-c", "httplog")
    yield ("-p", "%evt.num %evt.type %evt.dir %proc.name %proc.pid %proc.ppid %proc.pname %thread.tid %user.name", OURS)
    yield ("-p", "%evt.num %fd.num %fd.type %fd.name %fd.cip %fd.cport %fd.sip %fd.sport %fd.l4proto %evt.rawres", OURS)
    yield ("-p", "%evt.num %proc.cmdline %proc.exe %proc.cwd", f"evt.type=execve and ({OURS})")
    yield ("-p", "%evt.num %evt.args", f"fd.type=ipv4 and evt.is_io=true and ({OURS})")


def where_sysdig_is_right(theirs: list[bytes], ours: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Both outputs without what sysdig prints of nothing, and ours without events that it does not know.

    Those (close_range, prctl) have the number 0. A number that an event does not have is NULL; sysdig shows what is
    left of another event. And where an event's tuple has no path, sysdig forgets the path that it knew of a unix
    socket.
    """
    ours = [line for line in ours if not line.startswith(b"0 ")]
    if len(theirs) == len(ours):
        theirs = [
            _same_are_unset(one, other) if b"=NULL" in other else one for one, other in zip(theirs, ours, strict=True)
        ]
    return [_without_path(line) for line in theirs], [_without_path(line) for line in ours]


def _same_are_unset(theirs: bytes, ours: bytes) -> bytes:
    for name in re.findall(rb"(\w+)=NULL", ours):
        theirs = re.sub(rb"\b" + name + rb"=\S*", name + b"=NULL", theirs, count=1)
    return theirs


def _without_path(line: bytes) -> bytes:
    return re.sub(rb"(\b[0-9a-f]{6,}->[0-9a-f]{6,}) [^ )]*", rb"\1 ", line)


@pytest.mark.parametrize("words", list(questions(80)), ids=" ".join)
def test_sysdig_prints_the_same(act1: Told, words: tuple[str, ...], tool: Callable[[str], str]) -> None:
    tool("sysdig")
    words = tuple(str(act1.lamp.port) if word == "80" else word for word in words)
    theirs, ours = compare.sysdig(act1.file, words), compare.syswire(act1.file, words)
    theirs, ours = where_sysdig_is_right(theirs, ours)
    figure = compare.compared(Case("live", words), theirs, ours)
    assert figure.lines > 3
    assert figure.equal == figure.lines, "\n".join(compare.first_difference(theirs, ours, 5))


def test_sysdig_lists_what_else_the_machine_did_alike(act1: Told, tool: Callable[[str], str]) -> None:
    """All events, of whatever ran meanwhile: nearly all lines, since nobody knows what that will be."""
    tool("sysdig")
    theirs, ours = where_sysdig_is_right(compare.sysdig(act1.file, ()), compare.syswire(act1.file, ()))
    figure = compare.compared(Case("live", ()), theirs, ours)
    assert figure.equal >= 0.99 * figure.lines, "\n".join(compare.first_difference(theirs, ours, 5))


def test_the_recorder_is_not_in_its_recording(act1: Told) -> None:
    """Nor anything it started: neither as a process of an event nor as a thread at the start."""
    text = live.read(act1.file, "-p", "%proc.pid %proc.cmdline")
    assert not [line for line in text.splitlines() if f"syswire capture -w {act1.file}" in line]


def test_the_counts_add_up(act1: Told) -> None:
    live.assert_balanced(act1.counts)
    assert act1.counts["events"]["written"] == len(plain_scap.events(plain_scap.load(act1.file)))
    assert act1.counts["ended"] and act1.counts["size"] == act1.file.stat().st_size
