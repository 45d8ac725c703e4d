"""Filters on what is recorded: what the kernel is told is never more than the filter, and what is written is right."""

from __future__ import annotations

import gzip
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.faked_recording import CODES, READ, READ_DONE, event, head, numbers
from syswire.capture.filtering import Judge, Pushed, push, wanted
from syswire.capture.output import events_in
from syswire.convert.errors import UsageError
from syswire.convert.scap.event_table import EF_READS_FROM_FD, EF_WRITES_TO_FD, EVENTS

PROCEXIT = 186
LOCAL = bytes([127, 0, 0, 1])


@pytest.mark.parametrize(
    ("text", "pushed"),
    [
        ("proc.pid=12", Pushed(pids=(12,), whole=True)),
        ("proc.pid=12 and proc.name=x", Pushed(pids=(12,), comms=(b"x",), whole=True)),
        ("proc.pid in (12, 13) and proc.pid=13", Pushed(pids=(13,))),
        ("proc.pid in (12, 0x10)", Pushed(pids=(12, 16), whole=True)),
        ("proc.name=apache2 and fd.port=80", Pushed(comms=(b"apache2",), ports=(80,))),
        ("proc.name in (httpd, apache2)", Pushed(comms=(b"httpd", b"apache2"), whole=True)),
        ("fd.sport=80 and evt.dir=<", Pushed(ports=(80,))),
        ("(fd.sport=80 or fd.cport=443) and proc.name=x", Pushed(comms=(b"x",), ports=(80, 443))),
        ("fd.lport in (1, 2, 1)", Pushed(ports=(1, 2))),
        ("fd.ip=127.0.0.1", Pushed(addresses=(LOCAL,))),
        ("fd.sip=::1 and fd.rip=127.0.0.1", Pushed(addresses=(bytes(15) + b"\1",))),
        ("fd.cip in (127.0.0.1, 10.0.0.7)", Pushed(addresses=(LOCAL, bytes([10, 0, 0, 7])))),
        # a weaker condition is right, a stronger one is not: both ends of a socket have ports
        ("fd.port=80 and fd.port=4000", Pushed(ports=(80,))),
        ("fd.port in (80, 443) and fd.sport=80", Pushed(ports=(80,))),
        # not for the kernel
        ("", Pushed()),
        ("not proc.pid=12", Pushed()),
        ("proc.pid!=12", Pushed()),
        ("proc.pid>12", Pushed()),
        ("proc.pid=12 or fd.port=80", Pushed()),
        ("proc.pid=12 or not proc.pid=13", Pushed()),
        ("proc.name contains apache", Pushed()),
        ("proc.name=a-name-that-the-kernel-cuts", Pushed()),
        ("proc.pname=apache2", Pushed()),
        ("thread.tid=12", Pushed()),
        ("fd.net=10.0.0.0/8", Pushed()),
        ("fd.port=0", Pushed()),
        ("fd.port=http", Pushed()),
        ("proc.pid=0", Pushed()),
        ("evt.buffer contains secret", Pushed()),
    ],
)
def test_what_the_kernel_is_told(text: str, pushed: Pushed) -> None:
    assert push(wanted(text).tree) == pushed


@pytest.mark.parametrize("text", ["proc.nam=x", "proc.pid=", "(proc.pid=1", "fd.port=99999", "evt.type=reed"])
def test_wrong_filter_is_told_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"\Afilter: [^\n]+, at character [0-9]+\Z"):
        wanted(text)


TWO = head((7, "seven"), (8, "eight"))
PAIRS = event(1, 7, READ), event(2, 8, READ), event(3, 7), event(4, 8)


def test_input_and_output_of_others_is_left_out() -> None:
    judged = Judge(wanted("proc.name=seven"), TWO)(b"".join(PAIRS))
    assert (numbers(judged.blocks), judged.filtered, judged.found, judged.beyond) == ([1, 3], 2, 2, 0)


def test_what_changes_the_state_stays() -> None:
    open_exit = event(5, 8, CODES["open", "<"], 3, b"/etc/passwd", 1, 0)
    gone = event(6, 8, PROCEXIT, 0, 0, 0, 0, 1)
    judged = Judge(wanted("proc.name=seven"), TWO)(open_exit + PAIRS[1] + PAIRS[3] + gone)
    assert (numbers(judged.blocks), judged.filtered, judged.found) == ([5, 6], 2, 0)


