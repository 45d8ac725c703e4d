"""TCP connections as frames, made by scapy: what two machines said, with handshake, acknowledgements and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether

Said = tuple[bool, bytes]
"""Whether it goes to the server, and the bytes."""


def connection(client: tuple[str, int], server: tuple[str, int], talk: Iterable[Said], mss: int = 1400) -> list[bytes]:
    """The frames of one connection, in order."""
    ends, numbers = (server, client), [5000, 1000]
    frames: list[bytes] = []

    def send(up: bool, flags: str, data: bytes = b"") -> None:
        (source, sport), (target, dport) = ends[up], ends[not up]
        head = TCP(sport=sport, dport=dport, flags=flags, seq=numbers[up], ack=numbers[not up] if "A" in flags else 0)
        ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        frames.append(bytes(ether / IP(src=source, dst=target) / head / data))
        numbers[up] += len(data) + ("S" in flags or "F" in flags)

    send(True, "S")
    send(False, "SA")
    send(True, "A")
    for up, data in talk:
        for part in _parts(data, mss):
            send(up, "PA", part)
        send(not up, "A")
    send(True, "FA")
    send(False, "FA")
    send(True, "A")
    return frames


def _parts(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def form(path: str, body: bytes, host: str = "router.lan") -> bytes:
    """A POST of a form."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def page(path: str, host: str = "router.lan") -> bytes:
    """A GET."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A response."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def arp() -> bytes:
    """A frame that is in no stream."""
    return bytes(Ether(src="02:00:00:00:00:01") / ARP())
