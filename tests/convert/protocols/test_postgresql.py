"""PostgreSQL: what a server and its clients said in recordings of our own, and messages put together by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from support.parsing import Found, talk
from support.sql_talk import LOGGED_IN, READY, Calls, cleartext, complaint, description, message, recorded, row, startup
from syswire.convert.protocols.postgresql.parser import PostgreSql

PORT = 25432
START = startup(b"user", b"ann", b"database", b"shop", b"application_name", b"made")
LOGIN: Calls = [(True, START), (False, LOGGED_IN)]
DONE = message(b"C", b"SELECT 1\0")


def query(sql: bytes) -> bytes:
    return message(b"Q", sql + b"\0")


def after_login(*calls: tuple[bool, bytes | int]) -> Found:
    """What follows a login."""
    found = talk(PostgreSql, [*LOGIN, *calls])
    assert found.records[0].kind == "login"
    del found.records[0]
    return found


def pairs(found: Found) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Fields of requests and responses."""
    return [(dict(a or {}), dict(b or {})) for a, b in zip(found.asked, found.answered, strict=True)]


def test_psql(data: Path) -> None:
    talks = recorded(data / "protocols/postgresql-psql.pcap", PORT)
    plain, wrong, old, boss, refused = (talk(PostgreSql, calls) for calls in talks)
    told = {str(a.get("sql")): b for a, b in pairs(plain)}
    request, response = pairs(plain)[0]
    assert (request["user"], request["application_name"], request["authentication"]) == ("plain", "psql", "password")
    assert str(response["server_version"]).startswith("15.18")
    assert told["INSERT INTO t (name, price) VALUES ('a', 1.5), ('b', 2.25);"]["affected_rows"] == 2
    assert (told["SELECT * FROM t;"]["columns"], told["SELECT * FROM t;"]["rows"]) == (["id", "name", "price"], 2)
    error = told["SELECT * FROM nowhere;"]
    assert (error["result"], error["sql_state"], error["error_level"]) == ("error", "42P01", "ERROR")
    assert error["message"] == 'relation "nowhere" does not exist'
    notices = told["DROP TABLE IF EXISTS never;"]["notices"]
    assert isinstance(notices, list)
    assert notices[0]["message"] == 'table "never" does not exist, skipping'
    copied = told["COPY t (name) FROM STDIN;"]
    assert (copied["copy"], copied["copy_bytes"], copied["affected_rows"]) == ("in", len("one\ntwo\n\\.\n"), 2)
    assert told["COPY t TO STDOUT;"]["affected_rows"] == 4
    several = told["SELECT 1 AS a; SELECT 2 AS b, 3 AS c; UPDATE t SET price = 0;"]
    results = several["results"]
    assert isinstance(results, list)
    assert [(one.get("columns"), one.get("affected_rows")) for one in results] == [
        (["a"], None),
        (["b", "c"], None),
        (None, 4),
    ]
    assert several["transaction"] == "open"

    assert [(s.username, s.secret, s.location, s.outcome) for s in plain.sightings] == [
        ("plain", b"invented-5", "login", "accepted"),
        ("eve", b"invented-7", "query-text", "accepted"),
        ("eve", b"invented-8", "query-text", "refused"),
    ]
    assert "invented" not in repr(plain.records)
    assert [(s.secret, s.outcome) for s in wrong.sightings] == [(b"wrong-5", "refused")]
    assert pairs(wrong)[0][1]["sql_state"] == "28P01"
    assert [pairs(one)[0][0]["authentication"] for one in (old, boss, refused)] == [
        "md5",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256",
    ]
    assert [pairs(one)[0][1]["result"] for one in (old, boss, refused)] == ["ok", "ok", "error"]
    assert not cleartext(old) + cleartext(boss) + cleartext(refused)
    assert all(not one.weirds for one in (plain, wrong, old, boss, refused))


def test_asyncpg_and_pg8000(data: Path) -> None:
    first, cancel, text = (
        talk(PostgreSql, calls) for calls in recorded(data / "protocols/postgresql-extended.pcap", PORT)
    )
    executed = [(a, b) for a, b in pairs(first) if a.get("command") == "execute"]
    kaese = "Käse".encode().decode("latin-1")
    assert executed[0][0]["parameters"] == [-5, 1 << 40, -3, kaese, True, 1.25, 0.5]
    assert executed[0][0]["parameter_types"] == ["int4", "int8", "int2", "text", "bool", "float8", "float4"]
    assert executed[1][0]["parameters"] == [
        "00000000-0000-0000-0000-000000000007", "00ff", "2026-11-23 18:30:01.250000+00:00", "2026-01-02", "-12345.6700",
        "{}", "1999-12-31 23:59:59", "01:02:03.000004", None,
    ]  # fmt: skip
    assert [a["parameters"] for a, _ in executed[2:5]] == [["x"], ["y"], ["z"]]
    assert (executed[5][1]["result"], executed[5][1]["sql_state"]) == ("error", "22012")
    assert [b.get("rows") for a, b in executed if a.get("continued")] == [50, 50]
    assert executed[-1][1]["sql_state"] == "57014"
    assert pairs(cancel)[0][0]["command"] == "cancel"
    assert pairs(cancel)[0][0]["backend_pid"] == pairs(first)[0][1]["backend_pid"]
    told = next(a for a, _ in pairs(text) if a.get("command") == "execute")
    assert (told["parameters"], told["parameter_formats"]) == (["1", "q"], ["text", "text"])
    assert {"channel": "chan", "payload": "hi"} in text.answered
    assert [(s.secret, s.outcome) for s in text.sightings] == [(b"invented-5", "accepted")]
    assert not first.weirds + cancel.weirds + text.weirds


