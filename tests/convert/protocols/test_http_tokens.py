"""Tokens, cookies, Digest and NTLM in the headers of HTTP/1: what is one, whose it is, and how sure that is."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.http1 import client, read, server
from syswire.convert.model.sighting import Sighting

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def b64url(text: bytes) -> bytes:
    return urlsafe_b64encode(text).rstrip(b"=")


JWT = b".".join(
    (
        b64url(b'{"alg":"HS256","typ":"JWT"}'),
        b64url(b'{"iss":"auth.example","sub":"42","exp":1900000000,"preferred_username":"ann"}'),
        b64url(b"signature of thirty-two bytes!!!"),
    )
)
CLAIMS = {"iss": "auth.example", "sub": "42", "exp": 1900000000}


def get(*headers: bytes, target: bytes = b"/") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: h\r\n" + b"".join(line + b"\r\n" for line in headers) + b"\r\n"


def sightings(*headers: bytes, answer: bytes = OK, target: bytes = b"/") -> list[Sighting]:
    request = get(*headers, target=target)
    found = read(client(request), server(answer)).sightings
    assert found == read(client(request), server(answer), cuts=[1]).sightings
    for one in found:
        assert request[one.span.offset :][: one.span.length] == one.raw
    return found


def told(*headers: bytes) -> list[tuple[str, bytes, str, str]]:
    return [(one.location, one.secret, one.form, one.confidence) for one in sightings(*headers)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Authorization: Bearer mF_9.B5f-4.1JqM", ("authorization-bearer", b"mF_9.B5f-4.1JqM", "token", "certain")),
        (b"authorization: BEARER   1gsho83nt3", ("authorization-bearer", b"1gsho83nt3", "token", "certain")),
        (b"Proxy-Authorization: bearer abcdefgh", ("authorization-bearer", b"abcdefgh", "token", "certain")),
        (b"Authorization: " + JWT, ("authorization-bearer", JWT, "token", "certain")),
        (b'Authorization: Token token="abcdefgh12"', ("authorization-bearer", b"abcdefgh12", "token", "certain")),
        (b"Authorization: Turbo xyz", ("authorization", b"xyz", "token", "possible")),
        (b"Authorization: 0123456789abcdef", ("authorization", b"0123456789abcdef", "token", "possible")),
        (b"X-Api-Key: 0123456789abcdef", ("header", b"0123456789abcdef", "token", "certain")),
        (b"private-token: glpat-abcdefgh", ("header", b"glpat-abcdefgh", "token", "certain")),
        (b"X-Vault-Token: s.abcdefgh", ("header", b"s.abcdefgh", "token", "certain")),
        (
            b"Sec-WebSocket-Protocol: v1, authorization.bearer." + JWT,
            ("websocket-protocol", JWT, "token", "certain"),
        ),
        (b"Cookie: lang=de; PHPSESSID=0123456789abcdef", ("cookie", b"0123456789abcdef", "token", "likely")),
        (b"Cookie: x=" + JWT, ("cookie", JWT, "token", "certain")),
        (b"Referer: http://h/a?user=u&password=seen", ("referer", b"seen", "cleartext", "certain")),
        (b"Referer: http://u:pw1@h/a", ("url-userinfo", b"pw1", "cleartext", "certain")),
    ],
)
def test_one_token(header: bytes, expected: tuple[str, bytes, str, str]) -> None:
    assert told(header) == [expected]


@pytest.mark.parametrize(
    "header",
    [
        b"Authorization: ",
        b"Authorization: Bearer",
        b"Authorization: AWS4-HMAC-SHA256 Credential=A/b, Signature=0123456789",
        b"X-CSRF-Token: 0123456789abcdef",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"Sec-WebSocket-Protocol: chat, superchat",
        b"Cookie: csrftoken=0123456789abcdef; session=; consent=yes",
        b"Referer: http://h/search?q=password",
    ],
)
def test_nothing(header: bytes) -> None:
    assert told(header) == []


@pytest.mark.parametrize("header", [b"Authorization: Bearer " + JWT, b"Cookie: token=" + JWT, b"X-Auth-Token: " + JWT])
def test_what_a_jwt_claims(header: bytes) -> None:
    [one] = sightings(header)
    assert one.username == "ann" and one.details is not None
    assert (one.details["alg"], one.details["claims"]) == ("HS256", CLAIMS)


def test_a_token_in_the_address() -> None:
    [one] = sightings(target=b"/cb?access_token=0123456789&state=1")
    assert (one.location, one.form, one.secret) == ("url-query", "token", b"0123456789")
    [one] = sightings(target=b"/cb?token=" + JWT)
    assert one.secret == JWT and one.username == "ann"
    assert sightings(target=b"/maps?token=71150") == []


def test_a_cookie_is_told_once_and_who_set_it() -> None:
    given_ = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=0123456789ab; Path=/; HttpOnly; secure\r\nSet-Cookie: lang=de\r\n"
        b"Set-Cookie: JSESSIONID=fedcba987654\r\nContent-Length: 0\r\n\r\n"
    )
    again = get(b"Cookie: sid=0123456789ab; JSESSIONID=fedcba987654")
    other = get(b"Cookie: sid=0123456789ab; PHPSESSID=111111222222")
    calls = [client(get()), server(given_), client(again), server(OK), client(other), server(OK), client(again)]
    found = read(*calls).sightings
    assert [(one.field, one.secret, one.exchange, one.details) for one in found] == [
        ("sid", b"0123456789ab", 1, {"secure": True, "httponly": True}),
        ("JSESSIONID", b"fedcba987654", 1, {"secure": False, "httponly": False}),
        ("PHPSESSID", b"111111222222", 3, {"secure": None, "httponly": None}),
    ]
    assert {one.outcome for one in found} == {"unknown"}
    assert given_[found[1].span.offset :][: found[1].span.length] == b"fedcba987654"


DIGEST = (
    b'Authorization: Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    b'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1"'
)


@pytest.mark.parametrize(("status", "outcome"), [(b"200", "accepted"), (b"401", "refused"), (b"500", "unknown")])
def test_digest(status: bytes, outcome: str) -> None:
    [one] = sightings(DIGEST, answer=OK.replace(b"200", status))
    assert (one.location, one.form, one.username, one.outcome) == ("authorization-digest", "hash", "Mufasa", outcome)
    assert one.raw == b"6629fae49393a05397450978507c4ef1" and one.secret.startswith(
        b"$sip$***Mufasa*testrealm@host.com*GET**"
    )


def ntlm(kind: int, body: bytes) -> bytes:
    return b"NTLMSSP\0" + kind.to_bytes(4, "little") + body


def test_ntlm_is_answered_to_the_challenge_of_this_connection() -> None:
    flags = (0x00008201).to_bytes(4, "little")
    challenge = ntlm(2, bytes(8) + flags + bytes.fromhex("0123456789abcdef") + bytes(16))
    names = (b"D\0", b"b\0o\0b\0", b"W\0")
    lm, nt = bytes(24), bytes(range(100, 124))
    offset, fields, payload = 64, b"", b""
    for part in (lm, nt, *names, b""):
        fields += len(part).to_bytes(2, "little") * 2 + (offset + len(payload)).to_bytes(4, "little")
        payload += part
    answer = ntlm(3, fields + flags + payload)
    ask = b"HTTP/1.1 401 x\r\nWWW-Authenticate: NTLM " + b64encode(challenge) + b"\r\nContent-Length: 0\r\n\r\n"
    last = get(b"Authorization: NTLM " + b64encode(answer))
    first = get(b"Authorization: NTLM " + b64encode(ntlm(1, flags + bytes(16))))
    [one] = read(client(first), server(ask), client(last), server(OK)).sightings
    assert (one.username, one.form, one.outcome, one.exchange) == ("D\\bob", "hash", "accepted", 2)
    assert one.secret.endswith(nt.hex().encode() + b":0123456789abcdef")
    [alone] = read(client(last), server(OK)).sightings
    assert alone.details is not None and alone.details["challenge_seen"] is False and alone.confidence == "likely"
    proxied = ask.replace(b"WWW-", b"Proxy-")
    [other] = read(client(first), server(proxied), client(last), server(OK)).sightings
    assert other.details is not None and other.details["challenge_seen"] is False


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"Authorization", b"Cookie", b"Referer", b"X-Api-Key", b"X-WSSE", b"Sec-WebSocket-Protocol"]),
        st.one_of(
            st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b"")),
            st.sampled_from(
                [b"Bearer ", b"NTLM TlRMTVNTUAADAAAA", b"Digest a=b,", JWT, b"sid=" + JWT, b"Negotiate YII="]
            ),
        ),
    ),
    max_size=6,
)


@given(HEADERS, st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_nothing_raises_and_cuts_change_nothing(headers: list[tuple[bytes, bytes]], cut: int) -> None:
    request = get(*(name + b": " + value for name, value in headers))
    answer = OK.replace(b"\r\n\r\n", b"\r\nWWW-Authenticate: NTLM TlRMTVNTUAACAAAA\r\nSet-Cookie: sid=abcdefgh\r\n\r\n")
    whole = read(client(request), server(answer))
    parts = read(client(request), server(answer), cuts=[cut])
    assert (whole.sightings, whole.exchanges) == (parts.sightings, parts.exchanges)
