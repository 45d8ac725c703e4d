"""Fields that few captures fill, on events made for them: messages to syslog, and what procinfo events tell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from interop.test_trace_sysdig import Told, clone

from support.recording import Recording
from syswire.convert.scap.encoding import Address, UnixTuple
from syswire.convert.scap.snapshot import File, Process

MESSAGES = (
    b"no priority at all", b"<14>with", b"<>x", b"<a>x", b"<999>x", b"<14", b"<", b"", b"14>x", b"<14>", b"<-1>x",
    b"<191>Nov  1 a: b", b"<192>zz", b" <14>x", b"<0014>x", b"<14x>y", b"<14>a\nb\0c", b"< 14>x", b">x", b"1>x",
    b"<14\0>x", b"<1\xb2>", b"xx14>y", *(b"<" + b"9" * digits + b">x" for digits in (4, 9, 10, 12, 15, 16, 20, 100)),
)  # fmt: skip
SYSLOG = "*%evt.num %evt.is_syslog %syslog.facility %syslog.facility.str %syslog.severity %syslog.severity.str"
CPU = "*%evt.num %evt.type %thread.tid %thread.cpu %thread.cpu.user %thread.cpu.system"


def same(sysdig: str, path: Path, *words: str) -> int:
    """Both programs print the same; how many lines."""
    env = {**os.environ, "TZ": "UTC"}
    theirs = subprocess.run([sysdig, "-r", str(path), *words], capture_output=True, env=env, check=True).stdout
    command = [sys.executable, "-m", "syswire", "read", str(path), *words]
    ours = subprocess.run(command, capture_output=True, env=env, check=True).stdout
    assert ours.split(b"\n") == theirs.split(b"\n")
    return theirs.count(b"\n")


def test_messages_to_syslog(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    told.call(19, 10, (1, 2, 0), (30,))
    told.call(23, 10, (30, None), (0, UnixTuple(5, 6, b"/dev/log")))
    for data in MESSAGES:
        told.call(9, 10, (30, len(data)), (len(data), data))
        told.call(49, 10, (30, len(data), None), (len(data), data))
    path = tmp_path / "syslog.scap"
    path.write_bytes(b"".join(told.blocks))
    assert same(tool("sysdig"), path, "-p", f"{SYSLOG} [%syslog.message] %evt.info") >= 4 + 4 * len(MESSAGES)
    assert same(tool("sysdig"), path, "-p", "%evt.num %syslog.message") > 10


def test_cpu_time_by_procinfo(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    user = kernel = 0
    for gap, more_user, more_kernel in ((1000, 5, 5), (1000, 1, 2), (500, 37, 0), (1, 60, 39), (9, 99, 2), (9, -3, 7)):
        user, kernel = user + more_user, kernel + more_kernel
        told.now += gap * 1_000_000
        told.event(234, 10, 1000 + user, 500 + kernel)
        told.event(234, 12, user - 5, kernel - 5)
        told.call(7, 10, (1, 5), (0, b""))
    told.event(234, 777, 1000, 5)
    path = tmp_path / "procinfo.scap"
    path.write_bytes(b"".join(told.blocks))
    assert same(tool("sysdig"), path, "-D", "-p", CPU) == 25
    assert same(tool("sysdig"), path, "-D", "-p", "%evt.num %thread.cpu.user") == 12


@pytest.mark.parametrize("name", ["502Error.scap", "curl_google.scap", "test_ipv6_client.scap"])
def test_cpu_time_in_captures(shared: Path, tool: Callable[[str], str], name: str) -> None:
    path = shared / "data" / "scap" / name
    assert same(tool("sysdig"), path, "-D", "-p", CPU, "evt.type=procinfo") > 200


def test_who_has_a_descriptor_a_latency_and_an_error(tmp_path: Path, tool: Callable[[str], str]) -> None:
    told = Told()
    for code in (303, 305, 313):
        told.call(code, 10, (), (0, 1, "x", 7))
    told.call(181, 10, (), (0, "t", 1, "x"))
    told.call(317, 10, (), (0, 1, 7))
    for code in (45, 47):
        told.call(code, 10, (), (0, 1, 1, 1, b"\0" * 5, 4))
    for code in (161, 163):
        told.call(code, 10, (0, 5, 1, 1, 1, 0), (0, 1, 1, 1))
    told.call(77, 10, (1,), (0,))
    told.call(51, 10, (), ())
    told.call(55, 10, (), ())
    for number, family, address in ((7, 2, "0.0.0.0"), (8, 10, "::1")):
        told.call(19, 10, (family, 1, 6), (number,))
        told.call(21, 10, (number,), (0, Address(address, 80)))
        told.call(5, 10, (number,), (-1,))
    told.call(19, 10, (1, 1, 0), (9,))
    told.call(23, 10, (9, None), (0, UnixTuple(5, 6, b"/x")))
    told.call(223, 10, (), clone(-11, 10, 10, 1, 0))
    told.call(275, 10, (), (-1,))
    told.call(129, 10, (5, 9), (-3,))
    for code, values in ((290, (1, 2, 3)), (244, (1, 1)), (234, (5, 5)), (148, (3,)), (152, (5, 1, 1, 1, 1, 1))):
        told.event(code, 10, *values)
    path = tmp_path / "odd.scap"
    path.write_bytes(b"".join(told.blocks))
    form = "*%evt.num %evt.type %fd.num %fd.name %fd.typechar %fd.type %fd.cport %fd.cproto %fd.sport %fd.directory"
    assert same(tool("sysdig"), path, "-D", "-p", f"{form} %evt.latency %evt.res %evt.failed %proc.ppid") > 50


def test_a_path_without_a_letter_is_where_it_starts(tool: Callable[[str], str], tmp_path: Path) -> None:
    """openat of "" below a directory: sysdig shows the directory, whether there is a path or none."""
    recording = Recording("old")
    recording.machine([Process(10, 10, 1, b"sh", b"/bin/sh", b"/bin/sh", cwd=b"/srv/")], {10: [File(3, b"/etc")]})
    for dirfd, name in ((-100, b""), (-100, b"."), (3, b""), (3, b"x"), (-100, b"/abs")):
        recording.call(307, 10, fd=-2, dirfd=dirfd, name=name + b"\0", flags=1, mode=0, dev=0, ino=0)
    path = tmp_path / "openat.scap"
    path.write_bytes(bytes(recording))
    wanted = subprocess.run([tool("sysdig"), "-r", path], capture_output=True, text=True, check=True).stdout
    for shown in ("name=(/srv)", "name=.(/srv)", "name=(/etc)", "name=x(/etc/x)", "name=/abs"):
        assert f"{shown} " in wanted
    found = subprocess.run([sys.executable, "-m", "syswire", "read", path], capture_output=True, text=True, check=True)
    assert found.stdout == wanted
