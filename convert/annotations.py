"""The records of STEM.annotations.jsonl, as plain dictionaries (fields and meanings: docs/formats.md).

Sans-IO: what a decoder found goes in, what is written comes out. Text that is not UTF-8 is escaped and its field named
in the record's "escaped". Secrets are in the clear here; redact.py masks the encoded lines. The records of streams and
of what was found in them are many: annotations_json.pyx writes those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .model.rows import PPP, TCP, UDP, UNIX_DATAGRAM, UNIX_STREAM
from .model.synthetic import synthetic_endpoints
from .model.text import address, escaped_text, readable, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .decoded import Decoded
    from .model.exchange import HttpRequest, HttpResponse
    from .model.losses import Loss
    from .model.record import Value
    from .model.rows import Conv
    from .model.sighting import Sighting

Record = dict[str, Any]
Pairs = list[list[str]]

PROTOCOL_NAMES = {TCP: "tcp", UDP: "udp", UNIX_STREAM: "unix", UNIX_DATAGRAM: "unix", PPP: "ppp"}


def loss_record(source: int, loss: Loss) -> Record:
    """How often, how many bytes, and where first."""
    first = None
    if loss.event is not None or loss.offset is not None:
        first = {
            "source": source,
            "event": loss.event,
            "evt_num": loss.evt_num,
            "source_frame": loss.source_frame,
            "frame": loss.frame,
            "frame_has_bytes": False,
            "offset": loss.offset,
            "stream_offset": None,
            "length": 0,
            "time": timestamp(loss.time) if loss.time else None,
        }
    return {"count": loss.count, "bytes": loss.bytes, "first": first}


def machine_record(decoded: Decoded) -> Record | None:
    """The machine that was recorded; None where the capture does not say."""
    machine = decoded.machine
    if machine is None:
        return None
    hostname, odd = readable(machine.hostname)
    record: Record = {
        "hostname": hostname,
        "cpus": machine.cpus,
        "memory": machine.memory,
        "boot_time": timestamp(machine.boot_time) if machine.boot_time else None,
    }
    if odd:
        record["escaped"] = ["hostname"]
    return record


def interface_records(decoded: Decoded) -> list[Record]:
    """The machine's interfaces: name and address."""
    return [{"name": readable(name)[0], "address": address(raw)} for name, raw in decoded.interfaces]


def capture_record(source: int, sha256: str, size: int, decoded: Decoded, frames: int) -> Record:
    """The first record of a file."""
    machine = machine_record(decoded) or {"hostname": None}
    record = {
        "type": "capture",
        "source": source,
        "sha256": sha256,
        "size": size,
        "format": decoded.format,
        "events": decoded.events,
        "frames": frames,
        "first": timestamp(decoded.first) if decoded.first else None,
        "last": timestamp(decoded.last) if decoded.last else None,
        "hostname": machine["hostname"],
        "losses": {cause: loss_record(source, loss) for cause, loss in sorted(decoded.losses.items())},
    }
    if "escaped" in machine:
        record["escaped"] = machine["escaped"]
    return record


def endpoints(conv: Conv, paths: Sequence[bytes]) -> tuple[Record | None, Record | None]:
    """Client and server of a conversation. Unix sockets: path, kernel address as inode, the address in the pcapng.

    None for those of PPP, which have no addresses while they log in.
    """
    if conv.protocol == PPP:
        return None, None
    if conv.protocol in (UNIX_STREAM, UNIX_DATAGRAM):
        client_ip, _, server_ip, _ = synthetic_endpoints(conv.id, conv.path)
        path, odd = readable(paths[conv.path]) if conv.path else (None, False)
        server: Record = {"path": path, "inode": conv.server_ptr or None, "synthetic_ip": server_ip}
        if odd:
            server["escaped"] = ["path"]
        return {"path": None, "inode": conv.client_ptr or None, "synthetic_ip": client_ip}, server
    width = 4 if conv.family == 4 else 16
    return (
        {"ip": address(conv.client_ip[:width]), "port": conv.client_port},
        {"ip": address(conv.server_ip[:width]), "port": conv.server_port},
    )


