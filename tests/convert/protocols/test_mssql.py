"""TDS: messages put together by hand after MS-TDS, tsql's own talk, and damage."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import ntlm_made as made
from support.fake_tds import acknowledged, done, error, packet, prelogin
from support.ntlm_made import wide
from support.parsing import Found, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.mssql.parser import MsSql

Calls = list[tuple[bool, bytes | int]]
_DATA = Path(__file__).resolve().parents[2] / "data/protocols"


def login7(user: str, hidden: bytes, sspi: bytes = b"") -> bytes:
    """LOGIN7 of TDS 7.4 (MS-TDS 2.2.6.4); `hidden`: the password as it passes."""
    at, pairs, data = 94, b"", b""
    for content in (wide("HOST"), wide(user), hidden, wide("app"), wide("srv"), b"", b"", b"", wide("db")):
        pairs += struct.pack("<HH", at + len(data), len(content) // 2)
        data += content
    tail = struct.pack("<HHHHHHI", at + len(data), len(sspi), 0, 0, 0, 0, 0)
    body = struct.pack("<IIIIIBBBBiI", 0x74000004, 4096, 7, 1, 0, 0xE0, 3, 0, 0, 0, 1033) + pairs + b"\0" * 6 + tail
    return struct.pack("<I", 4 + len(body + data + sspi)) + body + data + sspi


def old_login(user: bytes, password: bytes) -> bytes:
    """The login record of TDS 5: fields of 30 bytes and their lengths."""
    fixed = b"".join(text.ljust(30, b"\0") + bytes([len(text)]) for text in (b"HOST", user, password, b"123"))
    body = fixed + b"\3\1\6\x0a\x09\1\1\0\0" + b"\0" * 7
    body += b"isql".ljust(30, b"\0") + b"\4" + b"SYB".ljust(30, b"\0") + b"\3" + b"\0" * 256
    return body + b"\5\0\0\0" + b"\0" * 100


# "Pa" by hand: P is 50 00, halves swapped 05 00, XOR A5 gives A0 A5; a is 61 00, 16 00, B3 A5.
HIDDEN = bytes.fromhex("a0a5b3a5")


def said(found: Found) -> list[tuple[str, str | None, bytes, str]]:
    return [(s.location, s.username, s.secret, s.outcome) for s in found.sightings]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(acknowledged(), "accepted"), (error(18456, "no") + done(2), "refused"), (error(233, "?") + done(2), "unknown")],
)
def test_login7(answer: bytes, outcome: str) -> None:
    calls: Calls = [
        (True, packet(18, prelogin(2))), (False, packet(4, prelogin(2))),
        (True, packet(16, login7("ann", HIDDEN))), (False, packet(4, answer)),
    ]  # fmt: skip
    found = talk(MsSql, calls)
    assert said(found) == [("login", "ann", b"Pa", outcome)]
    assert found.asked == [
        {
            "user": "ann", "tds_version": "7.4", "client_host": "HOST", "application": "app", "server_name": "srv",
            "database": "db", "encryption": "none", "secret": True,
        },
    ]  # fmt: skip
    client = b"".join(data for up, data in calls if up and isinstance(data, bytes))
    span = found.sightings[0].span
    assert client[span.offset : span.offset + span.length] == found.sightings[0].raw == HIDDEN
    for cuts in ([1], [3], [50, 7]):
        assert talk(MsSql, calls, cuts=cuts).said() == found.said()


def test_a_login_in_two_packets() -> None:
    body = login7("ann", HIDDEN)
    calls: Calls = [(True, packet(16, body[:130], 0) + packet(16, body[130:])), (False, packet(4, acknowledged()))]
    assert said(talk(MsSql, calls)) == [("login", "ann", b"Pa", "accepted")]


def test_windows_login() -> None:
    token = b"\xed" + struct.pack("<H", len(made.challenge())) + made.challenge()
    calls: Calls = [
        (True, packet(16, login7("", b"", made.NEGOTIATE))), (False, packet(4, token)),
        (True, packet(17, made.authenticate())), (False, packet(4, acknowledged())),
    ]  # fmt: skip
    found = talk(MsSql, calls)
    assert said(found) == [("login", "Domain\\User", made.V1_LINE.encode(), "accepted")]
    assert len(found.records) == 1


@pytest.mark.parametrize(("acknowledgement", "outcome"), [(5, "accepted"), (6, "refused")])
def test_the_older_login(acknowledgement: int, outcome: str) -> None:
    ack = bytes([acknowledgement]) + b"\5\0\0\0" + b"\3SQL" + b"\x0f\0\0\0"
    answer = b"\xad" + struct.pack("<H", len(ack)) + ack + b"\xfd" + b"\0" * 8
    found = talk(MsSql, [(True, packet(2, old_login(b"sa", b"Old-Pw-1"))), (False, packet(4, answer))])
    assert said(found) == [("login", "sa", b"Old-Pw-1", outcome)]


HEADERS = struct.pack("<IIHQI", 22, 18, 2, 0, 1)


def test_batches_and_the_passwords_in_them() -> None:
    sql = "CREATE LOGIN \u00e9va WITH PASSWORD = N'n\u00e9w-Pw-9'"
    calls: Calls = [
        (True, packet(1, HEADERS + wide("select 1"))), (False, packet(4, done(0x10, 3))),
        (True, packet(1, HEADERS + wide(sql))), (False, packet(4, error(102, "near 'n\u00e9w-Pw-9'") + done(2))),
    ]  # fmt: skip
    found = talk(MsSql, calls)
    assert found.asked[0] == {"command": "batch", "sql": "select 1"}
    assert found.answered[0] == {"result": "ok", "rows": 3}
    [sighting] = found.sightings
    assert (sighting.location, sighting.secret, sighting.raw) == (
        "query-text", "n\u00e9w-Pw-9".encode(), wide("n\u00e9w-Pw-9"),
    )  # fmt: skip
    client = b"".join(data for up, data in calls if up and isinstance(data, bytes))
    assert client[sighting.span.offset :][: sighting.span.length] == sighting.raw
    assert "w-Pw-9" not in str(found.asked) + str(found.answered)


def test_a_text_that_a_procedure_runs() -> None:
    text = wide("alter login x with password = 'Q-7-rty'")
    collation = b"\x09\x04\xd0\0\x34"
    body = HEADERS + b"\xff\xff\x0a\0\0\0" + b"\0\0\xe7\x40\x1f" + collation + struct.pack("<H", len(text)) + text
    found = talk(MsSql, [(True, packet(3, body)), (False, packet(4, done(0)))])
    assert found.asked == [
        {
            "command": "call", "procedure": "sp_executesql", "sql": "alter login x with password = '********'",
            "secret": True,
        }
    ]  # fmt: skip
    assert said(found)[0][2:] == (b"Q-7-rty", "accepted")


def test_what_is_encrypted_is_left_alone() -> None:
    calls: Calls = [(True, packet(18, prelogin(1))), (False, packet(4, prelogin(1)))]
    found = talk(MsSql, [*calls, (True, packet(18, b"\x16\x03\x01\0\x05hello")), (True, b"\x17\x03\x03\0\x20" * 9)])
    assert (said(found), [name for name, _ in found.weirds]) == ([], ["mssql-encrypted"])
    # For the login alone: the queries behind it are readable again.
    calls = [(True, packet(18, prelogin(0))), (False, packet(4, prelogin(0)))]
    calls += [(True, b"\x17\x03\x03\0\x20" + b"\x99" * 32), (False, packet(4, acknowledged()))]
    found = talk(MsSql, [*calls, (True, packet(1, HEADERS + wide("select 2"))), (False, packet(4, done(0)))])
    assert {"command": "batch", "sql": "select 2"} in found.asked


@pytest.mark.parametrize(
    "calls",
    [
        [(True, packet(16, login7("ann", b""))), (False, packet(4, acknowledged()))],
        [(True, packet(1, HEADERS + wide("select password from users where name = 'Secret-1'")))],
        [(False, packet(4, wide("password = 'x'")))],
        [(True, packet(16, login7("", b"", made.NEGOTIATE)))],
    ],
)
def test_it_is_no_credential(calls: Calls) -> None:
    assert said(talk(MsSql, calls)) == []


def test_what_tsql_said() -> None:
    streams = recorded(_DATA / "mssql-tsql.pcap", 1433)
    found = [one for calls in streams for one in said(talk(MsSql, calls))]
    plain = [one for one in found if one[1] != "ANNEX\\ben"]
    assert plain == [
        ("login", "ann", b"Cellar-Door-93", "accepted"),
        ("login", "ann", b"wrong", "refused"),
        ("login", "ann", b"Cellar-Door-93", "accepted"),
        ("query-text", plain[3][1], b"New-Cleo-55", "accepted"),
    ]
    assert [one[3] for one in found if one[1] == "ANNEX\\ben"] == ["accepted"]


@given(st.integers(0, 500), st.binary(min_size=1, max_size=6), st.integers(1, 300))
@settings(max_examples=120)
def test_no_damage_raises(at: int, put: bytes, cut: int) -> None:
    damaged: Calls = []
    login = [(True, packet(16, login7("ann", HIDDEN))), (False, packet(4, acknowledged()))]
    for up, data in [*login, (True, packet(1, HEADERS + wide("select 1"))), (False, packet(4, done(0)))]:
        if 0 <= at < len(data):
            data = data[:at] + put + data[at + len(put) :]
        at -= len(data)
        damaged.append((up, data))
    talk(MsSql, damaged)
    talk(MsSql, damaged, cuts=[cut])


_KINDS = st.sampled_from([1, 2, 3, 4, 15, 16, 17, 18])


@given(st.lists(st.tuples(st.booleans(), _KINDS, st.binary(max_size=200)), max_size=6))
@settings(max_examples=80)
def test_no_bytes_raise(calls: list[tuple[bool, int, bytes]]) -> None:
    talk(MsSql, [(up, data) for up, _, data in calls])
    talk(MsSql, [(up, packet(kind, data)) for up, kind, data in calls])
