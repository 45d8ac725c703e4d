"""TLS: hellos written out by hand, published fingerprints, and hostile ones."""

from __future__ import annotations

from random import Random
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.parsing import Found, talk
from support.tls_made import (
    CHANGED,
    CHOSEN13,
    CHROME,
    CHROME_EXTENSIONS,
    CHROME_SIGNATURES,
    DATA,
    RANDOM,
    RETRY,
    SNI,
    TLS13,
    block,
    client_hello,
    extension,
    framed,
    message,
    names,
    server_hello,
    words,
)
from syswire.convert.model.record import Value
from syswire.convert.protocols.tls.ciphers import cipher_name
from syswire.convert.protocols.tls.fingerprints import ja4, md5_hex
from syswire.convert.protocols.tls.hello import version_name
from syswire.convert.protocols.tls.parser import Tls


def said(found: Found) -> tuple[dict[str, Value], dict[str, Value]]:
    assert len(found.records) == 1
    request, response = found.asked[0], found.answered[0]
    assert request is not None
    assert response is not None
    return request, response


def test_a_handshake_of_before_tls_13() -> None:
    hello = client_hello(
        [SNI, names(b"h2", b"http/1.1"), extension(10, block(words([29, 23]))), extension(11, b"\1\0")]
    )
    answer = server_hello([names(b"h2")])
    found = talk(
        Tls, [(True, framed(hello)), (False, framed(answer + message(14, b"")) + CHANGED), (True, CHANGED + DATA)]
    )
    request, response = said(found)
    assert request["version"] == request["legacy_version"] == "TLS 1.2"
    assert request["sni"] == "www.example.org"
    assert request["alpn"] == ["h2", "http/1.1"]
    assert request["cipher_count"] == 2
    assert request["ciphers"] == ["c02f", "00ff"]
    assert request["ja3_text"] == "771,49199-255,0-16-10-11,29-23,0"
    assert response["version"] == "TLS 1.2"
    assert (response["cipher"], response["cipher_name"]) == ("c02f", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    assert response["alpn"] == "h2"
    assert response["ja3s_text"] == "771,49199,16"
    assert response["resumed"] is False
    sides = (found.records[0].request, found.records[0].response)
    spans = [(side.span.place, side.span.offset, side.span.length) for side in sides if side]
    assert spans == [("call 0", 0, 5 + len(hello)), ("call 1", 0, 5 + len(answer))]
    assert not found.weirds


def test_published_ja3() -> None:
    assert md5_hex("769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0") == (
        "ada70206e40642a3e4461f35503241d5"
    )
    assert md5_hex("769,4-5-10-9-100-98-3-6-19-18-99,,,") == "de350869b8c85de67a350c8d186f11e6"


def test_ja4_of_its_definition() -> None:
    """The example of FoxIO's technical details, with GREASE put in."""
    found = ja4(
        0x0304,
        [0x0A0A, *CHROME],
        [0xEAEA, *CHROME_EXTENSIONS, 0x1A1A],
        [b"h2", b"http/1.1"],
        [0x2A2A, *CHROME_SIGNATURES],
    )
    assert found[0] == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert found[1] == (
        "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_"
        "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_"
        "0403,0804,0401,0503,0805,0501,0806,0601"
    )
    without = ja4(0x0304, CHROME, CHROME_EXTENSIONS, [], [])
    assert without[0] == "t13d151600_8daaf6152771_6d807ffa2a79"


def test_ja4_of_foxio_s_own_tests() -> None:
    extensions = [0xFE0D, 0x0010, 0x0017, 0x0033, 0x44CD, 0xFF01, 0x000A, 0x000D, 0x0023, 0x002B, 0x000B, 0xCA34]
    extensions += [0x002D, 0x0000, 0x0005, 0x001B, 0x0012]
    signatures = [0x0904, 0x0905, 0x0906, *CHROME_SIGNATURES]
    assert ja4(0x0304, CHROME, extensions, [b"h2"], signatures)[0] == "t13d1517h2_8daaf6152771_cb7bf5808d99"


@pytest.mark.parametrize(
    ("protocol", "ends"),
    [(b"h2", "h2"), (b"http/1.1", "h1"), (b"x", "xx"), (b"", "00"), (b"\xab", "ab"), (b"\xab\xcd", "ad"),
     (b"\x30\xab", "3b"), (b"\x30\x31\xab\xcd", "3d"), (b"\x30\xab\xcd\x31", "01")],
)  # fmt: skip
def test_ja4_s_letters_of_the_first_protocol(protocol: bytes, ends: str) -> None:
    assert ja4(0x0303, [], [], [protocol], [])[0] == f"t12i0000{ends}_000000000000_000000000000"


@pytest.mark.parametrize(
    ("version", "letters"),
    [(0x0304, "13"), (0x0303, "12"), (0x0302, "11"), (0x0301, "10"), (0x0300, "s3"), (2, "s2"), (0x7F1C, "00")],
)
def test_ja4_s_versions(version: int, letters: str) -> None:
    assert ja4(version, [1] * 120, [16], [], [])[0].startswith(f"t{letters}i990100_")


def test_a_hello_as_a_browser_sends_it() -> None:
    bodies = {
        0x0000: block(b"\0" + block(b"www.example.org")),
        0x0010: block(block(b"h2", 1) + block(b"http/1.1", 1)),
        0x000D: block(words(CHROME_SIGNATURES)),
        0x002B: block(words([0x6A6A, 0x0304, 0x0303]), 1),
        0x000A: block(words([0xBABA, 29, 23, 24])),
        0x000B: b"\1\0",
    }
    sent = [extension(0x4A4A)] + [extension(kind, bodies.get(kind, b"")) for kind in CHROME_EXTENSIONS]
    hello = client_hello(sent, [0x8A8A, *CHROME], session=bytes(32))
    request, response = said(talk(Tls, [(True, framed(hello)), (False, framed(server_hello([CHOSEN13])))]))
    assert request["ja4"] == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert request["ja3_text"] == (
        "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
        "27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,29-23-24,0"
    )
    assert (request["version"], request["legacy_version"]) == ("TLS 1.3", "TLS 1.2")
    assert request["cipher_count"] == 16
    assert request["session_offered"] == []
    assert (response["version"], response["resumed"]) == ("TLS 1.3", False)


def test_fragments_and_what_is_within_a_record() -> None:
    hello, answer = client_hello([SNI]), server_hello([])
    whole = talk(Tls, [(True, framed(hello)), (False, framed(answer) + CHANGED), (True, CHANGED)])
    for piece in (1, 3, 40):
        calls = [(True, framed(hello, piece=piece)), (False, framed(answer, piece=piece) + CHANGED), (True, CHANGED)]
        assert said(talk(Tls, calls)) == said(whole)


def test_another_hello_is_demanded() -> None:
    first, second = client_hello([SNI, TLS13]), client_hello([TLS13])
    retry = server_hello([CHOSEN13], 0x1301, random=RETRY)
    answer = server_hello([CHOSEN13, extension(51)], 0x1302)
    calls = [(True, framed(first)), (False, framed(retry) + CHANGED), (True, CHANGED + framed(second)),
             (False, framed(answer) + DATA), (True, DATA)]  # fmt: skip
    request, response = said(talk(Tls, calls))
    assert request["sni"] == "www.example.org"
    assert (response["cipher"], response["hello_retry"], response["version"]) == ("1302", True, "TLS 1.3")


def test_resumption() -> None:
    session = bytes(range(32))
    hello = client_hello([extension(35, b"ticket")], session=session)
    for echoed, resumed in ((session, True), (bytes(32), False), (b"", False)):
        request, response = said(talk(Tls, [(True, framed(hello)), (False, framed(server_hello([], session=echoed)))]))
        assert request["session_offered"] == ["session-id", "ticket"]
        assert response["resumed"] is resumed
    offer = client_hello([extension(42), extension(43, b"\2\3\4"), extension(41, b"x")])
    answer = server_hello([CHOSEN13, extension(41, b"\0\0")], 0x1301)
    request, response = said(talk(Tls, [(True, framed(offer)), (False, framed(answer))]))
    assert (request["session_offered"], request["early_data"], response["resumed"]) == (["psk"], True, True)


def test_refusals() -> None:
    calls = [(True, framed(client_hello([]))), (False, b"\x15\x03\x01\0\2\2\x28"), (False, DATA)]
    _, response = said(talk(Tls, calls))
    assert response == {"alert": "handshake_failure", "alert_level": "fatal"}
    calls = [(True, framed(client_hello([]))), (False, b"\x15\x03\x01\0\2\1\x70" + framed(server_hello([]))),
             (True, b"\x15\x03\x01\0\2\2\x30")]  # fmt: skip
    request, response = said(talk(Tls, calls))
    assert (response["alert"], response["alert_level"], response["cipher"]) == ("unrecognized_name", "warning", "c02f")
    assert (request["alert"], request["alert_level"]) == ("unknown_ca", "fatal")


def test_a_draft_of_tls_13_without_a_session() -> None:
    body = pack(">H", 0x7F12) + RANDOM + pack(">H", 0x1301) + block(extension(51))
    _, response = said(talk(Tls, [(True, framed(client_hello([]))), (False, framed(message(2, body)))]))
    assert (response["version"], response["cipher"]) == ("TLS 1.3 draft 18", "1301")
    assert response["ja3s_text"] == "32530,4865,51"
    assert version_name(0x0399) == "0399"


def test_a_hello_in_the_format_of_ssl_2() -> None:
    ciphers = bytes.fromhex("010080 00002f")
    hello = b"\1\3\0" + pack(">3H", len(ciphers), 0, 16) + ciphers + bytes(16)
    start = pack(">H", 0x8000 | len(hello)) + hello
    found = talk(Tls, [(True, start), (False, framed(server_hello([], 0x002F, 0x0300)) + CHANGED), (True, CHANGED)])
    request, response = said(found)
    assert (request["version"], request["legacy_version"]) == ("SSL 3.0", "SSL 2.0")
    assert request["ciphers"] == ["010080", "002f"]
    assert (response["version"], response["cipher_name"]) == ("SSL 3.0", "TLS_RSA_WITH_AES_128_CBC_SHA")
    der = b"\x30\x03\x02\x01\x05"
    answer = b"\4\0\1\0\2" + pack(">3H", len(der), 3, 16) + der + bytes.fromhex("010080") + bytes(16)
    _, response = said(talk(Tls, [(True, start), (False, pack(">H", 0x8000 | len(answer)) + answer + bytes(99))]))
    assert (response["version"], response["ciphers"]) == ("SSL 2.0", ["010080"])
    assert cipher_name(0x010080) == "SSL2_RC4_128_WITH_MD5"


def test_the_other_way_round() -> None:
    found = talk(Tls, [(False, framed(client_hello([SNI]))), (True, framed(server_hello([])))])
    request, response = said(found)
    assert response["sni"] == "www.example.org"
    assert request["cipher"] == "c02f"
    assert [name for name, _ in found.weirds] == ["tls-roles-reversed"]


def test_a_heartbeat_that_asks_for_more_than_it_sent() -> None:
    beat = b"\x18\x03\x02\0\3\1\x40\0"
    good = b"\x18\x03\x02\0\x16\1\0\3abc" + bytes(16)
    found = talk(Tls, [(True, framed(client_hello([])) + good + beat), (False, framed(server_hello([])))])
    assert [(name, span.length) for name, span in found.weirds] == [("tls-heartbleed", 8)]


def test_losses_within_messages_and_beyond() -> None:
    hello = framed(client_hello([SNI], list(range(0x1300, 0x1340))))
    answer = framed(server_hello([]))
    pem = framed(message(11, block(block(bytes(3000), 3), 3)))
    calls: list[tuple[bool, bytes | int]] = [
        (True, hello[:80]), (True, len(hello) - 80), (True, CHANGED),
        (False, answer + pem[:100]), (False, len(pem) - 100), (False, framed(message(13, b"")) + CHANGED),
    ]  # fmt: skip
    request, response = said(talk(Tls, calls))
    assert request["hello_complete"] is False
    assert "ja3" not in request
    assert request["version"] == "TLS 1.2"
    assert request["cipher_count"] is None
    assert response["client_certificate_requested"] is True
    assert "certificate_sha256" not in response["certificate"]  # type: ignore[operator]
    assert response["certificates"] is None
    beyond = talk(Tls, [(True, hello), (False, answer), (False, 5000), (False, DATA)])
    assert said(beyond)[1]["cipher"] == "c02f"
    assert not beyond.weirds


def test_what_is_no_tls_any_more() -> None:
    found = talk(Tls, [(True, framed(client_hello([]))), (False, b"HTTP/1.1 400 Bad Request\r\n\r\n")])
    assert found.answered == [None]
    assert [name for name, _ in found.weirds] == ["tls-broken-record"]


def test_one_side_alone_and_nothing_at_all() -> None:
    assert talk(Tls, [(False, framed(server_hello([])))]).asked == [None]
    assert not talk(Tls, [(True, DATA), (False, DATA)]).records
    assert not talk(Tls, []).records


def test_endless_input_is_not_held() -> None:
    found = Found()
    parser = Tls(found)
    begin = framed(message(11, bytes(1 << 20)))
    parser.data(False, begin, 0, None, True)
    at = len(begin)
    for _ in range(200):
        parser.data(False, framed(bytes(16000)), at, None, True)
        at += 16005
    side = parser._sides[False].records
    assert len(side._head) <= (1 << 16) + 4
    assert len(side._in._data) < 1 << 18
    parser.close()


HANDSHAKE = [
    (True, framed(client_hello([SNI, names(b"h2")]), piece=50)),
    (False, framed(server_hello([]) + message(11, block(block(b"\x30\x03\x02\x01\x05", 3), 3)) + message(14, b""))),
    (True, framed(message(11, b"\0\0\0") + message(16, bytes(40))) + CHANGED + DATA),
    (False, CHANGED + DATA),
]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_however_it_is_cut(cuts: list[int], boundaries: bool) -> None:
    assert talk(Tls, HANDSHAKE, cuts=cuts, boundaries=boundaries).said() == talk(Tls, HANDSHAKE).said()


@given(st.lists(st.tuples(st.booleans(), st.one_of(st.binary(max_size=80), st.integers(1, 99))), max_size=8))
@settings(max_examples=150, deadline=None)
def test_never_raises_on_anything(calls: list[tuple[bool, bytes | int]]) -> None:
    talk(Tls, calls)


@given(st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_the_same_answer_to_a_changed_handshake(seed: int) -> None:
    random = Random(seed)
    calls: list[tuple[bool, bytes | int]] = []
    for to_server, content in HANDSHAKE:
        changed = bytearray(content)
        for _ in range(random.randrange(3)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        cut = random.randrange(len(changed))
        calls.append((to_server, bytes(changed[:cut])))
        if random.randrange(2):
            calls.append((to_server, 1 + random.randrange(50)))
        calls.append((to_server, bytes(changed[cut:])))
    assert talk(Tls, calls, cuts=[1 + random.randrange(30), 1]).said() == talk(Tls, calls).said()
