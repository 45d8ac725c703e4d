"""What the texts of /proc/PID mean, and processes that end, or hide, while they are read: folders as /proc."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import plain_scap
from syswire.capture import snapshot as module
from syswire.capture.proc_descriptors import Mounts, SocketInode, open_flags, read_descriptors
from syswire.capture.proc_process import (
    Capabilities,
    parse_cgroups,
    parse_stat,
    parse_status,
    split_arguments,
    unescaped,
)
from syswire.capture.snapshot import Bounds, protocol_name, snapshot, unlisted, with_capabilities
from syswire.convert.scap.snapshot import FD_NETLINK, FD_UNSUPPORTED, Named, Process, Socket, UnixSocket, process_entry
from syswire.convert.scap.writer import ScapWriter

STATUS = b"""Name:\tnginx: (worker) 1
Umask:\t0022
State:\tS (sleeping)
Tgid:\t412
Ngid:\t0
Pid:\t415
PPid:\t411
TracerPid:\t0
Uid:\t0\t33\t33\t33
Gid:\t0\t34\t34\t34
Groups:\t33 34 35
NStgid:\t412\t7
NSpid:\t415\t9\t3
NSpgid:\t411\t6
NSsid:\t400\t0
Kthread:\t0
VmPeak:\t   99999 kB
VmSize:\t   12345 kB
VmRSS:\t    6789 kB
VmSwap:\t      12 kB
Threads:\t3
CapInh:\t0000000000000001
CapPrm:\t00000000000000ff
CapEff:\t0000000000000010
"""
STAT = b"412 (a) b (c) S 411 410 400 34816 415 4194560 1234 5 67 8 9 10 0 0 20 0 3 0 999 1 2"


def test_status() -> None:
    found = parse_status(STATUS)
    assert found.name == b"nginx: (worker) 1"
    assert (found.tgid, found.ppid, found.uid, found.gid) == (412, 411, 33, 34)
    assert (found.vpid, found.vtid, found.vpgid) == (7, 3, 6)
    assert (found.vmsize, found.vmrss, found.vmswap, found.threads) == (12345, 6789, 12, 3)
    assert found.capabilities == Capabilities(1, 0xFF, 0x10)


def test_status_of_a_kernel_without_process_namespaces() -> None:
    text = b"".join(line + b"\n" for line in STATUS.splitlines() if not line.startswith((b"NS", b"Vm")))
    found = parse_status(text)
    assert (found.vpid, found.vtid, found.vpgid, found.vmsize) == (412, 415, 0, 0)


@pytest.mark.parametrize("text", [b"", b"Name:\tx\n"])
def test_no_status(text: bytes) -> None:
    with pytest.raises(ProcessLookupError):
        parse_status(text)
    with pytest.raises(ProcessLookupError):
        parse_stat(text)


def test_names_as_they_are() -> None:
    assert unescaped(rb"a\nb\\c") == b"a\nb\\c"
    assert unescaped(rb"\011x") == b"\tx"
    assert parse_status(STATUS.replace(b"nginx: (worker) 1", rb"Uid:\n0")).name == b"Uid:\n0"


def test_stat() -> None:
    """By proc(5): session is field 6, tty 7, flags 9, minor faults 10, major faults 12."""
    found = parse_stat(STAT)
    assert (found.session, found.tty, found.flags) == (400, 34816, 4194560)
    assert (found.minor_faults, found.major_faults) == (1234, 67)


def test_arguments() -> None:
    assert split_arguments(b"/bin/ls\0-l\0\0x\0", b"ls") == (b"/bin/ls", b"-l\0\0x\0")
    assert split_arguments(b"nginx: worker process", b"nginx") == (b"nginx: worker process", b"")
    assert split_arguments(b"", b"kworker/0:1") == (b"kworker/0:1", b"")
    exe, rest = split_arguments(b"e" * 2000 + b"\0" + b"a" * 9000, b"")
    assert (len(exe), len(rest)) == (1024, 4096)


def test_control_groups() -> None:
    text = b"12:cpu,cpuacct:/docker/abc\n1:name=systemd:/x:y\n0::/system.slice/a.service\n"
    expected = b"cpu=/docker/abc\0cpuacct=/docker/abc\0systemd=/x:y\0unified=/system.slice/a.service\0"
    assert parse_cgroups(text, b"") == expected
    assert parse_cgroups(b"0::/a\n", b"cpu memory") == b"cpu=/a\0memory=/a\0"
    assert parse_cgroups(b"nonsense\n\n", b"") == b""
    long = b"3:" + b",".join(b"c%d" % number for number in range(100)) + b":/" + b"p" * 100
    assert 3900 < len(parse_cgroups(long, b"")) <= 4096


def test_flags_of_files() -> None:
    """PPM_O_*: RDONLY 1, WRONLY 2, RDWR 3, APPEND 8, DSYNC 16, NONBLOCK 64, SYNC 128, DIRECTORY 1024, TMPFILE 8192."""
    assert open_flags(os.O_RDONLY) == 1
    assert open_flags(os.O_RDWR | os.O_APPEND | os.O_CLOEXEC) == 3 | 8 | 4096
    assert open_flags(os.O_WRONLY | os.O_SYNC) == 2 | 128
    assert open_flags(os.O_WRONLY | os.O_DSYNC) == 2 | 16
    assert open_flags(os.O_RDONLY | os.O_DIRECTORY) == 1 | 1024
    assert open_flags(os.O_RDWR | os.O_TMPFILE) == 3 | 1024 | 8192
    assert open_flags(os.O_RDONLY | os.O_DIRECT | os.O_NONBLOCK) == 1 | 512 | 64


def test_mounts() -> None:
    mounts = Mounts()
    mounts.read(
        b"36 35 98:300 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n"
        b"40 36 0:50 / /a\\040b rw shared:3 master:2 - nfs4 host:/x rw\nnonsense\n41 36 zero / / rw - tmpfs x rw\n"
    )
    assert mounts.known == {36: (os.makedev(98, 300), b"ext3"), 40: (os.makedev(0, 50), b"nfs4")}


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        (b"TCP", Socket(3, "0.0.0.0", 0, "0.0.0.0", 0, 2, 77)),
        (b"UDPv6", Socket(3, "::", 0, "::", 0, 3, 77)),
        (b"MPTCP", Socket(3, "0.0.0.0", 0, "0.0.0.0", 0, 2, 77)),
        (b"UNIX-STREAM", UnixSocket(3, 77, 0, b"", 77)),
        (b"NETLINK", Named(3, FD_NETLINK, b"socket:[77]", 77)),
        (b"PACKET", Named(3, FD_UNSUPPORTED, b"PACKET:socket:[77]", 77)),
        (b"", None),
    ],
)
def test_sockets_by_their_protocol(protocol: bytes, expected: Any) -> None:
    assert unlisted(SocketInode(3, 77), protocol) == expected


def test_a_link_that_leads_elsewhere_now(tmp_path: Path) -> None:
    link = tmp_path / "3"
    link.symlink_to("socket:[78]")
    assert protocol_name(str(link), 77) == b""
    assert protocol_name(str(tmp_path / "4"), 77) == b""


def test_the_tail_of_an_entry() -> None:
    """29 bytes behind the root directory: login uid, whether the program is writable, three sets of capabilities."""
    entry = with_capabilities(process_entry("<", Process(5, 5, 1, b"c", b"e", loginuid=1000)), Capabilities(1, 2, 3))
    (found,) = [plain_scap.process_entry(plain_scap.Cursor(entry, "<"), 9)]
    assert found["root"] == b"/"
    names = ("loginuid", "exe_writable", "cap_inheritable", "cap_permitted", "cap_effective", "exe_upper_layer")
    assert [found[name] for name in names] == [1000, 0, 1, 2, 3, None]


def test_long_lists_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIST_BLOCK", 1000)
    entries = [(Process(tid, tid, 1, b"c", b"e" * 300), Capabilities()) for tid in range(2, 22)]
    blocks = list(module.process_lists(ScapWriter(), entries))
    assert len(blocks) > 4
    data = ScapWriter().section_header() + b"".join(blocks)
    lists = [one for one in plain_scap.records(data) if isinstance(one, plain_scap.Header) and one.kind == "processes"]
    assert [entry["tid"] for one in lists for entry in one.entries] == list(range(2, 22))


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(pid, name=content ...) adds a process to a folder that stands for /proc, and gives the folder."""
    for name, content in (
        ("self/mountinfo", b"36 35 8:1 / / rw - ext4 /dev/sda rw\n"),
        ("stat", b"cpu 1\nbtime 1700000000\n"),
        ("sys/kernel/pid_max", b"4194304\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    def add(pid: int, **files: bytes) -> Path:
        (tmp_path / str(pid)).mkdir(exist_ok=True)
        for name, content in files.items():
            (tmp_path / str(pid) / name).write_bytes(content)
        return tmp_path

    return add


def entries(proc: Path, bounds: Bounds | None = None) -> tuple[list[dict[str, Any]], dict[str, int]]:
    state = snapshot(proc=str(proc), bounds=bounds)
    blocks = [one for one in plain_scap.records(state.blocks) if isinstance(one, plain_scap.Header)]
    machine = next(one.entries[0] for one in blocks if one.kind == "machine")
    assert (machine["boot_time"], machine["max_pid"]) == (1_700_000_000_000_000_000, 4194304)
    return [entry for one in blocks if one.kind == "processes" for entry in one.entries], state.losses


ALONE = STATUS.replace(b"Threads:\t3", b"Threads:\t1")


def test_processes_that_ended(make: Make) -> None:
    make(10, status=ALONE, stat=STAT, cmdline=b"/bin/x\0y\0")
    make(11)  # its folder is still there, nothing in it is
    make(12, status=b"", stat=b"")  # what reads of a process that is gone can give
    found, losses = entries(make(13, status=ALONE))
    assert [(entry["tid"], entry["exe"], entry["args"]) for entry in found] == [(10, b"/bin/x", b"y\0")]
    assert losses == {"ended": 3}


def test_threads_that_ended(make: Make) -> None:
    proc = make(412, status=STATUS, stat=STAT)
    for tid, text in ((412, STATUS), (415, STATUS), (416, b"")):
        (proc / "412/task" / str(tid)).mkdir(parents=True)
        (proc / "412/task" / str(tid) / "status").write_bytes(text)
    found, losses = entries(proc)
    assert [(entry["tid"], entry["flags"], entry["vtid"]) for entry in found] == [(412, 0, 3), (415, 0x2001, 3)]
    assert losses == {"threads_ended": 1}
    found, losses = entries(proc, Bounds(threads=2))
    assert [entry["tid"] for entry in found] == [412, 415]
    assert losses == {"threads_left_out": 1}


def test_a_kernel_thread_has_a_name_only(make: Make) -> None:
    stat = STAT.replace(b" 4194560 ", b" 2129984 ")  # PF_KTHREAD
    ((entry,), losses) = entries(make(2, status=ALONE, stat=stat, cmdline=b"not read\0"))
    assert (entry["exe"], entry["args"], entry["fdlimit"]) == (b"nginx: (worker) 1", b"", 0)
    assert losses == {}


def test_descriptors_that_close(make: Make) -> None:
    """A link without its fdinfo was closed in between; where links are refused, so are all of the process."""
    proc = make(20, status=ALONE, stat=STAT)
    (proc / "20/fd").mkdir()
    (proc / "20/fdinfo").mkdir()
    for number, target in ((0, "/etc/gone"), (3, "pipe:[5]"), (4, "socket:[6]"), (5, "anon_inode:[eventfd:12]")):
        (proc / "20/fd" / str(number)).symlink_to(target)
    (proc / "20/fd/7").symlink_to("/srv/file")
    (proc / "20/fdinfo/7").write_bytes(b"pos:\t0\nflags:\t0100002\nmnt_id:\t99\nino:\t4711\n")
    folder = os.open(proc / "20", os.O_RDONLY)
    try:
        found = read_descriptors(folder, Mounts(), 100)
    finally:
        os.close(folder)
    assert [(one.fd, one.inode) for one in found.found] == [(3, 5), (4, 6), (5, 0), (7, 4711)]
    state = snapshot(proc=str(proc))
    assert (state.descriptors, state.losses) == (4, {"sockets_unknown": 1})
