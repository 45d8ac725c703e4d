from .api import Parser, Sink

OPENING_BYTES: int
"""As much of each direction is shown to the probes."""
MOST_HELD: int
"""Bytes of a conversation that wait at most for a decision."""
ATTEMPTS: int
"""How often the probes are asked: a capture may begin within a message."""

class Recogniser(Parser):
    """A parser that waits until the bytes tell the protocol, and from then on hands all to that protocol's parser.

    HTTP is asked first and at every boundary, the others of table.py while they do not all say no, from a boundary on;
    all are asked anew where a client's hello of TLS seems to begin.
    The parser is opened by the sink's `switch`. `transport` is tcp, udp or unix; ports are 0 and `path` empty where
    there are none.
    """

    def __init__(
        self, sink: Sink, transport: str, client_port: int = 0, server_port: int = 0, path: str = ""
    ) -> None: ...
    @property
    def found(self) -> bool:
        """A protocol was recognised."""
    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None: ...
    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None: ...
    def close(self, ended: bool = True) -> None: ...
