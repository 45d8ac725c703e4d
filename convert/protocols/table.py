"""The protocols that are decoded, in the order in which they are asked. Entries are data; a module is loaded on use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from .api import Opening, Parser, Sink

STREAMS = frozenset({"tcp", "unix"})
DATAGRAMS = frozenset({"udp"})
LINKS = frozenset({"ppp"})
"""Links without addresses: only what authenticates there is handed on."""
ANY = STREAMS | DATAGRAMS


class Protocol(NamedTuple):
    """One protocol: how it is recognised, and its parser, each as "module:name" within this package."""

    name: str
    parser: str
    probe: str
    """probe(opening) -> NO, YES or MORE (api.py): whether a conversation that begins so is this protocol's, on any
    port. Empty: it is only switched to, or recognised by rules of its own (HTTP, recogniser.pyx)."""
    transports: frozenset[str] = STREAMS
    encrypted: bool = False
    """What passes behind the first messages cannot be read on the way."""
    shown: str = ""
    """The name that a stream's record gives, where another row has it too."""

    def open(self, sink: Sink) -> Parser:
        """A parser for one conversation."""
        made: Parser = _load(self.parser)(sink)
        return made


PROTOCOLS: tuple[Protocol, ...] = (
    Protocol("http", "http1.parser:Http1", ""),
    Protocol("http2", "http2.parser:Http2", "http2.probe:probe"),
    Protocol("websocket", "websocket.parser:WebSocket", ""),
    Protocol("tls", "tls.parser:Tls", "tls.probe:probe", encrypted=True),
    Protocol("ssh", "ssh.parser:Ssh", "ssh.probe:probe", encrypted=True),
    Protocol("dns", "dns.parser:DnsDatagrams", "dns.probe:probe_datagrams", DATAGRAMS),
    Protocol("sip", "sip.parser:SipDatagrams", "sip.probe:probe", DATAGRAMS),
    Protocol("sip-tcp", "sip.parser:SipStream", "sip.probe:probe", shown="sip"),
    Protocol("radius", "radius.parser:Radius", "radius.probe:probe", DATAGRAMS),
    Protocol("ppp", "ppp.parser:Ppp", "ppp.probe:probe", LINKS),
    Protocol("dns-tcp", "dns.parser:DnsStream", "dns.probe:probe_stream", shown="dns"),
    Protocol("snmp", "snmp.parser:SnmpDatagrams", "snmp.probe:probe", DATAGRAMS),
    Protocol("snmp-tcp", "snmp.parser:SnmpStream", "snmp.probe:probe", shown="snmp"),
    Protocol("ldap", "ldap.parser:Ldap", "ldap.probe:probe"),
    Protocol("cldap", "ldap.parser:Cldap", "ldap.probe:probe_datagrams", DATAGRAMS, shown="ldap"),
    Protocol("kerberos", "kerberos.parser:KerberosStream", "kerberos.probe:probe_stream"),
    Protocol(
        "kerberos-udp",
        "kerberos.parser:KerberosDatagrams",
        "kerberos.probe:probe_datagrams",
        DATAGRAMS,
        shown="kerberos",
    ),
    Protocol("socks", "socks.parser:Socks", "socks.probe:probe"),
    Protocol("x11", "x11.parser:X11", "x11.probe:probe"),
    Protocol("rsync", "rsync.parser:Rsync", "rsync.probe:probe"),
    Protocol("rlogin", "rlogin.parser:Rlogin", "rlogin.probe:probe"),
    Protocol("vnc", "vnc.parser:Vnc", "vnc.probe:probe"),
    Protocol("mysql", "mysql.parser:MySql", "mysql.probe:probe"),
    Protocol("postgresql", "postgresql.parser:PostgreSql", "postgresql.probe:probe"),
    Protocol("mqtt", "mqtt.parser:Mqtt", "mqtt.probe:probe"),
    Protocol("smtp", "smtp.parser:Smtp", "smtp.probe:probe"),
    Protocol("pop3", "pop3.parser:Pop3", "pop3.probe:probe"),
    Protocol("imap", "imap.parser:Imap", "imap.probe:probe"),
    Protocol("xmpp", "xmpp.parser:Xmpp", "xmpp.probe:probe"),
    Protocol("mssql", "mssql.parser:MsSql", "mssql.probe:probe"),
    Protocol("smb", "smb.parser:Smb", "smb.probe:probe"),
    Protocol("dcerpc", "dcerpc.parser:DceRpc", "dcerpc.probe:probe"),
    Protocol("redis", "redis.parser:Redis", "redis.probe:probe"),
    Protocol("amqp", "amqp.parser:Amqp", "amqp.probe:probe"),
    Protocol("mongodb", "mongodb.parser:MongoDb", "mongodb.probe:probe"),
    Protocol("memcached", "memcached.parser:Memcached", "memcached.probe:probe"),
    Protocol("stomp", "stomp.parser:Stomp", "stomp.probe:probe"),
    Protocol("nats", "nats.parser:Nats", "nats.probe:probe"),
    Protocol("fastcgi", "fastcgi.parser:FastCgi", "fastcgi.probe:probe"),
    Protocol("ftp", "ftp.parser:Ftp", "ftp.probe:probe"),
    Protocol("telnet", "telnet.parser:Telnet", "telnet.probe:probe"),
    Protocol("nntp", "nntp.parser:Nntp", "nntp.probe:probe"),
    Protocol("irc", "irc.parser:Irc", "irc.probe:probe"),
    Protocol("rsh", "rlogin.remote:Rsh", "rlogin.probe:probe_rsh"),
    Protocol("rexec", "rlogin.remote:Rexec", "rlogin.probe:probe_rexec"),
)
BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}


@cache
def probes(transport: str) -> tuple[tuple[str, Callable[[Opening], int]], ...]:
    """Names and probes of the protocols that may pass over tcp, udp or unix, in the order in which they are asked."""
    return tuple(
        (protocol.name, _load(protocol.probe))
        for protocol in PROTOCOLS
        if protocol.probe and transport in protocol.transports
    )


def _load(name: str) -> Any:
    module, attribute = name.split(":")
    return getattr(import_module(f"{__package__}.{module}"), attribute)
