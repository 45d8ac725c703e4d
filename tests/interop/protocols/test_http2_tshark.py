"""Recordings of real HTTP/2 and gRPC, read by tshark and by `syswire convert`: streams, fields, bodies, calls."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from support.command import run

RECORDINGS = {"http2-nginx": 28082, "http2-nghttpd": 28080, "http2-grpc": 28085, "http2-apache": 28081}
DATA, HEADERS, PUSH_PROMISE, CONTINUATION = "0", "1", "5", "9"


@dataclass
class Side:
    """What one end says on one stream, as tshark shows it."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    length: int = 0
    grpc_messages: list[tuple[str, str]] = field(default_factory=list)

    @property
    def pseudo(self) -> dict[str, str]:
        """The first value of each field that begins with a colon, but for interim statuses."""
        found = dict(reversed([item for item in self.headers if item[0].startswith(":")]))
        statuses = [value for name, value in self.headers if name == ":status" and not value.startswith("1")]
        return {**found, **({":status": statuses[0]} if statuses else {})}

    @property
    def plain(self) -> list[tuple[str, str]]:
        """All other fields, trailers too."""
        return [item for item in self.headers if not item[0].startswith(":")]


def shown(element: Element, name: str) -> list[str]:
    return [found.get("show", "") for found in element.iter("field") if found.get("name") == name]


def by_tshark(program: str, file: Path, port: int) -> dict[tuple[int, int, bool], Side]:
    """(tshark's TCP stream, HTTP/2 stream, to the server) to what was said."""
    command = [program, "-r", str(file), "-Y", "http2", "-T", "pdml"]
    if "apache" not in file.name:  # there it begins as HTTP/1.1, and tshark follows by itself
        command += ["-d", f"tcp.port=={port},http2"]
    done = subprocess.run(command, capture_output=True, check=True)
    found: dict[tuple[int, int, bool], Side] = {}
    for packet in fromstring(done.stdout):
        (tcp,) = shown(packet, "tcp.stream")
        to_server = shown(packet, "tcp.dstport") == [str(port)]
        number = 0
        for layer in packet:
            if layer.get("name") == "grpc":
                found[int(tcp), number, to_server].grpc_messages += zip(
                    shown(layer, "grpc.compressed_flag"), shown(layer, "grpc.message_length"), strict=True
                )
            for frame in layer.iter("field") if layer.get("name") == "http2" else ():
                if frame.get("name") != "http2.stream" or not shown(frame, "http2.type"):
                    continue
                kind = shown(frame, "http2.type")[0]
                number = int(shown(frame, "http2.streamid")[0])
                side = found.setdefault((int(tcp), number, to_server), Side())
                if kind in {HEADERS, CONTINUATION}:
                    names, values = shown(frame, "http2.header.name"), shown(frame, "http2.header.value")
                    side.headers += zip(names, values, strict=True)
                elif kind == DATA:
                    padded = shown(frame, "http2.flags.padded")[0] in {"1", "True"}
                    padding = int(shown(frame, "http2.pad_length")[0]) + 1 if padded else 0
                    side.length += int(shown(frame, "http2.length")[0]) - padding
    return found


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    with (folder / f"{name}.annotations.jsonl").open("rb") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the recordings' annotations are, nothing masked."""
    folder = tmp_path_factory.mktemp("http2")
    data = Path(__file__).parents[2] / "data" / "protocols"
    done = run("convert", *(data / f"{name}.pcap" for name in RECORDINGS), "-o", folder, "--reveal", "--no-pcapng")
    assert done.returncode == 0, done.stderr
    return folder


