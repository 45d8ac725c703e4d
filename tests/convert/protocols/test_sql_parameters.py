"""Passwords among the parameters of prepared statements: MySQL's COM_STMT_EXECUTE and PostgreSQL's Bind."""

from __future__ import annotations

import struct

import pytest

from support.parsing import Found, talk
from support.sql_talk import LOGGED_IN, Calls, cleartext, complaint, err, greeting, lenenc, login, message, ok, packet
from support.sql_talk import startup as started
from syswire.convert.protocols.mysql.parser import MySql
from syswire.convert.protocols.postgresql.parser import PostgreSql
from syswire.convert.protocols.sql.placeholders import passwords

VARCHAR = b"\xfd\0"
SECRET = b"Paul-47-Rot"


def my_calls(sql: bytes, values: list[bytes], answer: bytes) -> Calls:
    """A statement with texts for its parameters."""
    count = len(values)
    definition = packet(2, lenenc(b"def") + lenenc(b"") * 3 + lenenc(b"?") + lenenc(b"") + b"\x0c" + bytes(12))
    prepared = packet(1, b"\0" + struct.pack("<IHHBH", 1, 0, count, 0, 0)) + definition * count
    prepared += packet(2 + count, b"\xfe\0\0\2\0")
    head = b"\x17" + struct.pack("<IBI", 1, 0, 1) + bytes((count + 7) // 8) + b"\1" + VARCHAR * count
    execute = packet(0, head + b"".join(map(lenenc, values)))
    begin: Calls = [(False, greeting()), (True, login()), (False, ok(2))]
    return [*begin, (True, packet(0, b"\x16" + sql)), (False, prepared), (True, execute), (False, answer)]


def pg_calls(sql: bytes, values: list[bytes], answer: bytes) -> Calls:
    """The same by Parse, Bind, Execute and Sync."""
    bound = b"".join(struct.pack(">I", len(value)) + value for value in values)
    bind = message(b"B", b"\0\0\0\0" + struct.pack(">H", len(values)) + bound + b"\0\0")
    asked = message(b"P", b"\0" + sql + b"\0\0\0") + bind + message(b"E", b"\0" + bytes(4)) + message(b"S")
    begin: Calls = [(True, started(b"user", b"app")), (False, LOGGED_IN)]
    return [*begin, (True, asked), (False, answer + message(b"Z", b"I"))]


def pg_done(tag: bytes) -> bytes:
    return message(b"1") + message(b"2") + message(b"C", tag + b"\0")


def execution(found: Found) -> dict[str, object]:
    """Fields of the execution."""
    return next(dict(asked) for asked in found.asked if asked and asked.get("command") == "execute")


@pytest.mark.parametrize(
    ("sql", "values", "user"),
    [
        (b"INSERT INTO users (name, password) VALUES (?, ?)", [b"ann", SECRET], "ann"),
        (b"UPDATE users SET password = ? WHERE id = ?", [SECRET, b"7"], "7"),
        (b"UPDATE account SET pwd=SHA2(?, 256) WHERE email='a@b.example'", [SECRET], "a@b.example"),
        (b"SELECT id FROM users WHERE user=? AND password=?", [b"ann", SECRET], "ann"),
        (b"ALTER USER 'ann'@'%' IDENTIFIED BY ?", [SECRET], "ann"),
    ],
)
def test_mysql(sql: bytes, values: list[bytes], user: str) -> None:
    calls = my_calls(sql, values, ok())
    for found in (talk(MySql, calls), talk(MySql, calls, cuts=[1])):
        (one,) = cleartext(found)
        assert (one.location, one.username, one.secret, one.confidence) == ("query-parameter", user, SECRET, "likely")
        assert one.outcome == ("unknown" if sql.startswith(b"SELECT") else "accepted")
        said = b"".join(data for to_server, data in calls if to_server and isinstance(data, bytes))
        assert said[one.span.offset : one.span.offset + one.span.length] == SECRET
        asked = execution(found)
        assert asked["secret"] is True
        assert SECRET.decode() not in repr(found.records)
        others = [value.decode() for value in values if value != SECRET]
        told = asked["parameters"]
        assert isinstance(told, list)
        if b"SET password" not in sql:  # might be MySQL's own SET PASSWORD: all are left out
            assert [value for value in told if value is not None] == others


@pytest.mark.parametrize(
    ("sql", "values", "user"),
    [
        (b"INSERT INTO users (name, password) VALUES ($1, $2)", [b"ann", SECRET], "ann"),
        (b"INSERT INTO users (password, name) VALUES ($2::text, $1::varchar(20))", [b"ann", SECRET], "ann"),
        (b"UPDATE users SET password = crypt($1, gen_salt('bf')) WHERE login = $2", [SECRET, b"ann"], "ann"),
        (b"SELECT 1 FROM t WHERE username = $1 AND password = $2", [b"ann", SECRET], "ann"),
    ],
)
def test_postgresql(sql: bytes, values: list[bytes], user: str) -> None:
    looks_up = sql.startswith(b"SELECT")
    calls = pg_calls(sql, values, pg_done(b"SELECT 1" if looks_up else b"UPDATE 1"))
    for found in (talk(PostgreSql, calls), talk(PostgreSql, calls, cuts=[1])):
        (one,) = cleartext(found)
        assert (one.location, one.username, one.secret, one.confidence) == ("query-parameter", user, SECRET, "likely")
        assert one.outcome == ("unknown" if looks_up else "accepted")
        said = b"".join(data for to_server, data in calls if to_server and isinstance(data, bytes))
        assert said[one.span.offset : one.span.offset + one.span.length] == SECRET
        asked = execution(found)
        assert asked["secret"] is True
        if b"SET password" not in sql:  # as above
            assert asked["parameters"] == [None if value == SECRET else value.decode() for value in values]
        assert SECRET.decode() not in repr(found.records)


def test_refused_and_quoted() -> None:
    insert = b"INSERT INTO users (name, password) VALUES ("
    quoted = b"Data too long: '" + SECRET + b"'"
    mine = talk(MySql, my_calls(insert + b"?, ?)", [b"ann", SECRET], err(1, 1406, b"22001", quoted)))
    answer = message(b"1") + complaint(b"E", b"ERROR", b"22001", quoted)
    theirs = talk(PostgreSql, pg_calls(insert + b"$1, $2)", [b"ann", SECRET], answer))
    for found in (mine, theirs):
        assert [one.outcome for one in cleartext(found)] == ["refused"]
        assert SECRET.decode() not in repr(found.records)


def test_a_hash_is_told_as_one() -> None:
    digest = b"5f4dcc3b5aa765d61d8327deb882cf99"
    found = talk(MySql, my_calls(b"INSERT INTO users (password, name) VALUES (?, ?)", [digest, b"ann"], ok()))
    (one,) = [sighting for sighting in found.sightings if sighting.location == "query-parameter"]
    assert (one.form, one.username, one.secret) == ("hash", "ann", digest)
    assert (one.details or {})["hashcat"] == 0
    assert execution(found)["parameters"] == [None, "ann"]


def test_what_repeats_it_is_left_out_too() -> None:
    sql = b"INSERT INTO users (name, password, memo) VALUES ($1, $2, $3)"
    found = talk(PostgreSql, pg_calls(sql, [b"ann", b"q7", b"q7"], pg_done(b"INSERT 0 1")))
    assert execution(found)["parameters"] == ["ann", None, None]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO settings (label, password) VALUES (?, ?)",  # no user: a setting's name
        "SELECT '?' FROM users WHERE password IS NULL",
        "UPDATE users SET password_changed = ? WHERE name = ?",
        "INSERT INTO users (name, note) VALUES (?, 'password ?')",
    ],
)
def test_other_parameters_are_no_credential(sql: str) -> None:
    assert passwords(sql, "mysql") == []
