"""The layouts of events, held to the event table; the compiled structures, held to record.h."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from support.made_records import NUMBERS
from syswire.capture import layouts
from syswire.capture.drain import LAYOUT
from syswire.capture.layouts import CALLS, DEATH, PEEKED, PEEKING, Call
from syswire.convert.scap import event_table as table

# Operands whose values have one size, by what the event table says of their parameter.
WIDTHS = {
    8: "ZERO_64 RESULT BYTES FD LONG INODE FIRST SECOND OWN PEER TID PID PARENT FDLIMIT MAJOR_FAULTS "
    "MINOR_FAULTS VTID VPID VPGID PGID CAP_INHERITABLE CAP_PERMITTED CAP_EFFECTIVE EXE_INODE EXIT_CODE EXIT_STATUS",
    4: "ZERO_32 GOT ASKED INT SIZE OPEN MODE CREATE_MODE SOCKET_FLAGS RESOLVE CLONE QUEUE_LENGTH QUEUE_MAX DEVICE "
    "VM_SIZE VM_RSS VM_SWAP UID GID TTY LOGINUID",
    2: "CALL NUMBER",
    1: "ZERO_8 BYTE FCNTL QUEUE_PERCENT EXIT_SIGNAL EXIT_CORE",
    0: "DATA PATH EMPTY EXE ARGUMENTS COMM CGROUPS FILENAME",
}
WIDTH_OF = {getattr(layouts, name): width for width, names in WIDTHS.items() for name in names.split()}
SOCKET_TYPES = {layouts.OUT: table.PT_SOCKTUPLE, layouts.IN: table.PT_SOCKTUPLE, layouts.ADDRESS: table.PT_SOCKADDR}
EVENTS = [
    (nr, code, operands)
    for nr, call in (*CALLS.items(), (-1, DEATH), (-2, PEEKED))
    for code, operands in (call[:2], call[2:])
]


@pytest.mark.parametrize(("nr", "code", "operands"), [event for event in EVENTS if event[1] >= 0])
def test_each_operand_suits_its_parameter(nr: int, code: int, operands: tuple[layouts.Operand, ...]) -> None:
    """By the width, or the kind of address, that the table gives it."""
    for (kind, _), (name, parameter, _) in zip(operands, table.EVENTS[code][4], strict=False):
        if kind in SOCKET_TYPES:
            assert SOCKET_TYPES[kind] == parameter, name
        elif kind != layouts.ABSENT:
            assert WIDTH_OF[kind] == table.PARAM_SIZES[parameter], name


@pytest.mark.parametrize(("nr", "call"), CALLS.items())
def test_events_are_of_their_call(nr: int, call: Call) -> None:
    """Enter and exit are a pair; sysdig 0.29.3 knows them where it has such; the number of parameters is one that is
    known: of enters the old one, of exits all of today's or, for types that newer recorders left, the old one.
    """
    name, direction, _, flags, params, known, old = table.EVENTS[call.exit]
    assert direction == "<"
    assert len(call.exit_operands) == (old if flags & table.EF_OLD_VERSION else len(params)) or nr in (32, 33, 292)
    if call.enter >= 0:
        assert call.exit == call.enter + 1
        assert len(call.enter_operands) == (table.EVENTS[call.enter][6] if known else len(table.EVENTS[call.enter][4]))
    assert known or name in ("setreuid", "setregid", "prctl", "close_range")
    called = {number: call for call, number in NUMBERS.items()}.get(nr, name)
    assert name.removesuffix("4").removesuffix("2") in called


def test_numbers_of_calls(shared: Path) -> None:
    """By the table of system calls of the machine."""
    found = json.loads((shared / "facts" / "tables" / "syscalls_x64.json").read_text("utf-8"))
    assert {name: found[str(nr)]["name"] for name, nr in NUMBERS.items()} == {name: name for name in NUMBERS}
    assert set(CALLS) >= set(NUMBERS.values())


def test_numbers_of_calls_that_peek(shared: Path) -> None:
    """By the table of scap's own numbers."""
    found = json.loads((shared / "facts" / "tables" / "ppm_sc.json").read_text("utf-8"))
    names = {number: call for call, number in NUMBERS.items()}
    assert {names[nr]: found[str(number)] for nr, number in PEEKING.items()} == {
        name: name for name in ("recvfrom", "recvmsg", "recvmmsg")
    }


def test_new_readers_convert_every_event(shared: Path) -> None:
    """Libraries since 0.20 refuse events whose number of parameters they know no conversion of."""
    rules = json.loads((shared / "facts" / "tables" / "converter_table.json").read_text("utf-8"))
    known = {(rule["code"], rule["nparams"]) for rule in rules}
    for nr, call in CALLS.items():
        full = len(table.EVENTS[call.exit][4])
        assert len(call.exit_operands) == full or (call.exit, len(call.exit_operands)) in known, nr


def test_structures_are_those_of_the_header(root: Path, tmp_path: Path) -> None:
    """A C compiler's offsets of record.h as it is now: a drain that was built from an older one must not pass."""
    fields = {
        "record": "ts pid ret args cpu data_size true_size text_size",
        "descriptor": "inode family local_port remote unix_own queue_max",
        "pair": "",
        "identity": "uid cap_effective vm_size exe_inode comm arguments_cut",
    }
    lines = []
    for name, members in fields.items():
        offsets = "".join(f", (int)offsetof(struct {name}, {member})" for member in members.split())
        form = "%d " * (1 + len(members.split()))
        lines.append(f'printf("{name} {form}\\n", (int)sizeof(struct {name}){offsets});')
    source = tmp_path / "layout.c"
    header = root / "capture" / "record.h"
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "{header}"\nint main(void) {{{"".join(lines)}}}'
    )
    subprocess.run(["cc", "-o", str(tmp_path / "layout"), str(source)], check=True)
    told = subprocess.run([str(tmp_path / "layout")], check=True, capture_output=True, text=True).stdout
    assert {name: tuple(map(int, rest.split())) for name, rest in re.findall(r"(\w+) ([\d ]+)\n", told)} == LAYOUT
