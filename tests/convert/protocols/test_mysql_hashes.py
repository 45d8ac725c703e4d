"""Answers to MySQL's challenges: worked out here by the manual's formulas, told as the lines that crackers read."""

from __future__ import annotations

from hashlib import sha1, sha256

import pytest

from support.cracking import cracks
from support.parsing import Found, talk
from support.sql_talk import Calls, err, greeting, hashed, login, ok, packet
from syswire.convert.protocols.mysql.parser import MySql

PASSWORD = b"kiesel-77"
SALT = b"saltsaltmoresaltmore"
OTHER = b"ANOTHERSALT012345678"
SHA2 = b"caching_sha2_password"


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def native(password: bytes, salt: bytes) -> bytes:
    """SHA1(password) XOR SHA1(salt + SHA1(SHA1(password)))."""
    once = sha1(password).digest()
    return xor(once, sha1(salt + sha1(once).digest()).digest())


def sha2(password: bytes, salt: bytes) -> bytes:
    """SHA256(password) XOR SHA256(SHA256(SHA256(password)) + salt)."""
    once = sha256(password).digest()
    return xor(once, sha256(sha256(sha256(once).digest()).digest() + salt).digest())


def told(found: Found) -> list[tuple[str | None, bytes, str, str]]:
    return [(s.username, s.secret, s.outcome, s.confidence) for s in hashed(found)]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ok(2), "accepted"),
        (err(2, 1045, b"28000", b"Access denied"), "refused"),
        (err(2, 1049, b"42000", b"Unknown database 'shop'"), "accepted"),
        (err(2, 1040, b"08004", b"Too many connections"), "unknown"),
        (b"", "unknown"),
    ],
)
def test_native_password(answer: bytes, outcome: str) -> None:
    response = native(PASSWORD, SALT)
    calls: Calls = [(False, greeting()), (True, login(answer=response)), (False, answer)]
    found = talk(MySql, [call for call in calls if call[1]])
    line = b"$mysqlna$73616c7473616c746d6f726573616c746d6f7265*" + response.hex().encode()
    assert told(found) == [("ann", line, outcome, "certain")]
    (sighting,) = found.sightings
    assert sighting.details == {
        "mechanism": "mysql_native_password", "hashcat": 11200, "john": "mysqlna", "challenge_seen": True
    }  # fmt: skip
    assert (sighting.raw, sighting.span.length, sighting.span.offset) == (response, 20, 4 + 32 + 4 + 1)
    assert response.hex() not in repr(found.records)


def test_hashcat_finds_the_password() -> None:
    calls: Calls = [(False, greeting()), (True, login(answer=native(PASSWORD, SALT))), (False, ok(2))]
    (sighting,) = hashed(talk(MySql, calls))
    assert cracks(sighting.secret, 11200, PASSWORD)


def test_sha2_taken_from_the_cache() -> None:
    response = sha2(PASSWORD, SALT)
    calls: Calls = [(False, greeting(plugin=SHA2)), (True, login(answer=response, plugin=SHA2))]
    for end, outcome in [([packet(2, b"\1\3")], "accepted"), ([packet(2, b"\1\4")], "unknown"), ([], "unknown")]:
        found = talk(MySql, [*calls, *((False, one) for one in end)])
        line = b"$mysqlsha2$" + SALT.hex().encode() + b"*" + response.hex().encode()
        assert told(found) == [("ann", line, outcome, "certain")]
        assert found.sightings[0].details == {
            "mechanism": "caching_sha2_password", "hashcat": None, "john": None, "challenge_seen": True
        }  # fmt: skip


def test_the_server_asks_in_another_way() -> None:
    first, second = native(PASSWORD, SALT), sha2(PASSWORD, OTHER)
    switch = packet(2, b"\xfe" + SHA2 + b"\0" + OTHER + b"\0")
    calls: Calls = [
        (False, greeting()), (True, login(answer=first)), (False, switch), (True, packet(3, second)),
        (False, packet(4, b"\1\4")), (True, packet(5, b"\2")), (False, packet(6, b"\1-----BEGIN PUBLIC KEY")),
        (True, packet(7, b"\x9b" * 256)), (False, err(8, 1045, b"28000", b"no")),
    ]  # fmt: skip
    found = talk(MySql, calls)
    one = b"$mysqlna$" + SALT.hex().encode() + b"*" + first.hex().encode()
    two = b"$mysqlsha2$" + OTHER.hex().encode() + b"*" + second.hex().encode()
    assert told(found) == [("ann", one + b"\n" + two, "refused", "certain")]
    assert found.sightings[0].parts == (first, second)
    assert found.sightings[0].details == {
        "mechanism": "caching_sha2_password",
        "hashcat": None,
        "john": None,
        "challenge_seen": True,
        "before": {"mechanism": "mysql_native_password", "hashcat": 11200, "john": "mysqlna", "challenge_seen": True},
    }
    assert talk(MySql, calls, cuts=[1]).said() == found.said()


def test_another_user_within_the_session() -> None:
    """COM_CHANGE_USER answers the last challenge, unless the server gives a new one."""
    one, two = native(b"first-pw", SALT), native(PASSWORD, OTHER)
    change = b"\x11bob\0" + bytes([20]) + native(PASSWORD, SALT) + b"shop\0\x21\0mysql_native_password\0"
    calls: Calls = [
        (False, greeting()), (True, login(answer=one)), (False, ok(2)), (True, packet(0, change)),
        (False, packet(1, b"\xfemysql_native_password\0" + OTHER + b"\0")), (True, packet(2, two)), (False, ok(3)),
    ]  # fmt: skip
    found = talk(MySql, calls)
    assert [(user, line[-20:], outcome) for user, line, outcome, _ in told(found)] == [
        ("ann", one.hex().encode()[-20:], "accepted"),
        ("bob", two.hex().encode()[-20:], "accepted"),
    ]
    before, after = told(found)[1][1].split(b"\n")
    assert before == b"$mysqlna$" + SALT.hex().encode() + b"*" + native(PASSWORD, SALT).hex().encode()
    assert after.startswith(b"$mysqlna$" + OTHER.hex().encode())


def test_the_challenge_is_not_in_the_capture() -> None:
    response = native(PASSWORD, SALT)
    found = talk(MySql, [(True, login(answer=response)), (False, ok(2))])
    assert told(found) == [("ann", b"$mysqlna$*" + response.hex().encode(), "accepted", "likely")]
    details = found.sightings[0].details
    assert details is not None
    assert details["challenge_seen"] is False


@pytest.mark.parametrize(
    "calls",
    [
        [(False, greeting()), (True, login(answer=b"")), (False, ok(2))],
        [(False, greeting()), (True, login(answer=b"\1", plugin=b"sha256_password")), (False, packet(2, b"\1key"))],
        [(False, greeting()), (True, login(answer=b"\7" * 250, plugin=b"sha256_password"))],
        [(False, greeting()), (True, login(answer=b"\7" * 19)), (False, ok(2))],
        [(False, err(0, 1130, b"HY000", b"Host is not allowed"))],
    ],
)
def test_what_tells_nothing_is_no_credential(calls: Calls) -> None:
    assert not talk(MySql, calls).sightings