class Ends(NamedTuple):
    """The processes behind a conversation's ends: thread versions that were seen (first-seen order) and owners."""

    client: tuple[int, ...]
    server: tuple[int, ...]
    client_owner: int
    server_owner: int

    def client_process(self) -> int | None:
        """The first that was seen acting, else the one that owned the descriptor."""
        return (self.client[0] if self.client else self.client_owner) or None

    def server_process(self) -> int | None:
        """The first that was seen acting, else the one that owned the descriptor."""
        return (self.server[0] if self.server else self.server_owner) or None


def attribution(seen: tuple[int, ...], owner: int) -> str:
    """How it is known which process is behind an end."""
    return "observed" if seen else "inferred" if owner else "none"


def _wire_text(text: str, name: str, escaped: list[str]) -> str:
    """Text held one byte a character, as UTF-8 or escaped."""
    out, odd = readable(text.encode("latin-1"))
    if odd and name not in escaped:
        escaped.append(name)
    return out


def _headers(headers: list[tuple[str, str]], name: str, escaped: list[str]) -> Pairs:
    """Headers as UTF-8; where one is not, all of them are escaped (the field is named as a whole)."""
    pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers]
    try:
        return [[key.decode("utf-8"), value.decode("utf-8")] for key, value in pairs]
    except UnicodeDecodeError:
        escaped.append(name)
        return [[_force_escape(key), _force_escape(value)] for key, value in pairs]


def _force_escape(raw: bytes) -> str:
    return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def request_texts(request: HttpRequest, escaped: list[str]) -> tuple[str, str, str | None, Pairs, Pairs]:
    """Method, target, host, headers and trailers as they are written; `escaped` takes the names of escaped fields."""
    trailers = _headers(request.trailers, "request.trailers", escaped)
    return (
        _wire_text(request.method, "request.method", escaped),
        _wire_text(request.target, "request.target", escaped),
        None if request.host is None else _wire_text(request.host, "request.host", escaped),
        _headers(request.headers, "request.headers", escaped),
        trailers,
    )


def response_texts(response: HttpResponse, escaped: list[str]) -> tuple[str, Pairs, Pairs]:
    """Reason, headers and trailers as they are written; `escaped` takes the names of escaped fields."""
    return (
        _wire_text(response.reason, "response.reason", escaped),
        _headers(response.headers, "response.headers", escaped),
        _headers(response.trailers, "response.trailers", escaped),
    )


def wire_values(fields: Mapping[str, Value], side: str, escaped: list[str]) -> Record:
    """The fields of a message as they are written. Text within one field is UTF-8, or all of it is escaped."""
    out: Record = {}
    for name, value in fields.items():
        try:
            out[name] = _wire_value(value, _plain)
        except UnicodeDecodeError:
            out[name] = _wire_value(value, _escaped)
            escaped.append(f"{side}.{name}")
    return out


def _wire_value(value: Value, text: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return value if value.isascii() and text is _plain else text(value)
    if isinstance(value, list):
        return [_wire_value(item, text) for item in value]
    if isinstance(value, dict):
        return {key: _wire_value(item, text) for key, item in value.items()}
    return value


def _plain(text: str) -> str:
    return text.encode("latin-1").decode("utf-8")


def _escaped(text: str) -> str:
    return escaped_text(text.encode("latin-1"))


def sighting_texts(sighting: Sighting, shown: str, escaped: list[str]) -> tuple[str | None, str | None, str | None]:
    """Method, host and target as they are written; `shown` is the secret's text, `escaped` as in request_texts."""
    texts = (
        None if sighting.method is None else _wire_text(sighting.method, "method", escaped),
        None if sighting.host is None else _wire_text(sighting.host, "host", escaped),
        None if sighting.target is None else _wire_text(sighting.target, "target", escaped),
    )
    clear, odd = readable(sighting.secret)
    if odd and shown == clear:
        escaped.append("secret")
    return texts
