"""X11's setup (X Window System Protocol, 8), made by hand."""

from __future__ import annotations

import struct

import pytest

from support.parsing import talk
from syswire.convert.model.sighting import ACCEPTED, REFUSED, TOKEN, UNKNOWN
from syswire.convert.protocols.x11.parser import X11

COOKIE = bytes.fromhex("9b1d7e3c5a2f4866b0c1d2e3f4051627")
NAME = b"MIT-MAGIC-COOKIE-1"


def asked(order: str, name: bytes = NAME, data: bytes = COOKIE) -> bytes:
    head = (b"B" if order == ">" else b"l") + b"\0" + struct.pack(order + "5H", 11, 0, len(name), len(data), 0)
    return head + name + bytes(-len(name) % 4) + data + bytes(-len(data) % 4)


def answered(order: str, result: int, text: bytes) -> bytes:
    """Failed or to authenticate further; of a success the vendor is the text."""
    padded = text + bytes(-len(text) % 4)
    if result != 1:
        return bytes((result, len(text))) + struct.pack(order + "3H", 11, 0, len(padded) // 4) + padded
    fixed = struct.pack(order + "4I2H8B4x", 7, 0, 0, 0, len(text), 65535, 1, 1, 0, 0, 32, 32, 8, 255)
    return b"\1\0" + struct.pack(order + "3H", 11, 0, (len(fixed) + len(padded)) // 4) + fixed + padded


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("result", "outcome"), [(1, ACCEPTED), (0, REFUSED), (2, UNKNOWN)])
def test_a_cookie(order: str, result: int, outcome: str) -> None:
    found = talk(X11, [(True, asked(order)), (False, answered(order, result, b"Some text"))])
    [sighting] = found.sightings
    assert (sighting.form, sighting.secret, sighting.outcome) == (TOKEN, COOKIE.hex().encode(), outcome)
    assert (sighting.raw, sighting.parts, sighting.span.offset) == (COOKIE, (COOKIE,), 32)
    assert found.asked == [
        {"byte_order": "little" if order == "<" else "big", "version": "11.0", "authorization": "MIT-MAGIC-COOKIE-1",
         "secret": True}
    ]  # fmt: skip
    said = found.answered[0]
    assert said is not None
    if result == 1:
        assert (said["vendor"], said["release"], said["version"]) == ("Some text", 7, "11.0")
    else:
        assert said["reason"] == "Some text"


def test_no_cookie_is_no_credential() -> None:
    found = talk(X11, [(True, asked("<", b"", b"")), (False, answered("<", 0, b"Authorization required"))])
    assert not found.sightings and found.asked[0] is not None and found.asked[0]["authorization"] is None


def test_a_name_without_cookie_is_no_credential() -> None:
    assert not talk(X11, [(True, asked("<", NAME, b"")), (False, answered("<", 1, b""))]).sightings


def test_another_authorization_is_no_credential() -> None:
    found = talk(X11, [(True, asked("<", b"XDM-AUTHORIZATION-1", COOKIE)), (False, answered("<", 1, b""))])
    assert not found.sightings and found.asked[0] is not None and found.asked[0]["secret"] is True


def test_without_an_answer() -> None:
    [sighting] = talk(X11, [(True, asked(">"))]).sightings
    assert sighting.outcome == UNKNOWN


@pytest.mark.parametrize("cuts", [None, [1], [3], [7, 50]])
@pytest.mark.parametrize("here", [1, 11, 12, 40, 47])
def test_an_answer_before_the_setup_is_whole(here: int, cuts: list[int] | None) -> None:
    setup, events = asked("<"), bytes(10_000)
    calls = [(True, setup[:here]), (False, answered("<", 1, b"Some text") + events), (True, setup[here:] + b"more")]
    found = talk(X11, calls, cuts=cuts)
    assert [(s.secret, s.outcome) for s in found.sightings] == [(COOKIE.hex().encode(), ACCEPTED)]
    [record] = found.records
    assert record.request is not None and record.request.span.length == len(setup) == 48
    assert record.response is not None and record.response.span.length == 52
    assert record.response.fields == {"result": "success", "version": "11.0", "vendor": "Some text", "release": 7}


@pytest.mark.parametrize("cuts", [None, [1], [53]])
def test_a_vendor_that_is_longer_than_the_answer(cuts: list[int] | None) -> None:
    """What follows the answer is none of its name, here or not."""
    answer = bytearray(answered("<", 1, b"Some text!!!"))
    answer[24:26] = b"\xff\0"
    found = talk(X11, [(True, asked("<")), (False, bytes(answer) + b"events")], cuts=cuts)
    assert [said and said["vendor"] for said in found.answered] == ["Some text!!!"]


@pytest.mark.parametrize("cuts", [None, [1], [9]])
def test_an_unknown_answer_is_not_read(cuts: list[int] | None) -> None:
    answer = b"\x0a" + answered("<", 1, b"Some text")[1:]
    found = talk(X11, [(True, asked("<")), (False, answer + b"events")], cuts=cuts)
    assert found.answered == [{"result": "10"}] and found.sightings[0].outcome == UNKNOWN
