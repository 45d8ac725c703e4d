"""MongoDB: messages put together by hand from the wire protocol's and BSON's specifications."""

from __future__ import annotations

import struct
from hashlib import md5
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.mutated import CUTS, alike, mutated, quietly
from support.parsing import talk
from support.sql_talk import Calls
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.mongodb.parser import MongoDb
from syswire.convert.protocols.mongodb.probe import probe

SECRET = "kiesel-77"


def bson(**fields: object) -> bytes:
    body = b""
    for name, value in fields.items():
        key = name.replace("_db", "$db").encode() + b"\0"
        if isinstance(value, bool):
            body += b"\x08" + key + bytes([value])
        elif isinstance(value, int):
            body += b"\x10" + key + struct.pack("<i", value)
        elif isinstance(value, float):
            body += b"\x01" + key + struct.pack("<d", value)
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(text)) + text
        elif isinstance(value, dict):
            body += b"\x03" + key + bson(**value)
        elif isinstance(value, list):
            body += b"\x04" + key + bson(**{str(at): one for at, one in enumerate(value)})
        elif isinstance(value, bytes):
            body += b"\x05" + key + struct.pack("<iB", len(value), 0) + value
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def msg(number: int, to: int = 0, **fields: object) -> bytes:
    body = bytes(5) + bson(**fields)
    return struct.pack("<iiii", len(body) + 16, number, to, 2013) + body


def query(number: int, collection: bytes, **fields: object) -> bytes:
    body = bytes(4) + collection + b"\0" + struct.pack("<ii", 0, -1) + bson(**fields)
    return struct.pack("<iiii", len(body) + 16, number, 0, 2004) + body


def reply(number: int, to: int, **fields: object) -> bytes:
    body = bytes(16) + struct.pack("<i", 1) + bson(**fields)
    return struct.pack("<iiii", len(body) + 16, number, to, 1) + body


OK: dict[str, Any] = {"ok": 1.0}
WRONG: dict[str, Any] = {"ok": 0.0, "code": 18, "codeName": "AuthenticationFailed", "errmsg": "Authentication failed."}
DONE: dict[str, Any] = {"conversationId": 1, "done": True, "payload": b"", "ok": 1.0}
PLAIN = b"\0ann\0" + SECRET.encode()
START = msg(7, saslStart=1, mechanism="PLAIN", payload=PLAIN, _db="$external")


@pytest.mark.parametrize(("answer", "outcome"), [(DONE, "accepted"), (WRONG, "refused"), (None, "unknown")])
def test_plain(answer: dict[str, Any] | None, outcome: str) -> None:
    calls: Calls = [(True, START)]
    if answer:
        calls.append((False, msg(1, 7, **answer)))
    found = talk(MongoDb, calls)
    (sighting,) = found.sightings
    assert (sighting.location, sighting.username, sighting.secret) == ("auth-plain", "ann", SECRET.encode())
    assert (sighting.outcome, sighting.span.offset, sighting.raw) == (outcome, START.index(PLAIN), PLAIN)
    assert found.asked == [{"mechanism": "PLAIN", "database": "$external", "user": "ann", "secret": True}]
    assert SECRET not in repr(found.records)


# RFC 7677, 3.
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
CHALLENGE = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
PROOF = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
FINAL = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=" + PROOF


@pytest.mark.parametrize("ahead", [False, True])
def test_scram(ahead: bool) -> None:
    start: dict[str, Any] = {"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": FIRST}
    step: dict[str, Any] = {"conversationId": 1, "done": False, "payload": CHALLENGE}
    if ahead:
        first = query(1, b"admin.$cmd", hello=1, speculativeAuthenticate={**start, "db": "admin"})
        second = reply(2, 1, speculativeAuthenticate=step, **OK)
    else:
        first, second = msg(1, **start, _db="admin"), msg(2, 1, **step, **OK)
    last = msg(3, saslContinue=1, conversationId=1, payload=FINAL, _db="admin")
    found = talk(MongoDb, [(True, first), (False, second), (True, last), (False, msg(4, 3, **DONE))])
    (sighting,) = found.sightings
    assert (sighting.username, sighting.form, sighting.outcome) == ("user", "hash", "accepted")
    assert sighting.secret.startswith(b"$scram-sha-256$user$4096$W22ZaJ0SNY7soEsUEjb6gQ==$")
    assert sighting.secret.endswith(b"$" + PROOF)
    assert PROOF.decode() not in repr(found.records)
    login = next(r for r in found.records if r.kind == "login")
    assert login.request is not None
    assert login.request.fields == {"mechanism": "SCRAM-SHA-256", "database": "admin", "user": "user"}


