"""A hand-made case: annotations and manifest as the pipeline writes them, from a few calls."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

START = 1_763_629_200  # 2025-11-20T09:00:00Z


def at(seconds: float) -> str:
    """RFC 3339 time so many seconds after the case's start."""
    nanos = round(seconds * 1_000_000_000)
    whole, fraction = divmod(nanos, 1_000_000_000)
    minutes, second = divmod(whole, 60)
    return f"2025-11-20T{9 + minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{fraction:09d}Z"


def tcp(ip: str, port: int) -> dict[str, Any]:
    return {"ip": ip, "port": port}


class Case:
    """Collects records of one input; `write` puts them and a manifest into a directory.

    Of a packet capture (`format` pcap or pcapng) its source has `ahead` records that are no packets in front: a frame's
    number there is so much higher than in the pcapng.
    """

    def __init__(self, stem: str = "act1", source: int = 0, format: str = "scap", ahead: int = 0) -> None:
        self.stem, self.source = stem, source
        self.format, self.ahead = format, ahead
        self.processes: list[dict[str, Any]] = []
        self.streams: list[dict[str, Any]] = []
        self.exchanges: list[dict[str, Any]] = []
        self.sightings: list[dict[str, Any]] = []
        self.frame = 0
        self.losses: dict[str, Any] = {}
        self.case: dict[str, str] = {}
        self.masked = True

    def where(self, time: float, length: int = 100) -> dict[str, Any]:
        self.frame += 1
        packets = self.format != "scap"
        return {
            "source": self.source,
            "event": None if packets else self.frame * 10,
            "evt_num": None if packets else self.frame * 10 - 1,
            "source_frame": self.frame + self.ahead if packets else None,
            "frame": self.frame,
            "frame_has_bytes": True,
            "offset": self.frame * 4096,
            "stream_offset": 0,
            "length": length,
            "time": at(time),
        }

    def process(self, name: str, pid: int, user: str = "www-data", container: str | None = None) -> int:
        self.processes.append(
            {
                "type": "process",
                "id": len(self.processes) + 1,
                "tid": pid,
                "pid": pid,
                "ppid": 1,
                "name": name,
                "exe": f"/usr/bin/{name}",
                "cmdline": f"{name} -x",
                "uid": 33,
                "user": user,
                "container": container,
                "from": at(0),
                "to": None,
                "previous": None,
            }
        )
        return len(self.processes)

    def stream(
        self,
        client: dict[str, Any],
        server: dict[str, Any],
        *,
        client_process: int | None = None,
        server_process: int | None = None,
        up: int = 500,
        down: int = 5000,
        opened: float | None = 1,
        gaps: int = 0,
        sent: str | None = None,
    ) -> int:
        """A conversation. `sent`: what was said, for its hashes; without it no other input has the same."""
        said = sent or f"{self.stem} {self.source}"
        number = len(self.streams) + 1
        self.streams.append(
            {
                "type": "stream",
                "id": number,
                "protocol": "tcp",
                "client": client,
                "server": server,
                "client_process": client_process,
                "server_process": server_process,
                "client_processes": [client_process] if client_process else [],
                "server_processes": [server_process] if server_process else [],
                "client_attribution": "observed" if client_process else "none",
                "server_attribution": "observed" if server_process else "none",
                "opened": None if opened is None else at(opened),
                "closed": None,
                "bytes_to_server": up,
                "bytes_to_client": down,
                "sha256_to_server": hashlib.sha256(f"{said} up".encode()).hexdigest(),
                "sha256_to_client": hashlib.sha256(f"{said} down".encode()).hexdigest(),
                "gaps": gaps,
                "missing_bytes": 900 * gaps,
                "frames": [1, 2],
                "tcp_stream": number - 1,
            }
        )
        return number

    def exchange(
        self,
        stream: int,
        target: str | None,
        status: int | None,
        time: float = 2,
        *,
        method: str = "GET",
        host: str = "shop.example",
        headers: list[list[str]] | None = None,
        body: int = 0,
    ) -> int:
        of = self.streams[stream - 1]
        request = (
            None
            if target is None
            else {
                "method": method,
                "target": target,
                "host": host,
                "version": "1.1",
                "headers": headers if headers is not None else [["Host", host], ["User-Agent", "curl/7.88.1"]],
                "headers_complete": True,
                "body_length": body,
                "body_complete": True,
                "body_sha256": None,
                "where": self.where(time),
            }
        )
        response = (
            None
            if status is None
            else {
                "status": status,
                "reason": "Whatever",
                "version": "1.1",
                "headers": [["Content-Type", "text/html"]],
                "headers_complete": True,
                "body_length": 10,
                "body_complete": True,
                "body_sha256": "ab" * 32,
                "where": self.where(time + 0.01),
            }
        )
        self.exchanges.append(
            {
                "type": "http",
                "stream": stream,
                "client": of["client"],
                "server": of["server"],
                "time": at(time),
                "client_process": of["client_process"],
                "server_process": of["server_process"],
                "request": request,
                "response": response,
            }
        )
        return len(self.exchanges)

    def sighting(
        self,
        stream: int,
        exchange: int,
        user: str | None = "alice",
        *,
        location: str = "form-body",
        fingerprint: str = "0123456789ab",
        outcome: str = "unknown",
        time: float = 2,
        secret: str = "********",
        complete: bool = True,
    ) -> None:
        of = self.streams[stream - 1]
        self.sightings.append(
            {
                "type": "sighting",
                "stream": stream,
                "exchange": exchange,
                "protocol": "http",
                "location": location,
                "field": None if location == "authorization-basic" else "pass",
                "form": "cleartext",
                "username": user,
                "secret": secret,
                "secret_length": 8,
                "secret_fingerprint": fingerprint,
                "secret_complete": complete,
                "outcome": outcome,
                "method": "POST",
                "host": "shop.example",
                "target": "/login.php",
                "client": of["client"],
                "server": of["server"],
                "client_process": of["client_process"],
                "server_process": of["server_process"],
                "time": at(time),
                "where": self.where(time, 8),
                "client_attribution": of["client_attribution"],
                "server_attribution": of["server_attribution"],
            }
        )

    def write(self, directory: Path) -> dict[str, Any]:
        """The manifest; the annotations are in the directory afterwards."""
        packets = self.format != "scap"
        events = 0 if packets else 10 * self.frame
        file = f"{self.stem}.{self.format}"
        capture = {
            "type": "capture",
            "source": self.source,
            "sha256": "11" * 32,
            "size": 123_456,
            "format": self.format,
            "events": events,
            "frames": self.frame,
            "first": at(0),
            "last": at(600),
            "losses": self.losses,
        }
        lines = [capture, *self.processes, *self.streams, *self.exchanges, *self.sightings]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (directory / f"{self.stem}.annotations.jsonl").write_text(text, "utf-8")
        return {
            "syswire": "0.1.0",
            "masked": self.masked,
            "case": self.case,
            "options": {},
            "inputs": [
                {
                    "source": self.source,
                    "path": f"/evidence/{file}",
                    "name": file,
                    "stem": self.stem,
                    "size": 123_456,
                    "mtime": at(700),
                    "sha256": "11" * 32,
                    "sha256_after": "11" * 32,
                    "format": self.format,
                    "compression": "none",
                    "status": "complete",
                    "message": None,
                    "counts": {
                        "events": events,
                        "frames": self.frame,
                        "streams": len(self.streams),
                        "exchanges": len(self.exchanges),
                        "processes": len(self.processes),
                        "sightings": len(self.sightings),
                    },
                    "first": at(0),
                    "last": at(600),
                    "losses": self.losses,
                    "machine": None
                    if packets
                    else {"hostname": "web01", "cpus": 2, "memory": 4 << 30, "boot_time": None},
                    "tcp_ports_http": [80],
                }
            ],
            "outputs": [
                {"name": f"{self.stem}.pcapng", "size": 4567, "sha256": "22" * 32, "source": self.source},
                {
                    "name": f"{self.stem}.annotations.jsonl",
                    "size": len(text),
                    "sha256": "33" * 32,
                    "source": self.source,
                },
            ],
            "counts": {},
            "losses": self.losses,
            "run": {},
            "versions": {},
        }


