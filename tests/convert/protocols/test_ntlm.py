"""NTLM's exchange against the values of MS-NLMP 4.2, scapy's messages, and damaged ones."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support import ntlm_made as made
from syswire.convert.protocols.ntlm.exchange import NtlmAnswer, NtlmExchange, sighting_fields


def _answer(client: bytes, server: bytes | None = None) -> NtlmAnswer | None:
    exchange = NtlmExchange()
    exchange.server(made.challenge() if server is None else server)
    return exchange.client(client)


def _line(client: bytes, server: bytes | None = None) -> str | None:
    found = _answer(client, server)
    return found.line if found is not None else None


def test_version_1() -> None:
    found = _answer(made.authenticate())
    assert found == NtlmAnswer(
        "Domain\\User", made.V1_LINE, 5500, "netntlm", 1, True, "COMPUTER", (made.V1_NT, made.V1_LM, made.V1_NT[:16])
    )


def test_version_1_with_extended_session_security() -> None:
    found = _answer(made.authenticate(made.ESS_NT, made.ESS_LM))
    assert found is not None
    assert (found.line, found.hashcat, found.john) == (made.ESS_LINE, 5500, "netntlm")


def test_version_2() -> None:
    found = _answer(made.authenticate(made.V2_PROOF + made.V2_BLOB, made.V2_LM))
    assert found is not None
    assert (found.line, found.hashcat, found.john, found.version) == (made.V2_LINE, 5600, "netntlmv2", 2)
    assert found.parts == (made.V2_PROOF + made.V2_BLOB, made.V2_LM, made.V2_PROOF)


def test_what_a_sighting_says() -> None:
    found = _answer(made.authenticate(made.V2_PROOF + made.V2_BLOB, b"\0" * 24))
    assert found is not None
    told = sighting_fields(found)
    assert told["username"] == "Domain\\User"
    assert told["secret"] == made.V2_LINE.encode()
    assert (told["form"], told["confidence"]) == ("hash", "certain")
    assert told["details"] == {
        "mechanism": "NTLM", "version": 2, "hashcat": 5600, "john": "netntlmv2", "challenge_seen": True,
        "workstation": "COMPUTER",
    }  # fmt: skip
    assert told["parts"] == (made.V2_PROOF + made.V2_BLOB, made.V2_PROOF)


def test_a_challenge_that_was_not_seen_is_left_empty() -> None:
    found = NtlmExchange().client(made.authenticate(made.V2_PROOF + made.V2_BLOB))
    assert found is not None
    assert not found.challenge_seen
    assert found.line == made.V2_LINE.replace(":0123456789abcdef:", "::")
    assert sighting_fields(found)["confidence"] == "likely"
    first = NtlmExchange().client(made.authenticate())
    assert first is not None
    assert first.line == made.V1_LINE.removesuffix("0123456789abcdef")


def test_the_last_challenge_counts() -> None:
    exchange = NtlmExchange()
    exchange.server(made.challenge(b"\x11" * 8))
    exchange.server(made.challenge())
    exchange.server(b"something else")
    found = exchange.client(made.authenticate())
    assert found is not None
    assert found.line == made.V1_LINE


def test_wrapped_in_spnego() -> None:
    server = made.spnego_response(made.challenge())
    assert _line(made.spnego_response(made.authenticate(), b"\1\0\0\0" + b"\x55" * 12), server) == made.V1_LINE
    assert _line(made.spnego_init(made.authenticate()), server) == made.V1_LINE
    assert NtlmExchange().client(made.spnego_init(made.NEGOTIATE)) is None


def test_a_field_does_not_reach_behind_its_wrapping() -> None:
    message = made.authenticate(order=("domain", "user", "host", "lm", "key", "nt"))
    longer = message[:20] + (25).to_bytes(2, "little") * 2 + message[24:]
    assert _line(longer + b"\x99") is not None
    assert _line(made.spnego_response(longer, b"\x99" * 16)) is None


@pytest.mark.parametrize(
    "order", [("nt", "lm", "host", "user", "domain", "key"), ("key", "user", "lm", "host", "nt", "domain")]
)
def test_fields_in_any_order(order: tuple[str, ...]) -> None:
    assert _line(made.authenticate(order=order)) == made.V1_LINE


def test_one_byte_characters() -> None:
    found = _line(made.authenticate(user=b"User", domain=b"Domain", host=b"COMPUTER", flags=0x60898236))
    assert found == made.V1_LINE


def test_names_that_are_not_ascii() -> None:
    found = _answer(made.authenticate(user=made.wide("Jürgen"), domain=made.wide("Ω")))
    assert found is not None
    assert found.username == "Ω\\Jürgen"
    assert sighting_fields(found)["secret"].startswith("Jürgen::Ω:98de".encode())


def test_names_do_not_break_the_line() -> None:
    found = _line(made.authenticate(user=made.wide("a:b\nc"), domain=b""))
    assert found is not None
    assert found.split(":")[:3] == ["a\\u003ab\\u000ac", "", ""]


def test_no_domain() -> None:
    found = _answer(made.authenticate(domain=b""))
    assert found is not None
    assert (found.username, found.line) == ("User", made.V1_LINE.replace("::Domain:", ":::"))


def test_a_response_of_nobody_is_not_certain() -> None:
    found = _answer(made.authenticate(user=b"", domain=b""))
    assert found is not None
    assert found.username is None
    assert sighting_fields(found)["confidence"] == "possible"


def test_lm_alone() -> None:
    found = _answer(made.authenticate(nt=b""))
    assert found is not None
    assert (found.hashcat, found.john) == (None, "netlm")
    assert found.line == f"User:$NETLM$0123456789abcdef${made.V1_LM.hex()}"


@pytest.mark.parametrize(
    "message",
    [
        made.NEGOTIATE,
        made.challenge(),
        made.authenticate(nt=b"", lm=b"\0", user=b"", domain=b""),  # anonymous, 3.2.5.1.2
        made.authenticate(nt=b"", lm=b""),  # a user alone
        made.authenticate(nt=b"\0" * 24, lm=b"\0" * 24),
        made.authenticate(user=b"", flags=0x60898A35),
        made.authenticate(nt=b"12345678", lm=b""),
        made.authenticate()[:80],
        made.authenticate(nt=b"n" * 20_000),
        made.authenticate(user=b"u" * 4000),
        b"NTLMSSP\0\3\0\0\0",
        b"NTLMSSP\0",
        b"NTLMSSP",
        b"",
        b"text about NTLMSSP\0 and more",
    ],
)
def test_it_is_no_credential(message: bytes) -> None:
    assert _answer(message) is None


def test_offsets_beyond_the_message() -> None:
    message = bytearray(made.authenticate())
    for at in (12, 20, 28, 36, 44):
        for offset in (len(message), 0xFFFFFFFF, 0x7FFFFFFF, 10):
            bad = bytes(message[: at + 4]) + offset.to_bytes(4, "little") + bytes(message[at + 8 :])
            assert _answer(bad) is None


def test_scapy_builds_the_same() -> None:
    ntlm = pytest.importorskip("scapy.layers.ntlm")
    message = ntlm.NTLM_AUTHENTICATE_V2(
        Payload=[
            ("DomainName", "Domain"),
            ("UserName", "User"),
            ("Workstation", "COMPUTER"),
            ("LmChallengeResponse", ntlm.LMv2_RESPONSE(Response=made.V2_LM[:16], ChallengeFromClient=made.V2_LM[16:])),
            (
                "NtChallengeResponse",
                ntlm.NTLMv2_RESPONSE(
                    NTProofStr=made.V2_PROOF,
                    ChallengeFromClient=b"\xaa" * 8,
                    TimeStamp=0,
                    AvPairs=[
                        ntlm.AV_PAIR(AvId="MsvAvNbDomainName", Value="Domain"),
                        ntlm.AV_PAIR(AvId="MsvAvNbComputerName", Value="Server"),
                        ntlm.AV_PAIR(AvId="MsvAvEOL"),
                    ],
                ),
            ),
        ],
        NegotiateFlags="NEGOTIATE_UNICODE+NEGOTIATE_NTLM",
    )
    server = ntlm.NTLM_CHALLENGE(ServerChallenge=made.CHALLENGE)
    found = _answer(bytes(message), bytes(server))
    assert found is not None
    assert found.username == "Domain\\User"
    # The four zero bytes behind the AV pairs are the message's own matter (MS-NLMP 4.2.4.1.3 has them).
    assert made.V2_LINE.startswith(found.line.rstrip("0"))


@given(st.binary(max_size=400), st.binary(max_size=400))
@example(b"NTLMSSP\0\2\0\0\0", b"NTLMSSP\0\3\0\0\0" + b"\xff" * 60)
def test_no_bytes_raise(server: bytes, client: bytes) -> None:
    exchange = NtlmExchange()
    for blob in (server, b"NTLMSSP\0\2\0\0\0" + server):
        exchange.server(blob)
    for blob in (client, b"NTLMSSP\0\3\0\0\0" + client):
        found = exchange.client(blob)
        if found is not None:
            sighting_fields(found)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=8))
@example(37, b"\0")  # no NT response is left, only LM's
def test_no_damage_raises(at: int, put: bytes) -> None:
    message = made.spnego_response(made.authenticate(made.V2_PROOF + made.V2_BLOB, made.V2_LM))
    found = _answer(message[:at] + put + message[at + len(put) :])
    if found is not None:
        told = sighting_fields(found)
        assert told["secret"].count(b"\n") == 0
        last = found.line.replace("$", ":").rsplit(":", 1)[1]  # of LM alone behind a "$"
        assert bytes.fromhex(last) in message[:at] + put + message[at + len(put) :]
