"""The records of STEM.annotations.jsonl, as plain dictionaries (fields and meanings: docs/formats.md).

Sans-IO: what a decoder found goes in, what is written comes out. Text that is not UTF-8 is escaped and its field named
in the record's "escaped". Secrets are in the clear here; redact.py masks the encoded lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .model.rows import TCP, UDP, UNIX_DATAGRAM, UNIX_STREAM
from .model.synthetic import synthetic_endpoints
from .model.text import address, readable, timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .decoded import Decoded
    from .model.exchange import HttpExchange, HttpRequest, HttpResponse
    from .model.losses import Loss
    from .model.process import ThreadVersion
    from .model.rows import Conv
    from .model.sighting import Sighting

Record = dict[str, Any]

PROTOCOL_NAMES = {TCP: "tcp", UDP: "udp", UNIX_STREAM: "unix", UNIX_DATAGRAM: "unix"}


class Spot(NamedTuple):
    """Where a run of bytes came from and which frame has it; times in ns. `event`, `evt_num`, `source_frame` and
    `frame` are 0 where it has none.
    """

    event: int
    evt_num: int
    source_frame: int
    block: int
    frame: int
    has_bytes: bool
    time: int
    recorded: int
    thread: int


def where(source: int, spot: Spot, stream_offset: int | None, length: int) -> Record:
    """A pointer to the evidence: event in the capture, frame in the pcapng, byte range in the stream."""
    return {
        "source": source,
        "event": spot.event or None,
        "evt_num": spot.evt_num or None,
        "source_frame": spot.source_frame or None,
        "frame": spot.frame or None,
        "frame_has_bytes": spot.has_bytes,
        "offset": spot.block,
        "stream_offset": stream_offset,
        "length": length,
        "time": timestamp(spot.recorded) if spot.recorded else None,
    }


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


def process_record(version: ThreadVersion, decoded: Decoded) -> Record:
    """One thread version. `from` is the capture's first event where the thread was there before."""
    record: Record = {"type": "process", "id": version.id, "tid": version.tid, "pid": version.pid, "ppid": version.ppid}
    escaped = []
    texts = {
        "name": version.name,
        "exe": version.exepath or version.exe,
        "cmdline": version.cmdline,
        "user": version.user,
        "container_name": decoded.container_names.get(version.container or ""),
    }
    for name, raw in texts.items():
        record[name], odd = readable(raw) if raw is not None else (None, False)
        if odd:
            escaped.append(name)
    record |= {
        "uid": version.uid,
        "container": version.container,
        "from": timestamp(version.begin or decoded.first),
        "listed": version.listed,
        "to": timestamp(version.end) if version.end else None,
        "previous": version.previous or None,
    }
    if escaped:
        record["escaped"] = escaped
    return record


def endpoints(conv: Conv, paths: Sequence[bytes]) -> tuple[Record, Record]:
    """Client and server of a conversation. Unix sockets: path, kernel address as inode, the address in the pcapng."""
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


def _attribution(seen: tuple[int, ...], owner: int) -> str:
    return "observed" if seen else "inferred" if owner else "none"


def stream_record(
    conv: Conv, ends: Ends, places: tuple[Record, Record], counts: Mapping[str, Any], tcp_stream: int | None
) -> Record:
    """One conversation; `counts` gives bytes, hashes, gaps and frames by their field names."""
    return {
        "type": "stream",
        "id": conv.id,
        "protocol": PROTOCOL_NAMES[conv.protocol],
        "client": places[0],
        "server": places[1],
        "client_process": ends.client_process(),
        "server_process": ends.server_process(),
        "client_processes": [number for number in ends.client if number],
        "server_processes": [number for number in ends.server if number],
        "client_attribution": _attribution(ends.client, ends.client_owner),
        "server_attribution": _attribution(ends.server, ends.server_owner),
        "opened": timestamp(conv.opened) if conv.opened else None,
        "closed": timestamp(conv.closed) if conv.closed else None,
        **counts,
        "tcp_stream": tcp_stream,
    }


def _wire_text(text: str, name: str, escaped: list[str]) -> str:
    """Text held one byte a character, as UTF-8 or escaped."""
    out, odd = readable(text.encode("latin-1"))
    if odd and name not in escaped:
        escaped.append(name)
    return out


def _headers(headers: list[tuple[str, str]], name: str, escaped: list[str]) -> list[list[str]]:
    """Headers as UTF-8; where one is not, all of them are escaped (the field is named as a whole)."""
    pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers]
    try:
        return [[key.decode("utf-8"), value.decode("utf-8")] for key, value in pairs]
    except UnicodeDecodeError:
        escaped.append(name)
        return [[_force_escape(key), _force_escape(value)] for key, value in pairs]


