"""Events of every call as sysdig 0.29.3 shows them: its text was worked out by hand from what the calls did."""

from __future__ import annotations

import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from support.drained import shown
from support.made_records import (
    CHILD,
    DEATH,
    ENTER,
    ENTER_SENT,
    IO,
    PEEK,
    SENDS,
    About,
    Identity,
    Record,
    address,
    both,
    inet,
    one,
    unix_address,
)
from syswire.capture.layouts import CALLS, EXECVE, EXECVEAT
from syswire.convert.scap import event_table as table

Show = Callable[..., list[str]]
HERE, THERE = ("10.0.0.1", 40000), ("10.0.0.2", 80)
TALK = inet(HERE, THERE)
NAME = "10.0.0.1:40000->10.0.0.2:80"
FD = f"fd=3(<4t>{NAME})"
SOCKET = one("socket", 1000, 1100, 3, (2, 1 | 0o2000000, 6))
CONNECT = both("connect", 1200, 1300, 0, (3, 0x7FFF, 16), about=TALK, text=address(*THERE))
SOCKET6 = one("socket", 1000, 1100, 3, (10, 1, 6))


@pytest.fixture
def show(tool: Callable[[str], str], tmp_path: Path) -> Show:
    """show(records, form, *filters): sysdig's lines of them."""
    sysdig = tool("sysdig")

    def lines(records: bytes, form: str = "%evt.dir %evt.type %evt.args", *filters: str) -> list[str]:
        return shown(sysdig, tmp_path / "made.scap", records, form, *filters)

    return lines


def test_a_connection_is_made_and_written_to(show: Show) -> None:
    """Events stand at their times, on their processor, with the name that connect gave the descriptor."""
    records = SOCKET + CONNECT
    records += both("write", 2000, 2500, 5, (3, 0x10, 5), about=TALK, data=b"hello", flags=IO | SENDS, cpu=1)
    lines = show(records, "%evt.rawtime %evt.cpu %proc.name %thread.tid %evt.dir %evt.type %evt.args|%fd.name")
    assert lines == [
        "1000 0 web 100 > socket domain=2(AF_INET) type=524289 proto=6 |<NA>",
        "1100 0 web 100 < socket fd=3(<4>) |",
        "1200 0 web 100 > connect fd=3(<4>) addr=10.0.0.2:80 |",
        f"1300 0 web 100 < connect res=0 tuple={NAME} |{NAME}",
        f"2000 1 web 100 > write {FD} size=5 |{NAME}",
        f"2500 1 web 100 < write res=5 data=hello |{NAME}",
    ]


IO_CALLS = [
    ("read", (3, 1, 100), 0, f"{FD} size=100", "res=4 data=data"),
    ("write", (3, 1, 4), SENDS, f"{FD} size=4", "res=4 data=data"),
    ("pread64", (3, 1, 100, 7), 0, f"{FD} size=100 pos=7", "res=4 data=data"),
    ("pwrite64", (3, 1, 4, 7), SENDS, f"{FD} size=4 pos=7", "res=4 data=data"),
    ("readv", (3, 1, 2), 0, FD, "res=4 size=4 data=data"),
    ("writev", (3, 1, 2), SENDS, f"{FD} size=0", "res=4 data=data"),
    ("preadv", (3, 1, 2, 7), 0, f"{FD} pos=7", "res=4 size=4 data=data"),
    ("pwritev", (3, 1, 2, 7), SENDS, f"{FD} size=0 pos=7", "res=4 data=data"),
    ("sendto", (3, 1, 4), SENDS, f"{FD} size=4 tuple={NAME}", "res=4 data=data"),
    ("recvfrom", (3, 1, 100), 0, f"{FD} size=100", "res=4 data=data tuple=10.0.0.2:80->10.0.0.1:40000"),
    ("sendmsg", (3, 1, 0), SENDS, f"{FD} size=0 tuple={NAME}", "res=4 data=data"),
    ("recvmsg", (3, 1, 0), 0, FD, "res=4 size=4 data=data tuple=10.0.0.2:80->10.0.0.1:40000"),
]


