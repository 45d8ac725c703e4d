"""What happens to descriptors: copies, closes, execve and fork, in both forms; judged by whose bytes go where."""

from __future__ import annotations

import pytest

from support.recording import AGES, Age, Recording, tcp
from syswire.convert.model.rows import CHUNK_CLOSE, CHUNK_DATA
from syswire.convert.scap.snapshot import Process

PAIR = tcp("10.0.0.7", 40000, "10.0.0.5", 80)
OTHER = tcp("10.0.0.7", 40001, "10.0.0.9", 443)


def client(age: Age) -> Recording:
    """Process 100 with a connection at descriptor 3."""
    made = Recording(age)
    made.machine([Process(100, 100, 1, b"curl", b"/usr/bin/curl"), Process(200, 200, 1, b"sh", b"/bin/sh")])
    made.socket(100, 3)
    made.connect(100, 3, PAIR)
    return made


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("how", ["dup", "dup2", "dup3", "fcntl"])
def test_a_copy_leads_to_the_same_connection_and_the_last_close_counts(age: Age, how: str) -> None:
    made = client(age)
    if how == "fcntl":
        made.call(151, 100, res=7, fd=3, cmd=1)
    else:
        getattr(made, how)(100, 3, 7)
    made.close(100, 3)
    made.write(100, 7, b"hello")
    made.close(100, 7)
    seen = made.decoded()
    assert seen.told() == [
        ("connect", "client", ">", b""),
        ("data", "client", ">", b"hello"),
        ("close", "client", ">", b""),
    ]
    assert seen.chunks[-1].exit_time == made.now


@pytest.mark.parametrize("age", AGES)
def test_a_copy_over_an_open_socket_closes_that(age: Age) -> None:
    made = client(age)
    made.socket(100, 4)
    made.connect(100, 4, OTHER)
    made.dup2(100, 3, 4)
    made.write(100, 4, b"to the first")
    seen = made.decoded()
    assert seen.told(2) == [("connect", "client", ">", b""), ("close", "client", ">", b"")]
    assert seen.told(1)[-1] == ("data", "client", ">", b"to the first")


@pytest.mark.parametrize("age", AGES)
def test_a_copy_onto_itself_changes_nothing(age: Age) -> None:
    made = client(age)
    made.dup2(100, 3, 3)
    made.write(100, 3, b"x")
    made.close(100, 3)
    assert [kind for kind, *_ in made.decoded().told()] == ["connect", "data", "close"]


@pytest.mark.parametrize("age", AGES)
def test_a_copy_of_what_is_not_known_frees_the_number(age: Age) -> None:
    made = client(age)
    made.dup2(100, 66, 3)
    made.write(100, 3, b"elsewhere")
    assert [kind for kind, *_ in made.decoded().told()] == ["connect", "close"]


@pytest.mark.parametrize("age", AGES)
def test_failed_calls_change_nothing(age: Age) -> None:
    made = client(age)
    made.close(100, 3, res=-4)
    made.socket(100, -24)
    made.dup2(100, 3, -9)
    made.exec(100, "/bin/none", res=-2)
    made.write(100, 3, b"still")
    assert made.decoded().told()[-1] == ("data", "client", ">", b"still")


def test_close_range() -> None:
    made = client("new")
    made.socket(100, 4)
    made.connect(100, 4, OTHER)
    made.call(451, 100, res=0, first=4, last=0xFFFFFFFF, flags=0)
    made.write(100, 3, b"kept")
    seen = made.decoded()
    assert [kind for kind, *_ in seen.told(2)] == ["connect", "close"]
    assert [kind for kind, *_ in seen.told(1)] == ["connect", "data"]


@pytest.mark.parametrize("first,last", [(3, 3), (0, 3), (3, 0x7FFFFFFF), (0, 0xFFFFFFFF)])
def test_close_range_is_inclusive(first: int, last: int) -> None:
    made = client("new")
    made.call(451, 100, res=0, first=first, last=last, flags=0)
    assert [kind for kind, *_ in made.decoded().told()] == ["connect", "close"]


def test_close_range_that_only_marks_closes_at_exec() -> None:
    """CLOSE_RANGE_CLOEXEC (4) closes nothing before an execve."""
    made = client("new")
    made.call(451, 100, res=0, first=3, last=9, flags=4)
    made.write(100, 3, b"open")
    made.exec(100, "/bin/next")
    assert [kind for kind, *_ in made.decoded().told()] == ["connect", "data", "close"]


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("how", ["socket", "plain socket", "fcntl"])
def test_execve_closes_what_is_marked(age: Age, how: str) -> None:
    made = client(age)
    made.socket(100, 5 if how == "fcntl" else 4, kind=1 | 0x80000 if how == "socket" else 1)
    if how == "fcntl":
        made.call(151, 100, res=4, fd=5, cmd=26)
        made.close(100, 5)
    made.connect(100, 4, OTHER)
    made.exec(100, "/bin/next")
    made.write(100, 4, b"after")
    kinds = [kind for kind, *_ in made.decoded().told(2)]
    assert kinds == (["connect", "data"] if how == "plain socket" else ["connect", "close"])


def test_execve_closes_a_marked_copy_only() -> None:
    made = client("new")
    made.dup3(100, 3, 4, cloexec=True)
    made.exec(100, "/bin/next")
    made.write(100, 4, b"gone")
    made.write(100, 3, b"here")
    assert made.decoded().told()[1:] == [("data", "client", ">", b"here")]


@pytest.mark.parametrize("code", [249, 389])
def test_execve_closes_an_accepted_connection_that_is_marked(code: int) -> None:
    made = Recording("new" if code == 389 else "old")
    made.machine([Process(100, 100, 1, b"nginx", b"nginx")])
    made.call(code, 100, fd=4, tuple=PAIR, flags=0x80000)
    made.exec(100, "/bin/next")
    assert [kind for kind, *_ in made.decoded().told()] == ["accept", "close"]


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("maker", ["eventfd", "pipe", "open", "unknown family", "accept without addresses"])
def test_a_number_that_is_used_again_no_longer_leads_to_the_connection(age: Age, maker: str) -> None:
    """A close that was lost: what took the number is not the connection, whatever it is."""
    made = client(age)
    if maker == "eventfd":
        made.call(63, 100, res=3, initval=0, flags=0)
    elif maker == "pipe":
        made.call(61, 100, res=0, fd1=3, fd2=9)
    elif maker == "open":
        made.call(307, 100, fd=3, dirfd=-100, name="/etc/passwd", flags=1)
    elif maker == "unknown family":
        made.socket(100, 3, domain=17, kind=3)
    else:
        made.accept(100, 3, None)
    made.write(100, 3, b"elsewhere")
    assert [kind for kind, *_ in made.decoded().told()] == ["connect", "close"]


@pytest.mark.parametrize("age", AGES)
def test_fork_shares_the_connection(age: Age) -> None:
    made = client(age)
    made.fork(100, 101)
    made.close(100, 3)
    made.write(101, 3, b"child")
    made.exit(101)
    seen = made.decoded()
    assert [kind for kind, *_ in seen.told()] == ["connect", "data", "close"]
    data = seen.chunks[1]
    assert (data.kind, seen.threads[data.thread - 1].tid) == (CHUNK_DATA, 101)
    assert seen.chunks[2].kind == CHUNK_CLOSE
    assert seen.chunks[2].exit_time == made.now
