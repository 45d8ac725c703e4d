"""From a frame to the TCP segment (RFC 9293) or UDP datagram (RFC 768) in it."""

from collections.abc import Sequence
from typing import NamedTuple

class Decoded(NamedTuple):
    """A segment or datagram, as `Layers.decode_frame` tells it; packet.pxd has the compiled code's view."""

    source: str
    """Address of the sender."""
    target: str
    """Address of the receiver; where a routing header names the last hop, that."""
    source_port: int
    target_port: int
    protocol: int
    """6 TCP, 17 UDP."""
    tcp_flags: int
    """The low eight flags of the header; 0 for UDP."""
    seq: int
    ack: int
    payload: bytes
    """What of it is captured."""
    length: int
    """Bytes of the payload, captured or not."""
    parts: Sequence[tuple[int, int, int]]
    """Where the captured bytes stand: position in the payload file, offset in the payload, length."""
    mentioned: bool
    """There is no payload: the header contradicts itself or is quoted by an ICMP error. Wireshark counts its stream."""

class Layers:
    """Decodes frames of every link type; keeps fragments until their datagram is whole.

    Input is hostile: no frame makes it raise, read beyond the captured bytes, or keep more than a bounded table.

    Attributes:
        logins: Whether logins of PPP are handed on, as datagrams of family 0 without addresses; on at first. They come
            from port 1 (the server) or 2 (the client), and begin with the number of their protocol.
        mentions: Whether TCP headers without a usable payload are told too (`Decoded.mentioned`); off at first.
    """

    logins: bool
    mentions: bool

    def decode_frame(
        self,
        linktype: int,
        data: bytes,
        original: int | None = None,
        position: int = 0,
        time: int = 0,
        frame: int = 1,
        source_frame: int | None = None,
        offset: int = 0,
    ) -> Decoded | None:
        """Decode one frame; None where nothing is handed on: then a cause is counted, or a fragment is kept.

        `original` is the frame's length on the wire (default and least: the captured length), `position` that of its
        first byte in the payload file, `time` in ns (0: not known), `offset` that of its record.
        Raises OverflowError where a number does not fit its field.
        """

    @property
    def headers(self) -> list[tuple[int, int]]:
        """Of the last frame the headers that have a checksum over all behind them: where in the frame each begins, and
        where in it the checksum stands. From the outside in: UDP of tunnels, ICMP, what that quotes, TCP or UDP; none
        in what was put together from fragments.
        """

    def losses(self) -> dict[str, tuple[int, int, int, int, int, int]]:
        """What was lost, by cause: count, bytes, and of the first record its offset, time, source frame and frame.

        unknown_link_type: frames of link types that are not decoded, with their bytes.
        not_followed: frames that hold neither TCP nor UDP in IP, with their bytes.
        malformed_packet: frames whose headers are cut or contradict themselves, with their bytes.
        short_frame: packets that claim more bytes than their frame held on the wire, with the bytes that are lacking;
        what the frame holds was used.
        fragment_incomplete: fragments of datagrams that never became whole, with the bytes of their payload; those
        still waited for are counted by `close`.
        fragment_conflict: fragments whose bytes differ from those that were there before, with the number of bytes.
        """

    def unknown_links(self) -> dict[int, int]:
        """Frames by link type of those that are not decoded; the first 64 such types."""

    def close(self) -> None:
        """At the end of the input: count the fragments that are still waited for."""
