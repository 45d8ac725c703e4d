"""A recording of websockets talking to itself, read by tshark and by us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.command import run
from support.parsing import talk
from support.recorded_talk import recorded
from syswire.convert.model.record import Value
from syswire.convert.protocols.websocket.parser import WebSocket

PORT = 28084
NAMES = {"1": "text", "2": "binary", "8": "close", "9": "ping", "10": "pong"}
COLUMNS = (
    "tcp.stream",
    "tcp.srcport",
    "websocket.opcode",
    "websocket.fin",
    "websocket.payload_length",
    "websocket.payload_length_ext_16",
    "websocket.pmc",
    "websocket.payload.text",
    "websocket.payload.close.status_code",
    "websocket.payload.close.reason",
)


def rows(program: str, file: Path) -> list[list[str]]:
    """The columns of each frame, as they came: on loopback checksums are wrong."""
    wanted = [part for name in COLUMNS for part in ("-e", name)]
    command = [program, "-r", str(file), "-Y", "websocket", "-T", "fields", *wanted]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    return [line.split("\t") for line in done.stdout.splitlines()]


def ours(calls: list[tuple[bool, bytes | int]]) -> list[tuple[bool, dict[str, Value]]]:
    """Messages behind the upgrade: the heads are one segment each."""
    assert all(isinstance(content, bytes) and content.endswith(b"\r\n\r\n") for _, content in calls[:2])
    found = talk(WebSocket, calls[2:])
    assert not found.weirds
    return [(r.request is not None, (r.request or r.response).fields) for r in found.records]  # type: ignore[union-attr]


def test_the_same_messages(data: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "websocket.pcap"
    wanted: dict[int, list[tuple[bool, dict[str, Value]]]] = {}
    passing: dict[tuple[str, bool], dict[str, Value]] = {}
    for row in rows(tool("tshark"), file):
        stream, source, opcode, final, length, extended, pmc, text, code, reason = row
        to_server = source != str(PORT)
        size = int(extended or length)
        if opcode == "0":
            message = passing[stream, to_server]
            message["size"] = int(str(message["size"])) + size
            message["fragments"] = int(str(message["fragments"])) + 1
        else:
            message = {"opcode": NAMES[opcode], "size": size, "pmc": pmc in {"1", "True"}, "fragments": 1}
            message |= {"text": text, "code": code, "reason": reason}
        if final in {"1", "True"}:
            wanted.setdefault(int(stream), []).append((to_server, message))
        else:
            passing[stream, to_server] = message
    conversations = [ours(calls) for calls in recorded(file, PORT)]
    assert len(conversations) == len(wanted) == 4
    for number, said in enumerate(conversations):
        assert len(said) == len(wanted[number]) == 14
        for (to_server, fields), (wanted_side, message) in zip(said, wanted[number], strict=True):
            assert to_server == wanted_side
            assert fields["opcode"] == message["opcode"]
            assert fields.get("compressed", False) == message["pmc"]
            assert fields.get("compressed_length", fields["length"]) == message["size"]
            assert fields.get("fragments", 1) == message["fragments"]
            if fields["opcode"] == "close":
                assert (str(fields["close_code"]), fields["close_reason"]) == (message["code"], message["reason"])
            elif fields["opcode"] == "text" and message["fragments"] == 1:
                assert str(fields["text"]).encode("latin-1").decode() == message["text"]


def test_convert_says_the_same(data: Path, tmp_path: Path) -> None:
    file = data / "protocols" / "websocket.pcap"
    assert run("convert", file, "-o", tmp_path, "--no-pcapng").returncode == 0
    found: dict[int, list[tuple[bool, dict[str, Value]]]] = {}
    for line in (tmp_path / "websocket.annotations.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        if record["type"] == "websocket":
            fields = record["request"] or record["response"]
            del fields["where"]
            found.setdefault(record["stream"], []).append((record["request"] is not None, fields))
    for number, calls in enumerate(recorded(file, PORT), 1):
        # In the annotations text is UTF-8.
        wanted = [
            (side, {name: utf8(value) if name == "text" else value for name, value in fields.items()})
            for side, fields in ours(calls)
        ]
        assert found[number] == wanted


def utf8(value: Value) -> str:
    return str(value).encode("latin-1").decode()


def test_what_was_said(data: Path) -> None:
    """As the script that drove it says; every message comes back."""
    spoken = ["the great bell tolls", "the great bell tolls twelve", "Grüße vom Turm " * 20, "in three pieces"]
    for calls in recorded(data / "protocols" / "websocket.pcap", PORT):
        for way in (True, False):
            said = [fields for to_server, fields in ours(calls) if to_server is way]
            texts = [str(f["text"]).encode("latin-1").decode() for f in said if f["opcode"] == "text"]
            assert texts == spoken
            assert [f["length"] for f in said if f["opcode"] == "binary"] == [512]
            assert [f["payload"] for f in said if f["opcode"] in {"ping", "pong"}] == [b"rope".hex()]
            assert all(f["complete"] for f in said)