def test_tls_is_handed_on() -> None:
    ask = struct.pack("!II", 8, 80877103)
    found = talk(PostgreSql, [(True, ask), (False, b"S"), (True, b"\x16\x03\x01"), (False, b"\x16"), (False, 9)])
    (inner,) = found.switched
    assert (inner.name, inner.client, inner.server, inner.gaps) == ("tls", b"\x16\x03\x01", b"\x16", [(False, 9)])
    assert found.asked == [{"tls": True}]
    found = talk(
        PostgreSql, [(True, struct.pack("!II", 8, 80877104)), (False, b"N"), (True, ask), (False, b"N"), *LOGIN]
    )
    assert [r.kind for r in found.records] == ["login"]
    assert (found.asked[0] or {})["user"] == "ann"
    assert not found.switched


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(LOGGED_IN, "accepted"), (complaint(b"E", b"FATAL", b"28P01", b"no"), "refused"),
     (complaint(b"E", b"FATAL", b"53300", b"too many"), "unknown"), (b"", "unknown")],
)  # fmt: skip
def test_what_became_of_a_password(answer: bytes, outcome: str) -> None:
    asked = message(b"R", struct.pack("!I", 3))
    calls: Calls = [(True, START), (False, asked), (True, message(b"p", b"geheim\0"))]
    found = talk(PostgreSql, [*calls, (False, answer)] if answer else calls)
    (sighting,) = found.sightings
    assert (sighting.username, sighting.secret, sighting.outcome) == ("ann", b"geheim", outcome)
    assert (sighting.span.offset, sighting.span.length) == (len(START) + 5, 6)
    assert (found.asked[0] or {})["secret"] is True
    assert "geheim" not in repr(found.records)


@pytest.mark.parametrize(
    ("said", "secret"), [(b"pw\0", b"pw"), (b"md5" + b"0" * 32 + b"\0", None), (b"SCRAM-SHA-256\0\0\0\0\x04n,,n", None)]
)
def test_a_password_whose_demand_was_not_seen(said: bytes, secret: bytes | None) -> None:
    found = talk(PostgreSql, [(True, START), (True, message(b"p", said))])
    assert [s.secret for s in cleartext(found)] == ([secret] if secret else [])


def test_an_error_skips_up_to_sync() -> None:
    def ask(sql: bytes) -> bytes:
        bound = b"\0\0" + struct.pack("!HHH", 0, 0, 0)
        return message(b"P", b"\0" + sql + b"\0\0\0") + message(b"B", bound) + message(b"E", b"\0" + bytes(4))

    sync = message(b"S")
    answer = message(b"1") + complaint(b"E", b"ERROR", b"42601", b"bad") + READY
    well = message(b"1") + message(b"2") + row(b"7") + DONE + READY
    found = after_login(
        (True, ask(b"SELECT 1") + ask(b"SELECT 2") + sync + ask(b"SELECT 3") + sync), (False, answer + well)
    )
    told = [(a.get("sql"), b.get("result"), b.get("rows")) for a, b in pairs(found)]
    assert told == [("SELECT 1", "error", None), ("SELECT 2", None, None), ("SELECT 3", "ok", 1)]


def test_named_statements_with_types_of_both_sides() -> None:
    parse = message(b"P", b"s1\0SELECT $1, $2\0" + struct.pack("!HI", 1, 23))
    described = message(b"t", struct.pack("!HII", 2, 23, 16)) + description(b"a", b"b")
    values = struct.pack("!HHHH", 2, 1, 1, 2) + struct.pack("!ii", 4, -9) + struct.pack("!i?", 1, True) + b"\0\0"
    bind = message(b"B", b"\0s1\0" + values)
    found = after_login(
        (True, parse + message(b"D", b"Ss1\0") + message(b"S")), (False, message(b"1") + described + READY),
        (True, bind + message(b"E", b"\0" + bytes(4)) + message(b"C", b"Ss1\0") + message(b"S")),
        (False, message(b"2") + DONE + message(b"3") + READY),
    )  # fmt: skip
    (prepare, prepared), (execute, _), (close, closed) = pairs(found)
    assert (prepare["command"], prepare["statement"], prepared["columns"]) == ("prepare", "s1", ["a", "b"])
    assert (execute["parameters"], execute["parameter_types"]) == ([-9, True], ["int4", "bool"])
    assert (close["command"], closed["result"]) == ("close", "ok")


