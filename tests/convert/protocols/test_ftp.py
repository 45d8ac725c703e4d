"""FTP's control connection: talk put together by the RFCs, and that of vsftpd and pyftpdlib with their clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.parsing import Found, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.ftp.channel import of_eprt, of_epsv, of_pasv, of_port
from syswire.convert.protocols.ftp.parser import Ftp

Calls = list[tuple[bool, bytes | int]]


def lines(*told: str) -> Calls:
    """Lines with "> " before what the client says, "< " before the server's; "\\xNN" as bytes."""
    return [(line[0] == ">", line[2:].encode("latin-1") + b"\r\n") for line in told]


def seen(found: Found) -> list[tuple[str | None, bytes, str]]:
    return [(s.username, s.secret, s.outcome) for s in found.sightings]


def codes(found: Found) -> list[tuple[str, object, object]]:
    return [
        (r.kind, r.request and r.request.fields["command"], r.response and r.response.fields.get("code"))
        for r in found.records
    ]


@pytest.mark.parametrize("cuts", [None, [1], [2, 5]])
def test_a_session_in_every_detail(cuts: list[int] | None) -> None:
    found = talk(
        Ftp,
        lines(
            "< 220-Hello", "< there", "< 220 ready", "> USER ann", "< 331 Password?", "> PASS  two words ",
            "< 230 In.", "> type I", "< 200 ok", "> PASV", "< 227 =10,0,0,9,7,208", "> REST 5", "< 350 on",
            "> RETR a b", "< 150 Opening (17 bytes).", "< 226 done", "> NOOP", "< 200 ok",
        ),
        cuts=cuts,
    )  # fmt: skip
    assert [(r.kind, r.channel) for r in found.records if r.kind in {"greeting", "transfer"}] == [
        ("greeting", None),
        ("transfer", ("10.0.0.9", 2000)),
    ]
    assert found.answered[0] == {"code": 220, "text": "Hello\nthere\nready"}
    assert (found.asked[1], found.answered[1]) == (
        {"command": "PASS", "user": "ann", "secret": True},
        {"result": "accepted", "code": 230, "text": "In.", "user_code": 331, "user_text": "Password?"},
    )
    assert (found.asked[5], found.answered[5]) == (
        {"command": "RETR", "path": "a b", "representation": "I", "restart_at": 5, "mode": "passive"},
        {
            "code": 226,
            "text": "done",
            "preliminary": [{"code": 150, "text": "Opening (17 bytes)."}],
            "size": 17,
        },
    )
    [sighting] = found.sightings
    assert (sighting.secret, sighting.username, sighting.exchange) == (b" two words ", "ann", 2)
    # behind "USER ann" CR LF and "PASS "
    assert (sighting.span.place, sighting.span.offset, sighting.span.length) == ("call 5", 10 + 5, 11)
    login = found.records[1]
    assert login.request is not None and (login.request.span.place, login.request.span.length) == ("call 3", 10 + 18)
    assert not found.weirds


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(230, "accepted"), (232, "accepted"), (530, "refused"), (430, "refused"), (332, "unknown"), (421, "unknown")],
)
def test_outcome(code: int, outcome: str) -> None:
    assert seen(talk(Ftp, lines("> USER a", "< 331 p", "> PASS b", f"< {code} x"))) == [("a", b"b", outcome)]


def test_logins_of_all_sorts() -> None:
    assert codes(talk(Ftp, lines("> USER ftp", "< 230 in"))) == [("login", "USER", 230)]
    assert codes(talk(Ftp, lines("> USER a", "< 331 p", "> SYST", "< 215 x"))) == [
        ("login", "USER", 331),
        ("command", "SYST", 215),
    ]
    found = talk(Ftp, lines("> USER a", "< 230 ok", "> PASS b", "< 230 ok"))
    assert codes(found) == [("login", "USER", 230), ("login", "PASS", 230)]
    assert seen(found) == [("a", b"b", "accepted")]
    found = talk(Ftp, lines("> USER a", "< 331 p", "> PASS b", "< 332 acct", "> ACCT c", "< 230 ok"))
    assert [(s.secret, s.field, s.outcome) for s in found.sightings] == [
        (b"b", None, "unknown"),
        (b"c", "account", "accepted"),
    ]
    assert seen(talk(Ftp, lines("> USER a", "< 331 p", "> PASS ", "< 230 ok"))) == []


