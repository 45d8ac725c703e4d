"""SASL's mechanisms by the examples of their RFCs. A line is right where a password tried by the RFC's rules fits."""

from __future__ import annotations

import hmac
from base64 import b64decode, urlsafe_b64encode
from hashlib import md5, new, pbkdf2_hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.model.sighting import CERTAIN, CLEARTEXT, HASH, LIKELY, TOKEN
from syswire.convert.model.span import Span
from syswire.convert.protocols.sasl.hashes import digest_parameters, keyed
from syswire.convert.protocols.sasl.mechanisms import Mechanism
from syswire.convert.protocols.sasl.secret import SaslSecret

SPAN = Span("p", 7, 9)
CHALLENGE, RFC_2195 = b"<1896.697170952@postoffice.reston.mci.net>", b"tim b913a602c7eda7a495b4e6e7334d3890"
DIGEST_ASKED = (
    b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'  # RFC 2831, 4
)
DIGEST_SAID = (
    b'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,'
    b'cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth'
)
SCRAM_1 = (
    b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
)  # RFC 5802, 5
SCRAM_256 = (
    b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
)  # RFC 7677, 3


def said(name: str, *calls: bytes, user: bytes | None = None) -> SaslSecret | None:
    """An exchange: the client's first message, then in turn; an empty message of the client is one."""
    mechanism = Mechanism(name)
    mechanism.user = user
    found = None
    for number, data in enumerate(calls):
        if number % 2:
            mechanism.server(data)
        else:
            found = mechanism.client(data, b"raw", SPAN) or found
    assert found == mechanism.secret
    return found


def got(name: str, *calls: bytes) -> SaslSecret:
    found = said(name, *calls)
    assert found is not None
    assert (found.raw, found.span, found.complete) == (b"raw", SPAN, True)
    return found


@pytest.mark.parametrize(
    ("name", "calls", "user", "secret", "form", "where"),
    [
        ("PLAIN", (b"\0tim\0tanstaaftanstaaf",), "tim", b"tanstaaftanstaaf", CLEARTEXT, "auth-plain"),  # RFC 4616, 4
        ("plain", (b"Ursel\0Kurt\0xipj3plmq",), "Kurt", b"xipj3plmq", CLEARTEXT, "auth-plain"),
        ("PLAIN", (b"name\0\0se\0cret",), "name", b"se\0cret", CLEARTEXT, "auth-plain"),
        ("PLAIN", (b"\0\0alone",), None, b"alone", CLEARTEXT, "auth-plain"),
        ("LOGIN", (b"tim", b"Password:", b" x "), "tim", b" x ", CLEARTEXT, "auth-login"),
        ("LOGIN", (b"tim", b"User Name\0", b"tom", b"Password:", b"x"), "tom", b"x", CLEARTEXT, "auth-login"),
        ("XOAUTH2", (b"user=u@x\1auth=Bearer ya29.vF9\1\1",), "u@x", b"ya29.vF9", TOKEN, "auth-xoauth2"),
        (
            "OAUTHBEARER",  # RFC 7628, 4.1
            (b"n,a=user@example.com,\1host=server.example.com\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGE\1\1",),
            "user@example.com",
            b"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGE",
            TOKEN,
            "auth-oauthbearer",
        ),
        ("OAUTHBEARER", (b"n,a=u=2Cv=3D,\1auth=Bearer t\1\1",), "u,v=", b"t", TOKEN, "auth-oauthbearer"),
        ("X-OAUTH2", (b"\0joe\0tok",), "joe", b"tok", TOKEN, "auth-x-oauth2"),
    ],
)
def test_what_is_given_away(
    name: str, calls: tuple[bytes, ...], user: str | None, secret: bytes, form: str, where: str
) -> None:
    found = got(name, *calls)
    assert (found.username, found.secret, found.form, found.location) == (user, secret, form, where)
    assert found.details == {"mechanism": name.upper()}
    sighting = found.sighting("amqp", "accepted", 4)
    assert (sighting.protocol, sighting.outcome, sighting.exchange, sighting.form) == ("amqp", "accepted", 4, form)


def test_a_token_that_says_what_it_is() -> None:
    parts = (b'{"alg":"RS256"}', b'{"iss":"https://login.example","email":"u@x"}', b"signature")
    token = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    found = got("XOAUTH2", b"user=\1auth=Bearer " + token + b"\1\1")
    assert (found.username, found.secret, found.form) == ("u@x", token, TOKEN)
    claims = {"iss": "https://login.example"}
    assert found.details == {"mechanism": "XOAUTH2", "alg": "RS256", "claims": claims}


