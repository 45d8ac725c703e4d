"""The protocols that are decoded, in the order in which they are asked. Entries are data; a module is loaded on use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from .http1_probe import probe as probe_http1

if TYPE_CHECKING:
    from collections.abc import Callable

    from .api import Parser, Sink


class Protocol(NamedTuple):
    """One protocol: how it is recognised, and its parser as "module:class" within this package."""

    name: str
    parser: str
    probe: Callable[[bool, bytes], bool]
    """probe(to_server, first bytes of a system call): these bytes are this protocol's, whatever the port."""

    def open(self, sink: Sink) -> Parser:
        """A parser for one conversation."""
        module, name = self.parser.split(":")
        made: Parser = getattr(import_module(f"{__package__}.{module}"), name)(sink)
        return made


PROTOCOLS: tuple[Protocol, ...] = (Protocol("http", "http1:Http1", probe_http1),)


def recognise(to_server: bool, head: bytes) -> Protocol | None:
    """The first protocol that claims the first bytes of one system call, or None."""
    for protocol in PROTOCOLS:
        if protocol.probe(to_server, head):
            return protocol
    return None
