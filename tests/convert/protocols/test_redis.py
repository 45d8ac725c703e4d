"""Redis: commands and replies by the protocol's description, worked out by hand; and redis-server's own talk."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from support.parsing import Found, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.redis.parser import Redis

Calls = list[tuple[bool, bytes | int]]


def command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def ask(*words: bytes) -> tuple[bool, bytes | int]:
    return True, command(*words)


def told(reply: bytes) -> tuple[bool, bytes | int]:
    return False, reply


def pairs(found: Found) -> list[tuple[object, object]]:
    asked = [(fields["command"], *fields["arguments"]) if fields else None for fields in found.asked]  # type: ignore[misc]
    return list(zip(asked, [fields and fields["reply"] for fields in found.answered], strict=True))


def seen(found: Found) -> list[tuple[str | None, bytes, str]]:
    return [(s.username, s.secret, s.outcome) for s in found.sightings]


@pytest.mark.parametrize("cuts", [None, [1], [3, 11]])
def test_replies_of_every_type(cuts: list[int] | None) -> None:
    replies = [
        (b"+OK\r\n", "simple", "OK"),
        (b"-ERR no\r\n", "error", "ERR no"),
        (b":-42\r\n", "integer", -42),
        (b"$5\r\na\r\nb\xff\r\n", "bulk", "a\r\nb\xff"),
        (b"$-1\r\n", "null", None),
        (b"$0\r\n\r\n", "bulk", ""),
        (b"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", "array", [[1], "x"]),
        (b"*-1\r\n", "null", None),
        (b"*0\r\n", "array", []),
        (b"_\r\n", "null", None),
        (b"#t\r\n", "boolean", True),
        (b",3.25\r\n", "double", 3.25),
        (b",inf\r\n", "double", "inf"),
        (b"(349234982349823498234\r\n", "big-number", "349234982349823498234"),
        (b"!9\r\nSYNTAX no\r\n", "bulk-error", "SYNTAX no"),
        (b"=7\r\ntxt:abc\r\n", "verbatim", "abc"),
        (b"%1\r\n+a\r\n:1\r\n", "map", {"map": [["a", 1]]}),
        (b"~1\r\n:7\r\n", "set", {"set": [7]}),
        (b"*2\r\n-ERR in\r\n+x\r\n", "array", [{"error": "ERR in"}, "x"]),
    ]
    calls: Calls = []
    for reply, _, _ in replies:
        calls += [ask(b"GET", b"k"), told(reply)]
    found = talk(Redis, calls, cuts=cuts)
    assert [(a["reply_type"], a["reply"]) for a in found.answered if a] == [(kind, value) for _, kind, value in replies]
    results = [a["result"] for a in found.answered if a]
    assert [at for at, result in enumerate(results) if result == "error"] == [1, 14]
    assert not found.weirds


def test_spans_of_command_reply_and_secret() -> None:
    found = talk(Redis, [ask(b"PING"), told(b"+PONG\r\n"), ask(b"AUTH", b"bob", b"s3cret"), told(b"+OK\r\n")])
    record, sighting = found.records[1], found.sightings[0]
    assert record.request is not None and record.response is not None
    # *1 $4 PING: 4 + 4 + 6; then *3 (4) $4 AUTH (10) $3 bob (9) $6 (4) and the password's six bytes
    assert (record.request.span.place, record.request.span.offset, record.request.span.length) == ("call 2", 14, 35)
    assert (record.response.span.offset, record.response.span.length) == (7, 5)
    assert (sighting.span.offset, sighting.span.length, sighting.exchange) == (14 + 4 + 10 + 9 + 4, 6, 2)
    assert record.request.fields == {"command": "AUTH", "arguments": ["bob", None], "secret": True}


def test_passwords_and_what_became_of_them() -> None:
    found = talk(
        Redis,
        [
            ask(b"AUTH", b"uno"), told(b"-WRONGPASS invalid username-password pair\r\n"),
            ask(b"auth", b"ann", b"two"), told(b"+OK\r\n"),
            ask(b"HELLO", b"3", b"AUTH", b"ann", b"three", b"SETNAME", b"n"), told(b"%0\r\n"),
            ask(b"CONFIG", b"SET", b"maxmemory", b"1", b"requirepass", b"four"), told(b"+OK\r\n"),
            ask(b"ACL", b"SETUSER", b"eve", b"on", b">five", b"~*"), told(b"+OK\r\n"),
            ask(b"MIGRATE", b"h", b"1", b"", b"0", b"9", b"AUTH2", b"u", b"six", b"KEYS", b"auth", b"x"),
            told(b"-LOADING wait\r\n"),
            ask(b"SET", b"hello", b"AUTH"), told(b"+OK\r\n"),
            (True, b'AUTH ann "se\\x76en \\"it"\r\n'), told(b"+OK\r\n"),
        ],
    )  # fmt: skip
    assert seen(found) == [
        (None, b"uno", "refused"),
        ("ann", b"two", "accepted"),
        ("ann", b"three", "accepted"),
        (None, b"four", "accepted"),
        ("eve", b"five", "accepted"),
        ("u", b"six", "unknown"),
        ("ann", b'seven "it', "accepted"),
    ]
    assert found.sightings[-1].raw == b'se\\x76en \\"it'
    assert [s.field for s in found.sightings] == [None, None, None, "requirepass", "acl", "auth", None]
    shown = str([found.asked, found.answered])
    assert not any(secret in shown for secret in ("uno", "two", "three", "four", "five", "six", "seven"))


def test_password_told_by_the_server_and_hashes_are_left_out() -> None:
    digest = b"5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
    found = talk(
        Redis,
        [
            ask(b"CONFIG", b"GET", b"*"), told(b"*4\r\n$4\r\nport\r\n$1\r\n1\r\n$11\r\nrequirepass\r\n$3\r\nfoo\r\n"),
            ask(b"ACL", b"LIST"), told(command(b"user default on #" + digest + b" ~* +@all")),
        ],
    )  # fmt: skip
    assert [fields["reply"] for fields in found.answered if fields] == [
        ["port", "1", "requirepass", None],
        ["user default on # ~* +@all"],
    ]
    [sighting] = found.sightings
    assert (sighting.secret, sighting.field, sighting.span.offset) == (b"foo", "requirepass", 4 + 10 + 7 + 18 + 4)


def test_passwords_told_elsewhere_are_left_out() -> None:
    told_pair = command(b"requirepass", b"hidden")
    found = talk(Redis, [ask(b"EXEC"), told(b"*1\r\n" + told_pair), told(told_pair), told(b">1\r\n" + told_pair)])
    replies = [fields["reply"] for fields in found.answered if fields]
    assert replies == [[["requirepass", None]], ["requirepass", None], [["requirepass", None]]]


def test_what_may_be_a_password_by_mistake_is_left_out() -> None:
    digest = b"#" + b"5e884898da28047151d0e56f8dc62927" * 2
    found = talk(
        Redis,
        [
            ask(b"AUHT", b"oops1"), told(b"-ERR unknown command 'AUHT', with args beginning with: 'oops1'\r\n"),
            ask(b"HELLO", b"3", b"AUTH", b"oops2"), told(b"-ERR Syntax error in HELLO option 'AUTH'\r\n"),
            ask(b"ACL", b"SETUSER", b"ann", b"on >oops3 ~*", digest), told(b"-ERR Error in 'on >oops3 ~*'\r\n"),
            ask(b"EVAL", b"redis.call('AUTH', 'oops4')", b"0"), told(b"-ERR no\r\n"),
            ask(b"ACL", b"GENPASS"), told(b"$5\r\noops5\r\n"),
            ask(b"SLOWLOG", b"GET"), told(b"*1\r\n*2\r\n:1\r\n" + command(b"AUTH", b"ann", b"oops6")),
        ],
    )  # fmt: skip
    assert "oops" not in str([found.asked, found.answered])
    assert [fields["arguments"] for fields in found.asked if fields] == [
        [None], ["3", "AUTH", None], ["SETUSER", "ann", None, None], [None, "0"], ["GENPASS"], ["GET"],
    ]  # fmt: skip
    assert [(s.secret, s.outcome) for s in found.sightings] == [(b"oops2", "refused"), (digest[1:], "refused")]


def test_transaction_settles_its_secrets() -> None:
    found = talk(
        Redis,
        [
            (True, command(b"MULTI") + command(b"AUTH", b"good") + command(b"AUTH", b"bad") + command(b"EXEC")),
            told(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n-WRONGPASS no\r\n"),
        ],
    )
    assert seen(found) == [(None, b"good", "accepted"), (None, b"bad", "refused")]
    assert [s.exchange for s in found.sightings] == [2, 3]
    unended = talk(Redis, [ask(b"MULTI"), told(b"+OK\r\n"), ask(b"AUTH", b"x"), told(b"+QUEUED\r\n")])
    assert seen(unended) == [(None, b"x", "unknown")]


def test_messages_are_told_from_replies() -> None:
    message = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
    confirm = b"*3\r\n$9\r\nsubscribe\r\n$1\r\n%s\r\n:%d\r\n"
    found = talk(
        Redis,
        [ask(b"SUBSCRIBE", b"a", b"b"), told(confirm % (b"a", 1) + message + confirm % (b"b", 2)), told(message)],
    )
    assert [r.kind for r in found.records] == ["push", "query", "push"]
    assert found.records[1].response is not None
    assert found.records[1].response.fields["reply"] == [["subscribe", "a", 1], ["subscribe", "b", 2]]
    pushed = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
    found = talk(Redis, [ask(b"GET", b"k"), told(pushed + b"$1\r\nv\r\n")])
    assert [r.kind for r in found.records] == ["push", "query"]
    assert found.answered[0] == {"reply_type": "push", "reply": ["invalidate", ["k"]]}


def test_commands_without_replies_keep_their_order() -> None:
    ways = (b"OFF", b"SKIP", b"ON")
    asked = b"PING\r\n" + b"".join(b"CLIENT REPLY %s\r\nPING\r\n" % way for way in ways)
    found = talk(Redis, [(True, asked), told(b"+PONG\r\n+OK\r\n+PONG\r\n")])
    assert [answer and answer["reply"] for answer in found.answered] == ["PONG", None, None, None, None, "OK", "PONG"]


def test_monitor_leaves_out_what_is_secret() -> None:
    line = b'+1339518083.107412 [0 127.0.0.1:60866] "config" "set" "requirepass" "shown"\r\n'
    found = talk(Redis, [ask(b"MONITOR"), told(b"+OK\r\n" + line)])
    assert found.answered[1] == {
        "reply_type": "monitor",
        "reply": '1339518083.107412 [0 127.0.0.1:60866] "config" "set" "requirepass" ""',
        "secret": True,
    }
    assert seen(found) == [(None, b"shown", "unknown")]


def test_big_values_are_cut_and_counted() -> None:
    size = 1 << 20
    found = talk(Redis, [ask(b"SET", b"k", b"v" * size), told(b"+OK\r\n"), ask(b"PING"), told(b"+PONG\r\n")])
    assert found.asked[0] == {
        "command": "SET",
        "arguments": ["k", {"cut": "v" * 4096, "length": size}],
        "arguments_complete": False,
    }
    assert pairs(found)[1] == (("PING",), "PONG")
    many = b"*3000000000\r\n" + b":1\r\n" * 5000
    found = talk(Redis, [ask(b"KEYS", b"*"), told(many)])
    assert found.answered[0] is not None and found.answered[0]["reply_complete"] is False
    assert len(found.answered[0]["reply"]) == 1024  # type: ignore[arg-type]


def test_loss_within_a_value_loses_nothing_else() -> None:
    head, tail = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\n01", b"789\r\n"
    found = talk(Redis, [(True, head), (True, 5), (True, tail), told(b"+OK\r\n"), ask(b"PING"), told(b"+PONG\r\n")])
    assert pairs(found)[1] == (("PING",), "PONG")
    assert found.asked[0] == {
        "command": "SET",
        "arguments": ["k", {"cut": "01", "length": 10}],
        "arguments_complete": False,
    }


def test_a_lost_reply_is_not_guessed() -> None:
    lost: Calls = [ask(b"GET", b"a"), (False, 30), ask(b"GET", b"b"), told(b"$1\r\nB\r\n")]
    assert pairs(talk(Redis, lost)) == [(("GET", "a"), None), (("GET", "b"), "B")]
    piped: Calls = [(True, command(b"GET", b"a") + command(b"GET", b"b")), (False, 30), ask(b"PING"), told(b"+OK\r\n")]
    assert pairs(talk(Redis, piped)) == [(("GET", "a"), None), (("GET", "b"), None), (("PING",), None)]


def test_a_cut_password_is_still_one() -> None:
    found = talk(Redis, [(True, b"*2\r\n$4\r\nAUTH\r\n$12\r\nhalf-of"), (True, 50)])
    [sighting] = found.sightings
    assert (sighting.secret, sighting.secret_complete, sighting.outcome) == (b"half-of", False, "unknown")


def test_begin_in_the_middle() -> None:
    found = talk(Redis, [(True, b"of a value\r\n" + command(b"GET", b"k")), told(b"$1\r\nv\r\n")])
    assert pairs(found) == [(("GET", "k"), "v")] and not found.weirds


def test_one_direction_only() -> None:
    assert pairs(talk(Redis, [ask(b"GET", b"k"), ask(b"AUTH", b"x")])) == [(("GET", "k"), None), (("AUTH", None), None)]
    assert pairs(talk(Redis, [told(b"+OK\r\n$1\r\nv\r\n")])) == [(None, "OK"), (None, "v")]


def test_recorded_from_redis_server(data: Path) -> None:
    talks = [talk(Redis, calls) for calls in recorded(data / "protocols" / "redis.pcap", 6390)]
    assert [seen(found) for found in talks] == [
        [(None, b"Wrong-1", "refused")],
        [(None, b"Cellar-9x", "accepted")],
        [("default", b"Cellar-9x", "accepted"), ("cook", b"Ladle-77x", "accepted")],
        [("cook", b"Ladle-77x", "accepted")],
        [("cook", b"Ladle-77x", "accepted")],
        [("cook", b"Ladle-77x", "accepted")],
        [
            ("default", b"Cellar-9x", "accepted"),
            (None, b"Replica-5q", "accepted"),
            (None, b"Cellar-9x", "accepted"),
            ("cook", b"Ladle-77x", "accepted"),
            (None, b"Replica-5q", "accepted"),
        ],
    ]
    assert pairs(talks[4])[-1] == (("HGETALL", "jam:h"), {"map": [["a", "1"], ["b", "2"]]})
    assert pairs(talks[5])[-1] == (None, ["message", "a", "hello"])
    assert (("GET", "jam:bin"), "dark\x00red\xff") in pairs(talks[6])
    assert not any(found.weirds for found in talks)


def test_a_password_of_which_only_the_beginning_came() -> None:
    wire = b"*2\r\n$4\r\nAUTH\r\n$10\r\nCel"
    [sighting] = talk(Redis, [(True, wire)]).sightings
    assert (sighting.secret, sighting.secret_complete) == (b"Cel", False)
    assert (sighting.span.offset, sighting.span.length) == (len(wire) - 3, 3)


def test_the_hash_of_an_account_is_told_as_one() -> None:
    """SHA-256 of "kiesel-77"; a rule that takes one away is no sighting."""
    digest = sha256(b"kiesel-77").hexdigest().encode()
    words = (b"ACL", b"SETUSER", b"ann", b"on", b"#" + digest, b"!" + b"0" * 64)
    asked = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
    found = talk(Redis, [(True, asked), (False, b"+OK\r\n")])
    (sighting,) = found.sightings
    assert (sighting.username, sighting.secret, sighting.form, sighting.outcome) == ("ann", digest, "hash", "accepted")
    assert sighting.span.offset == asked.index(digest)
    assert digest.decode() not in repr(found.records)
