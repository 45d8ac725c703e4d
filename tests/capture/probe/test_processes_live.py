"""Processes: how they begin, what they become and how they end, against /proc and what the test did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ring import CHILD, DEATH, ENTER, EXIT, Identity, Reader, Seen, identity, recorded
from syswire.capture.probe.load import Probe, Settings

CLONE, FORK, VFORK, CLONE3, EXECVE, EXECVEAT, SETRESUID, SETRESGID = 56, 57, 58, 435, 59, 322, 117, 119
CLONES = (CLONE, FORK, VFORK, CLONE3)


def one(ring: Reader, pid: int, *numbers: int, kind: int = EXIT) -> Seen:
    """The only such record."""
    (found,) = ring.of(pid, *numbers, kind=kind)
    return found


def status(pid: int | str) -> dict[str, str]:
    """/proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_fork_and_exit(probe: Probe) -> None:
    with recorded(probe) as ring:
        child = os.fork()
        if not child:
            os._exit(7)
        os.waitpid(child, 0)
    (parent,) = [r for r in ring.of(os.getpid(), *CLONES) if r.ret == child]
    (begun,) = [r for r in ring.of(os.getpid(), *CLONES, kind=ENTER) if r.tid == parent.tid]
    born = one(ring, child, *CLONES, kind=CHILD)
    assert begun.ts < born.ts
    assert (born.tid, born.ret, born.nr) == (child, 0, parent.nr)
    made, maker = identity(born.text), identity(parent.text)
    assert (made.ppid, made.vtid, made.vpid, made.pgid, made.sid) == (
        os.getpid(),
        child,
        child,
        os.getpgid(0),
        os.getsid(0),
    )
    assert maker.ppid == os.getppid()
    assert made.arguments == maker.arguments == Path("/proc/self/cmdline").read_bytes()[:4096]
    assert made.comm == Path("/proc/self/comm").read_bytes().rstrip()
    death = one(ring, child, kind=DEATH)
    assert (death.ret, death.nr, death.tid) == (7 << 8, 0xFFFF, child)
    assert death.ts > born.ts


def test_what_an_identity_says(probe: Probe) -> None:
    with recorded(probe) as ring:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", "print(flush=True); input()", "an argument", ""], stdin=-1, stdout=-1
        )
        assert child.stdout
        child.stdout.read(1)
        told = status(child.pid)
        command = Path(f"/proc/{child.pid}/cmdline").read_bytes()
        group = Path(f"/proc/{child.pid}/cgroup").read_text().splitlines()[-1].rpartition("/")[2]
        login = (
            int(Path(f"/proc/{child.pid}/loginuid").read_text())
            if Path(f"/proc/{child.pid}/loginuid").exists()
            else None
        )
        inode = Path(f"/proc/{child.pid}/exe").stat().st_ino
        environment = len(Path(f"/proc/{child.pid}/environ").read_bytes())
        limit = Path(f"/proc/{child.pid}/limits").read_text().partition("Max open files")[2].split()[0]
        child.communicate(b"\n", timeout=20)
    executed = one(ring, child.pid, EXECVE)
    said = identity(executed.text)
    assert said.filename == sys.executable.encode() + b"\0"
    assert said.arguments == command
    assert said.comm == told["Name"].encode()
    assert [said.uid, said.euid] == [int(x) for x in told["Uid"].split()[:2]]
    assert [said.gid, said.egid] == [int(x) for x in told["Gid"].split()[:2]]
    capabilities = [int(told[name], 16) for name in ("CapInh", "CapPrm", "CapEff")]
    assert [said.cap_inheritable, said.cap_permitted, said.cap_effective] == capabilities
    assert (said.exe_inode, said.env_size, said.fdlimit) == (inode, environment, int(limit))
    assert login in (None, said.loginuid)
    assert (said.vpgid, said.pgid, said.sid) == (
        int(told["NSpgid"].split()[-1]),
        int(told["NSpgid"].split()[0]),
        os.getsid(0),
    )
    assert said.cgroup_name.rstrip(b"\0").decode() in {group, "/"}
    assert 0 <= said.vm_rss < said.vm_size
    assert (executed.ret, executed.args) == (0, (0,) * 6)
    assert 0 < executed.enter_ts < executed.ts


