"""Whether a conversation is an FTP control connection, told from SMTP, POP3 and NNTP; see ftp.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset((21, 2121))
_OTHER_PORTS = frozenset((25, 587, 2525, 110, 119, 143, 6667))
_REPLY = re.compile(rb"[1-5][0-9]{2}[ \-]")
_GREETING = re.compile(rb"(?:220|120)(?:[ \-]|\r?\n)")
_FTP_WORDS = re.compile(rb"(?i)ftp|filezilla|serv-u")
_MAIL_WORDS = re.compile(rb"(?i)smtp|postfix|sendmail|exim|mail")
_ONLY_FTP = re.compile(
    rb"(?:SYST|FEAT|PASV|EPSV(?: [0-9]| ALL)?|PWD|XPWD|CDUP|PORT [0-9]{1,3}(?:,[0-9]{1,3}){5}"
    rb"|EPRT [!-~][12][!-~][^\r\n]+"
    rb"|TYPE [AIEL](?: [A-Za-z0-9]+)?|(?:CWD|STOR|APPE|SIZE|MDTM|MKD|RMD|RNFR|SITE|XCWD) [^\r\n]+|MLSD(?: [^\r\n]+)?"
    rb"|AUTH (?:TLS|SSL|TLS-C|TLS-P|KERBEROS_V4)|PBSZ [0-9]+|PROT [CPSE]|OPTS [^\r\n]+|CLNT [^\r\n]+|STOU"
    rb"|ACCT [^\r\n]*)\r?\n",
    re.IGNORECASE,
)
_LOGIN = re.compile(rb"USER [^\r\n]*\r?\n", re.IGNORECASE)
_PASSWORD = re.compile(rb"PASS(?: [^\r\n]*)?\r?\n", re.IGNORECASE)
_LOGIN_BEGINS = re.compile(rb"(?:[A-Za-z]{0,4}|[A-Za-z]{3,4} [^\r\n]{0,512})\r?\Z")
_TOLD = re.compile(rb"(?:331|332|230|530|202|421|500|502|503)(?:[ \-]|\r?\n)")
_ONLY_SERVER = re.compile(
    rb"(?i)(?:227 [^\r\n]*[0-9]{1,3}(?:,[0-9]{1,3}){5}[^\r\n]*|229 [^\r\n]*\(\|\|\|[0-9]{1,5}\|\)[^\r\n]*"
    rb"|331 [^\r\n]*password[^\r\n]*"
    rb"|230[ \-][^\r\n]*log(?:ged|in)[^\r\n]*|530 [^\r\n]*log(?:ged|in)[^\r\n]*"
    rb"|150 [^\r\n]*(?:data connection|ascii|binary)[^\r\n]*|226 [^\r\n]*(?:transfer|directory|complete)[^\r\n]*"
    rb"|215 UNIX[^\r\n]*|257 \"[^\r\n]*)\r?\n"
)


def probe(opening: Opening) -> int:
    """A greeting and the client's first command; in the middle of a talk, what only FTP says."""
    client, server = opening.client.lstrip(b"\r\n"), opening.server
    if opening.transport == "udp":
        return NO
    if server and not _REPLY.match(server):
        return MORE if len(server) < 4 and server.isdigit() and not opening.over else NO
    usual = opening.server_port in _PORTS
    if client:
        return _judge_client(opening, client, server, usual)
    if not server:
        return NO if opening.over else MORE
    if _ONLY_SERVER.match(server):
        return YES
    line = server.partition(b"\n")[0]
    if not _GREETING.match(server):
        return MORE if not opening.over else NO
    if _FTP_WORDS.search(line) and not _MAIL_WORDS.search(line) and b"\n" in server:
        return YES
    if opening.over:
        return YES if usual else NO
    return MORE


def _judge_client(opening: Opening, client: bytes, server: bytes, usual: bool) -> int:
    if _ONLY_FTP.match(client):
        if server:
            return YES
        return YES if usual else (NO if opening.over else MORE)
    if _LOGIN.match(client) or _PASSWORD.match(client):
        if server:
            told = [line for line in server.splitlines() if _TOLD.match(line + b"\n")]
            if _GREETING.match(server) or told or usual:
                return YES
            return NO if opening.over else MORE
        if opening.over:
            return YES if usual else NO
        return MORE
    if usual and server and _REPLY.match(server) and re.match(rb"[A-Za-z]{3,5}(?: [^\r\n]*)?\r?\n", client):
        mail = re.match(rb"(?i)(?:EHLO|HELO|MAIL|RCPT|STARTTLS)", client)
        return NO if mail else YES
    if opening.over:
        return NO
    return MORE if _LOGIN_BEGINS.match(client) and b"\n" not in client else NO