def _force_escape(raw: bytes) -> str:
    return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def _rare(message: HttpRequest | HttpResponse, name: str, escaped: list[str]) -> Record:
    """Fields that are written only where there is something to say: headers left out, headers behind the body."""
    rare: Record = {}
    if message.headers_total > len(message.headers):
        rare["headers_total"] = message.headers_total
    if message.trailers:
        rare["trailers"] = _headers(message.trailers, f"{name}.trailers", escaped)
    return rare


def _request(request: HttpRequest, place: Record, escaped: list[str]) -> Record:
    clean = request.ascii
    rare = _rare(request, "request", escaped)
    if not request.target_complete:
        rare["target_complete"] = False
    return {
        "method": request.method if clean else _wire_text(request.method, "request.method", escaped),
        "target": request.target if clean else _wire_text(request.target, "request.target", escaped),
        "host": request.host if clean or request.host is None else _wire_text(request.host, "request.host", escaped),
        "version": request.version,
        "headers": request.headers if clean else _headers(request.headers, "request.headers", escaped),
        "headers_complete": request.headers_complete,
        "body_length": request.body_length,
        "body_complete": request.body_complete,
        "body_sha256": request.body_sha256,
        "where": place,
        **rare,
    }


def _response(response: HttpResponse, place: Record, escaped: list[str]) -> Record:
    clean = response.ascii
    return {
        "status": response.status,
        "reason": response.reason if clean else _wire_text(response.reason, "response.reason", escaped),
        "version": response.version,
        "headers": response.headers if clean else _headers(response.headers, "response.headers", escaped),
        "headers_complete": response.headers_complete,
        "body_length": response.body_length,
        "body_complete": response.body_complete,
        "body_sha256": response.body_sha256,
        "where": place,
        **_rare(response, "response", escaped),
    }


def http_record(
    source: int,
    stream: int,
    places: tuple[Record, Record],
    processes: tuple[int | None, int | None],
    exchange: HttpExchange,
    spots: tuple[Spot | None, Spot | None],
) -> Record:
    """One exchange; `spots` are where its request and its response begin."""
    escaped: list[str] = []
    request = response = None
    time = 0
    if exchange.response is not None and spots[1] is not None:
        span = exchange.response.span
        response = _response(exchange.response, where(source, spots[1], span.offset, span.length), escaped)
        time = spots[1].time
    if exchange.request is not None and spots[0] is not None:
        span = exchange.request.span
        request = _request(exchange.request, where(source, spots[0], span.offset, span.length), escaped)
        time = spots[0].time
    record: Record = {
        "type": "http",
        "stream": stream,
        "client": places[0],
        "server": places[1],
        "time": timestamp(time),
        "client_process": processes[0],
        "server_process": processes[1],
        "request": request,
        "response": response,
    }
    if escaped:
        record["escaped"] = escaped
    return record


def sighting_record(
    source: int,
    stream: int,
    places: tuple[Record, Record],
    ends: Ends,
    processes: tuple[int | None, int | None],
    sighting: Sighting,
    spot: Spot,
    shown: tuple[str, str, int],
) -> Record:
    """One secret; `shown` is its text as redact.py shows it, its fingerprint and its exchange's number in the file."""
    escaped: list[str] = []
    record: Record = {
        "type": "sighting",
        "stream": stream,
        "exchange": shown[2],
        "protocol": "http",
        "location": sighting.location,
        "field": sighting.field,
        "form": "cleartext",
        "username": sighting.username,
        "secret": shown[0],
        "secret_length": len(sighting.secret),
        "secret_fingerprint": shown[1],
        "secret_complete": sighting.secret_complete,
        "outcome": sighting.outcome,
        "method": _wire_text(sighting.method, "method", escaped),
        "host": None if sighting.host is None else _wire_text(sighting.host, "host", escaped),
        "target": _wire_text(sighting.target, "target", escaped),
        "client": places[0],
        "server": places[1],
        "client_process": processes[0],
        "server_process": processes[1],
        "client_attribution": _attribution(ends.client, ends.client_owner),
        "server_attribution": _attribution(ends.server, ends.server_owner),
        "time": timestamp(spot.time),
        "where": where(source, spot, sighting.span.offset, sighting.span.length),
    }
    if not sighting.announced:
        record["announced"] = False
    clear, odd = readable(sighting.secret)
    if odd and shown[0] == clear:
        escaped.append("secret")
    if escaped:
        record["escaped"] = escaped
    return record
