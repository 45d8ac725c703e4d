"""Answers to PostgreSQL's challenges: worked out by the manual's formulas, told as the lines that crackers read."""

from __future__ import annotations

import hmac
import struct
from base64 import b64decode, b64encode
from hashlib import md5, pbkdf2_hmac, sha256
from pathlib import Path

import pytest

from support.cracking import cracks
from support.parsing import talk
from support.sql_talk import LOGGED_IN, Calls, complaint, hashed, message, recorded, startup
from syswire.convert.protocols.postgresql.parser import PostgreSql

PASSWORD = b"kiesel-77"
SALT = bytes.fromhex("d9b95a00")
START = startup(b"user", "zoë".encode(), b"database", b"shop")
DEMAND = message(b"R", struct.pack("!I", 5) + SALT)


def answer(password: bytes, user: bytes, salt: bytes) -> bytes:
    """The hex of md5(md5(password + user) + salt)."""
    return md5(md5(password + user).hexdigest().encode() + salt).hexdigest().encode()


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (LOGGED_IN, "accepted"),
        (complaint(b"E", b"FATAL", b"28P01", b"password authentication failed"), "refused"),
        (complaint(b"E", b"FATAL", b"53300", b"too many clients"), "unknown"),
        (b"", "unknown"),
    ],
)
def test_md5(end: bytes, outcome: str) -> None:
    response = answer(PASSWORD, "zoë".encode(), SALT)
    calls: Calls = [(True, START), (False, DEMAND), (True, message(b"p", b"md5" + response + b"\0")), (False, end)]
    found = talk(PostgreSql, [call for call in calls if call[1]])
    (sighting,) = found.sightings
    assert sighting.secret == b"$postgres$zo\xc3\xab*d9b95a00*" + response
    assert (sighting.username, sighting.outcome, sighting.confidence) == ("zoë", outcome, "certain")
    assert sighting.details == {"mechanism": "md5", "hashcat": 11100, "john": "postgres", "challenge_seen": True}
    assert (sighting.raw, sighting.span.length, sighting.span.offset) == (response, 32, len(START) + 8)
    assert response.decode() not in repr(found.records)


def test_a_recorded_one_and_hashcat_finds_its_password(data: Path) -> None:
    """psql logged in as "old" with the invented password invented-6; the challenge was da660724."""
    lines = [
        sighting
        for calls in recorded(data / "protocols/postgresql-psql.pcap", 25432)
        for sighting in hashed(talk(PostgreSql, calls))
        if sighting.secret.startswith(b"$postgres$")
    ]
    (sighting,) = lines
    assert (sighting.username, sighting.outcome) == ("old", "accepted")
    assert sighting.secret == b"$postgres$old*da660724*" + answer(b"invented-6", b"old", bytes.fromhex("da660724"))
    assert cracks(sighting.secret, 11100, b"invented-6")


def test_the_challenge_is_not_in_the_capture() -> None:
    response = answer(PASSWORD, b"zo\xc3\xab", SALT)
    (sighting,) = talk(PostgreSql, [(True, START), (True, message(b"p", b"md5" + response + b"\0"))]).sightings
    assert sighting.secret == b"$postgres$zo\xc3\xab**" + response
    assert (sighting.confidence, sighting.outcome) == ("likely", "unknown")
    assert sighting.details is not None
    assert sighting.details["challenge_seen"] is False


@pytest.mark.parametrize(
    "calls",
    [
        [(True, START), (False, DEMAND)],
        [(True, START), (False, DEMAND), (True, message(b"X"))],
        [(True, START), (False, DEMAND), (True, message(b"p", b"md5" + b"0" * 31 + b"\0"))],
        [(True, START), (False, DEMAND), (True, message(b"p", b"MD5" + b"x" * 32 + b"\0"))],
        [(True, START), (False, LOGGED_IN), (True, message(b"Q", b"SELECT 'md5" + b"0" * 32 + b"'\0"))],
    ],
)
def test_what_tells_nothing_is_no_credential(calls: Calls) -> None:
    assert not talk(PostgreSql, calls).sightings


# The example of RFC 7677, 3: the user "user" with the password "pencil". PostgreSQL's clients leave the name out.
FIRST = b"n=,r=rOprNGfwEbeRWgbNEkqO"
CHALLENGE = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"


def proof(password: bytes) -> bytes:
    """ClientKey XOR HMAC(SHA256(ClientKey), AuthMessage)."""
    salted = pbkdf2_hmac("sha256", password, b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(sha256(key).digest(), b",".join((FIRST, CHALLENGE, FINAL)), "sha256")
    return b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True)))


def scram_calls(end: bytes) -> Calls:
    first = b"SCRAM-SHA-256\0" + struct.pack("!I", len(FIRST) + 3) + b"n,," + FIRST
    return [
        (True, START), (False, message(b"R", struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0")),
        (True, message(b"p", first)),
        (False, message(b"R", struct.pack("!I", 11) + CHALLENGE)),
        (True, message(b"p", FINAL + b",p=" + proof(PASSWORD))), (False, end),
    ]  # fmt: skip


def test_scram() -> None:
    calls = scram_calls(message(b"R", struct.pack("!I", 12) + b"v=x") + LOGGED_IN)
    found = talk(PostgreSql, calls)
    (sighting,) = found.sightings
    shown = proof(PASSWORD)
    told = b64encode(b",".join((FIRST, CHALLENGE, FINAL)))
    line = b"$".join((b"", b"scram-sha-256", "zoë".encode(), b"4096", b"W22ZaJ0SNY7soEsUEjb6gQ==", told, shown))
    assert sighting.secret == line
    assert (sighting.username, sighting.outcome, sighting.raw) == ("zoë", "accepted", shown)
    begin = sum(len(call) for to_server, call in calls if to_server and isinstance(call, bytes)) - len(shown)
    assert (sighting.span.offset, sighting.span.length) == (begin, len(shown))
    assert shown.decode() not in repr(found.records)
    assert talk(PostgreSql, calls, cuts=[1]).said() == found.said()
    refused = talk(PostgreSql, scram_calls(complaint(b"E", b"FATAL", b"28P01", b"no")))
    assert [s.outcome for s in refused.sightings] == ["refused"]


def test_scram_of_which_only_the_client_is_seen() -> None:
    calls: Calls = [call for call in scram_calls(b"") if call[0]]
    (sighting,) = talk(PostgreSql, calls).sightings
    assert (sighting.confidence, sighting.outcome) == ("likely", "unknown")
    assert sighting.secret.endswith(b"$" + proof(PASSWORD))