@pytest.mark.parametrize(("call", "args", "sends", "enter", "leave"), IO_CALLS, ids=[row[0] for row in IO_CALLS])
def test_calls_that_move_bytes(
    show: Show, call: str, args: tuple[int, ...], sends: int, enter: str, leave: str
) -> None:
    """Each has the descriptor in its enter, and result, bytes and peer in its exit."""
    name = call.removesuffix("64")
    records = SOCKET + CONNECT + both(call, 2000, 2500, 4, args, about=TALK, data=b"data", flags=IO | sends)
    records += both(call, 3000, 3500, -11, args, about=TALK, flags=IO | sends)
    lines = show(records, "%evt.dir %evt.type %evt.args", "evt.rawtime >= 2000")
    assert lines[:2] == [f"> {name} {enter}", f"< {name} {leave}"]
    assert lines[2] == f"> {name} {enter}"
    assert lines[3].startswith(f"< {name} res=-11(EAGAIN)")


def test_payload_is_byte_exact(show: Show) -> None:
    """All 256 bytes, in base64."""
    records = SOCKET + CONNECT
    records += both("read", 2000, 2500, 300, (3, 1, 999), about=TALK, data=bytes(range(256)), moved=300, flags=IO)
    (line,) = show(records, "%evt.rawres %evt.arg.data", "-b", "evt.type=read and evt.dir=<")
    assert line == "300 " + b64encode(bytes(range(256))).decode()


def test_sendfile_and_splice_tell_lengths(show: Show) -> None:
    """No bytes, only how many."""
    records = SOCKET + CONNECT
    records += both("sendfile", 2000, 2100, 4000, (3, 5, 0x7000, 8000), about=TALK, moved=4000, flags=IO | SENDS)
    records += both("splice", 2200, 2300, 70, (5, 0, 3, 0, 4096, 1), about=TALK, moved=70, flags=IO | SENDS)
    assert show(records, "%evt.dir %evt.type %evt.args", "evt.rawtime >= 2000") == [
        f"> sendfile out_{FD} in_fd=5 offset=28672 size=8000",
        "< sendfile res=4000 offset=28672",
        f"> splice fd_in=5 fd_out=3(<4t>{NAME}) size=4096 flags=1(SPLICE_F_MOVE)",
        "< splice res=70",
    ]


def test_what_is_only_looked_at(show: Show) -> None:
    """Has its name, and neither descriptor nor bytes; what is read then is there once."""
    looks = {"about": TALK, "data": b"data"}
    records = SOCKET + CONNECT + both("recvfrom", 2000, 2100, 4, (3, 1, 9, 2), flags=IO | PEEK, **looks)
    records += both("recvmsg", 2200, 2300, 4, (3, 1, 2), flags=IO | PEEK, **looks)
    records += both("recvfrom", 2400, 2500, 4, (3, 1, 9, 0), flags=IO, **looks)
    assert show(records, "%evt.dir %evt.type %fd.num %evt.buffer", "evt.rawtime >= 2000") == [
        "> recvfrom <NA> <NA>",
        "< recvfrom <NA> <NA>",
        "> recvmsg <NA> <NA>",
        "< recvmsg <NA> <NA>",
        "> recvfrom 3 <NA>",
        "< recvfrom 3 data",
    ]


def test_a_datagram_by_sendmsg(show: Show) -> None:
    """The enter has the size and the tuple, by which sysdig names the descriptor at the exit."""
    alone = inet(("10.0.0.1", 5353), ("0.0.0.0", 0), kind=2, protocol=17)
    its = {"about": alone, "args": (3, 1, 0), "text": address("9.9.9.9", 53), "flags": IO | SENDS}
    records = one("socket", 1000, 1100, 3, (2, 2, 17))
    records += Record("sendmsg", 1200, kind=ENTER, moved=800, **its).packed()  # type: ignore[arg-type]
    its["flags"] = IO | SENDS | ENTER_SENT
    records += Record("sendmsg", 1300, 800, data=b"dns", moved=800, **its).packed()  # type: ignore[arg-type]
    assert show(records, "%evt.args|%fd.name", "evt.rawtime >= 1200") == [
        "fd=3(<4>) size=800 tuple=10.0.0.1:5353->9.9.9.9:53 |",
        "res=800 data=dns |10.0.0.1:5353->9.9.9.9:53",
    ]


