"""Telnet: commands by the RFCs, what users type and servers answer, put together by hand; and in.telnetd's own talk."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.parsing import Found, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.telnet.parser import Telnet

Calls = list[tuple[bool, bytes | int]]
IAC, SB, SE, WILL, WONT, DO = b"\xff", b"\xfa", b"\xf0", b"\xfb", b"\xfc", b"\xfd"


def up(data: bytes) -> tuple[bool, bytes | int]:
    return True, data


def down(data: bytes) -> tuple[bool, bytes | int]:
    return False, data


def typed(text: bytes, echo: bool = True) -> Calls:
    """Key by key, as a terminal without line mode sends them."""
    calls: Calls = []
    for at in range(len(text)):
        calls.append(up(text[at : at + 1]))
        if echo and text[at] >= 32:
            calls.append(down(text[at : at + 1]))
    return [*calls, up(b"\r\0"), down(b"\r\n")]


def seen(found: Found) -> list[tuple[str | None, bytes, str]]:
    return [(s.username, s.secret, s.outcome) for s in found.sightings]


def session(found: Found) -> dict[str, object]:
    last = found.records[-1]
    assert last.kind == "session" and last.request is not None
    return dict(last.request.fields)


LOGIN: Calls = [down(IAC + WILL + b"\x01" + b"\r\nhost login: "), *typed(b"ann"), down(b"Password: ")]


@pytest.mark.parametrize("cuts", [None, [1], [2, 7]])
def test_a_login_in_every_detail(cuts: list[int] | None) -> None:
    calls = [*LOGIN, *typed(b"s3c ret", echo=False), down(b"Last login: never\r\nann$ "), *typed(b"ls -l")]
    found = talk(Telnet, [*calls, down(b"total 0\r\nann$ ")], cuts=cuts)
    login, whole = found.records
    assert login.request is not None and login.response is not None and login.kind == "login"
    assert login.request.fields == {"user": "ann", "secret": True}
    assert login.response.fields == {"result": "accepted", "text": "\r\nLast login: never\r\nann$ "}
    # "ann" CR NUL, then seven keys
    assert (login.request.span.offset, login.request.span.length) == (0, 5 + 7)
    [sighting] = found.sightings
    assert (sighting.username, sighting.secret, sighting.raw, sighting.outcome) == (
        "ann",
        b"s3c ret",
        b"s3c ret",
        "accepted",
    )
    assert (sighting.span.offset, sighting.span.length, sighting.exchange) == (5, 7, 1)
    assert whole.request is not None and whole.response is not None
    assert whole.request.fields == {"lines": 3, "commands": ["ls -l"], "options": [], "bytes": 5 + 9 + 7}
    assert whole.response.fields["banner"] == "\r\nhost login: "
    assert whole.response.fields["options"] == [["will", "echo"]]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"\r\nLogin incorrect\r\nhost login: ", "refused"),
        (b"\r\nWelcome to the jar\r\n> ", "accepted"),
        (b"\r\nann@host:~$ ", "accepted"),
        (b"\r\nThere were 3 failed login attempts since the last one.\r\n# ", "accepted"),
        (b"\r\n% Access denied\r\n", "refused"),
        (b"\r\nPassword: ", "refused"),
        (b"\r\nstarting up", "unknown"),
        (b"", "unknown"),
    ],
)
def test_outcome(answer: bytes, outcome: str) -> None:
    calls = [*LOGIN, up(b"pw\r\n")]
    assert seen(talk(Telnet, [*calls, down(answer)] if answer else calls)) == [("ann", b"pw", outcome)]


@pytest.mark.parametrize(
    ("keys", "secret"),
    [
        (b"abx\x7fc", b"abc"),
        (b"abx\x08c", b"abc"),
        (b"nonsense\x15abc", b"abc"),
        (b"a nonsense\x17bc", b"a bc"),
        (b"\x1b[Dabc\x1b[3~", b"abc"),
        (b"\x7f\x7fabc", b"abc"),
        (b"a\xff\xffb", b"a\xffb"),
    ],
)
def test_line_editing(keys: bytes, secret: bytes) -> None:
    found = talk(Telnet, [*LOGIN, up(keys + b"\r\0"), down(b"\r\n$ ")])
    assert seen(found) == [("ann", secret, "accepted")] and found.sightings[0].raw == keys


@pytest.mark.parametrize("end", [b"\r\n", b"\r\0", b"\n", b"\r"])
def test_line_ends(end: bytes) -> None:
    calls: Calls = [down(b"Username: "), up(b"ann" + end), down(b"password:"), up(b"pw" + end), down(b"\r\nsw1>")]
    found = talk(Telnet, [*calls, up(b"show" + end), down(b"all\r\nsw1>")])
    assert seen(found) == [("ann", b"pw", "accepted")]
    assert session(found)["commands"] == ["show"] and session(found)["lines"] == 3


def test_several_attempts_and_a_later_password() -> None:
    again = [down(b"Login incorrect\r\nlogin: "), *typed(b"bob"), down(b"Password: ")]
    calls = [*LOGIN, *typed(b"one", False), *again, *typed(b"two", False), down(b"\r\n$ "), *typed(b"su")]
    found = talk(
        Telnet, [*calls, down(b"Password: "), *typed(b"three", False), down(b"su: Authentication failure\r\n$ ")]
    )
    assert seen(found) == [("ann", b"one", "refused"), ("bob", b"two", "accepted"), (None, b"three", "refused")]
    found = talk(Telnet, [*calls, down(b"[sudo] password for bob: "), up(b"four\r\n"), down(b"\r\n# ")])
    assert seen(found)[-1] == ("bob", b"four", "accepted")


def test_password_typed_ahead() -> None:
    found = talk(Telnet, [down(b"login: "), up(b"ann\r\nearly\r\n"), down(b"ann\r\nPassword: \r\nLast login: x\r\n$ ")])
    assert seen(found) == [("ann", b"early", "accepted")]
    echoed = talk(Telnet, [down(b"login: "), up(b"ann\r\nearly\r\n"), down(b"early\r\nPassword: \r\nWelcome\r\n$ ")])
    assert echoed.answered[0] == {"result": "accepted", "text": "\r\nPassword: \r\nWelcome\r\n$ "}
    found = talk(Telnet, [down(b"login: "), up(b"ann\r\nmenu\r\n"), down(b"ann\r\nWelcome\r\n1) quit\r\n")])
    assert seen(found) == [] and session(found)["commands"] == []


def test_what_was_not_echoed_is_not_shown() -> None:
    echoing: Calls = [down(IAC + WILL + b"\x01$ ")]
    found = talk(
        Telnet, [*echoing, *typed(b"ls"), down(b"$ Enter the combination"), *typed(b"12-34", False), down(b"\r\n")]
    )
    assert session(found)["commands"] == ["ls", None]
    pasted = talk(Telnet, [*echoing, up(b"make all\r\n"), down(b"make all\r\nok\r\n$ ")])
    assert session(pasted)["commands"] == ["make all"]
    assert session(talk(Telnet, [up(b"ann\r\nsecret\r\n")]))["commands"] == [None, None]


def test_options_and_what_they_tell() -> None:
    told = [
        b"\x18\0XTERM", b"\x1f\0\x50\0\x18", b"\x20\x0038400,38400", b"\x23\0host:0",
        b"\x27\0\0USER\1ann\3COLOR\1a\2\1b\3API_KEY\1hidden", b"\x25\0\x0f\0NTLMSSP",
    ]  # fmt: skip
    asked = IAC + WILL + b"\x18" + IAC + WONT + b"\x22"
    found = talk(Telnet, [down(IAC + DO + b"\x18"), up(asked + b"".join(IAC + SB + one + IAC + SE for one in told))])
    fields = session(found)
    assert fields["options"] == [["will", "terminal-type"], ["wont", "linemode"]]
    assert (fields["terminal"], fields["window"], fields["speed"]) == ("XTERM", [80, 24], "38400,38400")
    assert (fields["display"], fields["user"], fields["authentication"]) == ("host:0", "ann", "ntlm")
    assert fields["environment"] == [["USER", "ann"], ["COLOR", "a\1b"], ["API_KEY", None]]


def test_user_by_the_environment() -> None:
    environment = IAC + SB + b"\x27\0\0USER\1ann" + IAC + SE
    found = talk(Telnet, [up(environment), down(b"Password: "), up(b"pw\r\0"), down(b"\r\n$ ")])
    assert seen(found) == [("ann", b"pw", "accepted")]


def test_encryption_and_compression_go_quiet() -> None:
    found = talk(Telnet, [up(IAC + SB + b"\x26\x03\0" + IAC + SE + b"\x01login: x\r\n"), down(b"login: ")])
    assert [name for name, _ in found.weirds] == ["telnet-encrypted"] and session(found)["lines"] == 0
    found = talk(Telnet, [down(IAC + SB + b"\x56" + IAC + SE + b"x\x9c"), up(b"a\r\n")])
    assert [name for name, _ in found.weirds] == ["telnet-compressed"]
    follows = IAC + SB + b"\x2e\x01" + IAC + SE
    found = talk(Telnet, [up(follows), down(follows + b"\x16srv"), up(b"\x16cli")])
    [inner] = found.switched
    assert (inner.name, inner.client, inner.server) == ("tls", b"\x16cli", b"\x16srv")


def test_losses() -> None:
    found = talk(Telnet, [*LOGIN, up(b"sec"), (True, 2), up(b"t\r\0"), down(b"\r\n$ ")])
    [sighting] = found.sightings
    assert (sighting.secret, sighting.secret_complete, sighting.outcome) == (b"sect", False, "accepted")
    hidden = talk(Telnet, [down(b"$ "), (False, 50), up(b"secret?\r\n"), down(b"ok\r\n")])
    assert session(hidden)["commands"] == [None] and not hidden.sightings


def test_passwordless_and_cut_off() -> None:
    found = talk(Telnet, [down(b"login: "), *typed(b"guest"), down(b"Welcome\r\n$ "), *typed(b"ls"), down(b"$ ")])
    assert (found.asked[0], found.sightings) == ({"user": "guest"}, [])
    assert found.answered[0] is not None and found.answered[0]["result"] == "accepted"
    found = talk(Telnet, [*LOGIN, up(b"hal")])
    [sighting] = found.sightings
    assert (sighting.secret, sighting.secret_complete, sighting.outcome) == (b"hal", False, "unknown")
    required = talk(Telnet, [down(b"Password required, but none set\r\n")])
    assert not required.sightings


def test_memory_is_bounded() -> None:
    found = talk(Telnet, [down(b"$ "), *[up(b"line\r\n" * 3000), down(b"x" * 100_000)] * 3, up(b"z" * 300_000)])
    fields = session(found)
    assert fields["lines"] == 9000 and fields["commands_complete"] is False
    assert len(fields["commands"]) == 500  # type: ignore[arg-type]


def test_recorded_from_telnetd(data: Path) -> None:
    [calls] = recorded(data / "protocols" / "telnet.pcap", 2390)
    found = talk(Telnet, calls)
    assert seen(found) == [
        ("cook", b"Wrong-2m", "refused"),
        ("cook", b"Honey-6n", "accepted"),
        ("cook", b"Secret-5t", "refused"),
    ]
    assert found.sightings[1].raw == b"Honex\x7fy-6n"
    fields = session(found)
    assert (fields["terminal"], fields["commands"]) == ("VT100", ["stir pot", "sudo", "exit"])


def test_what_was_typed_ahead_of_another_question_for_a_user_is_no_password() -> None:
    asked, name = down(b"login: "), up(b"ann\r")
    found = talk(Telnet, [asked, name, up(b"bob\r"), asked, name, down(b"Password: ")])
    spans = [(r.request.span.offset, r.request.span.length) for r in found.records if r.request and r.kind == "login"]
    assert not found.sightings and spans == [(0, 3), (8, 3)]
