"""What looks like a credential and is none, over all protocols: nothing of it is told as certain.

Each conversation goes through the whole of convert, so that recognition and every parser have their say.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.command import run
from support.conversations import PSH, Talk, capture
from support.packet_made import A4, B4, ethernet, ipv4, udp
from support.secret_talks import lines, resp
from support.sql_talk import greeting, message, ok, query, startup

Calls = list[tuple[bool, bytes]]
ACK = 16
FORM = b"application/x-www-form-urlencoded"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def ask(target: bytes, headers: bytes = b"", answer: bytes = OK) -> Calls:
    return [(True, b"GET " + target + b" HTTP/1.1\r\nHost: h.example\r\n" + headers + b"\r\n"), (False, answer)]


def post(body: bytes, kind: bytes, target: bytes = b"/x") -> Calls:
    head = b"POST %s HTTP/1.1\r\nHost: h.example\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return [(True, head % (target, kind, len(body)) + body), (False, OK)]


def page(body: bytes, kind: bytes = b"text/html") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)) + body


MAIL = (
    b"< 220 mx.example ESMTP\n> EHLO a.example\n< 250-mx.example\n< 250-AUTH LOGIN PLAIN CRAM-MD5\n"
    b"< 250-AUTH=LOGIN PLAIN\n"
    b"< 250 HELP\n> MAIL FROM:<a@a.example>\n< 250 ok\n> RCPT TO:<b@b.example>\n< 250 ok\n> DATA\n< 354 go\n"
)
WORDS = (
    b"> Subject: your password\n> \n> AUTH PLAIN AGFubgBzZWNyZXQ=\n> user: ann password: sesame\n"
    b"> USER ann\n> PASS sesame\n"
)
JSON = b"application/json"

TALKS: dict[str, Calls] = {
    # HTTP
    "a tracker's announce": ask(b"/announce?info_hash=%01%02&peer_id=-TR2940-k8hj0wgej6ch&port=51413&key=1f2e3d4c"),
    "a quota of maps": ask(b"/maps/vt?lyrs=m&x=1&y=2&z=3&token=71150"),
    "a channel's sid": ask(b"/ch?VER=8&SID=abcdef0123456789&sid=77&RID=rpc"),
    "a video's signature": ask(b"/videoplayback?id=1&signature=0123456789ABCDEF.FEDCBA&key=yt6&ip=1.2.3.4"),
    "an empty password": post(b"username=%24%7Bjndi%3Aldap%7D&password=", FORM),
    "a command": ask(b"/ping?id=cat%20/etc/passwd"),
    "a search": ask(b"/search?q=password&user=ann"),
    "a search for a sentence": ask(b"/search?q=what+is+my+password%3Dsesame"),
    "a reset page": ask(
        b"/password-reset?step=1", b"", page(b"<form><input type=password name=password value=sesame></form>")
    ),
    "a CSRF token": post(b"_csrf=8d7f6a5b4c3d2e1f&csrf_token=aabbccddeeff&authenticity_token=zzyyxx&comment=hi", FORM),
    "a CSRF header": ask(b"/", b"X-CSRF-Token: aabbccddeeff00112233\r\nX-XSRF-TOKEN: 99887766\r\n"),
    "names in JavaScript": ask(b"/a.js", b"", page(b'var login={user:"ann",password:"sesame"};', b"text/javascript")),
    "names in an answer": ask(b"/me", b"", page(b'{"user":"ann","password":"sesame"}', JSON)),
    "a form in an answer": ask(b"/f", b"", page(b"user=ann&password=sesame", FORM)),
    "an empty Authorization": ask(b"/", b"Authorization: \r\n"),
    "a scheme alone": ask(b"/", b"Authorization: Basic\r\nProxy-Authorization: NTLM\r\n"),
    "a Digest without answer": ask(
        b"/", b'Authorization: Digest username="ann", realm="r", nonce="n", uri="/", response=""\r\n'
    ),
    "an NTLM that only begins": ask(
        b"/", b"Authorization: NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAGAbEdAAAADw==\r\n"
    ),
    "a signed request": ask(
        b"/",
        b"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request,"
        b" SignedHeaders=host, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n",
    ),
    "what only begins like a JWT": ask(b"/", b"Authorization: eyJhbGciOi.not.json\r\n"),
    "a scheme of nobody": ask(b"/", b"Authorization: Turbo abcdefgh\r\n"),
    "a JSON schema": post(b'{"properties":{"password":{"type":"string"},"user":{"type":"string"}}}', JSON),
    "an example in JSON": post(b'{"username":"string","password":"string","token":"<token>"}', JSON),
    "nothing in JSON": post(b'{"user":"ann","password":null,"pin":"","passwordless":true,"secret":false}', JSON),
    "switches": post(b"user=ann&show_password=on&forgotpassword=1&rememberPassword=true&passwordless=yes", FORM),
    "asterisks": post(b'{"user":"ann","password":"********"}', JSON),
    "words in a text of JSON": post(
        b'{"comment":"say \\"password\\": \\"sesame\\" and pass=1","tags":["password","x"]}', JSON
    ),
    "a question in GraphQL": post(b'{"query":"query { user(id: 7) { password resetToken } }","variables":{}}', JSON),
    "a variable in GraphQL": post(
        b'{"query":"mutation($password: String!){ login(password: $password){ id } }"}', JSON
    ),
    "an element of nothing": post(b"<a><Password/><pass></pass><note>the password=x</note></a>", b"text/xml"),
    "a page that is sent": post(b"<html>user=ann&password=sesame</html>", b"text/html"),
    "prose that is sent": post(b"my user name and pass = sesame, she said\n", b"text/plain"),
    "a CSS class": ask(b"/style.css?v=pass&pin=a"),
    "a cookie of consent": ask(
        b"/", b"Cookie: cookie_consent=yes; _ga=GA1.2.3; lang=de; csrftoken=abcdef0123456789\r\n"
    ),
    "a host with an at sign": ask(b"http://ann@h.example/"),
    # FTP, mail
    "FTP's greetings": lines(
        b"< 220 FTP\n> USER ftp\n< 230 Login successful.\n> HELP PASS\n< 214 PASS <password>\n> QUIT\n< 221 x"
    ),
    "an FTP without password": lines(
        b"< 220 FTP\n> USER ann\n< 331 Password required for ann.\n> PASS\n< 530 Login incorrect.\n> QUIT\n< 221 x"
    ),
    "a mail with base64": lines(
        MAIL + b"> Content-Transfer-Encoding: base64\n> \n> " + b64encode(b"\0ann\0sesame" * 5) + b"\n> .\n< 250 ok"
    ),
    "a mail of words": lines(MAIL + WORDS + b"> .\n< 250 ok\n> QUIT\n< 221 x"),
    "an AUTH that is given up": lines(
        b"< 220 mx ESMTP\n> EHLO a\n< 250-mx\n< 250 AUTH LOGIN\n> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n"
        b"> *\n< 501 x\n> QUIT\n< 221 x"
    ),
    "an AUTH that is refused before": lines(
        b"< 220 mx ESMTP\n> EHLO a\n< 250 mx\n> AUTH PLAIN\n< 503 not advertised\n> QUIT\n< 221 x"
    ),
    "IMAP's capabilities": lines(
        b"< * OK [CAPABILITY IMAP4rev1 LOGIN-REFERRALS AUTH=PLAIN LOGINDISABLED] ready\n> a CAPABILITY\n"
        b"< * CAPABILITY IMAP4rev1 AUTH=LOGIN\n< a OK done\n> b LOGOUT\n< * BYE x\n< b OK x"
    ),
    "POP3's help": lines(
        b"< +OK ready\n> CAPA\n< +OK\n< USER\n< SASL PLAIN LOGIN\n< .\n> USER ann\n< +OK send PASS "
        b"password\n> QUIT\n< +OK"
    ),
    # chat
    "an IRC nick": lines(
        b"> NICK ann\n> USER ann 0 * :pass sesame\n< :s NOTICE AUTH :*** Looking up your hostname\n"
        b"< :s 001 ann :hi\n> PRIVMSG #c :my password is sesame\n> QUIT"
    ),
    # databases
    "Redis' documentation": [
        (True, resp(b"COMMAND", b"DOCS")),
        (False, resp(b"AUTH", b"ann sesame") + b"$5\r\nhello\r\n"),
        (True, resp(b"SET", b"hello", b"there")),
        (False, b"+OK\r\n"),
        (True, resp(b"GET", b"password")),
        (False, b"$6\r\nsesame\r\n"),
    ],
    "a MySQL without password": [(False, greeting()), (True, b""), (False, ok(2))],
    "a table of SQL": [
        (True, startup(b"user", b"ann", b"database", b"d")),
        (False, message(b"R", b"\0\0\0\0") + message(b"Z", b"I")),
        (True, message(b"Q", b"SELECT password FROM users WHERE name='ann'\0")),
        (False, message(b"C", b"SELECT 0\0") + message(b"Z", b"I")),
    ],
    # binary
    "an MQTT user alone": [(True, b"\x10\x14\0\4MQTT\4\x82\0\x3c\0\3cid\0\3ann"), (False, b"\x20\2\0\0")],
    "a SOCKS4 id": [(True, b"\4\1\0\x50\1\2\3\4ann\0"), (False, b"\0\x5a\0\0\0\0\0\0")],
    "an anonymous bind": [
        (True, bytes.fromhex("300c020101600702010304008000")),
        (False, bytes.fromhex("300c02010161070a010004000400")),
    ],
    "a Telnet that needs none": lines(b"< Password required, but none set\n> exit"),
    "an SSH banner": [(False, b"SSH-2.0-OpenSSH_9.2 password\r\n"), (True, b"SSH-2.0-x\r\n")],
}
TALKS.pop("a MySQL without password")
TALKS["a MySQL question"] = [(False, greeting()), (True, query(b"SELECT password FROM users"))]
STUN = bytes.fromhex("000100142112a442b7e7a701bc34d686fa87dfae") + b"\0\6\0\7ann:bob\0" + b"\0\x80\0\4\1\2\3\4"
DATAGRAMS: dict[str, tuple[int, bytes]] = {
    "STUN's user name": (3478, STUN),
    "an SNMPv3 user": (
        161,
        bytes.fromhex(
            "303e020103301102041f2e3d4c020300ffe3040104020103301604000201000201000403616e6e04000400300e040004"
            "0003080000000000000000"
        ),
    ),
    "a SIP that announces": (
        5060,
        b"REGISTER sip:h SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nVia: SIP/2.0/UDP a\r\n"
        b'From: <sip:a@h>\r\nTo: <sip:a@h>\r\nAuthorization: Digest username="a", realm="r", nonce="",'
        b' uri="sip:h", response=""\r\n\r\n',
    ),
}


def frames(number: int, calls: Calls) -> Iterator[bytes]:
    talk = Talk((A4, 20000 + number), (B4, 7000 + number))
    yield from talk.handshake()
    sent = {True: 0, False: 0}
    for to_server, data in calls:
        if data:
            yield talk(to_server, PSH | ACK, 1 + sent[to_server], 1 + sent[not to_server], data)
            sent[to_server] += len(data)
    yield from talk.close(sent[True], sent[False])


@pytest.fixture(scope="module")
def sighted(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[dict[str, Any]]]:
    """What was sighted, by the client's port."""
    folder: Path = tmp_path_factory.mktemp("lookalikes")
    made = [frame for number, calls in enumerate(TALKS.values()) for frame in frames(number, calls)]
    for number, (port, data) in enumerate(DATAGRAMS.values()):
        made.append(ethernet(ipv4(udp(data, (30000 + number, port)), 17)))
    done = run("convert", capture(folder / "in.pcap", made), "-o", folder / "out", "--reveal", "--no-pcapng")
    assert done.returncode == 0, done.stderr
    found: dict[int, list[dict[str, Any]]] = {}
    for line in (folder / "out" / "in.annotations.jsonl").read_text().splitlines():
        told = json.loads(line)
        if told["type"] == "sighting":
            found.setdefault(told["client"]["port"], []).append(told)
    return found


def sure(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["location"], one["secret"]) for one in told if one["confidence"] == "certain"]


@pytest.mark.parametrize("name", TALKS)
def test_what_only_looks_like_it_is_no_certain_credential(name: str, sighted: dict[int, list[dict[str, Any]]]) -> None:
    assert sure(sighted.get(20000 + list(TALKS).index(name), [])) == []


@pytest.mark.parametrize("name", DATAGRAMS)
def test_a_datagram_that_only_looks_like_it(name: str, sighted: dict[int, list[dict[str, Any]]]) -> None:
    assert sure(sighted.get(30000 + list(DATAGRAMS).index(name), [])) == []


def test_there_are_enough_of_them() -> None:
    assert len(TALKS) + len(DATAGRAMS) >= 50