def test_a_server_accepts(show: Show) -> None:
    """The peer is the source; an accept that failed has no tuple."""
    talk = inet(("10.0.0.1", 8080), ("10.0.0.9", 5555), fd=15, queue=(32, 128))
    records = one("socket", 1000, 1100, 5, (2, 1, 0)) + one(
        "bind", 1200, 1300, 0, (5, 1, 16), text=address("0.0.0.0", 8080)
    )
    records += one("listen", 1400, 1500, 0, (5, 128))
    records += both("accept4", 1600, 1700, 15, (5, 0, 0, 0o2000000), about=talk)
    records += both("accept", 1800, 1900, -11, (5, 0, 0), about=About(5, 2))
    assert show(records, "%evt.dir %evt.type %evt.args|%fd.name", "evt.rawtime >= 1200") == [
        "> bind fd=5(<4>) |",
        "< bind res=0 addr=0.0.0.0:8080 |0.0.0.0:8080",
        "> listen fd=5(<4t>0.0.0.0:8080) backlog=128 |0.0.0.0:8080",
        "< listen res=0 |0.0.0.0:8080",
        "> accept flags=80000 |<NA>",
        "< accept fd=15(<4t>10.0.0.9:5555->10.0.0.1:8080) tuple=10.0.0.9:5555->10.0.0.1:8080 queuepct=25 queuelen=32 "
        "queuemax=128 |10.0.0.9:5555->10.0.0.1:8080",
        "> accept |<NA>",
        "< accept fd=-11(EAGAIN) tuple=NULL queuepct=0 queuelen=0 queuemax=0 |NULL",
    ]


def test_ipv6(show: Show) -> None:
    """Both ends; an address of IPv4 within one of IPv6 is recorded as it is, and sysdig shows it as IPv4."""
    talk = inet(("fd00::1", 40000), ("fd00::2", 443))
    records = SOCKET6 + both("connect", 1200, 1300, 0, (3, 1, 28), about=talk, text=address("fd00::2", 443))
    mapped = inet(("::ffff:10.0.0.1", 80), ("::ffff:10.0.0.9", 5555), fd=4)
    records += both("accept", 1800, 1900, 4, (5, 1, 28), about=mapped)
    assert show(records, "%evt.rawtime %evt.args|%fd.name", "evt.dir=< and evt.rawtime >= 1200") == [
        "1300 res=0 tuple=fd00::1:40000->fd00::2:443 |fd00::1:40000->fd00::2:443",
        "1900 fd=4(<4t>10.0.0.9:5555->10.0.0.1:80) tuple=10.0.0.9:5555->10.0.0.1:80 queuepct=0 queuelen=0 queuemax=0 "
        "|10.0.0.9:5555->10.0.0.1:80",
    ]


def test_unix_sockets(show: Show) -> None:
    """The kernel's names of both ends, client first on either side, and the path; abstract names without their NUL."""
    near = About(3, 1, own=0xAA, peer=0xBB)
    records = one("socket", 1000, 1100, 3, (1, 1, 0))
    records += both("connect", 1200, 1300, 0, (3, 1, 20), about=near, text=unix_address(b"/run/x.sock\0"))
    records += both("write", 1400, 1500, 2, (3, 1, 2), about=near, data=b"hi", flags=IO | SENDS)
    records += both("sendto", 1550, 1560, 2, (3, 1, 2), about=near, data=b"ho", flags=IO | SENDS)
    far = About(9, 1, own=0xBB, peer=0xAA)
    records += both("accept", 1600, 1700, 9, (8, 0, 0), about=far, text=unix_address(b"/run/x.sock\0"))
    records += one("socket", 1750, 1760, 4, (1, 2, 0))
    records += both("connect", 1800, 1900, 0, (4, 1, 20), about=About(4, 1, own=1, peer=2), text=unix_address(b"\0bus"))
    assert show(records, "%evt.rawtime %evt.args|%fd.name", "evt.rawtime >= 1200 and evt.type != socket") == [
        "1200 fd=3(<u>/run/x.sock) addr=/run/x.sock |/run/x.sock",
        "1300 res=0 tuple=aa->bb /run/x.sock |aa->bb /run/x.sock",
        "1400 fd=3(<u>aa->bb /run/x.sock) size=2 |aa->bb /run/x.sock",
        "1500 res=2 data=hi |aa->bb /run/x.sock",
        "1550 fd=3(<u>aa->bb /run/x.sock) size=2 tuple=NULL |aa->bb /run/x.sock",
        "1560 res=2 data=ho |aa->bb /run/x.sock",
        "1600 |<NA>",
        "1700 fd=9(<u>aa->bb /run/x.sock) tuple=aa->bb /run/x.sock queuepct=0 queuelen=0 queuemax=0 "
        "|aa->bb /run/x.sock",
        "1800 fd=4(<u>bus) addr=bus |bus",
        "1900 res=0 tuple=1->2 bus |1->2 bus",
    ]


