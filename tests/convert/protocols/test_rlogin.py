"""rlogin (RFC 1282), rsh and rexec, made by hand."""

from __future__ import annotations

import pytest

from support.parsing import Talk, talk
from syswire.convert.model.sighting import ACCEPTED, REFUSED
from syswire.convert.protocols.rlogin.parser import Rlogin
from syswire.convert.protocols.rlogin.remote import Rexec, Rsh

HELLO = b"\0here\0there\0vt100/9600\0"
WINDOW = b"\xff\xffss\0\x18\0\x50\2\x80\1\xe0"


def test_a_password_that_is_typed() -> None:
    calls: Talk = [
        (True, b"\0"), (True, HELLO[1:]), (False, b"\0"), (False, b"Password: "), (True, b"wrnog\x7f\x7f\x7f"),
        (True, b"ong\r"), (False, b"\r\nLogin incorrect\r\nlogin: "), (True, b"other\r"),
        (False, b"other\r\nPassword: "), (True, b"Invented-1!\r"), (False, b"\r\nLast login: today\r\n$ "),
        (True, b"ls\r"), (False, b"ls\r\n$ "),
    ]  # fmt: skip
    found = talk(Rlogin, calls)
    assert [(s.protocol, s.username, s.secret, s.outcome) for s in found.sightings] == [
        ("rlogin", "there", b"wrong", REFUSED), ("rlogin", "other", b"Invented-1!", ACCEPTED)
    ]  # fmt: skip
    assert found.records[-1].kind == "session" and found.asked[-1] == {
        "client_user": "here", "user": "there", "terminal": "vt100", "speed": "9600", "lines": 4, "bytes": 56
    }  # fmt: skip
    assert found.sightings[1].span.offset == len(HELLO) + 12 + 6


def test_a_window_s_size_is_not_typed() -> None:
    calls: Talk = [(True, HELLO), (False, b"\0Password: "), (True, WINDOW + b"Invented-1!\r")]
    [sighting] = talk(Rlogin, calls).sightings
    assert sighting.secret == b"Invented-1!" and sighting.span.offset == len(HELLO) + 12


@pytest.mark.parametrize("cut", range(1, len(WINDOW)))
@pytest.mark.parametrize("between", [b"", b"\x80"])
def test_a_window_s_size_is_found_however_it_is_cut(cut: int, between: bytes) -> None:
    """In the middle of a password, and with a byte of the server between both parts."""
    calls: list[tuple[bool, bytes | int]] = [
        (True, HELLO), (False, b"\0Password: "), (True, b"Inven" + WINDOW[:cut]), (False, between),
        (True, WINDOW[cut:] + b"ted-1!\r"),
    ]  # fmt: skip
    found = talk(Rlogin, [call for call in calls if call[1]])
    [sighting] = found.sightings
    assert sighting.secret == b"Invented-1!" and sighting.secret_complete
    assert (sighting.span.offset, sighting.span.length) == (len(HELLO), 11 + 12)


@pytest.mark.parametrize("cuts", [None, [1], [2], [3], [1, 4]])
@pytest.mark.parametrize(
    "typed", [b"\xff", b"\xff\xff", b"\xff\xffs", b"\xff\xffsx", b"\xff\xffs\xff\xffs", b"s\xffs\xff\xffxss"]
)
def test_what_only_begins_like_a_window_s_size_is_typed(typed: bytes, cuts: list[int] | None) -> None:
    calls: Talk = [(True, HELLO), (False, b"\0Password: "), (True, typed + b"a" + WINDOW + b"\r")]
    [sighting] = talk(Rlogin, calls, cuts=cuts).sightings
    assert sighting.secret == typed + b"a" and sighting.span.offset == len(HELLO)


@pytest.mark.parametrize("cuts", [None, [1], [2], [3]])
def test_a_typed_255_before_a_window_s_size(cuts: list[int] | None) -> None:
    calls: Talk = [(True, HELLO), (False, b"\0Password: "), (True, b"\xff" + WINDOW + b"a\r")]
    assert [s.secret for s in talk(Rlogin, calls, cuts=cuts).sightings] == [b"\xffa"]


def test_the_end_of_what_only_begins_like_a_window_s_size() -> None:
    calls: Talk = [(True, HELLO), (False, b"\0Password: "), (True, b"ab\xff\xffs")]
    [sighting] = talk(Rlogin, calls).sightings
    assert sighting.secret == b"ab\xff\xffs" and not sighting.secret_complete


@pytest.mark.parametrize(("lost", "complete"), [(3, True), (8, True), (9, False)])
def test_a_loss_within_a_window_s_size(lost: int, complete: bool) -> None:
    """Lost numbers are none of what was typed."""
    rest = WINDOW[4 + lost :] + b"b\r"
    calls: Talk = [(True, HELLO), (False, b"\0Password: "), (True, b"a" + WINDOW[:4]), (True, lost), (True, rest)]
    [sighting] = talk(Rlogin, calls).sightings
    assert (sighting.secret, sighting.secret_complete) == (b"ab", complete)


@pytest.mark.parametrize("cuts", [None, [1], [100], [511, 3]])
def test_text_behind_what_are_no_names(cuts: list[int] | None) -> None:
    """Of 512 bytes without names nothing is known; what follows was typed."""
    calls: Talk = [(False, b"\0Password: "), (True, b"x" * 512 + b"Invented-1!\r")]
    [sighting] = talk(Rlogin, calls, cuts=cuts).sightings
    assert (sighting.secret, sighting.span.offset) == (b"Invented-1!", 512)


def test_a_trusted_machine_is_no_credential() -> None:
    calls: Talk = [(True, HELLO), (False, b"\0Last login: today\r\n$ "), (True, b"ls\r"), (False, b"ls\r\n$ ")]
    found = talk(Rlogin, calls)
    assert not found.sightings and [r.kind for r in found.records] == ["session"]


def test_rsh_is_no_credential() -> None:
    found = talk(Rsh, [(True, b"1021\0here\0there\0uptime now\0"), (False, b"\0 12:00 up")])
    assert found.asked == [{"error_port": 1021, "client_user": "here", "user": "there", "command": "uptime now"}]
    assert found.answered == [{"result": "accepted"}] and not found.sightings
    assert found.records[0].request is not None and found.records[0].request.span.length == 27


def test_rsh_refused() -> None:
    found = talk(Rsh, [(True, b"\0here\0there\0x\0"), (False, b"\1Permission denied.\nmore")])
    assert found.answered == [{"result": "refused", "reason": "Permission denied."}]
    assert found.asked[0] is not None and found.asked[0]["error_port"] is None


@pytest.mark.parametrize(("answer", "outcome"), [(b"\0", ACCEPTED), (b"\1Login incorrect.\n", REFUSED)])
def test_rexec(answer: bytes, outcome: str) -> None:
    found = talk(Rexec, [(True, b"0\0there\0Invented-1!\0uptime\0"), (False, answer)])
    assert found.asked == [{"error_port": 0, "user": "there", "secret": True, "command": "uptime"}]
    [sighting] = found.sightings
    assert (sighting.username, sighting.secret, sighting.outcome) == ("there", b"Invented-1!", outcome)
    assert (sighting.span.offset, sighting.span.length, sighting.protocol) == (8, 11, "rexec")
