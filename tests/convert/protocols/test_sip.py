"""SIP, by RFC 2617's grammar and messages made by hand; what answers a challenge is computed here."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5

import pytest

from support.parsing import Found, Talk, talk
from syswire.convert.model.sighting import ACCEPTED, CLEARTEXT, HASH, REFUSED, UNKNOWN
from syswire.convert.protocols.sip.parser import SipDatagrams, SipStream

PASSWORD = "Invented-1!"


def digest(method: str, uri: str, nonce: str = "n0", realm: str = "r", user: str = "ada") -> str:
    def hashed(text: str) -> str:
        return md5(text.encode()).hexdigest()

    return hashed(f"{hashed(f'{user}:{realm}:{PASSWORD}')}:{nonce}:{hashed(f'{method}:{uri}')}")


def asked(
    method: str = "REGISTER", number: int = 1, *, more: str = "", branch: str = "b", uri: str = "sip:h", body: str = ""
) -> bytes:
    lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{branch}{number}"]
    lines += [
        "From: <sip:ada@h>;tag=1",
        "To: <sip:ada@h>",
        "Call-ID: c@h",
        f"CSeq: {number} {method}",
        *([more] if more else []),
    ]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode("latin-1")


def answered(status: int, method: str = "REGISTER", number: int = 1, more: str = "", branch: str = "b") -> bytes:
    lines = [f"SIP/2.0 {status} Said", f"v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{branch}{number}"]
    lines += [
        "f: <sip:ada@h>;tag=1",
        "t: <sip:ada@h>",
        "i: c@h",
        f"CSeq: {number}  {method}",
        *([more] if more else []),
    ]
    return "\r\n".join([*lines, "l: 0", "", ""]).encode("latin-1")


def proof(method: str = "REGISTER", uri: str = "sip:h", name: str = "Authorization", nonce: str = "n0") -> str:
    response = digest(method, uri, nonce)
    return f'{name}: Digest username="ada", realm="r", nonce="{nonce}", uri="{uri}", response="{response}"'


def outcomes(found: Found) -> list[tuple[str, str | None, str]]:
    return [(s.form, s.username, s.outcome) for s in found.sightings]


@pytest.mark.parametrize("make", [SipDatagrams, SipStream])
def test_a_registration(make: type[SipDatagrams | SipStream]) -> None:
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n0"'
    calls: Talk = [
        (True, asked()), (False, answered(401, more=challenge)),
        (True, asked(number=2, more=proof())), (False, answered(100, number=2)), (False, answered(200, number=2)),
    ]  # fmt: skip
    found = talk(make, calls)
    assert outcomes(found) == [(HASH, "ada", ACCEPTED)]
    [sighting] = found.sightings
    response = digest("REGISTER", "sip:h")
    assert sighting.secret == f"$sip$*h*192.0.2.1*ada*r*REGISTER*sip*h**n0****MD5*{response}".encode()
    assert sighting.raw == response.encode() and sighting.parts == (bytes.fromhex(response),)
    assert sighting.span.offset == len(asked()) + asked(number=2, more=proof()).find(response.encode())
    assert [fields and fields["status"] for fields in found.answered] == [401, 200]
    assert found.asked[1] == {
        "method": "REGISTER", "uri": "sip:h", "caller": "<sip:ada@h>;tag=1", "callee": "<sip:ada@h>", "call_id": "c@h",
        "cseq": "2 REGISTER", "scheme": "Digest", "username": "ada", "secret": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, ACCEPTED), (401, REFUSED), (407, REFUSED), (403, REFUSED), (486, UNKNOWN)]
)
def test_the_final_response_judges(status: int, outcome: str) -> None:
    calls = [(True, asked(more=proof())), (False, answered(status))]
    assert outcomes(talk(SipDatagrams, calls)) == [(HASH, "ada", outcome)]


def test_a_stale_nonce_refuses_nobody() -> None:
    more = 'WWW-Authenticate: Digest realm="r", nonce="n1", stale=TRUE'
    assert (
        outcomes(talk(SipDatagrams, [(True, asked(more=proof())), (False, answered(401, more=more))]))[0][2] == UNKNOWN
    )


def test_one_answer_to_one_nonce_is_one_secret() -> None:
    """INVITE and BYE prove themselves by the same challenge."""
    calls = [
        (True, asked("INVITE", more=proof("INVITE", name="Proxy-Authorization"))), (False, answered(200, "INVITE")),
        (True, asked("ACK", branch="a", more=proof("INVITE", name="Proxy-Authorization"))),
        (True, asked("BYE", 2, more=proof("BYE", name="Proxy-Authorization"))), (False, answered(200, "BYE", 2)),
    ]  # fmt: skip
    found = talk(SipDatagrams, calls)
    assert {s.secret.rpartition(b"*")[2] for s in found.sightings} == {digest("INVITE", "sip:h").encode()}
    assert [s.raw for s in found.sightings] == [digest(m, "sip:h").encode() for m in ("INVITE", "INVITE", "BYE")]
    assert [s.parts[0].hex() for s in found.sightings] == [digest(m, "sip:h") for m in ("INVITE", "INVITE", "BYE")]


def test_a_request_sent_again_is_one() -> None:
    message = asked(more=proof())
    found = talk(
        SipDatagrams,
        [(True, message), (True, message), (False, answered(200)), (True, message), (False, answered(200))],
    )
    assert len(found.records) == len(found.sightings) == 1
    assert found.asked[0] is not None and found.asked[0]["repeats"] == 1


def test_the_server_may_ask() -> None:
    calls = [(False, asked("BYE", more=proof("BYE"))), (True, answered(200, "BYE"))]
    found = talk(SipDatagrams, calls)
    assert found.answered[0] is not None and found.answered[0]["method"] == "BYE"
    assert found.asked[0] is not None and found.asked[0]["status"] == 200
    assert outcomes(found) == [(HASH, "ada", ACCEPTED)]


def test_basic() -> None:
    token = b64encode(f"ada:{PASSWORD}".encode()).decode()
    found = talk(SipDatagrams, [(True, asked(more=f"authorization:  Basic {token}")), (False, answered(200))])
    assert [(s.form, s.username, s.secret, s.raw, s.outcome) for s in found.sightings] == [
        (CLEARTEXT, "ada", PASSWORD.encode(), token.encode(), ACCEPTED)
    ]


def test_a_password_in_a_uri() -> None:
    found = talk(SipDatagrams, [(True, asked(uri="sip:ada:word.1@h"))])
    assert [(s.location, s.username, s.secret) for s in found.sightings] == [("url-userinfo", "ada", b"word.1")]
    assert found.asked[0] is not None and found.asked[0]["uri"] == "sip:ada@h"
    assert found.sightings[0].target == "sip:ada@h"


def test_folded_headers() -> None:
    folded = proof().replace(", ", ",\r\n\t")
    [sighting] = talk(SipDatagrams, [(True, asked(more=folded))]).sightings
    assert sighting.raw == digest("REGISTER", "sip:h").encode()


def test_bodies_and_keep_alives_are_passed_over() -> None:
    body = "REGISTER sip:evil SIP/2.0\r\n\r\n"
    stream = b"\r\n\r\n" + asked(body=body) + asked(number=2, more=proof())
    found = talk(SipStream, [(True, stream)])
    assert [fields and fields["cseq"] for fields in found.asked] == ["1 REGISTER", "2 REGISTER"]
    assert len(found.sightings) == 1


def test_the_way_is_found_behind_a_gap() -> None:
    calls: Talk = [(True, asked()[:50]), (True, 100), (True, b"rest: of\r\n\r\n" + asked(number=3, more=proof()))]
    found = talk(SipStream, calls)
    assert [fields and fields.get("cseq") for fields in found.asked] == [None, "3 REGISTER"]
    assert len(found.sightings) == 1


def test_lines_that_are_none_are_told_once() -> None:
    found = talk(SipStream, [(True, b"what\r\nis\r\nthis\r\n" + asked())])
    assert [name for name, _ in found.weirds] == ["sip-malformed"] and len(found.records) == 1


@pytest.mark.parametrize(
    "more",
    [
        'Authorization: Digest username="ada", realm="r", nonce="", uri="sip:h", response=""',
        'Authorization: Digest username="", realm="r", nonce="n", uri="sip:h", response="' + "0" * 32 + '"',
        'WWW-Authenticate: Digest realm="r", nonce="' + "a" * 32 + '"',
        'Authentication-Info: rspauth="' + "a" * 32 + '", cnonce="x", nc=00000001, qop=auth',
        "Authorization: Basic !!!",
        "X-Authorization: Basic YWRhOnB3",
    ],
)
def test_what_announces_is_no_credential(more: str) -> None:
    assert not talk(SipDatagrams, [(True, asked(more=more)), (False, answered(401))]).sightings


def test_a_cut_header_is_no_credential() -> None:
    message = asked(more=proof())
    found = talk(SipDatagrams, [(True, message[: message.find(b"response=") + 20])])
    assert not found.sightings and found.asked[0] is not None and found.asked[0]["head_complete"] is False
