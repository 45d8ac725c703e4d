"""Parameters as text. The expected texts were read off sysdig 0.29.3 (tests/interop compares with the program)."""

from __future__ import annotations

import struct

import pytest

from support.still_trace import StillTrace
from support.worded import TID, Worded, code
from syswire.convert.scap.encoding import Address, Polled, Tuple, UnixAddress, UnixTuple, Value
from syswire.convert.trace import arguments
from syswire.convert.trace.model import INFOS, Event


def made(number: int, values: list[Value]) -> Event:
    """One event of the file whose process and descriptors `Worded` has."""
    file = Worded()
    file.event(number, values)
    return next(iter(StillTrace(file.data())))


def args(number: int, values: list[Value]) -> str:
    """Its parameters as evt.args."""
    return arguments.args(made(number, values))


@pytest.mark.parametrize(
    ("fd", "text"),
    [
        (3, "3(<f>/etc/abc)"),
        (5, "5(<4t>10.0.0.1:5000->10.0.0.2:80)"),
        (6, "6(<4u>10.0.0.1:5000->10.0.0.2:53)"),
        (8, "8(<6u>:::80)"),
        (18, "18(<6>2001:db8::1:5000->::1:80)"),
        (20, "20(<4r>10.0.0.1:5000->10.0.0.2:0)"),
        (21, "21(<u>)"),
        (23, "23"),
        (-1, "-1(EPERM)"),
        (-100, "-100(AT_FDCWD)"),
        (2**31, "2147483648"),
    ],
)
def test_descriptors(fd: int, text: str) -> None:
    assert args(code("read", ">"), [fd, 5]) == f"fd={text} size=5 "


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/a/../b", "/a/../b"),
        ("a", "a(/home/u/a)"),
        ("../x", "../x(/home/x)"),
        ("", "(/home/u)"),
        ("../../../..", "../../../..(/)"),
        ("<NA>", "<NA>"),
        ("(NULL)", "(NULL)(/home/u/(NULL))"),
        ("a\x01b", "ab(/home/u/a.b)"),
        ("é", "(/home/u/..)"),
    ],
)
def test_paths(path: str, text: str) -> None:
    assert args(code("mkdir", ">"), [path, 0o755]) == f"path={text} mode=1ED "


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-2, "-2(ENOENT)"),
        (-35, "-35(EDEADLK)"),
        (-512, "-512(ERESTARTSYS)"),
        (-126, "-126"),
        (5, "5"),
        (-(2**63), "-9223372036854775808"),
    ],
)
def test_results(value: int, text: str) -> None:
    assert args(code("read", "<"), [value, b"x"]) == f"res={text} data=x "


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0(0s)"),
        (999, "999(9.99e-07s)"),
        (1234567890, "1234567890(1.23457s)"),
        (2**63, "9223372036854775808(9.22337e+09s)"),
        (2**64 - 1, "none"),
    ],
)
def test_lengths_of_time(length: int, text: str) -> None:
    assert args(code("nanosleep", ">"), [length]) == f"interval={text} "


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("0.0.0.0", 0), "0.0.0.0:0"),
        (Address("::ffff:10.0.0.1", 80), "::ffff:10.0.0.1:80"),
        (Address("fe80::1:0:0:2", 1), "fe80::1:0:0:2:1"),
        (UnixAddress(b"/a\x01b"), "/ab"),
        (b"\x05abc", "family 5"),
        (b"\x02\x01", "INVALID IPv4"),
        (None, "NULL"),
    ],
)
def test_addresses(address: Value, text: str) -> None:
    assert args(code("bind", "<"), [0, address]) == f"res=0 addr={text} "


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (Tuple(Address("10.0.0.7", 4321), Address("10.0.0.5", 80)), "10.0.0.7:4321->10.0.0.5:80"),
        (Tuple(Address("::ffff:10.0.0.1", 80), Address("::ffff:10.0.0.2", 81)), "10.0.0.1:80->10.0.0.2:81"),
        (Tuple(Address("::ffff:10.0.0.1", 80), Address("::1", 81)), "::ffff:10.0.0.1:80->::1:81"),
        (UnixTuple(0xAB, 2**64 - 1, b"/a\x01b"), "ab->ffffffffffffffff /ab"),
        (b"\x05abc", "family 5"),
        (None, "NULL"),
    ],
)
def test_tuples(pair: Value, text: str) -> None:
    assert args(code("connect", "<"), [0, pair]) == f"res=0 tuple={text} "


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x01" + struct.pack("<q", -5), "-5(EIO)"),
        (b"\x02\xff\xff\xff\xff", "-1"),
        (b"\x03" + b"\xff" * 8, "-1"),
        (b"\x04" + struct.pack("<Q", 1_500_000_000), "1500000000(1.5s)"),
        (b"\x00a\x01", "a."),
        (b"\x05abc", "INVALID DYNAMIC PARAMETER"),
        (b"", "INVALID DYNAMIC PARAMETER"),
    ],
)
def test_chosen_types(value: bytes, text: str) -> None:
    found = args(code("setsockopt", "<"), [0, 3, 1, 2, value, 4])
    assert found == f"res=0 fd=3(<f>/etc/abc) level=1(SOL_SOCKET) optname=2(SO_REUSEADDR) val={text} optlen=4 "


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("file_flags", 0, "O_NONE"),
        ("file_flags", 4097, "O_RDONLY|O_CLOEXEC"),
        ("file_flags", 5, "O_CREAT|O_RDONLY"),
        ("socket_families", 1, "AF_LOCAL"),
        ("socket_families", 2**32 - 1, "AF_NFC|AF_PPPOX"),
        ("fcntl_commands", 30, "F_SETPIPE_SZ|F_GETFD|F_OFD_GETLK"),
        ("futex_operations", 128, "FUTEX_PRIVATE_FLAG"),
        ("futex_operations", 0, "FUTEX_WAIT"),
        ("execve_flags", 0, ""),
    ],
)
def test_flags(name: str, value: int, text: str) -> None:
    assert arguments.flag_names(name, value) == text