def test_a_script_is_executed_by_its_name(probe: Probe, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    with recorded(probe) as ring:
        child = subprocess.Popen([script, "x"])
        child.wait(20)
    said = identity(one(ring, child.pid, EXECVE).text)
    assert said.filename == bytes(script) + b"\0"
    assert said.arguments.split(b"\0") == [b"/bin/sh", bytes(script), b"x", b""]
    assert one(ring, child.pid, kind=DEATH).ret == 3 << 8


def test_an_exec_that_fails(probe: Probe) -> None:
    with recorded(probe) as ring, pytest.raises(FileNotFoundError):
        os.execv("/nonexistent/program", ["program"])
    (failed,) = ring.of(os.getpid(), EXECVE)
    assert (failed.ret, failed.text) == (-2, b"/nonexistent/program")


def test_an_exec_by_another_thread(probe: Probe) -> None:
    command = "os.execv, args=('/bin/true', ['true', 'it is'])"
    program = f"import os, threading; threading.Thread(target={command}).start(); input()"
    with recorded(probe) as ring:
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", program], stdin=subprocess.PIPE)
        child.wait(20)
    first, second = ring.of(child.pid, EXECVE)
    assert identity(first.text).filename == sys.executable.encode() + b"\0"
    said = identity(second.text)
    assert (second.tid, said.filename, said.arguments) == (child.pid, b"/bin/true\0", b"true\0it is\0")
    assert 0 < second.enter_ts < second.ts
    assert said.comm == b"true"


def test_threads(probe: Probe) -> None:
    number = []
    with recorded(probe) as ring:
        thread = threading.Thread(target=lambda: number.append(threading.get_native_id()))
        thread.start()
        thread.join()
    (begun,) = [r for r in ring.of(os.getpid(), *CLONES, kind=CHILD) if r.tid == number[0]]
    (parent,) = [r for r in ring.of(os.getpid(), *CLONES) if r.ret == number[0]]
    assert parent.args[0] & 0x10100 == 0x10100  # CLONE_VM | CLONE_THREAD
    assert (identity(begun.text).vpid, identity(begun.text).vtid) == (os.getpid(), number[0])


def test_a_killed_process(probe: Probe) -> None:
    with recorded(probe) as ring:
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE)
        child.kill()
        child.wait(20)
    assert one(ring, child.pid, kind=DEATH).ret & 0x7F == signal.SIGKILL


def test_another_user(probe: Probe) -> None:
    if os.geteuid():
        pytest.skip("needs root")
    with recorded(probe) as ring:
        child = os.fork()
        if not child:
            os.setresgid(1234, 1234, 1234)
            os.setresuid(5678, 5679, 5680)
            os._exit(0)
        os.waitpid(child, 0)
    said: Identity = identity(one(ring, child, SETRESUID).text)
    assert (said.uid, said.euid, said.gid, said.egid) == (5678, 5679, 1234, 1234)
    assert identity(one(ring, child, SETRESGID).text).uid == 0


@pytest.fixture(scope="module")
def own_probe() -> Iterator[Probe]:
    """A probe that leaves the tests' process out."""
    try:
        made = Probe(Settings(own_pid=os.getpid()))
    except Exception as error:
        pytest.skip(str(error))
    with made:
        yield made


def test_the_recorder_is_not_recorded(own_probe: Probe) -> None:
    with recorded(own_probe) as ring:
        child = os.fork()
        if not child:
            subprocess.run(["/bin/true"], check=True)
            os._exit(0)
        os.waitpid(child, 0)
        thread = threading.Thread(target=lambda: os.close(os.dup(0)))
        thread.start()
        thread.join()
    assert not [r for r in ring.records if r.pid in {os.getpid(), child}]
    assert not [
        r for r in ring.records if r.kind == EXIT and r.nr == EXECVE and identity(r.text).filename == b"/bin/true\0"
    ]