def test_cram_md5_of_rfc_2195() -> None:
    found = got("CRAM-MD5", b"", CHALLENGE, RFC_2195)
    digest, challenge = found.secret.split(b":", 1)
    assert (found.username, found.form, found.confidence, challenge) == ("tim", HASH, CERTAIN, CHALLENGE)
    assert hmac.new(b"tanstaaftanstaaf", challenge, "md5").hexdigest().encode() == digest
    assert found.details == {"mechanism": "CRAM-MD5", "hashcat": 50, "john": "hmac-md5", "challenge_seen": True}
    assert found.parts == (bytes.fromhex(digest.decode()), digest)


def test_an_answer_whose_challenge_was_not_seen() -> None:
    found = got("CRAM-MD5", RFC_2195)
    assert found.details and found.details["challenge_seen"] is False
    assert (found.confidence, found.secret) == (LIKELY, RFC_2195[4:] + b":")


def test_apop_of_rfc_1939() -> None:
    found = keyed("APOP", b"c4c9334bac560ecc979e58001b3e22fb", b"<1896.697170952@dbc.mtview.ca.us>")
    assert found is not None
    digest, challenge = found.line.split(b":", 1)
    assert md5(challenge + b"tanstaaf").hexdigest().encode() == digest
    assert (found.details["hashcat"], found.details["john"]) == (20, "dynamic_4")


def fits_digest(line: bytes, password: bytes) -> bool:
    """RFC 2831, 2.1.2.1, of a line as John documents it."""
    user, realm, nonce, uri, cnonce, nc, qop, response, *authzid = line.removeprefix(b"$DIGEST-MD5$").split(b"$")
    key = md5(b":".join((user, realm, password))).digest()
    first = md5(b":".join((key, nonce, cnonce, *authzid))).hexdigest().encode()
    end = b"" if qop == b"auth" else b":" + b"0" * 32
    second = md5(b"AUTHENTICATE:" + uri + end).hexdigest().encode()
    return md5(b":".join((first, nonce, nc, cnonce, qop, second))).hexdigest().encode() == response


def test_digest_md5_of_rfc_2831() -> None:
    found = got("DIGEST-MD5", b"", DIGEST_ASKED, DIGEST_SAID)
    assert (found.username, found.form, found.confidence) == ("chris", HASH, CERTAIN)
    assert fits_digest(found.secret, b"secret") and not fits_digest(found.secret, b"Secret")
    assert b"d388dad90d4bbd760a152321f2143af7" in found.secret
    assert found.details == {"mechanism": "DIGEST-MD5", "hashcat": None, "john": "dmd5", "challenge_seen": True}


def test_digest_md5_with_what_john_does_not_read() -> None:
    odd = DIGEST_SAID.replace(b'"chris"', b'"ch$\\"s"')
    found = got("DIGEST-MD5", odd)
    assert found.username == 'ch$"s'
    assert found.secret.startswith(b"$DIGEST-MD5$$HEX[6368242273]$elwood")
    assert found.details and found.details["john"] is None
    acts_as = got("DIGEST-MD5", DIGEST_SAID + b",authzid=admin")
    assert acts_as.secret.endswith(b"f7$admin")
    realm = got("DIGEST-MD5", b"", DIGEST_ASKED, DIGEST_SAID.replace(b'realm="elwood.innosoft.com",', b""))
    assert fits_digest(realm.secret, b"secret")


def fits_scram(line: bytes, password: bytes, algorithm: str) -> bool:
    """RFC 5802, 3: the proof is what the password makes of the messages."""
    _, _, _, rounds, salt, message, proof = line.split(b"$")
    salted = pbkdf2_hmac(algorithm, password, b64decode(salt), int(rounds))
    key = hmac.new(salted, b"Client Key", algorithm).digest()
    signature = hmac.new(new(algorithm, key).digest(), b64decode(message), algorithm).digest()
    return bytes(a ^ b for a, b in zip(key, signature, strict=True)) == b64decode(proof)


