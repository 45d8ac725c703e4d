"""Conversations of IRC, netnews and XMPP with a password in each place where one may stand (secret_talks.py)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

Dialogues = Iterator[tuple[str, bytes]]


def irc(s: bytes) -> Dialogues:
    """Rightly, and by mistake."""
    head = b"< :irc.x NOTICE AUTH :*** hello\n"
    named = head + b"> NICK ann\n> USER ann 0 * :Ann\n< :irc.x 001 ann :hi\n"
    yield "pass", head + b"> PASS " + s + b"\n> NICK ann\n> USER ann 0 * :Ann\n< :irc.x 464 ann :not '" + s + b"'"
    yield "oper", named + b"> OPER root " + s + b"\n< :irc.x 381 ann :yes"
    yield "service", named + b"> PRIVMSG NickServ :IDENTIFY " + s + b"\n< :NickServ!s@x NOTICE ann :Password accepted"
    yield "service-typo", named + b"> NickServ IDENTFY " + s + b"\n< :irc.x 421 ann :what?"
    yield "typo", named + b"> PASSWORD " + s + b"\n< :irc.x 421 ann PASSWORD :Unknown command"
    yield "key", named + b"> JOIN #a " + s + b"\n> MODE #a +k " + s + b"\n< :irc.x 475 ann #a :no"
    token = b64encode(b"\0ann\0" + s)
    sasl = b"> CAP REQ :sasl\n> AUTHENTICATE PLAIN\n< AUTHENTICATE +\n> AUTHENTICATE " + token
    yield "sasl", head + sasl + b"\n< :irc.x 904 * :no"


def nntp(s: bytes) -> Dialogues:
    """Rightly, and by mistake."""
    head = b"< 200 news.x InterNetNews NNRP server ready\n"
    yield "pass", head + b"> AUTHINFO USER ann\n< 381 more\n> AUTHINFO PASS " + s + b"\n< 481 not '" + s + b"'"
    yield "typo", head + b"> AUTHINFO PAS " + s + b"\n< 501 what?"
    yield "verb", head + b"> AUTHINF PASS " + s + b"\n< 500 what?"
    yield "generic", head + b"> AUTHINFO GENERIC ann " + s + b"\n< 501 what?"
    yield "plain", head + b"> AUTHINFO SASL PLAIN " + b64encode(b"\0ann\0" + s) + b"\n< 281 in"
    yield "bare", head + b"> AUTHINFO USER ann\n< 381 more\n> HunterTwo " + s + b"\n< 500 what?"


def xmpp(s: bytes) -> Dialogues:
    """Rightly, and by mistake."""
    space = b" xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    head = b"> <stream:stream to='x'" + space + b"\n< <stream:stream id='i' from='x'" + space + b"\n"
    yield (
        "sasl",
        head + b"> <auth mechanism='PLAIN'>" + b64encode(b"\0ann\0" + s) + b"</auth>\n< <failure><no/></failure>",
    )
    query = b"> <iq type='set' id='1'><query xmlns='jabber:iq:%s'><username>ann</username><password>"
    end = b"</password></query></iq>\n< <iq type='result' id='1'/>"
    yield "before", head + query % b"auth" + s + end
    yield "register", head + query % b"register" + s + end
    yield "message", head + b"> <message><body>" + s + b"</body></message>\n" + query % b"auth" + s + end
