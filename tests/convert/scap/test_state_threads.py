"""Threads made by clone, changed by execve, setuid and prctl, ended by procexit; in both forms."""

from __future__ import annotations

import pytest

from support.recording import AGES, Age, Recording, tcp
from syswire.convert.model.rows import CHUNK_CLOSE
from syswire.convert.scap.encoding import Value, strings
from syswire.convert.scap.snapshot import Process, User

PAIR = tcp("10.0.0.7", 40000, "10.0.0.5", 80)
THREAD, FILES, VFORK = 0x2000, 1, 0x8000000


def shell(age: Age) -> Recording:
    """Process 100, a shell of user 33 with a connection at descriptor 3."""
    made = Recording(age)
    made.machine(
        [Process(100, 100, 1, b"sh", b"/bin/sh", b"/bin/dash", strings(["-c", "x"]), uid=33, gid=33, cwd=b"/srv")],
        users=[User(0, 0, "root"), User(33, 33, "www-data")],
    )
    made.socket(100, 3)
    made.connect(100, 3, PAIR)
    return made


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("order", ["parent first", "child first"])
@pytest.mark.parametrize("code", [223, 225, 227, 335])
def test_fork_makes_one_process(age: Age, order: str, code: int) -> None:
    made = shell(age)
    if age == "old" and code == 335:
        made.age = "new"
    if order == "parent first":
        made.fork(100, 101, code)
    else:
        made.fork(100, 101, code, parent=False)
        made.fork(100, 101, code, own=False)
    made.write(101, 3, b"hello")
    made.exit(101)
    made.close(100, 3)
    seen = made.decoded()
    assert [(version.tid, version.pid, version.ppid) for version in seen.threads] == [(100, 100, 1), (101, 101, 100)]
    child = seen.threads[1]
    assert (child.name, child.exe, child.uid, child.user, child.listed, child.previous) == (
        b"x",
        b"/bin/x",
        0,
        b"root",
        False,
        0,
    )
    assert child.exepath == b"/bin/dash"
    assert [kind for kind, *_ in seen.told()] == ["connect", "data", "close"]
    assert child.end == seen.chunks[1].exit_time + 1_000_000


@pytest.mark.parametrize("age", AGES)
def test_vfork_with_exec_before_the_parent_returns(age: Age) -> None:
    made = shell(age)
    made.fork(100, 101, 227, parent=False, flags=VFORK)
    made.exec(101, "/usr/bin/id", ptid=100)
    made.fork(100, 101, 227, own=False, flags=VFORK)
    made.write(101, 3, b"x")
    seen = made.decoded()
    assert [version.name for version in seen.threads] == [b"sh", b"x", b"id"]
    assert seen.threads[2].previous == 2
    assert seen.named(seen.chunks[-1]) == "id"


@pytest.mark.parametrize("age", AGES)
def test_a_child_that_ended_before_the_parent_returns_stays_ended(age: Age) -> None:
    """Else a process that nobody ends would hold the connection open."""
    made = shell(age)
    made.fork(100, 101, 227, parent=False, flags=VFORK)
    made.exec(101, "/bin/true", ptid=100)
    made.exit(101)
    made.fork(100, 101, 227, own=False, flags=VFORK)
    made.close(100, 3)
    seen = made.decoded()
    assert seen.chunks[-1].kind == CHUNK_CLOSE
    assert len(seen.threads) == 3


@pytest.mark.parametrize("age", AGES)
def test_within_a_container_the_parents_result_is_another_number(age: Age) -> None:
    """Number 7 of the container is not the host's thread 7, which goes on."""
    made = Recording(age)
    made.machine([Process(7, 7, 1, b"host", b"host"), Process(500, 500, 1, b"inside", b"inside")])
    made.accept(7, 4, PAIR)
    ids: dict[str, Value] = {
        "tid": 500,
        "pid": 500,
        "ptid": 1,
        "vtid": 1,
        "vpid": 1,
        "flags": 0,
        "comm": "inside",
        "exe": "inside",
    }
    made.exit_only(223, 500, {"res": 7, **ids})
    made.exit_only(223, 501, {"res": 0, **ids, "tid": 501, "pid": 501, "ptid": 500, "vtid": 7, "vpid": 7})
    made.write(7, 4, b"still the host's")
    seen = made.decoded()
    assert seen.told()[-1] == ("data", "server", "<", b"still the host's")
    assert seen.named(seen.chunks[-1]) == "host"
    assert [version.tid for version in seen.threads] == [7, 500, 501]


@pytest.mark.parametrize("age", AGES)
def test_threads_share_descriptors_until_the_last_ends(age: Age) -> None:
    made = shell(age)
    made.fork(100, 102, 223, flags=THREAD | FILES)
    made.socket(102, 5)
    made.connect(102, 5, tcp("10.0.0.7", 40001, "10.0.0.5", 80))
    made.write(100, 5, b"main")
    made.exit(100)
    made.write(102, 3, b"thread")
    end = made.exit(102)
    seen = made.decoded()
    assert [(version.tid, version.pid) for version in seen.threads] == [(100, 100), (102, 100)]
    assert [kind for kind, *_ in seen.told(1)] == ["connect", "data", "close"]
    assert [kind for kind, *_ in seen.told(2)] == ["connect", "data", "close"]
    assert {chunk.exit_time for chunk in seen.chunks if chunk.kind == CHUNK_CLOSE} == {end}


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("own_first", [False, True])
def test_a_number_that_is_used_again_is_another_process(age: Age, own_first: bool) -> None:
    """The first one's exit was lost: its descriptors are closed when the number appears again."""
    made = shell(age)
    made.fork(100, 101)
    made.close(100, 3)
    made.fork(100, 101, parent=not own_first, comm="y")
    seen = made.decoded()
    assert [kind for kind, *_ in seen.told()] == ["connect", "close"]
    assert [version.tid for version in seen.threads] == [100, 101, 101]
    assert seen.threads[1].end == seen.chunks[-1].exit_time