def test_a_function_call_and_replication() -> None:
    call = message(b"F", struct.pack("!IHHHiH", 1598, 1, 0, 1, 2, 0)[:-2] + b"42" + b"\0\0")
    start = b'START_REPLICATION SLOT "s" PHYSICAL 0/1000000'
    both = message(b"W", b"\0\0\0") + message(b"d", b"w" * 100)
    found = after_login(
        (True, call), (False, message(b"V", struct.pack("!i", -1)) + READY), (True, query(start)), (False, both)
    )
    (function, done), (request, response) = pairs(found)
    assert (function["function"], function["parameters"], done["result"]) == (1598, ["42"], "ok")
    assert request["sql"] == start.decode()
    assert (response["copy"], response["copy_bytes"], response["response_complete"]) == ("both", 100, False)


def test_a_secret_that_the_server_quotes() -> None:
    found = after_login(
        (True, query(b"CREATE ROLE x PASSWORD 'abcdefghij' 'abcdefghij'")),
        (False, complaint(b"E", b"ERROR", b"42601", b"syntax error at or near \"'abcdefghij'\"") + READY),
    )
    assert "abcdefghij'\"" not in repr(found.answered)
    assert [s.outcome for s in found.sightings] == ["refused"]


def test_bytes_missing_within_messages_cost_nothing_else() -> None:
    sql = query(b"SELECT '" + b"y" * 500 + b"'")
    rows = description(b"a") + row(b"hello") + row(b"world") + message(b"C", b"SELECT 2\0") + READY
    at = len(description(b"a")) + 8
    found = after_login(
        (True, sql[:100]), (True, 200), (True, sql[300:]), (False, rows[:at]), (False, 4), (False, rows[at + 4 :]),
    )  # fmt: skip
    ((request, response),) = pairs(found)
    assert (request["sql"], request["sql_complete"]) == (sql[5:100].decode(), False)
    assert (response["rows"], response["columns"]) == (2, ["a"])
    assert not found.weirds


def test_after_a_loss_nothing_is_paired_wrongly() -> None:
    def done(number: int) -> bytes:
        return message(b"C", b"DELETE %d\0" % number) + READY

    found = after_login(
        (True, query(b"SELECT 1")), (False, 300), (True, query(b"DROP TABLE a")), (False, done(3)),
        (True, 40), (False, done(9)), (True, query(b"DELETE FROM b")), (False, done(4)),
    )  # fmt: skip
    told = [(a.get("sql"), b.get("affected_rows")) for a, b in pairs(found)]
    assert told == [("SELECT 1", None), ("DROP TABLE a", 3), (None, 9), ("DELETE FROM b", 4)]
    assert [name for name, _ in found.weirds] == ["postgresql-gap", "postgresql-gap"]


def test_beginning_in_the_middle() -> None:
    rest = b"end of a row" + message(b"C", b"SELECT 12\0") + READY
    answer = description(b"b") + row(b"1") + DONE + READY
    found = talk(PostgreSql, [(False, rest), (True, query(b"SELECT b")), (False, answer)])
    assert [(a.get("sql"), b.get("tag"), b.get("rows")) for a, b in pairs(found)] == [
        (None, "SELECT 12", 0), ("SELECT b", "SELECT 1", 1),
    ]  # fmt: skip


def test_endless_input_is_held_within_bounds() -> None:
    found = Found()
    parser = PostgreSql(found)
    sql = query(b"SELECT '" + b"z" * 60_000 + b"'")
    for number in range(300):
        parser.data(True, sql, number * len(sql), None, True)
    assert len(found.records) > 200


def test_a_password_after_a_loss() -> None:
    found = talk(PostgreSql, [(True, START), (False, 9), (True, message(b"p", b"geheim\0")), (False, LOGGED_IN)])
    assert [s.secret for s in found.sightings] == [b"geheim"]
    assert [(r.kind, (r.request.fields if r.request else {})["user"]) for r in found.records] == [("login", "ann")] * 2


@pytest.mark.parametrize("cuts", [None, [1]])
def test_what_follows_a_message_does_not_decide_what_it_is(cuts: list[int] | None) -> None:
    # 13 bytes: a startup whose first name has no value within them
    broken = bytes([0, 0, 0, 13, 0, 3, 0, 0]) + b"user\0"
    assert not talk(PostgreSql, [(True, broken + b"p")], cuts=cuts).records