def test_datagrams(show: Show) -> None:
    """The address in the call goes before the one that the socket is connected to, or stands in for it."""
    alone = inet(("10.0.0.1", 5353), ("0.0.0.0", 0), kind=2, protocol=17)
    tied = inet(("10.0.0.1", 5353), ("10.0.0.3", 53), kind=2, protocol=17)
    records = one("socket", 1000, 1100, 3, (2, 2, 17))
    sent = (3, 1, 3, 0, 1, 16)
    records += both(
        "sendto", 1200, 1300, 3, sent, about=alone, data=b"dns", flags=IO | SENDS, text=address("9.9.9.9", 53)
    )
    records += both("recvfrom", 1400, 1500, 3, sent, about=alone, data=b"ans", flags=IO, text=address("9.9.9.9", 53))
    records += both("recvfrom", 1600, 1700, -11, sent, about=alone, flags=IO)
    records += both(
        "sendto", 1800, 1900, 3, sent, about=tied, data=b"dns", flags=IO | SENDS, text=address("9.9.9.8", 53)
    )
    records += both("sendto", 2000, 2100, 3, sent, about=tied, data=b"dns", flags=IO | SENDS)
    lines = show(records, "%evt.args", "evt.rawtime >= 1200")
    assert [line.partition("tuple=")[2] for line in lines] == [
        "10.0.0.1:5353->9.9.9.9:53",
        "",
        "",
        "9.9.9.9:53->10.0.0.1:5353",
        "",
        "NULL",
        "10.0.0.1:5353->9.9.9.8:53",
        "",
        "10.0.0.1:5353->10.0.0.3:53",
        "",
    ]


def test_descriptors_are_made_and_closed(show: Show) -> None:
    """dup, dup2, dup3, fcntl, shutdown, close, pipe2, socketpair."""
    records = SOCKET + CONNECT
    records += one("dup", 1400, 1410, 4, (3,)) + one("dup2", 1420, 1430, 9, (3, 9))
    records += one("dup3", 1440, 1450, 10, (9, 10, 0o2000000)) + one("fcntl", 1460, 1470, 11, (3, 1030, 11))
    records += one("shutdown", 1480, 1490, 0, (11, 1)) + one("close", 1500, 1510, 0, (3,))
    records += one("pipe2", 1520, 1530, 0, (0, 0), about=About(20, inode=5), text=struct.pack("<ii", 20, 21))
    pair = About(22, 1, own=0x11, peer=0x22)
    records += one("socketpair", 1540, 1550, 0, (1, 1, 0, 0), about=pair, text=struct.pack("<ii", 22, 23))
    records += one("pipe", 1560, 1570, -24, (0,))
    assert show(records, "%evt.dir %evt.type %evt.args", "evt.rawtime >= 1400") == [
        f"> dup {FD}",
        f"< dup res=4(<4t>{NAME})",
        f"> dup {FD}",
        f"< dup res=9(<4t>{NAME})",
        f"> dup fd=9(<4t>{NAME})",
        f"< dup res=10(<4t>{NAME})",
        f"> fcntl {FD} cmd=26(F_DUPFD_CLOEXEC)",
        f"< fcntl res=11(<4t>{NAME})",
        f"> shutdown fd=11(<4t>{NAME}) how=1(SHUT_WR)",
        "< shutdown res=0",
        f"> close {FD}",
        "< close res=0",
        "> pipe",
        "< pipe res=0 fd1=20(<p>) fd2=21(<p>) ino=5",
        "> socketpair domain=1(AF_LOCAL) type=1 proto=0",
        "< socketpair res=0 fd1=22(<u>) fd2=23(<u>) source=11 peer=22",
        "> pipe",
        "< pipe res=-24(EMFILE) fd1=-1(EPERM) fd2=-1(EPERM) ino=0",
    ]