def test_flags_that_sysdig_does_not_know() -> None:
    assert args(code("open", ">"), ["/x", 1 << 14, 0]) == "name=/x flags=16384 mode=0 "


def test_polled() -> None:
    fds = [Polled(-1, -1), Polled(3, 0x7FFF), Polled(5, 1), Polled(99, 4)]
    assert args(code("poll", ">"), [fds, 5]) == "fds=18446744073709551615:?ffffffff 3:f7fff 5:41 99:?4 timeout=5 "
    cut = struct.pack("<H", 9) + struct.pack("<qh", 3, 1) + b"\1\2"
    assert args(code("poll", ">"), [cut, 5]) == "fds=3:f1 timeout=5 "


def test_numbers_of_all_bits() -> None:
    assert args(code("futex", ">"), [2**64 - 1, 0, 2**64 - 1]) == "addr=FFFFFFFFFFFFFFFF op=0(FUTEX_WAIT) val=-1 "
    assert args(code("read", ">"), [3, 2**32 - 1]) == "fd=3(<f>/etc/abc) size=-1 "
    assert args(code("creat", ">"), ["/x", 2**32 - 1]) == "name=/x mode=037777777777 "


def test_threads_users_and_signals() -> None:
    assert args(code("kill", ">"), [TID, 9]) == "pid=10(proc) sig=9(SIGKILL) "
    assert args(code("kill", ">"), [1, 64]) == "pid=1(in\x01it) sig=64 "
    assert args(code("setuid", ">"), [7]) == "uid=7(rt) "
    assert args(code("setuid", ">"), [8]) == "uid=8(<NA>) "
    assert args(code("setgid", ">"), [2**32 - 1]) == "gid=-1(<NONE>) "
    assert args(code("ppoll", ">"), [[], 0, 0b10011]) == "fds= timeout=0(0s) sigmask=SIGHUP SIGINT SIGTRAP "


def test_what_sysdig_did_not_know_is_shown_of_new_files_only() -> None:
    event = made(code("read", "<"), [1, b"x", 3, 80])
    assert arguments.args(event) == "res=1 data=x "
    assert arguments.find(event, "size") is None
    event.trace.exit_only = True
    assert arguments.args(event) == "res=1 data=x fd=3(<f>/etc/abc) size=80 "
    assert arguments.value(event, 3) == 80


def test_absent_in_new_files() -> None:
    event = made(code("recvfrom", "<"), [0, b"", None])
    assert arguments.args(event) == "res=0 data= tuple=NULL "
    event.trace.exit_only = True
    assert arguments.args(event) == "res=0 data=NULL tuple=NULL "
    event = made(code("getcwd", "<"), [0, None])
    event.trace.exit_only = True
    assert arguments.args(event) == "res=0 path=<NA> "


def test_an_argument_alone_is_what_it_stands_for() -> None:
    event = made(code("read", "<"), [-2, b"a\0b"])
    assert [arguments.text(event, index) for index in (0, 1)] == ["ENOENT", "a.b"]
    assert [arguments.value(event, index) for index in (0, 1)] == [-2, b"a\0b"]


def test_generic_events_show_nothing() -> None:
    assert args(0, [4, 77]) == ""


@pytest.mark.parametrize("size", [0, 1, 3, 7, 30])
def test_no_length_of_any_parameter_is_too_short(size: int) -> None:
    trace = StillTrace(b"")
    for number, info in enumerate(INFOS):
        for exit_only in (False, True):
            trace.exit_only = exit_only
            for filled in (b"\x00", b"\x01", b"\x02", b"\x0a", b"\xff"):
                event = Event(trace, info, number, 0, 1, tuple(filled * size for _ in info.params))
                arguments.args(event)
                for index in range(len(arguments.schema(event))):
                    arguments.value(event, index)
