"""Which protocol a conversation speaks: what the recogniser holds back, hands on, and how often it asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.parsing import Found, talk
from syswire.convert.protocols import recogniser
from syswire.convert.protocols.api import Sink
from syswire.convert.protocols.recogniser import ATTEMPTS, MOST_HELD, Recogniser

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
FTP = [(False, b"220 Welcome\r\n"), (True, b"USER anna\r\n"), (False, b"331 Password\r\n"), (True, b"PASS x\r\n")]
SMTP = [(False, b"220 Welcome\r\n"), (True, b"EHLO h\r\n"), (False, b"250 h\r\n"), (True, b"QUIT\r\n")]


def over(transport: str, client: int = 0, server: int = 0) -> Callable[[Sink], Recogniser]:
    return lambda sink: Recogniser(sink, transport, client, server)


def spoken(found: Found) -> list[str | None]:
    return [one.name for one in found.switched]


@pytest.mark.parametrize("cuts", [None, [1], [3]])
def test_all_that_was_held_reaches_the_parser(cuts: list[int] | None) -> None:
    """The greeting alone does not tell; the client's first command does."""
    for calls, name in ((FTP, "ftp"), (SMTP, "smtp")):
        found = talk(over("tcp"), calls, cuts=cuts)
        assert spoken(found) == [name]
        assert found.switched[0].client == b"".join(data for up, data in calls if up)
        assert found.switched[0].server == b"".join(data for up, data in calls if not up)
        assert found.switched[0].closed is True


def test_http_is_known_at_any_boundary_and_gets_what_follows() -> None:
    found = talk(over("tcp"), [(True, b"\x00\x01\x02"), (False, b"\xff" * 100), (True, GET)])
    assert spoken(found) == ["http"]
    assert found.switched[0].client == GET
    assert found.switched[0].server == b""


def test_http_over_datagrams_is_not_http() -> None:
    assert spoken(talk(over("udp"), [(True, b"NOTIFY * HTTP/1.1\r\nHost: h\r\n\r\n")])) == []


def test_an_end_decides_what_more_bytes_would_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening.over is set when nothing follows; whoever still says MORE is not believed."""
    seen: list[tuple[bytes, bytes, bool, int]] = []

    def probe(opening: object) -> int:
        given = (opening.client, opening.server, opening.over, opening.server_port)  # type: ignore[attr-defined]
        seen.append(given)
        return 1 if opening.over else 2  # type: ignore[attr-defined]

    monkeypatch.setattr(recogniser, "probes", lambda transport: (("made", probe),))
    found = talk(over("tcp", 40000, 99), [(False, b"\x01\x02"), (True, b"\x03")])
    assert seen == [(b"", b"\1\2", False, 99), (b"\3", b"\1\2", False, 99), (b"\3", b"\1\2", True, 99)]
    assert spoken(found) == ["made"]
    assert (found.switched[0].client, found.switched[0].server) == (b"\3", b"\1\2")


def test_gaps_are_handed_on_and_end_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def probe(opening: object) -> int:
        seen.append(opening.client)  # type: ignore[attr-defined]
        return 1 if opening.server else 2  # type: ignore[attr-defined]

    monkeypatch.setattr(recogniser, "probes", lambda transport: (("made", probe),))
    found = talk(over("tcp"), [(True, 7), (True, b"\1"), (True, 9), (True, b"\2"), (False, b"\3"), (False, 4)])
    assert seen == [b"\1", b"\1", b"\1"], "what stands behind a gap is no opening"
    [inner] = found.switched
    assert (inner.client, inner.server) == (b"\1\2", b"\3")
    assert inner.gaps == [(True, 9), (False, 4)], "the gap before the first byte is nobody's"


@pytest.mark.parametrize("cuts", [None, [1]])
def test_a_loss_among_many_pieces_ends_nothing(monkeypatch: pytest.MonkeyPatch, cuts: list[int] | None) -> None:
    """Bytes are counted, not the pieces in which they come."""
    monkeypatch.setattr(recogniser, "probes", lambda transport: (("made", lambda opening: 1 if opening.server else 2),))
    found = talk(over("tcp"), [(True, b"\1" * 2000), (True, 9), (False, b"\2")], cuts=cuts)
    [inner] = found.switched
    assert (inner.client, inner.server, inner.gaps) == (b"\1" * 2000, b"\2", [(True, 9)])


@pytest.mark.parametrize(("losses", "kept"), [(1000, 1000), (1030, 0)])
def test_losses_are_held_within_bounds(monkeypatch: pytest.MonkeyPatch, losses: int, kept: int) -> None:
    """Each counts for 64 bytes; behind too many it is asked anew."""
    assert MOST_HELD == 1024 * 64
    monkeypatch.setattr(recogniser, "probes", lambda transport: (("made", lambda opening: 1 if opening.server else 2),))
    calls: list[tuple[bool, bytes | int]] = [(True, b"\1"), *[(True, 9)] * losses, (False, b"\2")]
    [inner] = talk(over("tcp"), calls).switched
    assert (len(inner.gaps), inner.server) == (kept, b"\2")


def test_it_asks_again_at_later_boundaries_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def probe(opening: object) -> int:
        asked.append(opening.client)  # type: ignore[attr-defined]
        return 0

    monkeypatch.setattr(recogniser, "probes", lambda transport: (("made", probe),))
    found = talk(over("tcp"), [(True, bytes([number])) for number in range(20)])
    assert asked == [bytes([number]) for number in range(ATTEMPTS)]
    assert spoken(found) == []


def test_a_hello_of_tls_is_looked_for_however_late() -> None:
    """Protocols that are not decoded go over to TLS too (XMPP, LDAP and others)."""
    body = bytes.fromhex("0303") + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + b"\0\0"
    hello = b"\x16\x03\x01" + (len(body) + 4).to_bytes(2, "big") + b"\x01" + len(body).to_bytes(3, "big") + body
    before = [(number % 2 == 0, b"<unknown %d/>" % number) for number in range(4 * ATTEMPTS)]
    found = talk(over("tcp"), [*before, (True, hello), (False, b"\x15\x03\x03\0\2\2\x28")])
    assert spoken(found) == ["tls"]
    assert (found.switched[0].client, found.switched[0].server) == (hello, b"\x15\x03\x03\0\2\2\x28")


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0

    def probe(opening: object) -> int:
        nonlocal most
        most = max(most, len(opening.client))  # type: ignore[attr-defined]
        return 2

    monkeypatch.setattr(recogniser, "probes", lambda transport: (("made", probe),))
    found = talk(over("tcp"), [(True, b"\1" * 1000)] * (ATTEMPTS * MOST_HELD // 1000 + 500))
    assert spoken(found) == []
    assert most == recogniser.OPENING_BYTES
