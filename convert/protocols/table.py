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
    Protocol("http", "http1:Http1", ""),
    Protocol("http2", "http2:Http2", "http2_probe:probe"),
    Protocol("websocket", "websocket:WebSocket", ""),
    Protocol("tls", "tls:Tls", "tls_probe:probe", encrypted=True),
    Protocol("ssh", "ssh:Ssh", "ssh_probe:probe", encrypted=True),
    Protocol("dns", "dns:DnsDatagrams", "dns_probe:probe_datagrams", DATAGRAMS),
    Protocol("dns-tcp", "dns:DnsStream", "dns_probe:probe_stream", shown="dns"),
    Protocol("socks", "socks:Socks", "socks_probe:probe"),
    Protocol("mysql", "mysql:MySql", "mysql_probe:probe"),
    Protocol("postgresql", "postgresql:PostgreSql", "postgresql_probe:probe"),
    Protocol("smtp", "smtp:Smtp", "smtp_probe:probe"),
    Protocol("pop3", "pop3:Pop3", "pop3_probe:probe"),
    Protocol("imap", "imap:Imap", "imap_probe:probe"),
    Protocol("redis", "redis:Redis", "redis_probe:probe"),
    Protocol("fastcgi", "fastcgi:FastCgi", "fastcgi_probe:probe"),
    Protocol("ftp", "ftp:Ftp", "ftp_probe:probe"),
    Protocol("telnet", "telnet:Telnet", "telnet_probe:probe"),
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
