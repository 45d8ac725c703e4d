"""Logins to mail servers whose passwords do not pass in clear, and what looks like a login and is none."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5

import pytest

from support.mail_talk import C, Call, S
from support.parsing import Found, talk
from syswire.convert.model.sighting import HASH
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.imap.parser import Imap
from syswire.convert.protocols.pop3.parser import Pop3
from syswire.convert.protocols.smtp.parser import Smtp

Make = Callable[[Sink], Parser]
CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"
ANSWER = b"tim b913a602c7eda7a495b4e6e7334d3890"  # RFC 2195, 2
SMTP: list[Call] = [(S, b"220 mx ESMTP\r\n"), (C, b"EHLO me\r\n"), (S, b"250-mx\r\n250 AUTH PLAIN LOGIN\r\n")]
POP3: list[Call] = [(S, b"+OK <1896.697170952@dbc.mtview.ca.us> POP3 ready\r\n")]
IMAP: list[Call] = [(S, b"* OK [CAPABILITY IMAP4rev1 AUTH=LOGIN LOGIN-REFERRALS LOGINDISABLED] ready\r\n")]
KINDS: dict[str, tuple[Make, list[Call], bytes, bytes, bytes, bytes]] = {
    "smtp": (Smtp, SMTP, b"AUTH ", b"334 ", b"235 ok\r\n", b"535 no\r\n"),
    "pop3": (Pop3, POP3, b"AUTH ", b"+ ", b"+OK\r\n", b"-ERR no\r\n"),
    "imap": (Imap, IMAP, b"a1 AUTHENTICATE ", b"+ ", b"a1 OK in\r\n", b"a1 NO no\r\n"),
}
each = pytest.mark.parametrize("kind", KINDS)


def b64(data: bytes) -> bytes:
    return b64encode(data) + b"\r\n"


def secrets(found: Found) -> list[tuple[str | None, bytes, str]]:
    return [(s.username, s.secret, s.outcome) for s in found.sightings]


@each
@pytest.mark.parametrize("good", [True, False])
def test_cram_md5_of_rfc_2195(kind: str, good: bool) -> None:
    make, head, verb, more, yes, no = KINDS[kind]
    calls = [*head, (C, verb + b"CRAM-MD5\r\n"), (S, more + b64(CHALLENGE)), (C, b64(ANSWER)), (S, yes if good else no)]
    found = talk(make, calls)
    (sighting,) = found.sightings
    digest, challenge = sighting.secret.split(b":", 1)
    assert hmac.new(b"tanstaaftanstaaf", challenge, "md5").hexdigest().encode() == digest == ANSWER[4:]
    assert (sighting.username, sighting.form, sighting.location) == ("tim", HASH, "auth-cram-md5")
    assert (sighting.protocol, sighting.outcome) == (kind, "accepted" if good else "refused")
    assert sighting.raw == b64encode(ANSWER)
    assert sighting.span.offset == sum(len(data) for up, data in calls[:-2] if up and isinstance(data, bytes))
    login = [r for r in found.records if r.kind == "login"]
    assert len(login) == 1 and login[0].request
    assert login[0].request.fields["user"] == "tim" and login[0].request.fields["secret"] is True
    assert digest.decode() not in repr(found.records)


def test_digest_md5_in_imap() -> None:
    """RFC 2831, 4."""
    asked = b'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'
    said = (
        b'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce='
        b'"OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth'
    )
    calls = [*IMAP, (C, b"a1 authenticate digest-md5\r\n"), (S, b"+ " + b64(asked)), (C, b64(said))]
    calls += [(S, b"+ " + b64(b"rspauth=ea40f60335c427b5527b84dbabcdfffd")), (C, b"\r\n"), (S, b"a1 OK in\r\n")]
    assert secrets(talk(Imap, calls)) == [
        (
            "chris",
            b"$DIGEST-MD5$chris$elwood.innosoft.com$OA6MG9tEQGm2hh$imap/elwood.innosoft.com$OA6MHXh6VqTrRk$00000001"
            b"$auth$d388dad90d4bbd760a152321f2143af7",
            "accepted",
        )
    ]


def test_scram_in_smtp_with_an_initial_response() -> None:
    """RFC 7677, 3."""
    nonce = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    proof = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    calls = [
        *SMTP,
        (C, b"AUTH SCRAM-SHA-256 " + b64(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")),
        (S, b"334 " + b64(b"r=" + nonce + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")),
        (C, b64(b"c=biws,r=" + nonce + b",p=" + proof)),
        (S, b"334 " + b64(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")),
        (C, b"\r\n"),
        (S, b"235 in\r\n"),
    ]
    (sighting,) = talk(Smtp, calls).sightings
    assert (sighting.username, sighting.outcome, sighting.form) == ("user", "accepted", HASH)
    assert sighting.secret.startswith(b"$scram-sha-256$user$4096$W22ZaJ0SNY7soEsUEjb6gQ==$")
    assert sighting.secret.endswith(b"$" + proof)


@pytest.mark.parametrize("greeted", [True, False])
def test_apop_of_rfc_1939(greeted: bool) -> None:
    calls = [*(POP3 if greeted else []), (C, b"apop mrose c4c9334bac560ecc979e58001b3e22fb\n"), (S, b"+OK in\n")]
    (sighting,) = talk(Pop3, calls).sightings
    digest, challenge = sighting.secret.split(b":", 1)
    assert (sighting.username, sighting.outcome, sighting.form) == ("mrose", "accepted", HASH)
    assert sighting.details and sighting.details["challenge_seen"] is greeted
    assert (sighting.confidence, sighting.span.offset) == ("certain" if greeted else "likely", 11)
    assert (md5(challenge + b"tanstaaf").hexdigest().encode() == digest) is greeted
    assert sighting.raw == digest == b"c4c9334bac560ecc979e58001b3e22fb"


@each
def test_quit_instead_of_a_password_is_no_credential(kind: str) -> None:
    """QUIT is base64 too."""
    make, head, verb, more, _, _ = KINDS[kind]
    for before in (
        [(C, verb + b"PLAIN\r\n"), (S, more + b"\r\n")],
        [(C, verb + b"LOGIN " + b64(b"tim")), (S, more + b64(b"Password:"))],
    ):
        assert not talk(make, [*head, *before, (C, b"QUIT\r\n"), (S, b"221 bye\r\n")]).sightings
    assert not talk(Smtp, [*SMTP, (C, b"AUTH PLAIN\r\n"), (S, b"503 not advertised\r\n"), (C, b"QUIT\r\n")]).sightings


@each
def test_a_user_who_is_only_named_as_whom_to_act_as(kind: str) -> None:
    make, head, verb, _, yes, _ = KINDS[kind]
    found = talk(make, [*head, (C, verb + b"plain " + b64(b"name\0\0se cret ")), (S, yes)])
    assert secrets(found) == [("name", b"se cret ", "accepted")]


@pytest.mark.parametrize("lines", [0, 2, 4])
def test_all_lines_of_auth_login_before_any_answer(lines: int) -> None:
    """`lines`: of the server's answers to them that are in the capture."""
    client = b"EHLO x\r\nAUTH LOGIN\r\n" + b64(b"galunt") + b64(b"V1 v1") + b"MAIL FROM:<a@b>\r\n"
    answers = [b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 in\r\n", b"250 ok\r\n"]
    calls: list[Call] = [(S, b"220 mx ESMTP\r\n"), (C, client), (S, b"250 mx\r\n"), *((S, a) for a in answers[:lines])]
    assert secrets(talk(Smtp, calls)) == [("galunt", b"V1 v1", "accepted" if lines == 4 else "unknown")]


def test_bare_line_feeds_everywhere() -> None:
    plain = b64encode(b"\0tim\0open")
    assert secrets(talk(Smtp, [(S, b"220 mx ESMTP\n"), (C, b"auth plain " + plain + b"\n"), (S, b"235 in\n")])) == [
        ("tim", b"open", "accepted")
    ]
    assert secrets(talk(Pop3, [(S, b"+OK\n"), (C, b"user tim\npass open it \n"), (S, b"+OK\n-ERR\n")])) == [
        ("tim", b"open it ", "refused")
    ]
    assert secrets(talk(Imap, [(S, b"* OK\n"), (C, b"a login tim open\n"), (S, b"a OK\n")])) == [
        ("tim", b"open", "accepted")
    ]


@pytest.mark.parametrize(
    ("said", "user", "secret"),
    [
        (b"a login tim open\r\n", "tim", b"open"),
        (b'a LOGIN "tim" "o\\"pe\\\\n"\r\n', "tim", b'o"pe\\n'),
        (b"a LoGiN {3+}\r\ntim {6+}\r\no\r\npen\r\n", "tim", b"o\r\npen"),
        (b'a LOGIN "ti m" {0+}\r\n\r\n', None, None),
        (b"a LOGIN tim\r\n", None, None),
    ],
)
def test_spellings_of_imap(said: bytes, user: str | None, secret: bytes | None) -> None:
    found = talk(Imap, [*IMAP, (C, said), (S, b"a NO wrong\r\n")])
    assert secrets(found) == ([(user, secret, "refused")] if secret else [])


@each
def test_what_a_server_offers_is_no_credential(kind: str) -> None:
    make, head, _, _, yes, no = KINDS[kind]
    offer = (
        b"250-AUTH LOGIN PLAIN\r\n250-AUTH=LOGIN PLAIN\r\n250 ok\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN LOGIN tim x\r\n"
    )
    assert not talk(
        make, [*head, (S, offer + b"230 Login successful.\r\n+OK USER tim PASS x\r\n"), (S, yes), (S, no)]
    ).sightings


def test_what_mails_hold_is_no_credential() -> None:
    body = (
        b"AUTH LOGIN\r\ndGlt\r\nb3Blbg==\r\nAUTH PLAIN "
        + b64(b"\0tim\0open")
        + b"USER tim\r\nPASS open\r\na LOGIN b c\r\n"
    )
    smtp = [*SMTP, (C, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"), (S, b"250 ok\r\n250 ok\r\n354 go\r\n")]
    assert not talk(Smtp, [*smtp, (C, body + b".\r\n"), (S, b"250 ok\r\n")]).sightings
    chunk = b"BDAT %d LAST\r\n" % len(body) + body
    assert not talk(
        Smtp, [*SMTP, (C, b"MAIL FROM:<a@b>\r\n"), (S, b"250 ok\r\n"), (C, chunk), (S, b"250 ok\r\n")]
    ).sightings
    assert not talk(Pop3, [*POP3, (C, b"RETR 1\r\n"), (S, b"+OK\r\n" + body + b".\r\n")]).sightings
    append = b"a1 APPEND x {%d+}\r\n" % len(body) + body + b"\r\n"
    assert not talk(Imap, [*IMAP, (C, append), (S, b"a1 OK\r\n")]).sightings


@each
def test_cancelled_and_anonymous_logins_are_no_credential(kind: str) -> None:
    make, head, verb, more, yes, no = KINDS[kind]
    assert not talk(
        make, [*head, (C, verb + b"CRAM-MD5\r\n"), (S, more + b64(CHALLENGE)), (C, b"*\r\n"), (S, no)]
    ).sightings
    assert not talk(make, [*head, (C, verb + b"ANONYMOUS " + b64(b"sirhc")), (S, yes)]).sightings
    assert not talk(make, [*head, (C, verb + b"EXTERNAL =\r\n"), (S, yes)]).sightings
    assert not talk(make, [*head, (C, verb + b"XYMPKI " + b64(b"opaque cookie")), (S, yes)]).sightings


def test_nothing_behind_starttls() -> None:
    tls = [(C, b"STARTTLS\r\n"), (S, b"220 go\r\n"), (C, b"\x16\x03\1AUTH PLAIN AGEAYg==\r\n"), (S, b"\x16\x03\3")]
    assert not talk(Smtp, [*SMTP, *tls]).sightings