def test_files_are_opened(show: Show) -> None:
    """Paths with scap's flags; the mode counts only where a file may be made; the working directory moves."""
    file = About(7, device=8 << 20 | 1, inode=77)
    at = -100 & 0xFFFFFFFF
    records = one("openat", 1000, 1100, 7, (at, 1, 0o2000101, 0o644), about=file, text=b"/etc/passwd")
    records += one("open", 1200, 1300, -2, (1, 0, 0o644), text=b"/etc/nothing")
    records += one("chdir", 1400, 1500, 0, (1,), text=b"/tmp")
    records += one("openat2", 1600, 1700, 8, (at, 1, 0o102, 0o600, 1 | 8), about=file, text=b"new")
    records += one("creat", 1800, 1900, 9, (1, 0o640), about=file, text=b"made")
    assert show(records, "%evt.dir %evt.type %evt.args|%fd.name", "evt.dir=<") == [
        "< openat fd=7(<f>/etc/passwd) dirfd=-100(AT_FDCWD) name=/etc/passwd flags=4102(O_CREAT|O_WRONLY|O_CLOEXEC) "
        "mode=0644 dev=801 |/etc/passwd",
        "< open fd=-2(ENOENT) name=/etc/nothing flags=1(O_RDONLY) mode=0 dev=0 |/etc/nothing",
        "< chdir res=0 path=/tmp |<NA>",
        "< openat2 fd=8(<f>/tmp/new) dirfd=-100(AT_FDCWD) name=new(/tmp/new) flags=7(O_CREAT|O_RDWR) mode=0600 "
        "resolve=17(RESOLVE_BENEATH|RESOLVE_NO_XDEV) |/tmp/new",
        "< creat fd=9(<f>/tmp/made) name=made(/tmp/made) mode=0640 dev=801 |/tmp/made",
    ]


def test_a_process_is_made_executed_and_ends(show: Show) -> None:
    """Parent's and child's return; the child has its parent's descriptors; exec renames it; the exit code is split."""
    parent = Identity(1, comm=b"web", arguments=b"/usr/bin/web\0-x\0", euid=33, egid=33, memory=(900, 500, 7))
    child = Identity(100, vtid=101, vpid=101, comm=b"web", arguments=b"/usr/bin/web\0-x\0", euid=33, egid=33)
    program = Identity(100, vtid=101, vpid=101, comm=b"ls", arguments=b"ls\0-l\0a b\0", filename=b"/bin/ls\0", euid=33)
    records = SOCKET + CONNECT
    records += both("clone", 1400, 1450, 101, (0x1200000,), text=parent.packed())
    records += Record("clone", 1460, 0, (0x1200000,), kind=CHILD, pid=101, tid=101, text=child.packed()).packed()
    its = {"pid": 101, "tid": 101}
    records += both("write", 1500, 1600, 2, (3, 1, 2), about=TALK, data=b"ok", flags=IO | SENDS, **its)
    records += one("execve", 1700, 1750, -2, (1, 2, 3), text=b"/bin/nope", **its)
    records += one("execve", 1800, 1900, 0, (), text=program.packed(), **its)
    records += Record(0xFFFF, 2000, 0x0300, kind=DEATH, pid=101, tid=101).packed()
    records += Record(0xFFFF, 2100, 0x008B, kind=DEATH, pid=100, tid=100).packed()
    lines = show(records, "%evt.rawtime %proc.name %thread.tid %user.name %evt.args", "evt.rawtime >= 1400")
    numbers = "fdlimit=1024 pgft_maj=0 pgft_min=0"
    flags = "flags=25165824(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID) uid=33 gid=33"
    assert lines == [
        "1400 web 100 <NA>",
        "1450 web 100 <NA> res=101(web) exe=/usr/bin/web args=-x. tid=100(web) pid=100(web) ptid=1 cwd= "
        f"{numbers} vm_size=900 vm_rss=500 vm_swap=7 comm=web cgroups= {flags} vtid=100(web) vpid=100(web)",
        "1460 web 101 www-data res=0 exe=/usr/bin/web args=-x. tid=101(web) pid=101(web) ptid=100(web) cwd= "
        f"{numbers} vm_size=0 vm_rss=0 vm_swap=0 comm=web cgroups= {flags} vtid=101(web) vpid=101(web)",
        f"1500 web 101 www-data {FD} size=2",
        "1600 web 101 www-data res=2 data=ok",
        "1700 web 101 www-data filename=/bin/nope",
        "1750 web 101 www-data res=-2(ENOENT) exe=/bin/nope args= tid=101(web) pid=101(web) ptid=0 cwd= fdlimit=0 "
        "pgft_maj=0 pgft_min=0 vm_size=0 vm_rss=0 vm_swap=0 comm= cgroups= env= tty=0 pgid=0 loginuid=-1 flags=0",
        "1800 web 101 www-data filename=/bin/ls",
        f"1900 ls 101 www-data res=0 exe=ls args=-l.a b. tid=101(ls) pid=101(ls) ptid=100(web) cwd= {numbers} "
        "vm_size=0 vm_rss=0 vm_swap=0 comm=ls cgroups= env= tty=0 pgid=100(web) loginuid=-1 flags=0",
        "2000 ls 101 www-data status=768 ret=3 sig=0 core=0",
        "2100 web 100 <NA> status=139 ret=0 sig=11(SIGSEGV) core=1",
    ]