def test_the_old_challenge() -> None:
    """MD5(nonce + user + MD5(user + ":mongo:" + password)), all in hex."""
    nonce = "2375531c32080ae8"
    key = md5((nonce + "ann" + md5(f"ann:mongo:{SECRET}".encode()).hexdigest()).encode()).hexdigest()
    calls: Calls = [
        (True, query(1, b"shop.$cmd", getnonce=1)), (False, reply(2, 1, nonce=nonce, **OK)),
        (True, query(3, b"shop.$cmd", authenticate=1, user="ann", nonce=nonce, key=key)), (False, reply(4, 3, **OK)),
    ]  # fmt: skip
    (sighting,) = talk(MongoDb, calls).sightings
    assert sighting.secret == f"$mongodb-cr$ann${nonce}${key}".encode()
    assert (sighting.username, sighting.outcome, sighting.confidence) == ("ann", "accepted", "certain")


def test_commands() -> None:
    calls: Calls = [
        (True, msg(1, find="door", filter={"password": SECRET}, _db="house")),
        (False, msg(2, 1, cursor={"firstBatch": [{"a": 1}, {"a": 2}], "id": 0, "ns": "house.door"}, **OK)),
        (True, msg(3, createUser="bob", pwd="kiesel-78", roles=[], _db="house")), (False, msg(4, 3, **OK)),
    ]  # fmt: skip
    found = talk(MongoDb, calls)
    assert found.asked == [
        {"command": "find", "database": "house", "collection": "door"},
        {"command": "createUser", "database": "house", "user": "bob", "secret": True},
    ]
    assert found.answered[0] == {"result": "ok", "documents": 2}
    assert [(s.username, s.secret, s.outcome) for s in found.sightings] == [("bob", b"kiesel-78", "accepted")]


@pytest.mark.parametrize(
    "calls",
    [
        [(True, msg(1, insert="t", documents=[{"pwd": SECRET}], _db="d")), (False, msg(2, 1, **OK))],
        [(True, msg(1, saslStart=1, mechanism="MONGODB-X509", payload=b"", _db="$external"))],
        [(True, msg(1, saslStart=1, mechanism="SCRAM-SHA-256", payload=FIRST, _db="admin"))],
        [(False, START)],
    ],
)
def test_what_carries_none_is_no_credential(calls: Calls) -> None:
    assert not talk(MongoDb, calls).sightings


def opening(client: bytes, server: bytes = b"", over: bool = False) -> SimpleNamespace:
    return SimpleNamespace(client=client, server=server, over=over)


def test_probe() -> None:
    assert probe(opening(START)) == YES
    assert probe(opening(query(1, b"admin.$cmd", ismaster=1), reply(2, 1, **OK))) == YES
    assert probe(opening(START[:20])) == MORE
    assert probe(opening(START, b"HTTP/1.1 200 OK\r\n\r\n")) == NO
    assert probe(opening(bytes(64))) == NO
    assert probe(opening(START[:12] + b"\xdd\x08\0\0" + START[16:])) == NO


TALK: Calls = [
    (True, msg(1, hello=1, _db="admin")), (False, msg(2, 1, **OK)), (True, START), (False, msg(8, 7, **DONE)),
    (True, msg(9, find="door", _db="house")), (False, msg(10, 9, cursor={"firstBatch": [{"a": 1}]}, **OK)),
]  # fmt: skip


@quietly
@given(CUTS, st.data())
def test_however_it_is_cut_and_whatever_is_changed(cuts: list[int], data: st.DataObject) -> None:
    alike(MongoDb, mutated(TALK, data), cuts)
