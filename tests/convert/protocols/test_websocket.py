"""WebSocket: messages in both directions, as the websockets package frames and compresses them."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from support.parsing import Found, Talk, talk
from syswire.convert.model.record import Message, Record, Value
from syswire.convert.model.span import Span
from syswire.convert.protocols.websocket.inflate import BUDGET, BUDGET_RATIO, MOST_OUTPUT, Inflater
from syswire.convert.protocols.websocket.parser import LONGEST_TEXT, WebSocket

TEXT, BINARY, CLOSE, PING, PONG, CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE, Opcode.PING, Opcode.PONG, Opcode.CONT


def parse(*calls: tuple[bool, bytes | int]) -> Found:
    """What comes out, whole and byte by byte."""
    found = talk(WebSocket, calls)
    assert talk(WebSocket, calls, cuts=[1], boundaries=False).said() == found.said()
    return found


def framed(
    to_server: bool, opcode: Opcode, data: bytes, deflate: PerMessageDeflate | None = None, final: bool = True
) -> bytes:
    """A frame as websockets writes it, masked by the client."""
    return Frame(opcode, data, final).serialize(mask=to_server, extensions=[deflate] if deflate else [])


def deflating(takeover: bool = True, bits: int = 15) -> PerMessageDeflate:
    return PerMessageDeflate(not takeover, not takeover, bits, bits)


def fields(found: Found) -> list[dict[str, Value]]:
    return [(r.request or r.response).fields for r in found.records if r.request or r.response]  # type: ignore[union-attr]


def names(found: Found) -> list[str]:
    return [name for name, _ in found.weirds]


def test_the_examples_of_the_rfc() -> None:
    """RFC 6455, 5.7."""
    hello: dict[str, Value] = {"opcode": "text", "length": 5, "complete": True, "text": "Hello", "text_complete": True}
    found = parse(
        (False, bytes.fromhex("81 05 48 65 6c 6c 6f")),
        (True, bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")),
        (False, bytes.fromhex("01 03 48 65 6c 80 02 6c 6f")),
        (False, bytes.fromhex("89 05 48 65 6c 6c 6f")),
        (True, bytes.fromhex("8a 85 37 fa 21 3d 7f 9f 4d 51 58")),
        (False, bytes.fromhex("82 7e 01 00") + bytes(256)),
        (False, bytes.fromhex("82 7f 00 00 00 00 00 01 00 00") + bytes(65536)),
    )
    assert fields(found) == [
        hello,
        hello,
        {"opcode": "text", "length": 5, "fragments": 2, "complete": True, "text": "Hello", "text_complete": True},
        {"opcode": "ping", "length": 5, "complete": True, "payload": "48656c6c6f"},
        {"opcode": "pong", "length": 5, "complete": True, "payload": "48656c6c6f"},
        {"opcode": "binary", "length": 256, "complete": True},
        {"opcode": "binary", "length": 65536, "complete": True},
    ]
    assert found.records[0] == Record("websocket", "websocket", 1, None, Message(Span("call 0", 0, 7), hello))
    assert found.records[1] == Record("websocket", "websocket", 2, Message(Span("call 1", 0, 11), hello), None)
    assert found.records[2].response is not None and found.records[2].response.span == Span("call 2", 7, 9)
    assert not found.weirds


def test_the_compressed_examples_of_the_rfc() -> None:
    """RFC 7692, 7.2.3: one block; two fragments; with a window of what came before; no compression; a last block."""
    messages = [
        "c1 07 f2 48 cd c9 c9 07 00",
        "41 03 f2 48 cd 80 04 c9 c9 07 00",
        "c1 05 f2 00 11 00 00",
        "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00",
        "c1 08 f3 48 cd c9 c9 07 00 00",
        "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00",
    ]
    found = parse(*((False, bytes.fromhex(text)) for text in messages))
    assert [said["text"] for said in fields(found)] == ["Hello"] * 6
    assert all(said["compressed"] and said["text_complete"] and said["length"] == 5 for said in fields(found))
    assert [said["compressed_length"] for said in fields(found)] == [7, 7, 5, 11, 8, 13]
    assert not found.weirds


@pytest.mark.parametrize(("takeover", "bits"), [(True, 15), (False, 15), (True, 9), (False, 9)])
def test_whatever_was_agreed_on_is_inflated(takeover: bool, bits: int) -> None:
    deflate = deflating(takeover, bits)
    said = [f"{'the great bell tolls ' * 40}{number}".encode() for number in range(6)]
    found = parse(*((True, framed(True, TEXT, text, deflate)) for text in said))
    assert [f["text"] for f in fields(found)] == [text.decode() for text in said]


def test_control_frames_between_fragments_and_the_close() -> None:
    found = parse(
        (True, framed(True, TEXT, b"in ", final=False)),
        (True, framed(True, PING, b"?")),
        (True, framed(True, CONT, b"pieces")),
        (False, framed(False, CLOSE, b"\x03\xe9" + b"the ringers rest")),
        (True, framed(True, CLOSE, b"")),
    )
    assert fields(found) == [
        {"opcode": "ping", "length": 1, "complete": True, "payload": "3f"},
        {
            "opcode": "text",
            "length": 9,
            "fragments": 2,
            "complete": True,
            "text": "in pieces",
            "text_complete": True,
        },
        {"opcode": "close", "length": 18, "complete": True, "close_code": 1001, "close_reason": "the ringers rest"},
        {"opcode": "close", "length": 0, "complete": True},
    ]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ('{"user":"ann","password": "a\\"b", "x": 1}', '{"user":"ann","password": "********", "x": 1}'),
        ('42["login",{"access_token":"t1","pin":77}]', '42["login",{"access_token":"********","pin":********}]'),
        ('["{\\"passwd\\":\\"zz\\",\\"n\\":1}"]', '["{\\"passwd\\":\\"********\\",\\"n\\":1}"]'),
        ("CONNECT\nlogin:ann\npasscode:q7\n\n\0", "CONNECT\nlogin:ann\npasscode:********\n\n\0"),
        ("user=ann&pwd=q7&b=c", "user=ann&pwd=********&b=c"),
        ('{"password":"cut', '{"password":"********'),
        ('{"bypass":"x","compass":"n","password":""}', '{"bypass":"x","compass":"n","password":""}'),
    ],
)
def test_passwords_in_text_are_left_out(said: str, shown: str) -> None:
    [told] = fields(parse((True, framed(True, TEXT, said.encode()))))
    assert told["text"] == shown
    assert told.get("secret", False) is (said != shown)


def test_long_text_is_cut() -> None:
    (said,) = fields(talk(WebSocket, [(True, framed(True, TEXT, b"a" * (LONGEST_TEXT + 1)))]))
    assert said["text"] == "a" * LONGEST_TEXT
    assert (said["length"], said["complete"], said["text_complete"]) == (LONGEST_TEXT + 1, True, False)


def test_a_loss_within_a_message() -> None:
    whole = framed(True, TEXT, b"a" * 90 + b"b" * 10)
    found = parse((True, whole[:56]), (True, 20), (True, whole[76:]), (True, framed(True, TEXT, b"next")))
    assert fields(found) == [
        {"opcode": "text", "length": 100, "complete": False, "text": "a" * 50, "text_complete": False},
        {"opcode": "text", "length": 4, "complete": True, "text": "next", "text_complete": True},
    ]
    assert not found.weirds


def test_a_loss_within_a_compressed_message() -> None:
    deflate = deflating()
    first = framed(False, TEXT, b"the great bell tolls", deflate)
    second = framed(False, TEXT, b"the great bell tolls twelve", deflate)
    lone = framed(False, TEXT, b"something else", deflating())
    found = parse((False, first[:-3]), (False, 3), (False, second), (False, lone))
    assert [(f["length"], f["text"], f["text_complete"]) for f in fields(found)] == [
        (None, "", False),
        (None, "", False),  # it refers to what was lost
        (14, "something else", True),
    ]
    assert names(found) == ["websocket-bad-compression"]


def test_a_loss_across_frames_ends_what_can_be_read() -> None:
    text = framed(False, TEXT, b"a" * 20)
    found = parse((False, text[:10]), (False, 40), (False, text), (True, framed(True, TEXT, b"heard")))
    assert [(f["complete"], f["text"]) for f in fields(found)] == [(False, "a" * 8), (True, "heard")]
    assert names(found) == ["websocket-lost"]


def test_what_is_against_the_rules_is_told() -> None:
    cases: list[tuple[bool, bytes, str]] = [
        (True, framed(False, TEXT, b"plain"), "websocket-not-masked"),
        (False, framed(True, TEXT, b"masked"), "websocket-masked"),
        (False, framed(False, CONT, b"x"), "websocket-stray-continuation"),
        (False, framed(False, TEXT, b"x", final=False) + framed(False, TEXT, b"y"), "websocket-unfinished-message"),
        (False, b"\x83\x00", "websocket-bad-frame"),
        (False, b"\xa1\x00", "websocket-bad-frame"),
        (False, b"\x89\x7e\x00\x80" + bytes(128), "websocket-bad-frame"),
        (False, b"\x82\x7f" + b"\xff" * 8, "websocket-bad-frame"),
        (False, framed(False, TEXT, b"\xff\xfe"), "websocket-bad-text"),
        (False, b"\xc1\x03abc", "websocket-bad-compression"),
    ]
    for to_server, wrong, name in cases:
        assert name in names(parse((to_server, wrong))), name


def test_a_bomb_is_given_up() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(MOST_OUTPUT * 2)) + packer.flush(zlib.Z_SYNC_FLUSH)
    frame = b"\xc2\x7f" + (len(bomb) - 4).to_bytes(8, "big") + bomb[:-4]
    found = talk(WebSocket, [(False, frame)])
    (said,) = fields(found)
    assert said["length"] is None and said["compressed_length"] == len(bomb) - 4
    assert names(found) == ["websocket-beyond-limits"]


def test_many_messages_have_a_budget() -> None:
    inflater = Inflater()
    taken = given = 0
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    while not inflater.beyond and given < 2 * BUDGET:
        piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
        inflater.begin()
        given += sum(map(len, [*inflater.feed(piece[:-4]), *inflater.finish()]))
        taken += len(piece)
    assert inflater.beyond
    assert BUDGET / 2 < given <= BUDGET + BUDGET_RATIO * taken


FRAGMENTS = [
    framed(True, TEXT, b"hello"),
    framed(False, TEXT, b"hello"),
    framed(True, TEXT, b"begun", final=False),
    framed(False, CONT, b"ended"),
    framed(False, PING, b"?"),
    framed(True, CLOSE, b"\x03\xe8"),
    framed(True, TEXT, b"compressed " * 9, deflating()),
    framed(False, BINARY, bytes(200), deflating()),
    b"\x81",
    b"\xc1\x05",
]
PAYLOAD = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=6)), max_size=6).map(b"".join)


@given(
    st.lists(st.tuples(st.booleans(), st.one_of(PAYLOAD, PAYLOAD, st.integers(1, 40))), max_size=8),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
@settings(max_examples=400, deadline=None)
def test_cuts_change_nothing(calls: list[tuple[bool, bytes | int]], cuts: list[int]) -> None:
    whole = talk(WebSocket, calls).said()
    assert talk(WebSocket, calls, cuts=[1], boundaries=False).said() == whole
    assert talk(WebSocket, calls, cuts=cuts).said() == whole


@given(
    st.lists(st.tuples(st.booleans(), st.text(max_size=60), st.integers(1, 4)), max_size=8),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_what_websockets_says_is_heard(said: list[Any], compressed: bool, takeover: bool) -> None:
    deflate = {True: deflating(takeover), False: deflating(takeover)}
    calls: list[tuple[bool, bytes | int]] = []
    for to_server, text, pieces in said:
        data = text.encode()
        size = max(1, -(-len(data) // pieces))
        parts = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
        out = b""
        for number, part in enumerate(parts):
            opcode = CONT if number else TEXT
            last = number == len(parts) - 1
            out += framed(to_server, opcode, part, deflate[to_server] if compressed else None, last)
        calls.append((to_server, out))
    found = talk(WebSocket, calls)
    assert [f["text"] for f in fields(found)] == [text.encode().decode("latin-1") for _, text, _ in said]
    assert not found.weirds


def test_endless_frames_are_held_in_bounds() -> None:
    parser = WebSocket(Found())
    parser.data(True, b"\x01\xff" + (1 << 40).to_bytes(8, "big") + b"mask", 0, None, True)
    for number in range(200):
        parser.data(True, b"a" * 100_000, 14 + number * 100_000, None, True)
    message = parser._sides[True].message
    assert message is not None and len(message.text) == LONGEST_TEXT


def test_nothing_is_said_of_nothing() -> None:
    calls: Talk = []
    assert not talk(WebSocket, calls).records