def lamp(stem: str = "act1") -> Case:
    """The tutorial's server: a form posted three times, Basic once, pages found and missing, one server error."""
    case = Case(stem)
    httpd = [case.process("httpd", pid) for pid in (801, 802)]
    curl = case.process("curl", 4242, "deploy")
    mysqld = case.process("mysqld", 900, "mysql")
    server = tcp("203.0.113.9", 80)
    browser = [
        case.stream(tcp("198.51.100.7", 40_000 + at_), server, server_process=httpd[at_ % 2], down=90_000)
        for at_ in range(4)
    ]
    local = case.stream(tcp("127.0.0.1", 50_000), tcp("127.0.0.1", 80), client_process=curl, server_process=httpd[0])
    case.stream(
        {"path": None, "inode": 7, "synthetic_ip": "241.0.0.1"},
        {"path": "/run/mysqld/mysqld.sock", "inode": 8, "synthetic_ip": "240.0.0.1"},
        client_process=httpd[0],
        server_process=mysqld,
        up=9_000,
        down=300_000,
        opened=None,
    )
    for number, stream in enumerate(browser):
        for page in range(12):
            case.exchange(stream, f"/page{page}.php?from={number}", 200, 5 + 100 * number + page)
        case.exchange(stream, "/hi?x=1", 404, 30 + 100 * number)
    for number in range(3):
        post = case.exchange(
            browser[number], "/login.php", 302 if number == 2 else 200, 60 + 100 * number, method="POST", body=38
        )
        case.sighting(browser[number], post, outcome="accepted" if number == 2 else "unknown", time=60 + 100 * number)
    basic = case.exchange(local, "/admin/", 401, 500, headers=[["Authorization", "Basic ********"]])
    case.sighting(
        local, basic, "root", location="authorization-basic", fingerprint="fedcba987654", outcome="refused", time=500
    )
    case.exchange(local, "/report.php", 500, 510)
    return case


def wire(source: int = 0, format: str = "pcap", ahead: int = 0) -> Case:
    """A packet capture of a login form (accepted), a missing page and a server error between two private addresses."""
    case = Case("wire", source, format, ahead)
    stream = case.stream(tcp("192.168.7.20", 51_000), tcp("192.168.7.1", 8080))
    post = case.exchange(stream, "/login", 302, 20, method="POST", host="router.lan", body=31)
    case.sighting(stream, post, "carol", outcome="accepted", time=20, fingerprint="c0ffee000001")
    case.exchange(stream, "/gone?x=1", 404, 21, host="router.lan")
    case.exchange(stream, "/broken", 503, 22, host="router.lan")
    return case


def together(directory: Path, *cases: Case) -> dict[str, Any]:
    """The manifest of several inputs in one case."""
    manifests = [case.write(directory) for case in cases]
    whole = manifests[0]
    for manifest in manifests[1:]:
        for name in ("inputs", "outputs"):
            whole[name] += manifest[name]
    return whole
