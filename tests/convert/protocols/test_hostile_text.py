"""What hostile text may cost: expressions that find nothing in it do not try each of its parts from every beginning.

Each text is so long that this would take minutes; it is looked through once.
"""

from __future__ import annotations

import tracemalloc

import pytest

from support.parsing import Found, talk
from syswire.convert.protocols.http import jwt
from syswire.convert.protocols.http.authorization import _WSSE
from syswire.convert.protocols.http.json_fields import _ARGUMENT
from syswire.convert.protocols.http.outcome import judge_body
from syswire.convert.protocols.nats.parser import _OPERATION
from syswire.convert.protocols.nntp.parser import _SASL
from syswire.convert.protocols.radius.parser import Radius
from syswire.convert.protocols.rlogin.parser import Rlogin
from syswire.convert.protocols.sasl.hashes import digest_parameters

LONG = 300_000


@pytest.mark.parametrize(
    "text",
    [
        b"name=" + b" " * LONG + b'x"',
        b"name" + b" " * LONG,
        b'name="a"' + b" " * LONG + b"x",
        b'name="' + b"\\a" * LONG,
    ],
)
def test_parameters_of_digest_md5(text: bytes) -> None:
    assert digest_parameters(text) is None


def test_parameters_of_digest_md5_with_blanks() -> None:
    text = b"a" + b" " * LONG + b"=" + b" " * LONG + b"b" + b" " * LONG + b', c="d"'
    assert digest_parameters(text) == {b"a": b"b", b"c": b"d"}


@pytest.mark.parametrize("text", ["a" * LONG, "a " * LONG, 'a="' + "a=" * LONG])
def test_a_header_of_wsse_that_is_none(text: str) -> None:
    assert _WSSE.findall(text) == []


@pytest.mark.parametrize("text", ["eyJ" * LONG, "eyJaaaaaaaa." + "eyJ" * LONG, "eyJ" + "-" * LONG + "." + "eyJ" * LONG])
def test_tokens_that_only_begin(text: str) -> None:
    assert jwt.within(text) == []


def test_tokens_among_others() -> None:
    text = "eyJaaaaaaaa.eyJbbbbbbbb.c, x-eyJdddddddd..e.f.g.h eyJaaaaaaaa eyJb.c.d"
    assert jwt.within(text) == ["eyJaaaaaaaa.eyJbbbbbbbb.c", "eyJdddddddd..e.f.g"]


@pytest.mark.parametrize("text", [b"a" + b"\\n" * LONG, (b"a" + b" " * 100) * 20_000, b"a:" + b"\\n" * LONG])
def test_arguments_of_graphql(text: bytes) -> None:
    assert _ARGUMENT.search(text) is None


@pytest.mark.parametrize("begin", [b"", b"{"])
@pytest.mark.parametrize("text", [b"contrase" * 40_000, b"contrase" + b" " * LONG, b"login" + b" " * LONG])
def test_a_page_that_says_nothing(begin: bytes, text: bytes) -> None:
    assert judge_body(begin + text) == "unknown"


def test_a_page_that_refuses() -> None:
    assert judge_body("<p>Contraseña incorrecta".encode()) == "refused"
    assert judge_body(b"<p>Contrase&ntilde;a  incorrecta") == "refused"


def test_lines_of_nntp_and_nats() -> None:
    assert _SASL.match(b"SASL a" + b" " * LONG + b"b c") is None
    assert _OPERATION.match(b"PUB" + b" " * LONG + b"\r") is None
    whole = _SASL.match(b"SASL \tPLAIN  AGEAYg== ")
    assert whole is not None
    assert whole.groups() == (b"PLAIN", b"AGEAYg==")


def test_window_sizes_of_rlogin_are_not_typed() -> None:
    """A hundred thousand of them at once; what stands between is a line."""
    window = b"\xff\xffss" + bytes(8)
    calls = [(True, b"\0a\0b\0xterm/9600\0"), (True, b"ab" + window * 100_000 + b"cd\r" + window)]
    (record,) = talk(Rlogin, calls).records
    assert record.request is not None
    assert record.request.fields["lines"] == 1


def test_requests_of_radius_wait_without_their_attributes() -> None:
    """256 that are not answered, of 1,000 attributes each."""
    attributes = b"\x12\x03a" * 1000

    class Silent(Found):
        def record(self, r: object, /) -> None:
            pass

    parser = Radius(Silent())
    tracemalloc.start()
    try:
        for number in range(256):
            head = bytes((1, number)) + (20 + len(attributes)).to_bytes(2, "big") + bytes(16)
            parser.data(True, head + attributes, number * 3020, None, True)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3_000_000