@pytest.mark.parametrize("pieces", [1, 2, 4])
def test_an_exit_comes_with_its_enter(pieces: int) -> None:
    """Only then do readers understand it; the enter's own time stays, and what was counted is right again."""
    judge = Judge(wanted("evt.dir=< and proc.name=seven"), TWO)
    size = 4 // pieces
    told = [judge(b"".join(PAIRS[at : at + size])) for at in range(0, 4, size)]
    assert [number for judged in told for number in numbers(judged.blocks)] == [1, 3]
    assert (sum(one.filtered for one in told), sum(one.found for one in told)) == (2, 1)
    assert b"".join(judged.blocks for judged in told) == PAIRS[0] + PAIRS[2]


def test_blocks_of_unknown_types_stay() -> None:
    """What is not understood is not judged."""
    strange = struct.pack("<II", 0x216, 44) + struct.pack("<HQQIHI", 0, 1, 7, 26, 60000, 0) + bytes(4 + 2)
    strange = strange[:40] + struct.pack("<I", 44)
    judged = Judge(wanted("proc.name=seven"), TWO)(PAIRS[1] + strange + PAIRS[3] + strange)
    assert (judged.blocks, judged.filtered) == (strange * 2, 2)


def test_no_more_than_wanted() -> None:
    judge = Judge(wanted("proc.name=seven and evt.dir=<"), TWO)
    blocks = b"".join(PAIRS) + event(5, 7, READ) + event(6, 7) + event(7, 8, READ) + event(8, 7, READ)
    judged = judge(blocks, 2)
    assert (numbers(judged.blocks), judged.found, judged.beyond) == ([1, 3, 5, 6], 2, 2)
    assert events_in(judged.blocks) + judged.filtered + judged.beyond == events_in(blocks) == 8


@pytest.mark.parametrize(
    "text",
    ["proc.name=httpd", "fd.port=80 and evt.dir=<", "proc.name=httpd and evt.buffer contains POST", "evt.rawres<0"],
)
def test_sysdig_finds_the_same(data: Path, tool: Callable[[str], str], tmp_path: Path, text: str) -> None:
    """In what was judged as in the whole capture; and of input and output there is nothing else."""
    sysdig = tool("sysdig")
    whole = gzip.decompress((data / "made" / "act1.scap.gz").read_bytes())
    begin = 0
    while struct.unpack_from("<I", whole, begin)[0] not in (0x216, 0x217):
        begin += struct.unpack_from("<I", whole, begin + 4)[0]
    judge, out, filtered, at = Judge(wanted(text), whole[:begin]), whole[:begin], 0, begin
    while at < len(whole):
        end = at
        while end < len(whole) and end - at < 20_000:
            end += struct.unpack_from("<I", whole, end + 4)[0]
        judged = judge(whole[at:end])
        out, filtered, at = out + judged.blocks, filtered + judged.filtered, end
    assert events_in(out) + filtered == events_in(whole)
    written = tmp_path / "judged.scap"
    written.write_bytes(out)

    def lines(path: Path, asked: str) -> list[str]:
        done = subprocess.run([sysdig, "-r", path, asked], capture_output=True, text=True, check=True)
        return [line.split(" ", 1)[1] for line in done.stdout.splitlines()]

    found = lines(written, text)
    assert found == lines(data / "made" / "act1.scap.gz", text) != []
    moving = {row[0] for row in EVENTS if row[3] & (EF_READS_FROM_FD | EF_WRITES_TO_FD)} - {"sendto", "recvfrom"}
    known = moving & {"read", "write", "readv", "writev", "sendmsg", "recvmsg", "pread", "pwrite"}
    others = f"evt.type in ({', '.join(sorted(known))}) and evt.dir=< and not ({text})"
    assert lines(written, others) == []


def test_the_codes_are_those_of_read() -> None:
    assert (EVENTS[READ][:2], EVENTS[READ_DONE][:2]) == (("read", ">"), ("read", "<"))
