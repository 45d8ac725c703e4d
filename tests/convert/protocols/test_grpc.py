"""gRPC: methods, statuses and messages, as the HTTP/2 parser tells them."""

from __future__ import annotations

import pytest

from support.http2_made import PREFACE, SETTINGS, End, asking, data
from support.parsing import Talk, talk
from syswire.convert.model.record import Value
from syswire.convert.protocols.http2.grpc import Messages, method, status
from syswire.convert.protocols.http2.parser import Http2

CALL = asking(
    "/belfry.Tower/Ring", "POST", "belfry.example", ("content-type", "application/grpc+proto"), ("te", "trailers")
)
OK = [(":status", "200"), ("content-type", "application/grpc")]


def message(content: bytes, compressed: bool = False) -> bytes:
    return bytes([compressed]) + len(content).to_bytes(4, "big") + content


def told(calls: Talk) -> tuple[dict[str, Value], dict[str, Value]]:
    """What is said of gRPC in the request and in the response."""
    (exchange,) = talk(Http2, calls).exchanges
    sides: list[dict[str, Value]] = []
    for said in (exchange.request, exchange.response):
        more = (said.more if said else None) or {}
        sides.append({name: value for name, value in more.items() if name.startswith("grpc_")})
    return sides[0], sides[1]


def test_a_call_with_messages_across_frames() -> None:
    client, server = End(), End()
    asked = message(b"a") + message(b"b" * 300, True) + message(b"")
    answer = message(b"dong")
    calls = [
        (True, PREFACE + SETTINGS + client.headers(1, CALL, end=False)),
        (True, data(1, asked[:8]) + data(1, asked[8:100]) + data(1, asked[100:], end=True)),
        (False, SETTINGS + server.headers(1, OK, end=False) + data(1, answer)),
        (False, server.headers(1, [("grpc-status", "0"), ("grpc-message", "")])),
    ]
    request, response = told(calls)
    assert request == {
        "grpc_service": "belfry.Tower",
        "grpc_method": "Ring",
        "grpc_messages": 3,
        "grpc_compressed": 1,
    }
    assert response == {"grpc_status": 0, "grpc_message": "", "grpc_messages": 1, "grpc_compressed": 0}


def test_a_call_that_fails_with_trailers_alone() -> None:
    client, server = End(), End()
    refusal = [*OK, ("grpc-status", "9"), ("grpc-message", "cracked: 100 %25 l%C3%A4uft nicht")]
    calls = [
        (True, PREFACE + SETTINGS + client.headers(1, CALL, end=False) + data(1, message(b""), end=True)),
        (False, SETTINGS + server.headers(1, refusal)),
    ]
    _, response = told(calls)
    # Text is held one byte a character: the two bytes of the umlaut are two.
    assert response == {
        "grpc_status": 9,
        "grpc_message": "cracked: 100 % l\xc3\xa4uft nicht",
        "grpc_messages": 0,
        "grpc_compressed": 0,
    }


def test_a_call_that_is_cut_says_so() -> None:
    client = End()
    calls = [(True, PREFACE + SETTINGS + client.headers(1, CALL, end=False) + data(1, message(b"abc")[:6]))]
    request, _ = told(calls)
    assert request["grpc_messages"] == 1 and request["grpc_messages_complete"] is False


@pytest.mark.parametrize("target", ["", "/", "/Ring", "belfry/Ring", "/belfry/", "//Ring"])
def test_other_paths_name_no_method(target: str) -> None:
    assert method(target) == {}


def test_nested_names_and_odd_statuses() -> None:
    assert method("/a/b.C/D") == {"grpc_service": "a/b.C", "grpc_method": "D"}
    assert status([("grpc-status", "x"), ("grpc-status", "-1"), ("grpc-status", "²")]) == {}
    assert status([("grpc-status", "5"), ("grpc-status", "0")]) == {"grpc_status": 5}


def test_losses_within_a_message_are_counted_over() -> None:
    messages = Messages()
    messages.feed(message(b"a" * 100)[:50])
    messages.gap(55)
    messages.feed(message(b"b"))
    assert messages.fields(True) == {"grpc_messages": 2, "grpc_compressed": 0}
    messages.gap(1)
    messages.feed(b"\x00\x00")
    assert messages.fields(True)["grpc_messages_complete"] is False


def test_what_is_no_message_ends_the_count() -> None:
    messages = Messages()
    messages.feed(message(b"a") + b"\x07hello")
    assert messages.fields(True) == {"grpc_messages": 1, "grpc_compressed": 0, "grpc_messages_complete": False}