def test_pipelined() -> None:
    asked = lines("> USER a", "> PASS b", "> PWD", "> USER c", "> PASS d")
    told = lines("< 331 p", "< 530 no", '< 257 "/"', "< 530 no such", "< 503 first USER")
    found = talk(Ftp, asked + told)
    assert codes(found) == [
        ("login", "PASS", 530),
        ("command", "PWD", 257),
        ("login", "USER", 530),
        ("login", "PASS", 503),
    ]
    assert seen(found) == [("a", b"b", "refused"), ("c", b"d", "refused")]


def test_abort_with_telnet_commands() -> None:
    found = talk(
        Ftp, [*lines("> RETR x", "< 150 go"), (True, b"\xff\xf4\xff\xf2ABOR\r\n"), *lines("< 426 cut", "< 226 aborted")]
    )
    assert codes(found) == [("transfer", "RETR", 426), ("command", "ABOR", 226)]
    doubled = talk(Ftp, [(True, b"USER a\r\nPASS x\xff\xffy\r\n"), *lines("< 331 p", "< 230 in")])
    assert (doubled.sightings[0].secret, doubled.sightings[0].raw) == (b"x\xffy", b"x\xff\xffy")


def test_active_and_extended() -> None:
    found = talk(
        Ftp,
        lines(
            "> PORT 192,0,2,1,1,2", "< 200 ok", "> STOR up", "< 125 go", "< 226 ok",
            "> EPSV", "< 229 Entering (|||6446|)", "> LIST", "< 150 go", "< 226 ok", "> NLST", "< 425 no",
            "> EPRT |2|2001:DB8::1|5282|", "< 200 ok", "> STOU", "< 150 FILE: x.1", "< 226 ok",
        ),
    )  # fmt: skip
    transfers = [r for r in found.records if r.kind == "transfer"]
    assert [(r.channel, r.request.fields["mode"]) for r in transfers if r.request] == [
        (("192.0.2.1", 258), "active"),
        (("", 6446), "passive"),
        (None, None),
        (("2001:db8::1", 5282), "active"),
    ]
    assert transfers[-1].response is not None and transfers[-1].response.fields["stored_as"] == "x.1"


def test_channels() -> None:
    assert of_port("1,2,3,4,5,6") == ("1.2.3.4", 1286) and of_port("1,2,3,4,5,256") is None
    assert of_port("1,2,3,4,0,0") is None and of_port("1,2,3,4,5") is None
    assert of_pasv("Entering Passive Mode (0,0,0,0,1,1)") == ("", 257) and of_pasv("no") is None
    assert of_eprt("|1|132.235.1.2|6275|") == ("132.235.1.2", 6275)
    assert of_eprt("|2|1.2.3.4|6275|") is None and of_eprt("|1|1.2.3.4|66000|") is None
    assert of_epsv("(|||6446|)") == ("", 6446) and of_epsv("(!!!1!)") == ("", 1) and of_epsv("(|||0|)") is None


def test_tls_is_handed_on() -> None:
    found = talk(Ftp, [*lines("> AUTH TLS", "< 234 go"), (True, b"\x16\x03\x01"), (False, b"\x16\x03\x03"), (True, 7)])
    [inner] = found.switched
    assert (inner.name, inner.client, inner.server) == ("tls", b"\x16\x03\x01", b"\x16\x03\x03")
    assert inner.gaps == [(True, 7)] and inner.closed is True
    assert codes(found) == [("command", "AUTH", 234)]
    refused = talk(Ftp, lines("> AUTH TLS", "< 530 no", "> USER a", "< 230 in"))
    assert not refused.switched and codes(refused)[1] == ("login", "USER", 230)


def test_blobs_of_authentication_are_left_out() -> None:
    found = talk(Ftp, lines("> AUTH GSSAPI", "< 334 go", "> ADAT YIIB", "< 235 ADAT=YGgG"))
    assert found.asked[1] == {"command": "ADAT", "argument": None, "secret": True}
    assert found.answered[1] == {"code": 235, "text": "ADAT="} and not found.switched


