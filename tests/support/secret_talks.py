"""Conversations of every protocol with a password in each place where one may stand, rightly or by mistake.

The password is the caller's. What a server answers repeats it wherever servers were seen to quote what they are told.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import NamedTuple

from websockets.frames import Frame, Opcode

from . import asn1_made as made
from . import chat_talks, queue_talks, users_talks, web_talks, windows_talks
from . import http2_made as h2
from .sql_talk import complaint, err, greeting, lenenc, login, message, ok, packet, query, startup

Calls = list[tuple[bool, bytes]]
Talks = Iterator[tuple[str, bytes | Calls]]


class Case(NamedTuple):
    """One conversation."""

    name: str
    port: int
    calls: Calls
    secret: bytes


def lines(text: bytes) -> Calls:
    """A dialogue: one line a call, `>` to the server, `<` to the client, `~` without a line end."""
    calls = []
    for line in text.strip(b"\n").split(b"\n"):
        end = b"" if line[1:2] == b"~" else b"\r\n"
        calls.append((line[:1] == b">", line[2:].strip(b" " if not end else b"") + end))
    return calls


def b64(data: bytes) -> bytes:
    return b64encode(data)


def resp(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _ftp(s: bytes) -> Talks:
    head = b"< 220 FTP ready\n> USER ann\n< 331 give\n"
    yield "pass", head + b"> PASS " + s + b"\n< 530 no, '" + s + b"' is wrong"
    yield "typo", head + b"> PASSWORD " + s + b"\n< 500 'PASSWORD " + s + b"': what?"
    yield "lower", head + b"> pas " + s + b"\n< 500 what?"
    yield "bare", head + b"> PASS\n< 501 what?\n> HunterTwo" + b" " + s + b"\n< 500 what?"
    yield "account", head + b"> PASS x1yzw\n< 332 account\n> ACCT " + s + b"\n< 230 in"
    yield "site", head + b"> PASS x1yzw\n< 230 in\n> SITE CHPWD " + s + b" new\n< 200 done"
    yield (
        "wrong-state",
        b"< 220 FTP ready\n> PASS " + s + b"\n< 503 first USER, not PASS " + s + b"\n> USER ann\n< 331 go",
    )


def _smtp(s: bytes) -> Talks:
    head = b"< 220 mx ESMTP\n> EHLO me\n< 250-mx\n< 250 AUTH PLAIN LOGIN\n"
    plain = b64(b"\0ann\0" + s)
    yield "plain", head + b"> AUTH PLAIN " + plain + b"\n< 535 5.7.8 no: " + plain + b" " + s
    yield "plain-later", head + b"> AUTH PLAIN\n< 334 \n> " + plain + b"\n< 235 ok"
    yield "login", head + b"> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n> YW5u\n< 334 UGFzc3dvcmQ6\n> " + b64(s) + b"\n< 235 ok"
    yield "login-initial", head + b"> AUTH LOGIN YW5u\n< 334 UGFzc3dvcmQ6\n> " + b64(s) + b"\n< 535 " + s
    yield "refused", head + b"> AUTH LOGIN\n< 503 no\n> YW5u\n< 500 what?\n> " + b64(s) + b"\n< 500 what?"
    yield "tabbed", head + b"> AUTH\tPLAIN\t" + plain + b"\n< 501 what?"
    yield "clear", head + b"> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n> ann\n< 334 UGFzc3dvcmQ6\n> " + s + b"\n< 535 no"
    yield "bearer", head + b"> AUTH XOAUTH2 " + b64(b"user=ann\1auth=Bearer " + s + b"\1\1") + b"\n< 235 ok"
    yield "pop", head + b"> USER ann\n< 502 what?\n> PASS " + s + b"\n< 502 what is " + b"that?"
    yield "typo", head + b"> PASSWORD " + s + b"\n< 502 what?"


def _pop3(s: bytes) -> Talks:
    head = b"< +OK POP3 ready\n"
    yield "pass", head + b"> USER ann\n< +OK\n> PASS " + s + b"\n< -ERR [AUTH] not '" + s + b"'"
    yield "first", head + b"> PASS " + s + b"\n< -ERR USER first, PASS " + s
    yield "typo", head + b"> USER ann\n< +OK\n> PASSWORD " + s + b"\n< -ERR what?"
    yield "bare", head + b"> USER ann\n< +OK\n> HunterTwo " + s + b"\n< -ERR what?"
    yield "plain", head + b"> AUTH PLAIN\n< + \n> " + b64(b"\0ann\0" + s) + b"\n< +OK"
    yield "stray", head + b"> AUTH LOGIN\n< -ERR no\n> YW5u\n< -ERR what?\n> " + b64(s) + b"\n< -ERR what?"


def _imap(s: bytes) -> Talks:
    head = b"< * OK IMAP4rev1 ready\n> a0 CAPABILITY\n< * CAPABILITY IMAP4rev1\n< a0 OK done\n"
    quoted = b'"' + s.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    yield "login", head + b"> a1 LOGIN ann " + quoted + b"\n< a1 NO not " + s
    yield "literal", head + b"> a1 LOGIN ann {%d}\n< + go\n> " % len(s) + s + b"\n< a1 OK in"
    yield (
        "literals",
        head + b"> a1 LOGIN {3+}\n> ann {%d+}\n> " % len(s) + s + b"\n< * NO [ALERT] " + s + b"\n< a1 OK in",
    )
    yield "no-literal", head + b"> a1 LOGIN ann {%d}\n< a1 BAD no\n> " % len(s) + b"x y " + s + b"\n< x BAD what?"
    yield "tagless", head + b"> LOGIN ann " + s + b"\n< LOGIN BAD what?"
    yield "uid", head + b"> a1 UID LOGIN ann " + s + b"\n< a1 BAD what?"
    yield "typo", head + b"> a1 LOGON ann " + s + b"\n< a1 BAD what?"
    yield "plain", head + b"> a1 AUTHENTICATE PLAIN " + b64(b"\0ann\0" + s) + b"\n< a1 OK in"
    yield "stray", head + b"> a1 AUTHENTICATE LOGIN\n< a1 NO no\n> " + b64(s) + b"\n< * BAD what?"


def _telnet(s: bytes) -> Talks:
    head = [(False, b"\xff\xfb\x01\xff\xfb\x03host login: "), (True, b"ann\r\n"), (False, b"ann\r\nPassword: ")]
    yield "login", [*head, (True, s + b"\r\n"), (False, b"\r\nLogin incorrect: " + s + b"\r\nhost login: ")]
    yield "erased", [*head, (True, s + b"zz\x7f\x7f\r\n"), (False, b"\r\nLast login: today\r\n$ ")]
    prompt = [*head, (True, b"other-one\r\n"), (False, b"\r\nLast login: today\r\n$ "), (True, b"su\r\n")]
    yield "su", [*prompt, (False, b"su\r\nPassword: "), (True, s + b"\r\n"), (False, b"\r\n# ")]
    yield "no-echo", [*prompt, (False, b"su\r\nSay friend and enter"), (True, s + b"\r\n"), (False, b"\r\n# ")]


SQL_MYSQL = (
    b"CREATE USER 'ann'@'%' IDENTIFIED BY '~'",
    b"CREAT USER ann IDENTIFIED BY '~'",
    b'CREATE USER ann IDENTIFIED BY "~"',
    b"ALTER USER ann IDENTIFIED BY ~",
    b"ALTER USER ann IDENTIFIED BY `~`",
    b"ALTER USER ann IDENTIFIED WITH mysql_native_password BY '~'",
    b"SET PASSWORD FOR ann = PASSWORD('~')",
    b"set/**/password='~'",
    b"DELETE FROM u WHERE p=PASSWORD('~')",
    b"CALL make(PASSWORD('~'))",
    b"PREPARE s FROM 'ALTER USER ann IDENTIFIED BY ''~'''",
    b"EXECUTE IMMEDIATE \"ALTER USER ann IDENTIFIED BY '~'\"",
    b"SELECT 1 -- ALTER USER ann IDENTIFIED BY '~'",
    b"CLONE INSTANCE FROM 'ann'@'h':3306 IDENTIFIED BY '~'",
    b"CHANGE MASTER TO MASTER_USER='r', MASTER_PASSWORD='~'",
    b"CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD '~')",
    b"CREATE TABLE f (a int) ENGINE=FEDERATED CONNECTION='mysql://ann:~@h/d/t'",
    b";" * 60_000 + b"ALTER USER ann IDENTIFIED BY '~'",
)
SQL_POSTGRESQL = (
    b"CREATE ROLE ann LOGIN ENCRYPTED PASSWORD '~'",
    b'ALTER USER ann PASSWORD "~"',
    b"ALTER USER ann PASSWORD ~",
    b"ALTER USER ann WITH PASSWORD $x$~$x$",
    b"ALTRE USER ann PASSWORD '~'",
    b"DO $a$ BEGIN EXECUTE 'ALTER ROLE ann PASSWORD ''~'''; END $a$",
    b"ALTER SYSTEM SET primary_conninfo = 'host=h user=ann password=~'",
    b"SELECT dblink_connect('c', 'host=h password=~ user=ann')",
    b"CREATE USER MAPPING FOR ann SERVER s OPTIONS (user 'u', password '~')",
    b"CREATE SUBSCRIPTION s CONNECTION 'postgresql://ann:~@h/d' PUBLICATION p",
    b"/* ALTER ROLE ann PASSWORD '~' */ SELECT 1",
)


def _mysql(s: bytes) -> Talks:
    head: Calls = [(False, greeting()), (True, login()), (False, ok(2))]
    switch = packet(2, b"\xfemysql_clear_password\0")
    begin: Calls = [(False, greeting()), (True, login())]
    yield "clear", [*begin, (False, switch), (True, packet(3, s + b"\0")), (False, err(4, 1045, b"28000", b"no: " + s))]
    for number, text in enumerate(SQL_MYSQL):
        sql = text.replace(b"~", s)
        near = b"near '" + sql[-len(s) - 20 :] + b"' at line 1"
        yield f"sql-{number}", [*head, (True, query(sql)), (False, err(1, 1064, b"42000", near))]
    prepare = packet(0, b"\x16ALTER USER ann IDENTIFIED BY ?")
    prepared = packet(1, b"\0" + struct.pack("<IHHBH", 1, 0, 1, 0, 0))
    definition = packet(2, lenenc(b"def") + lenenc(b"") * 3 + lenenc(b"?") + lenenc(b"") + b"\x0c" + bytes(12))
    execute = packet(0, b"\x17" + struct.pack("<IBI", 1, 0, 1) + b"\0\1\xfd\0" + lenenc(s))
    made = prepared + definition + packet(3, b"\xfe\0\0\2\0")
    yield "parameter", [*head, (True, prepare), (False, made), (True, execute), (False, ok())]


def _postgresql(s: bytes) -> Talks:
    begin: Calls = [(True, startup(b"user", b"ann", b"database", b"shop"))]
    refusal = complaint(b"E", b"FATAL", b"28P01", b"no: " + s)
    ask = message(b"R", b"\0\0\0\3")
    yield "clear", [*begin, (False, ask), (True, message(b"p", s + b"\0")), (False, refusal)]
    ready = message(b"R", bytes(4)) + message(b"Z", b"I")
    for number, text in enumerate(SQL_POSTGRESQL):
        sql = text.replace(b"~", s)
        said = complaint(b"E", b"ERROR", b"42601", b'syntax error at or near "' + s + b'"')
        calls = [(True, message(b"Q", sql + b"\0")), (False, said + message(b"Z", b"I"))]
        yield f"sql-{number}", [*begin, (False, ready), *calls]
    parse = message(b"P", b"\0ALTER ROLE ann PASSWORD $1\0\0\0")
    bind = message(b"B", b"\0\0\0\0\0\1" + struct.pack(">I", len(s)) + s + b"\0\0")
    rest = message(b"E", b"\0" + bytes(4)) + message(b"S")
    answer = complaint(b"E", b"ERROR", b"42601", b"syntax error") + message(b"Z", b"I")
    yield "parameter", [*begin, (False, ready), (True, parse + bind + rest), (False, answer)]
    parse = message(b"P", b"\0SELECT dblink_connect($1)\0\0\0")
    text = b"host=h user=ann password=" + s
    bind = message(b"B", b"\0\0\0\0\0\1" + struct.pack(">I", len(text)) + text + b"\0\0")
    yield "connection-parameter", [*begin, (False, ready), (True, parse + bind + rest), (False, answer)]


def _redis(s: bytes) -> Talks:
    no = b"-ERR what is '" + s + b"'?\r\n"
    for number, words in enumerate(
        (
            (b"AUTH", s),
            (b"auth", b"ann", s),
            (b"AUTH", b"ann", s, b"more"),
            (b"AUHT", s),
            (b"HELLO", b"3", b"AUTH", b"ann", s),
            (b"HELLO", b"AUTH", b"ann", s),
            (b"HELLO", b"3", b"AUTH", s),
            (b"CONFIG", b"SET", b"requirepass", s),
            (b"config", b"set", b"RequirePass", s),
            (b"CONFIG", b"SET", b"maxmemory", b"requirepass", s),
            (b"ACL", b"SETUSER", b"ann", b"on", b">" + s),
            (b"ACL", b"SETUSER", b"ann", b"on >" + s + b" ~*"),
            (b"MIGRATE", b"h", b"6379", b"", b"0", b"10", b"AUTH", s, b"KEYS", b"k"),
            (b"MIGRATE", b"h", b"6379", b"k", b"0", b"10", b"COPY", b"AUTH2", b"ann", s),
            (b"SENTINEL", b"SET", b"m", b"auth-pass", s),
            (b"EVAL", b"return redis.call('CONFIG', 'SET', 'requirepass', '" + s + b"')", b"0"),
        )
    ):
        ping: Calls = [(True, resp(b"PING")), (False, b"+PONG\r\n")]
        yield str(number), [*ping, (True, resp(*words)), (False, no)]
    asked: Calls = [(True, resp(b"CONFIG", b"GET", b"*"))]
    yield "told", [*asked, (False, resp(b"maxmemory", b"0", b"requirepass", s))]
    yield "slow", [(True, resp(b"SLOWLOG", b"GET")), (False, b"*1\r\n*4\r\n:1\r\n:2\r\n:3\r\n" + resp(b"AUTH", s))]
    yield "made", [(True, resp(b"ACL", b"GENPASS")), (False, b"$%d\r\n%s\r\n" % (len(s), s))]
    both = resp(b"PING") + resp(b"AUTH", s) + resp(b"PING")
    yield "pipelined", [(True, both), (False, b"+PONG\r\n" + no + b"+PONG\r\n")]


def _fastcgi(s: bytes) -> Talks:
    def record(kind: int, content: bytes) -> bytes:
        return bytes([1, kind]) + struct.pack(">HHH", 1, len(content), 0) + content

    def talk(body: bytes, **values: bytes) -> Calls:
        stream = b"".join(
            struct.pack(">II", len(name) | 1 << 31, len(value) | 1 << 31) + name.encode() + value
            for name, value in {"REQUEST_METHOD": b"POST", "REQUEST_URI": b"/a.php", **values}.items()
        )
        asked = record(1, b"\0\1\0\0\0\0\0\0") + record(4, stream) + record(4, b"") + record(5, body) + record(5, b"")
        told = record(7, b"PHP message: #0 login('ann', '" + s + b"')") + record(6, b"Status: 200\r\n\r\nhi")
        return [(True, asked), (False, told + record(3, bytes(8)))]

    form = b"application/x-www-form-urlencoded"
    yield "form", talk(b"user=ann&password=" + s, CONTENT_TYPE=form)
    yield "param", talk(b"", DB_PASSWORD=s)
    yield "basic", talk(b"", HTTP_AUTHORIZATION=b"Basic " + b64(b"ann:" + s))
    yield "query", talk(b"", QUERY_STRING=b"user=ann&password=" + s)


def _http(s: bytes) -> Talks:
    answer = b"HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n"
    basic = b64(b"ann:" + s)
    yield (
        "basic",
        [(True, b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " + basic + b"\r\n\r\n"), (False, answer)],
    )
    yield (
        "trailer",
        [
            (
                True,
                b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Basic "
                + basic
                + b"\r\n\r\n",
            ),
            (False, b"HTTP/1.1 204 x\r\n\r\n"),
        ],
    )
    part = (
        b'--b\r\nContent-Disposition: form-data; name="password"; filename="' + s + b'"\r\n\r\n' + s + b"\r\n--b--\r\n"
    )
    head = b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(part)
    yield "part", [(True, head + part), (False, answer)]


def _http2(s: bytes) -> Talks:
    end = h2.End()
    for name, method in (("basic", "GET"), ("odd-method", "G T")):
        fields = [("authorization", "Basic " + b64(b"ann:" + s).decode())]
        asked = h2.PREFACE + h2.SETTINGS + end.headers(1, h2.asking("/", method, "h", *fields), end=True)
        yield name, [(True, asked), (False, h2.SETTINGS + h2.End().headers(1, [(":status", "204")], end=True))]
        end = h2.End()


def _websocket(s: bytes) -> Talks:
    hello = b"GET /w HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    up = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    for number, text in enumerate(
        (
            b'{"user":"ann","password":"' + s + b'"}',
            b'["{\\"password\\" : \\"' + s + b'\\"}"]',
            b"CONNECT\nlogin:ann\npasscode:" + s + b"\n\n\0",
            b"user=ann&password=" + s,
        )
    ):
        frame = Frame(Opcode.TEXT, text).serialize(mask=True, extensions=[])
        yield str(number), [(True, hello), (False, up), (True, frame)]


def _socks(s: bytes) -> Talks:
    asked = b"\1\3ann" + bytes([len(s)]) + s
    yield "password", [(True, b"\5\1\2"), (False, b"\5\2"), (True, asked), (False, b"\1\1")]


def _sip(s: bytes) -> Talks:
    head = b"Via: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:ann@h>\r\nTo: <sip:ann@h>\r\n"
    head += b"Call-ID: c\r\nCSeq: 1 REGISTER\r\n"
    said = b"SIP/2.0 401 No\r\n" + head + b"Content-Length: 0\r\n\r\n"
    basic = b"Authorization: Basic " + b64(b"ann:" + s) + b"\r\n"
    yield "basic", [(True, b"REGISTER sip:h SIP/2.0\r\n" + head + basic + b"Content-Length: 0\r\n\r\n"), (False, said)]
    asked = b"REGISTER sip:ann:" + s + b"@h SIP/2.0\r\n" + head.replace(b"To: <sip:ann@", b"To: <sip:ann:" + s + b"@")
    yield (
        "uri",
        [
            (True, asked + b"Content-Length: 0\r\n\r\n"),
            (False, said.replace(b"To: <sip:ann@", b"To: <sip:ann:" + s + b"@")),
        ],
    )


def _rlogin(s: bytes) -> Talks:
    yield "typed", [
        (True, b"\0ann\0ann\0vt100/9600\0"), (False, b"\0Password: "), (True, s + b"\r"),
        (False, b"\r\nLogin incorrect\r\n"),
    ]  # fmt: skip


def _rexec(s: bytes) -> Talks:
    yield "password", [(True, b"0\0ann\0" + s + b"\0uptime\0"), (False, b"\1Login incorrect.\n")]


def _x11(s: bytes) -> Talks:
    name = b"MIT-MAGIC-COOKIE-1"
    head = struct.pack("<2s5H", b"l\0", 11, 0, len(name), len(s), 0)
    failed = struct.pack("<BB3H", 0, 4, 11, 0, 1) + b"None"
    yield "cookie", [(True, head + name + bytes(2) + s + bytes(-len(s) % 4)), (False, failed)]


def _ldap(s: bytes) -> Talks:
    no = made.done(1, 0x61, 49, said=b"not " + s)
    yield "bind", [(True, made.simple_bind(1, b"cn=ann", s)), (False, no)]
    yield "plain", [(True, made.sasl_bind(1, b"PLAIN", b"\0ann\0" + s)), (False, no)]
    value = made.tlv(0x31, made.octets(s))
    change = made.sequence(made.number(2, 10), made.sequence(made.octets(b"userPassword"), value))
    modify = made.ldap(2, made.tlv(0x66, made.octets(b"cn=ann"), made.sequence(change)))
    yield "modify", [(True, modify), (False, made.done(2, 0x67, 53, said=s + b" is too short"))]
    pair = made.sequence(made.octets(b"userPassword"), made.octets(s))
    compare = made.ldap(2, made.tlv(0x6E, made.octets(b"cn=ann"), pair))
    yield "compare", [(True, compare), (False, made.done(2, 0x6F, 5))]
    renew = made.sequence(made.octets(s, 0x81), made.octets(s, 0x82))
    oid = made.octets(b"1.3.6.1.4.1.4203.1.11.1", 0x80)
    extended = made.ldap(2, made.tlv(0x77, oid, made.octets(renew, 0x81)))
    yield "password", [(True, extended), (False, made.done(2, 0x78, 0))]
    search = made.search(2, b"", made.tlv(0xA3, made.octets(b"userPassword"), made.octets(s)))
    yield "search", [(True, search), (False, made.entry(2, b"cn=ann", userPassword=s) + made.done(2, 0x65, 0))]


def _snmp(s: bytes) -> Talks:
    asked = made.snmp(1, s, made.pdu(0xA0, 1, b"\5\0"))
    yield "get", [(True, asked), (False, made.snmp(1, s, made.pdu(0xA2, 1, made.octets(b"here"))))]


Maker = Callable[[bytes], Talks]


def cases(secret: Callable[[], bytes]) -> Iterator[Case]:
    """All of them; `secret` gives the password of the next one."""
    makers: tuple[tuple[str, int, Maker], ...] = (
        ("ftp", 21, _ftp),
        ("smtp", 25, _smtp),
        ("pop3", 110, _pop3),
        ("imap", 143, _imap),
        ("telnet", 23, _telnet),
        ("mysql", 3306, _mysql),
        ("postgresql", 5432, _postgresql),
        ("redis", 6379, _redis),
        ("fastcgi", 9000, _fastcgi),
        ("http", 80, _http),
        ("http2", 80, _http2),
        ("websocket", 80, _websocket),
        ("socks", 1080, _socks),
        ("ldap", 389, _ldap),
        ("snmp", 161, _snmp),
        ("sip", 5060, _sip),
        ("rlogin", 513, _rlogin),
        ("rexec", 512, _rexec),
        ("x11", 6000, _x11),
        ("irc", 6667, chat_talks.irc),
        ("nntp", 119, chat_talks.nntp),
        ("xmpp", 5222, chat_talks.xmpp),
        ("mssql", 1433, windows_talks.mssql),
        ("smb", 445, windows_talks.smb),
        ("amqp", 5672, queue_talks.amqp),
        ("stomp", 61613, queue_talks.stomp),
        ("nats", 4222, queue_talks.nats),
        ("mongodb", 27017, queue_talks.mongodb),
        ("memcached", 11211, queue_talks.memcached),
        ("mqtt", 1883, queue_talks.mqtt),
        ("web", 80, web_talks.passwords),
        ("token", 80, web_talks.tokens),
        ("mysql", 3306, users_talks.mysql),
        ("postgresql", 5432, users_talks.postgresql),
    )
    for name, port, make in makers:
        for number in range(len(list(make(b"any")))):
            password = secret()
            which, talk = list(make(password))[number]
            calls = lines(talk) if isinstance(talk, bytes) else talk
            yield Case(f"{name}-{which}", port, calls, password)
