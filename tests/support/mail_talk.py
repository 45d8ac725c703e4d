"""Conversations with mail servers, written by hand: what both sides say, for tests of SMTP, POP3 and IMAP."""

from __future__ import annotations

import zlib

C, S = True, False
Call = tuple[bool, bytes | int]

MAIL = (
    b"From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nTo: a@example.com\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
    b'Content-Type: multipart/mixed; boundary="=b"\r\n\r\nnot for MIME\r\n'
    b"--=b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nAUTH PLAIN AGEAYg==\r\npassword: pass\r\n.\r\n"
    b"--=b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="../a.pdf"\r\n\r\naGVsbG8g\r\nd29ybGQ=\r\n'
    b"--=b--\r\nafter\r\n"
)
"""Its second part decodes to `hello world`."""
DOTTED = MAIL.replace(b"\r\n.\r\n", b"\r\n..\r\n") + b".\r\n"

SMTP: list[Call] = [
    (S, b"220 mx.example.com ESMTP\r\n"),
    (C, b"EHLO me\r\n"),
    (S, b"250-mx.example.com\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 AUTH PLAIN LOGIN\r\n"),
    (C, b"AUTH LOGIN\r\n"),
    (S, b"334 VXNlcm5hbWU6\r\n"),
    (C, b"am9l\r\n"),
    (S, b"334 UGFzc3dvcmQ6\r\n"),
    (C, b"b3Blbi1zZXNhbWU=\r\n"),
    (S, b"535 5.7.8 authentication failed\r\n"),
    (C, b"AUTH PLAIN\r\n"),
    (S, b"334 \r\n"),
    (C, b"*\r\n"),
    (S, b"501 aborted\r\n"),
    (C, b"AUTH PLAIN AGpvZQBoNG5zM2w=\r\n"),
    (S, b"235 2.7.0 ok\r\n"),
    (C, b"MAIL FROM:<joe@example.org> SIZE=900\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<no@example.com>\r\nDATA\r\n"),
    (S, b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n550 5.1.1 no such user\r\n354 go on\r\n"),
    (C, DOTTED),
    (S, b"250 2.0.0 queued as 1\r\n"),
    (C, b"MAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nBDAT 10\r\nSubject: xBDAT 8 LAST\r\n\r\n\r\nhi.\n"),
    (S, b"250 ok\r\n250 ok\r\n250 10 octets\r\n250 2.0.0 queued as 2\r\n"),
    (C, b"VRFY root\r\n"),
    (S, b"252 try it\r\n"),
    (C, b"STARTTLS\r\n"),
    (S, b"220 ready\r\n"),
    (C, b"\x16\x03\x01\x00\x05hello"),
    (S, b"\x16\x03\x03\x00\x05world"),
]

POP3: list[Call] = [
    (S, b"+OK ready <1.2@example.com>\r\n"),
    (C, b"CAPA\r\n"),
    (S, b"+OK\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"),
    (C, b"USER joe\r\nPASS open sesame \r\n"),
    (S, b"+OK\r\n-ERR [AUTH] wrong\r\n"),
    (C, b"APOP joe c4c9334bac560ecc979e58001b3e22fb\r\n"),
    (S, b"-ERR no\r\n"),
    (C, b"AUTH PLAIN\r\n"),
    (S, b"+ \r\n"),
    (C, b"AGpvZQBoNG5zM2w=\r\n"),
    (S, b"+OK logged in\r\n"),
    (C, b"STAT\r\nLIST 1\r\nRETR 1\r\nDELE 1\r\n"),
    (S, b"+OK 1 500\r\n+OK 1 500\r\n+OK 500 octets\r\n" + DOTTED + b"+OK gone\r\n"),
    (C, b"QUIT\r\n"),
    (S, b"+OK bye\r\n"),
]

_up, _down = zlib.compressobj(wbits=-15), zlib.compressobj(wbits=-15)


def _deflated(stream: zlib._Compress, data: bytes) -> bytes:
    return stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


IMAP: list[Call] = [
    (S, b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n"),
    (C, b'a1 login "jo\\"e" {8}\r\n'),
    (S, b"+ go on\r\n"),
    (C, b'p{2}\r\n"x\r\n'),
    (S, b"a1 NO [AUTHENTICATIONFAILED] wrong\r\n"),
    (C, b"a2 AUTHENTICATE PLAIN AGpvZQBoNG5zM2w=\r\n"),
    (S, b"* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\na2 OK logged in\r\n"),
    (C, b"a3 SELECT {5+}\r\nINBOX\r\n"),
    (S, b"* 3 EXISTS\r\n* 0 RECENT\r\na3 OK [READ-WRITE] selected\r\n"),
    (C, b"a4 UID FETCH 7 (FLAGS BODY.PEEK[])\r\n"),
    (S, b"* 1 FETCH (UID 7 FLAGS (\\Seen) BODY[] {%d}\r\n" % len(MAIL) + MAIL + b")\r\na4 OK done\r\n"),
    (C, b"a5 APPEND Sent (\\Seen) {%d}\r\n" % len(MAIL)),
    (S, b"+ ok\r\n"),
    (C, MAIL + b"\r\n"),
    (S, b"a5 OK [APPENDUID 1 2] saved\r\n"),
    (C, b"a6 IDLE\r\n"),
    (S, b"+ idling\r\n* 4 EXISTS\r\n"),
    (C, b"DONE\r\n"),
    (S, b"a6 OK done\r\n"),
    (C, b"a7 COMPRESS DEFLATE\r\n"),
    (S, b"a7 OK active\r\n"),
    (C, _deflated(_up, b"a8 FETCH 1 BODY[HEADER]\r\n")),
    (
        S,
        _deflated(
            _down, b"* 1 FETCH (BODY[HEADER] {15}\r\nSubject: zip\r\n\r\n)\r\na8 OK done\r\n".replace(b"15", b"16")
        ),
    ),
    (C, _deflated(_up, b"a9 LOGOUT\r\n")),
    (S, _deflated(_down, b"* BYE\r\na9 OK bye\r\n")),
]