@pytest.mark.parametrize("age", AGES)
def test_a_child_of_nobody_known_has_a_table_of_its_own(age: Age) -> None:
    made = Recording(age)
    made.fork(77, 78, parent=False)
    made.accept(78, 4, PAIR)
    seen = made.decoded()
    assert (seen.threads[0].tid, seen.threads[0].ppid, seen.threads[0].uid) == (78, 77, 0)
    assert seen.chunks[0].thread == 1


@pytest.mark.parametrize("age", AGES)
def test_execve(age: Age) -> None:
    made = shell(age)
    at = made.exec(100, "/usr/sbin/apache2", strings(["-k", "start"]), uid=33)
    made.write(100, 3, b"x")
    seen = made.decoded()
    old, new = seen.threads
    assert (old.end, new.begin, new.end) == (at, at, 0)
    assert (new.name, new.exe, new.exepath) == (b"apache2", b"/usr/sbin/apache2", b"/usr/sbin/apache2")
    assert (new.args, new.uid, new.user, new.previous) == ((b"-k", b"start"), 33, b"www-data", 1)
    assert seen.chunks[-1].thread == 2


def test_execve_of_a_relative_path() -> None:
    made = shell("old")
    made.call(293, 100, res=0, exe="./tool", args=b"", tid=100, pid=100, ptid=1, cwd="", comm="tool", filename="./tool")
    assert made.decoded().threads[1].exepath == b"/srv/./tool"


def test_execveat_tells_its_path_beside_a_descriptor() -> None:
    made = shell("old")
    given: dict[str, Value] = {
        "res": 0,
        "exe": "tool",
        "args": b"",
        "tid": 100,
        "pid": 100,
        "ptid": 1,
        "cwd": "",
        "comm": "tool",
    }
    made.call(307, 100, fd=9, dirfd=-100, name="/opt/bin", flags=1025)
    made.call(331, 100, dirfd=9, pathname="tool", flags=0, **given)
    assert made.decoded().threads[1].exepath == b"/opt/bin/tool"


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize(
    "code,values,uid,gid",
    [
        (199, {"uid": 0}, 0, 33),
        (201, {"gid": 0}, 33, 0),
        (193, {"ruid": 33, "euid": 0, "suid": 0}, 0, 33),
        (195, {"rgid": 33, "egid": 5, "sgid": 0}, 33, 5),
    ],
)
def test_a_change_of_user_is_a_new_version(age: Age, code: int, values: dict[str, int], uid: int, gid: int) -> None:
    """In the old form the enter alone says which user."""
    made = shell(age)
    made.call(code, 100, res=0, **values)
    made.write(100, 3, b"x")
    seen = made.decoded()
    assert [(version.uid, version.gid) for version in seen.threads] == [(33, 33), (uid, gid)]
    assert seen.threads[1].user == (b"root" if uid == 0 else b"www-data")
    assert seen.threads[1].exepath == b"/bin/dash"
    assert seen.chunks[-1].thread == 2


@pytest.mark.parametrize("age", AGES)
def test_a_change_of_user_that_failed_or_changes_nothing(age: Age) -> None:
    made = shell(age)
    made.call(199, 100, res=-1, uid=0)
    made.call(199, 100, res=0, uid=33)
    made.call(193, 100, res=0, ruid=-1, euid=-1, suid=0)
    assert len(made.decoded().threads) == 1


def test_a_thread_names_itself() -> None:
    made = shell("new")
    made.call(401, 100, res=0, option=15, arg2_str="worker", arg2_int=0)
    made.call(401, 100, res=0, option=16, arg2_str="other", arg2_int=0)
    made.write(100, 3, b"x")
    seen = made.decoded()
    assert [version.name for version in seen.threads] == [b"sh", b"worker"]
    assert seen.named(seen.chunks[-1]) == "worker"


def test_a_user_that_was_added_has_a_name() -> None:
    made = shell("new")
    made.raw(354, -1, [1234, 1234, "eve", "/home/eve", "/bin/sh", ""])
    made.call(199, 100, res=0, uid=1234)
    assert made.decoded().threads[1].user == b"eve"


@pytest.mark.parametrize("age", AGES)
def test_inherited_sockets_of_a_prefork_server(age: Age) -> None:
    """A master listens, its workers accept; each connection closes with its worker's descriptor."""
    made = Recording(age)
    made.machine([Process(10, 10, 1, b"apache2", b"apache2")])
    made.socket(10, 4)
    for worker in (11, 12):
        made.fork(10, worker)
    made.accept(11, 9, PAIR)
    made.read(11, 9, b"GET / HTTP/1.1\r\n\r\n")
    made.write(11, 9, b"HTTP/1.1 200 OK\r\n\r\n")
    made.close(11, 9)
    made.accept(12, 9, tcp("10.0.0.8", 40000, "10.0.0.5", 80))
    made.exit(12)
    seen = made.decoded()
    assert [kind for kind, *_ in seen.told(1)] == ["accept", "data", "data", "close"]
    assert [kind for kind, *_ in seen.told(2)] == ["accept", "close"]
    owners = [seen.threads[conv.server_owner - 1].tid for conv in seen.convs]
    assert owners == [11, 12]