@pytest.mark.parametrize("call", ["fork", "vfork", "clone3"])
def test_other_ways_to_make_a_process(show: Show, call: str) -> None:
    """Each is an event of its own name; the child is known by its own return alone, too."""
    child = Identity(100, vtid=7, vpid=7, comm=b"kid", arguments=b"kid\0")
    records = both(call, 1400, 1450, -11, (0,))
    records += Record(call, 1460, 0, (0,), kind=CHILD, pid=7, tid=7, text=child.packed()).packed()
    lines = show(records, "%evt.rawtime %evt.type %proc.name %proc.ppid %evt.rawres")
    assert lines == [f"1400 {call} web 1 <NA>", f"1450 {call} web 1 -11", f"1460 {call} kid 100 0"]


def test_users_change(show: Show) -> None:
    """setuid and setresuid."""
    records = one("setresuid", 1000, 1100, 0, (33, 33, 0xFFFFFFFF), text=Identity().packed())
    records += one("setuid", 1200, 1300, 0, (33,), text=Identity().packed())
    assert show(records, "%evt.rawtime %evt.args|%user.name") == [
        "1000 ruid=33(www-data) euid=33(www-data) suid=-1(<NONE>) |<NA>",
        "1100 res=0 |www-data",
        "1200 uid=33(www-data) |www-data",
        "1300 res=0 |www-data",
    ]


def test_an_exit_without_its_enter_stands_alone(show: Show) -> None:
    """No enter is invented for it."""
    records = Record("read", 1000, 4, (3, 1, 9), about=TALK, data=b"late", flags=IO).packed()
    assert show(records) == ["< read res=4 data=late"]


@pytest.mark.parametrize("ret", [0, -13])
def test_every_call_is_read_by_all(show: Show, tmp_path: Path, ret: int) -> None:
    """sysdig numbers every event of a type that it knows and finds no fault; syswire's own reader shows the same."""
    records = b""
    for place, nr in enumerate(CALLS):
        at = 1000 + 10 * place
        records += one(nr, at, at + 5, ret, (1, 2, 3, 4, 5, 6), about=TALK)  # type: ignore[arg-type]
    calls = [CALLS[EXECVE if (nr, ret) == (EXECVEAT, 0) else nr] for nr in CALLS]
    codes = [code for call in calls for code in (call.enter, call.exit) if code >= 0]
    names = [table.EVENTS[code][:2] for code in codes if code < table.SYSDIG_MAX]
    lines = [line.split() for line in show(records, "%evt.type %evt.dir %evt.rawres")]
    assert [tuple(line[:2]) for line in lines] == names
    results = {line[2] for line in lines if line[1] == "<" and line[0] not in ("sendmmsg", "recvmmsg")}
    assert results == {str(ret)}  # of those two sysdig knows no parameters
    file = tmp_path / "made.scap"
    command = [sys.executable, "-m", "syswire", "read", str(file), "-p", "*%evt.type %evt.dir"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [tuple(line.split()) for line in done.stdout.splitlines()] == [table.EVENTS[code][:2] for code in codes]


@pytest.mark.parametrize("path", [b"/bin/ls", b"ls", b"../bin/ls"])
def test_execveat(show: Show, path: bytes) -> None:
    """As execve where it succeeded: sysdig crashes at an execveat of a relative path."""
    program = Identity(comm=b"ls", arguments=b"ls\0", filename=path + b"\0")
    records = one("execveat", 1000, 1100, 0, (), text=program.packed())
    records += one("execveat", 1200, 1300, -2, (5, 1, 2, 3, 0x1000), about=None, text=b"gone")
    resolved = {b"/bin/ls": "/bin/ls", b"ls": "/srv/ls", b"../bin/ls": "/bin/ls"}[path]
    assert show(records, "%evt.dir %evt.type %evt.arg[0] %proc.name %proc.exepath", "evt.dir=<") == [
        f"< execve 0 ls {resolved}",
        f"< execveat ENOENT ls {resolved}",
    ]
