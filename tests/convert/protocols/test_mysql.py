"""MySQL and MariaDB: what servers and clients said in recordings of our own, and packets put together by hand."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from support.parsing import Found, talk
from support.sql_talk import Calls, cleartext, column, eof, err, greeting, lenenc, login, ok, packet, query, recorded
from syswire.convert.protocols.mysql.parser import MySql

PORT = 23306
LOGIN: Calls = [(False, greeting()), (True, login()), (False, ok(2))]


def after_login(*calls: tuple[bool, bytes | int]) -> Found:
    """What follows a login."""
    found = talk(MySql, [*LOGIN, *calls])
    assert found.records[0].kind == "login"
    del found.records[0]
    return found


def pair(found: Found, number: int = 0) -> tuple[dict[str, object], dict[str, object]]:
    """Request and response of a record."""
    request, response = found.asked[number], found.answered[number]
    assert request is not None
    return dict(request), dict(response or {})


def result(*rows: bytes, names: tuple[bytes, ...] = (b"a",), status: int = 2) -> bytes:
    """A result set with EOF packets."""
    parts = [packet(1, bytes([len(names)]))]
    parts += [column(2 + i, name) for i, name in enumerate(names)]
    number = 2 + len(names)
    parts.append(eof(number))
    parts += [packet(number + 1 + i, row) for i, row in enumerate(rows)]
    return b"".join(parts) + eof(number + 1 + len(rows), status)


def test_the_client_of_mariadb(data: Path) -> None:
    first, wrong, admin = (talk(MySql, calls) for calls in recorded(data / "protocols/mysql-client.pcap", PORT))
    asked = {str((one or {}).get("sql")): number for number, one in enumerate(first.asked)}
    request, response = pair(first)
    assert (request["user"], request["database"]) == ("app", "shop")
    assert "10.11.19-MariaDB" in str(response["server_version"])
    assert response["result"] == "ok"

    def answer(sql: str) -> dict[str, object]:
        return dict(first.answered[asked[sql]] or {})

    told = answer("SELECT 1 AS one, 'zwei' AS zwei")
    assert (told["columns"], told["rows"]) == (["one", "zwei"], 1)
    told = answer("INSERT INTO t (name, price) VALUES ('a', 1.5), ('b', 2.25)")
    assert (told["affected_rows"], told["last_insert_id"]) == (2, 1)
    told = answer("SELECT * FROM nowhere")
    assert (told["result"], told["code"], told["sql_state"]) == ("error", 1146, "42S02")
    assert told["message"] == "Table 'shop.nowhere' doesn't exist"
    assert answer("SELECT CAST('x' AS UNSIGNED)")["warnings"] == 1
    load = next(one for sql, one in asked.items() if sql.startswith("LOAD DATA LOCAL"))
    told = dict(first.answered[load] or {})
    assert (told["affected_rows"], told["infile_bytes"]) == (2, 20)  # "11,eleven\n12,twelve\n"
    assert str(told["infile"]).endswith("/rows.csv")
    results = answer("CALL two()")["results"]
    assert isinstance(results, list)
    assert [one.get("columns") for one in results] == [["a"], ["b", "c"], None]

    told = dict(wrong.answered[0] or {})
    assert (told["result"], told["code"], told["sql_state"]) == ("error", 1045, "28000")
    assert [one["command"] for one in admin.asked[1:] if one] == ["ping", "statistics", "query", "quit"]
    assert str((admin.answered[2] or {})["info"]).startswith("Uptime: ")


def test_passwords_in_statements_are_sighted_and_cut_out(data: Path) -> None:
    found = talk(MySql, recorded(data / "protocols/mysql-client.pcap", PORT)[0])
    told = [(s.username, s.secret, s.location, s.outcome, s.protocol) for s in cleartext(found)]
    assert told == [
        ("eve", b"invented-2", "query-text", "accepted", "mysql"),
        ("eve", b"invented-3", "query-text", "accepted", "mysql"),
        ("bad", b"invented-4", "query-text", "refused", "mysql"),
    ]
    assert "invented" not in repr(found.records)
    sightings = cleartext(found)
    stream = b"".join(
        bytes(c)
        for to_server, c in recorded(data / "protocols/mysql-client.pcap", PORT)[0]
        if to_server and not isinstance(c, int)
    )
    assert all(stream[s.span.offset :][: s.span.length] == s.raw for s in sightings)


def test_compressed(data: Path) -> None:
    (calls,) = recorded(data / "protocols/mysql-compressed.pcap", PORT)
    found = talk(MySql, calls)
    asked = [one["sql"] for one in found.asked if one and "sql" in one]
    assert asked == [
        "SELECT REPEAT('abc', 300) AS r",
        "SELECT seq FROM seq_1_to_500",
        "INSERT INTO t (name) VALUES (REPEAT('x', 40))",
    ]
    assert [(one or {}).get("rows") for one in found.answered[1:4]] == [1, 500, None]
    assert not found.weirds


def test_prepared_statements(data: Path) -> None:
    connector, pymysql, php = (talk(MySql, calls) for calls in recorded(data / "protocols/mysql-prepared.pcap", PORT))
    executed = [dict(one) for one in connector.asked if one and one.get("command") == "execute"]
    assert executed[0]["sql"] == "INSERT INTO t (name, price, made, pic) VALUES (?, ?, ?, ?)"
    name = "Käse".encode().decode("latin-1")
    assert executed[0]["parameters"] == [name, "12.50", "2026-11-23 18:30:01.250000", "\x00\xff\x10"]
    assert executed[1]["parameters"] == [None, 7, "2026-01-02", "long" * 2000]
    assert executed[2]["parameters"] == [-1, 99.5]
    assert executed[3]["parameters"] == ["26:03:04"]
    changed = [(r.kind, (r.response.fields if r.response else {}).get("result")) for r in connector.records]
    assert [one for one in changed if one[0] == "login"] == [("login", "ok"), ("login", "ok"), ("login", "error")]

    told: dict[str, Any] = dict(pymysql.answered[-1] or {})
    assert (told["result"], told["code"]) == ("error", 1054)
    results = told["results"]
    assert isinstance(results, list)
    assert [one["result"] for one in results] == ["ok", "ok", "ok", "error"]

    executed = [dict(one) for one in php.asked if one and one.get("command") == "execute"]
    assert executed[0]["parameters"] == [70, "php", 2.5, b"first second".hex()]
    assert executed[1]["parameters"] == [71, "php", 2.5, b"again".hex()]
    assert executed[2]["parameters"] == [9_000_000_000]
    assert not connector.weirds + pymysql.weirds + php.weirds


def test_a_binary_log_is_counted_not_read(data: Path) -> None:
    (calls,) = recorded(data / "protocols/mysql-binlog.pcap", PORT)
    found = talk(MySql, calls)
    dump = next(i for i, one in enumerate(found.asked) if one and one.get("command") == "binlog-dump")
    assert (found.asked[dump] or {})["position"] == 4
    assert (found.answered[dump] or {})["result"] == "ok"


def test_a_password_in_the_clear() -> None:
    switch = packet(2, b"\xfemysql_clear_password\0")
    found = talk(
        MySql, [(False, greeting()), (True, login()), (False, switch), (True, packet(3, b"geheim\0")), (False, ok(4))]
    )
    (sighting,) = cleartext(found)
    assert (sighting.username, sighting.secret, sighting.outcome) == ("ann", b"geheim", "accepted")
    assert sighting.span.offset == len(login()) + 4
    request, _ = pair(found)
    assert request["secret"] is True
    assert request["authentication"] == "mysql_clear_password"
    assert "geheim" not in repr(found.records)


@pytest.mark.parametrize(("code", "outcome"), [(1045, "refused"), (1040, "unknown"), (1862, "accepted")])
def test_what_became_of_a_password(code: int, outcome: str) -> None:
    calls: Calls = [(False, greeting()), (True, login(answer=b"pw\0", plugin=b"mysql_clear_password"))]
    found = talk(MySql, [*calls, (False, err(2, code, b"28000", b"no"))])
    assert [(s.secret, s.outcome) for s in cleartext(found)] == [(b"pw", outcome)]


def test_full_authentication_on_a_unix_socket_shows_the_password() -> None:
    calls: Calls = [(False, greeting(plugin=b"caching_sha2_password")), (True, login(plugin=b"caching_sha2_password"))]
    calls += [(False, packet(2, b"\x01\x04"))]
    assert [s.secret for s in cleartext(talk(MySql, [*calls, (True, packet(3, b"pw1\0")), (False, ok(4))]))] == [b"pw1"]
    assert not cleartext(talk(MySql, [*calls, (True, packet(3, b"\x02")), (False, packet(4, b"\x01-----BEGIN"))]))


def test_tls_is_handed_on() -> None:
    wanted = packet(1, struct.pack("<IIB", 0x0008AA0D, 1 << 24, 33) + bytes(23))
    found = talk(MySql, [(False, greeting()), (True, wanted + b"\x16\x03\x01"), (False, b"\x16\x03\x03"), (True, 5)])
    (inner,) = found.switched
    assert (inner.name, inner.client, inner.server, inner.gaps) == (
        "tls",
        b"\x16\x03\x01",
        b"\x16\x03\x03",
        [(True, 5)],
    )
    assert found.asked == [{"tls": True, "capabilities": 0x0008AA0D}]


def test_a_server_that_refuses_at_once() -> None:
    found = talk(MySql, [(False, packet(0, b"\xff\x10\x04Too many connections"))])
    assert found.answered == [{"result": "error", "code": 1040, "sql_state": None, "message": "Too many connections"}]


def test_every_binary_type() -> None:
    types = [
        (1, 0),
        (1, 0x80),
        (2, 0),
        (3, 0),
        (8, 0x80),
        (4, 0),
        (5, 0),
        (6, 0),
        (7, 0),
        (10, 0),
        (11, 0),
        (252, 0),
        (245, 0),
    ]
    values = [
        b"\xff", b"\xff", b"\xfe\xff", b"\x00\x00\x00\x80", b"\xff" * 8, struct.pack("<f", 0.1),
        struct.pack("<d", -2.5), b"",
        b"\x07\xea\x07\x02\x03\x04\x05\x06", b"\x04\xea\x07\x0c\x1f", b"\x08\x01\x02\x00\x00\x00\x01\x02\x03",
        b"\x02\x00\xff", b"\x02{}",
    ]  # fmt: skip
    prepare = packet(1, b"\0\x09\0\0\0" + struct.pack("<HH", 0, len(types)) + bytes(3))
    prepare += b"".join(column(2 + i, b"?") for i in range(len(types))) + eof(2 + len(types))
    body = b"\x17\x09\0\0\0\0\1\0\0\0" + b"\x00\x00" + b"\1" + b"".join(bytes(one) for one in types) + b"".join(values)
    again = b"\x17\x09\0\0\0\0\1\0\0\0" + b"\xff\x1f" + b"\0"
    found = after_login(
        (True, packet(0, b"\x16SELECT ?")), (False, prepare), (True, packet(0, body)), (False, ok()),
        (True, packet(0, again)), (False, ok()),
    )  # fmt: skip
    request, _ = pair(found, 1)
    assert request["parameters"] == [
        -1, 255, -2, -(1 << 31), (1 << 64) - 1, 0.1, -2.5, None, "2026-02-03 04:05:06", "2026-12-31", "-49:02:03",
        "00ff", "{}",
    ]  # fmt: skip
    assert request["parameters_complete"] is True
    assert pair(found, 2)[0]["parameters"] == [None] * len(types)


def test_bulk_execution_and_the_last_statement() -> None:
    prepare = packet(1, b"\0\x09\0\0\0" + struct.pack("<HH", 0, 1) + bytes(3)) + column(2, b"?") + eof(3)
    body = b"\xfa\xff\xff\xff\xff" + struct.pack("<H", 128) + b"\x03\x00" + b"\0\x05\0\0\0" + b"\1" + b"\0\x06\0\0\0"
    found = after_login(
        (True, packet(0, b"\x16INSERT INTO t VALUES (?)") + packet(0, body)), (False, prepare + ok(1, 3))
    )
    request, response = pair(found, 1)
    assert (request["parameters"], request["parameter_sets"]) == ([[5], [None], [6]], 3)
    assert response["affected_rows"] == 3


def test_attributes_of_queries() -> None:
    attributes = b"\x01\x01\x00\x01" + b"\xfe\x00" + lenenc(b"trace") + lenenc(b"x17")
    calls: Calls = [(False, greeting(0x81BFF7DF | 1 << 27)), (True, login(more=1 << 27)), (False, ok(2))]
    found = talk(MySql, [*calls, (True, packet(0, b"\x03" + attributes + b"SELECT 1")), (False, ok())])
    assert found.asked[1] == {
        "command": "query",
        "attributes": [["trace", "x17"]],
        "sql": "SELECT 1",
        "sql_complete": True,
    }


def test_rows_without_eof_packets_and_with_progress() -> None:
    calls: Calls = [(False, greeting()), (True, login(more=1 << 24)), (False, ok(2)), (True, query(b"SELECT a"))]
    progress = packet(4, b"\xff\xff\xff\x01\x01\x02\x00\x00\x00\x04half")
    answer = (
        packet(1, b"\x01") + column(2, b"a") + packet(3, b"\x01x") + progress + packet(5, b"\xfb") + ok(6, first=0xFE)
    )
    found = talk(MySql, [*calls, (False, answer)])
    assert pair(found, 1)[1] == {"result": "ok", "rows": 2, "columns": ["a"], "warnings": 0}


def test_a_query_in_parts() -> None:
    sql = b"SELECT '" + b"x" * (0xFFFFFF + 10) + b"'"
    body = b"\x03" + sql
    found = after_login(
        (True, packet(0, body[:0xFFFFFF]) + packet(1, body[0xFFFFFF:])),
        (False, ok()),
        (True, packet(0, b"\x0e")),
        (False, ok()),
    )
    request, response = pair(found)
    assert request["sql"] == sql[: 64 * 1024].decode()
    assert (request["sql_complete"], response["result"]) == (False, "ok")
    assert found.records[0].request and found.records[0].request.span.length == len(body) + 8
    assert pair(found, 1)[0] == {"command": "ping"}


def test_a_secret_that_the_server_quotes() -> None:
    sql = b"CREATE USER x IDENTIFIED BY 'abcdefghij' NONSENSE"
    found = after_login(
        (True, query(sql)), (False, err(1, 1064, b"42000", b"near 'abcdefghij' NONS' and 'abcde' at line 1"))
    )
    assert "abcde" not in repr(found.records)
    assert [s.outcome for s in cleartext(found)] == ["refused"]


def test_pipelined_commands_are_answered_in_order() -> None:
    found = after_login(
        (True, query(b"SELECT 1") + query(b"DO 0") + packet(0, b"\x19\1\0\0\0") + packet(0, b"\x0e")),
        (False, result(b"\x011") + err(1, 1105, b"HY000", b"no") + ok()),
    )
    told = [((a or {})["command"], (b or {}).get("result")) for a, b in zip(found.asked, found.answered, strict=True)]
    assert told == [("query", "ok"), ("query", "error"), ("close", None), ("ping", "ok")]


def test_bytes_missing_within_packets_cost_nothing_else() -> None:
    sql = query(b"SELECT '" + b"y" * 500 + b"'")
    rows = result(b"\x05hello", b"\x05world")
    found = after_login(
        (True, sql[:100]), (True, 200), (True, sql[300:]), (False, rows[:-14]), (False, 4), (False, rows[-10:]),
        (True, packet(0, b"\x0e")), (False, ok()),
    )  # fmt: skip
    request, response = pair(found)
    assert (request["sql"], request["sql_complete"]) == (sql[5:100].decode(), False)
    assert response["rows"] == 2
    assert pair(found, 1)[1]["result"] == "ok"
    assert not found.weirds


def test_after_a_loss_nothing_is_paired_wrongly() -> None:
    found = after_login(
        (True, query(b"SELECT 1")), (False, 300), (True, query(b"DROP TABLE a")), (False, ok(1, 3)),
        (True, 40), (False, ok(1, 9)), (True, query(b"DELETE FROM b")), (False, ok(1, 4)),
    )  # fmt: skip
    told = [
        ((a or {}).get("sql"), (b or {}).get("affected_rows")) for a, b in zip(found.asked, found.answered, strict=True)
    ]
    assert told == [("SELECT 1", None), ("DROP TABLE a", 3), (None, 9), ("DELETE FROM b", 4)]
    assert [name for name, _ in found.weirds] == ["mysql-gap", "mysql-gap"]


def test_beginning_in_the_middle() -> None:
    rest = b"of a row\x05\x00\x00\x09\xfe\x00\x00\x02\x00"
    found = talk(
        MySql,
        [
            (False, rest),
            (True, query(b"SELECT b")),
            (False, result(b"\x011", names=(b"b",))),
            (True, packet(0, b"\x0e")),
            (False, ok()),
        ],
    )
    assert [(one or {})["command"] for one in found.asked] == ["query", "ping"]
    assert [(one or {}).get("rows") for one in found.answered] == [1, None]


def test_one_direction_only() -> None:
    found = talk(MySql, [(True, login()), (True, query(b"SELECT 1")), (True, query(b"SELECT 2"))])
    assert [(one or {}).get("sql") for one in found.asked] == [None, "SELECT 1", "SELECT 2"]
    assert found.answered == [None, None, None]
    found = talk(MySql, [(False, greeting()), (False, ok(2)), (False, result(b"\x011"))])
    assert [(r.kind, r.request) for r in found.records] == [("login", None), ("query", None)]
    assert [(one or {}).get("rows") for one in found.answered] == [None, 1]


def test_endless_input_is_held_within_bounds() -> None:
    found = Found()
    parser = MySql(found)
    sql = query(b"SELECT '" + b"z" * 60_000 + b"'")
    for number in range(300):
        parser.data(True, sql, number * len(sql), None, True)
    assert parser._held <= 4 << 20
    assert len(found.records) > 200


@pytest.mark.parametrize("cuts", [None, [1]])
def test_a_compressed_packet_that_ends_too_soon(cuts: list[int] | None) -> None:
    # 20 bytes are announced, stored as they are; the answer to the login and five of them came
    both = [(False, greeting(0x81BFF7DF | 0x20)), (True, login(more=0x20)), (False, ok(2))]
    begun = bytes([20, 0, 0, 0, 0, 0, 0]) + packet(0, b"\x0e")
    found = talk(MySql, [*both, (True, begun)], cuts=cuts)
    request = found.records[-1].request
    assert request is not None and request.fields == {"command": "ping"}
    assert (request.span.offset, request.span.length) == (len(login()), 7 + 5)


def test_a_long_message_that_may_quote_a_secret_says_that_it_is_cut() -> None:
    sql = b"CREATE USER x IDENTIFIED BY 'abcdefghij' NONSENSE"
    found = after_login((True, query(sql)), (False, err(1, 1064, b"42000", b"m" * 5000)))
    told = found.answered[0]
    assert told is not None and told["message"] == "m" * 4096 and told["message_complete"] is False