def check_message(message: dict[str, Any], side: Side) -> None:
    assert sorted(map(tuple, [*message["headers"], *message.get("trailers", [])])) == sorted(side.plain)
    assert message["body_length"] == side.length
    if side.grpc_messages:
        assert message["grpc_messages"] == len(side.grpc_messages)
        assert message["grpc_compressed"] == sum(flag in {"1", "True"} for flag, _ in side.grpc_messages)


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_same_streams(name: str, converted: Path, data: Path, tool: Callable[[str], str]) -> None:
    wanted = by_tshark(tool("tshark"), data / "protocols" / f"{name}.pcap", RECORDINGS[name])
    said = {key for key, side in wanted.items() if side.headers and key[1]}
    records = lines(converted, name)
    tcp = {record["id"]: record["tcp_stream"] for record in records if record["type"] == "stream"}
    for record in records:
        if record["type"] != "http":
            continue
        request, response = record["request"], record["response"]
        if (response or request)["version"] != "HTTP/2":
            continue
        number = (response or request)["http2_stream"]
        if request is not None:
            side = wanted[tcp[record["stream"]], number, True]
            said.remove((tcp[record["stream"]], number, True))
            pseudo = side.pseudo
            assert (request["method"], request["target"], request["host"], request["http2_scheme"]) == (
                pseudo[":method"],
                pseudo[":path"],
                pseudo[":authority"],
                pseudo[":scheme"],
            )
            check_message(request, side)
        if response is not None:
            side = wanted[tcp[record["stream"]], number, False]
            said.remove((tcp[record["stream"]], number, False))
            assert str(response["status"]) == side.pseudo[":status"]
            check_message(response, side)
            assert ("http2_push" in response or "upgraded" in response) == (request is None)
            assert "upgraded" not in response or number == 1
    assert not said


def test_what_the_servers_were_asked_for(converted: Path) -> None:
    """As the scripts that drove them say; see tests/data/protocols/README.md."""
    asked = {
        name: [
            (record["request"]["method"], record["request"]["target"], (record["response"] or {}).get("status"))
            for record in lines(converted, name)
            if record["type"] == "http" and record["request"]
        ]
        for name in RECORDINGS
    }
    assert asked["http2-nginx"] == [
        ("GET", "/a.css", 200),
        ("GET", "/old", 302),
        ("GET", "/index.html?user=ringer&pass=rope-Tower-9", 200),
        ("GET", "/private", 200),
        ("GET", "/private", 401),
        ("POST", "/login", 302),
        ("HEAD", "/index.html", 200),
        ("GET", "/big.bin", 200),
        ("GET", "/index.html", 200),
        ("GET", "/a.css", 200),
    ]
    assert asked["http2-nghttpd"] == [
        ("GET", "/", 200),
        ("GET", "/a.css", 200),
        ("GET", "/missing", 404),
        ("POST", "/index.html", 200),
        ("POST", "/a.css", 200),
        ("POST", "/a.css", 200),
    ]
    # Each of the first three asks for an upgrade; nghttp and the first curl have one more, which that one is refused.
    answers = [
        (record["stream"], record["request"] and record["request"]["target"], (record["response"] or {}).get("status"))
        for record in lines(converted, "http2-apache")
        if record["type"] == "http"
    ]
    assert answers == [
        (1, "/index.html", 101),
        (1, None, 200),
        (1, "/a.css", 200),
        (2, "/index.html", 101),
        (2, None, 200),
        (2, "/a.css", None),
        (3, "/nothing", 101),
        (3, None, 404),
        (4, "/index.html", 200),
    ]
    calls = [
        (record["request"]["grpc_method"], record["response"]["grpc_status"], record["response"]["grpc_message"])
        for record in lines(converted, "http2-grpc")
        if record["type"] == "http"
    ]
    assert calls == [
        ("Ring", 0, ""),
        ("Ring", 0, ""),
        ("Peal", 0, ""),
        ("Crack", 9, "the bell has cracked: 100 %"),
        ("Nothing", 12, "Method not found!"),
    ]


def test_the_secrets_and_what_became_of_them(converted: Path) -> None:
    found = [
        (record["location"], record["username"], record["secret"], record["outcome"])
        for name in ("http2-nginx", "http2-nghttpd")
        for record in lines(converted, name)
        if record["type"] == "sighting"
    ]
    assert found == [
        ("url-query", "ringer", "rope-Tower-9", "unknown"),
        ("authorization-basic", "ringer", "bronze-Bell-41", "accepted"),
        ("authorization-basic", "ringer", "wrong-Bell-40", "refused"),
        ("form-body", "ringer", "clapper-Rope-7", "accepted"),  # sent on to /home
        ("form-body", "ringer", "clapper-Rope-7", "unknown"),  # nghttpd shows the page, whatever is sent
    ]