@pytest.mark.parametrize(
    ("name", "calls", "algorithm", "proof"),
    [
        ("SCRAM-SHA-1", SCRAM_1, "sha1", b"v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
        ("SCRAM-SHA-256", SCRAM_256, "sha256", b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
    ],
)
def test_scram_of_rfc_5802_and_7677(name: str, calls: tuple[bytes, ...], algorithm: str, proof: bytes) -> None:
    found = got(name, *calls)
    assert (found.username, found.form, found.confidence) == ("user", HASH, CERTAIN)
    assert found.secret.startswith(b"$" + name.lower().encode() + b"$user$4096$") and found.secret.endswith(
        b"$" + proof
    )
    assert fits_scram(found.secret, b"pencil", algorithm) and not fits_scram(found.secret, b"crayon", algorithm)
    assert found.parts == (b64decode(proof), proof)
    assert found.details and found.details["mechanism"] == name and found.details["challenge_seen"] is True


def test_scram_whose_user_is_told_elsewhere() -> None:
    found = said("SCRAM-SHA-256", SCRAM_256[0].replace(b"user", b""), *SCRAM_256[1:], user=b"postgres")
    assert found is not None and found.username == "postgres"
    assert found.secret.startswith(b"$scram-sha-256$postgres$4096$")


def test_scram_without_the_servers_side_and_with_odd_names() -> None:
    found = got("SCRAM-SHA-1-PLUS", SCRAM_1[0].replace(b"user", b"a=2Cb=3D"), b"", SCRAM_1[2])
    assert found.secret.startswith(b"$scram-sha-1$a,b=$$$")
    assert found.confidence == LIKELY and found.details and found.details["challenge_seen"] is False


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("PLAIN", b"\0tim\0"),
        ("PLAIN", b"QUIT"),
        ("LOGIN", b"tim"),
        ("ANONYMOUS", b"sirhc@example.org"),
        ("EXTERNAL", b"joe"),
        ("GSSAPI", b"`\x82\1\2"),
        ("XYMPKI", b"\0tim\0cookie"),
        ("CRAM-MD5", b"tim b913a602c7eda7a495b4e6e7334d389"),
        ("DIGEST-MD5", DIGEST_SAID.replace(b"d388dad90d4bbd760a152321f2143af7", b"")),
        ("DIGEST-MD5", b"rspauth=ea40f60335c427b5527b84dbabcdfffd"),
        ("SCRAM-SHA-1", SCRAM_1[0]),
        ("SCRAM-SHA-1", b"c=biws,r=abc"),
        ("XOAUTH2", b"user=u@x\1auth=Basic abc\1\1"),
        ("NTLM", b"NTLMSSP\0\1\0\0\0" + bytes(24)),
    ],
)
def test_what_is_no_credential(name: str, data: bytes) -> None:
    assert said(name, data) is None


def test_nothing_behind_a_loss() -> None:
    mechanism = Mechanism("PLAIN")
    mechanism.lost = True
    assert mechanism.client(b"\0tim\0secret", b"raw", SPAN) is None and mechanism.user is None


def test_the_first_secret_counts() -> None:
    mechanism = Mechanism("PLAIN")
    first = mechanism.client(b"\0a\0b", b"r", SPAN)
    assert first is not None and mechanism.client(b"\0a\0c", b"r", SPAN) is None and mechanism.secret == first
    assert mechanism.fields() == {"mechanism": "PLAIN", "user": "a", "secret": True}


@pytest.mark.parametrize("text", [b"a=b,,c", b'a="b', b"=x", b"a=b c"])
def test_parameters_that_are_none(text: bytes) -> None:
    assert digest_parameters(text) is None


def test_parameters_are_read_once_however_many_there_are() -> None:
    found = digest_parameters(b",".join(b"%s=1" % (b"a" * n) for n in range(1, 33)) + b',x="' + b"\\" * 9000)
    assert found is not None and len(found) == 32


NAMES = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "NTLM", "GSS-SPNEGO", "X")
TALK = (CHALLENGE, RFC_2195, DIGEST_ASKED, DIGEST_SAID, *SCRAM_1, *SCRAM_256, b"NTLMSSP\0\3\0\0\0" + bytes(60))


@given(
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.booleans(), st.sampled_from(TALK) | st.binary(max_size=60), st.integers(0, 99)), max_size=20),
)
def test_any_bytes_are_survived(name: str, calls: list[tuple[bool, bytes, int]]) -> None:
    mechanism = Mechanism(name)
    for up, data, cut in calls:
        data = data if cut > len(data) else data[:cut] + data[cut + 1 :]
        if up:
            mechanism.client(data, data, SPAN, cut % 2 == 0)
        else:
            mechanism.server(data)
    secret = mechanism.secret
    assert secret is None or secret.form != HASH or (b"\n" not in secret.secret and b"\r" not in secret.secret)
