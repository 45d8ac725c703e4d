"""Changes to a conversation of any protocol: the calls, and bytes, words and lengths in them.

An input is a byte that chooses the protocol, then a list of calls as in http1.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import http1
from .plain import change

if TYPE_CHECKING:
    from random import Random

NAMES = (
    "dns", "dns-tcp", "fastcgi", "ftp", "http2", "imap", "mysql", "pop3", "postgresql", "redis", "smtp", "ssh",
    "telnet", "tls", "websocket", "socks",
    "amqp", "cldap", "dcerpc", "irc", "kerberos", "kerberos-udp", "ldap", "memcached", "mongodb", "mqtt", "mssql",
    "nats", "nntp", "ppp", "radius", "rexec", "rlogin", "rsh", "rsync", "sip", "sip-tcp", "smb", "snmp", "snmp-tcp",
    "stomp", "vnc", "x11", "xmpp",
)  # fmt: skip
"""Names of the table but for http, which has a target of its own. New ones go to the end: inputs hold places in it."""


def split(data: bytes) -> tuple[str, list[http1.Call]]:
    """The protocol's name and the calls; whatever the input, it has some meaning."""
    return NAMES[(data[0] if data else 0) % len(NAMES)], http1.split(data[1:])


def join(name: str, calls: list[http1.Call]) -> bytes:
    """An input of a protocol and these calls."""
    return bytes([NAMES.index(name)]) + http1.join(calls)


def pieces(data: bytes) -> list[bytes]:
    """What of an input can be left out."""
    return [data[:1], *http1.pieces(data[1:])]


def mutate(data: bytes, random: Random) -> bytes:
    """One change, mostly to the bytes of one call: lengths and kinds stand there."""
    name, calls = split(data)
    if not calls or random.random() < 0.3:
        return bytes([NAMES.index(name)]) + http1.mutate(http1.join(calls), random)
    at = random.randrange(len(calls))
    one = calls[at]
    calls[at] = one._replace(data=change(one.data, random))
    return join(name, calls)