def test_malformed_replies_are_told() -> None:
    found = talk(Ftp, lines("> SYST", "< SYST is not known", "> RETR", "< 230_no_space", "> QUIT", "< 221 Bye"))
    assert codes(found) == [("command", "SYST", None), ("transfer", "RETR", 230), ("command", "QUIT", 221)]
    assert [name for name, _ in found.weirds] == ["ftp-bad-reply", "ftp-bad-reply"]


def test_long_lines_are_cut() -> None:
    found = talk(Ftp, [(True, b"RETR " + b"a" * 200_000 + b"\r\nNOOP\r\n"), *lines("< 550 no", "< 200 ok")])
    assert codes(found) == [("transfer", "RETR", 550), ("command", "NOOP", 200)]
    asked = found.asked[0]
    assert asked is not None and asked["path"] == "a" * (65536 - 5) and asked["argument_complete"] is False
    endless = talk(Ftp, [(False, b"230-" + b"b" * 1000 + b"\r\n" + (b"c" * 1000 + b"\r\n") * 500)])
    assert endless.answered[0] is not None and len(str(endless.answered[0]["text"])) <= 65536


def test_losses() -> None:
    cut: Calls = [*lines("> USER a", "< 331 p"), (True, b"PASS hal"), (True, 5), (False, b"230 Wel"), (False, 9)]
    found = talk(Ftp, [*cut, *lines("> PWD", "< 257 x")])
    assert codes(found) == [("login", "PASS", 230), ("command", "PWD", 257)]
    [sighting] = found.sightings
    assert (sighting.secret, sighting.secret_complete, sighting.outcome) == (b"hal", False, "accepted")
    lost: Calls = [*lines("> PWD"), (False, 20), *lines("> SYST", "< 215 x")]
    assert codes(talk(Ftp, lost)) == [("command", "PWD", None), ("command", "SYST", 215)]


def test_begin_in_the_middle_and_one_direction_only() -> None:
    found = talk(Ftp, [(False, b"of a reply\r\n230 in\r\n"), *lines("> PWD", "< 257 x")])
    assert codes(found) == [("greeting", None, 230), ("command", "PWD", 257)]
    assert seen(talk(Ftp, lines("> USER a", "> PASS b"))) == [("a", b"b", "unknown")]
    many = talk(Ftp, [(True, b"NOOP\r\n" * 3000)])
    assert len(many.records) == 3000 and many.answered == [None] * 3000


def test_recorded_from_vsftpd(data: Path) -> None:
    talks = [talk(Ftp, calls) for calls in recorded(data / "protocols" / "ftp-vsftpd.pcap", 2190)]
    talks = [found for found in talks if found.records and found.records[0].kind == "greeting"]
    assert [seen(found) for found in talks] == [[("anonymous", b"ftp@example.com", "accepted")]] * 3 + [[]]
    transfers = [[r for r in found.records if r.kind == "transfer"] for found in talks]
    assert [[r.channel for r in some] for some in transfers] == [
        [("", 61568)],
        [("127.0.0.1", 22844)],
        [("127.0.0.1", 60305)],
        [],
    ]
    assert transfers[0][0].response is not None and transfers[0][0].response.fields["size"] == 16
    [inner] = talks[3].switched
    assert inner.name == "tls" and inner.client[:3] == b"\x16\x03\x01" and inner.server[:2] == b"\x16\x03"


def test_recorded_from_pyftpdlib(data: Path) -> None:
    refused, accepted = [talk(Ftp, c) for c in recorded(data / "protocols" / "ftp-pyftpdlib.pcap", 2191)][:2]
    assert seen(refused) == [("cook", b"Fork-1b", "refused")]
    assert seen(accepted) == [("cook", b"Spoon-4v", "accepted")]
    transfers = [
        (r.request.fields, r.response.fields)
        for r in accepted.records
        if r.kind == "transfer" and r.request and r.response
    ]
    assert [(asked["command"], asked["path"], asked["mode"], told["code"]) for asked, told in transfers] == [
        ("STOR", "new.txt", "passive", 226),
        ("RETR", "old.txt", "passive", 226),
        ("NLST", None, "passive", 226),
        ("MLSD", None, "passive", 226),
        ("LIST", None, "active", 226),
        ("RETR", "new.txt", "active", 226),
        ("STOU", None, "active", 226),
        ("RETR", "absent", "active", 550),
    ]
