"""The recording of redis-server through tshark, which knows RESP 2, and through convert."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.outputs import Outputs, syswire
from support.tshark import Tshark

PORT = 6390
Told = dict[tuple[str, str], Counter[object]]


def text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def put(found: Counter[object], value: Any) -> None:
    """Count every value of a reply; what was cut counts with its length."""
    if isinstance(value, list):
        for inner in value:
            put(found, inner)
    elif isinstance(value, dict) and "cut" in value:
        found["cut", value["length"]] += 1
    elif isinstance(value, dict):
        for inner in value.values():
            put(found, inner)
    else:
        found[value] += 1


def ours(written: Outputs) -> Told:
    found: Told = defaultdict(Counter)
    for record in [*written.records["query"], *written.records["push"]]:
        stream = str(written.stream_of(record)["tcp_stream"])
        asked, told = record["request"], record["response"]
        if asked:
            put(found[stream, "asked"], [asked["command"], asked["arguments"]])
        if told:
            put(found[stream, "told"], told["reply"])
    return dict(found)


def test_redis_server(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "redis.pcap"
    tshark = Tshark(tool("tshark"), file, "-d", f"tcp.port=={PORT},resp")
    found: Told = defaultdict(Counter)
    rows = tshark.fields(
        "resp", "tcp.stream", "tcp.dstport", "resp.string", "resp.error", "resp.integer", "resp.bulk_string.value"
    )
    for stream, to, strings, errors, integers, bulks in rows:
        values: list[object] = [*strings, *errors, *map(int, integers)]
        for bulk in bulks:
            raw = bytes.fromhex(bulk)
            values.append(text(raw) if len(raw) <= 4096 else ("cut", len(raw)))
        found[stream[0], "asked" if to[0] == str(PORT) else "told"].update(values)
    secrets = {"Wrong-1", "Cellar-9x", "Ladle-77x", ">Ladle-77x", "Replica-5q"}
    written = ours(syswire("convert", file, tmp_path / "out"))
    assert len(written) == 14
    for key, values_ours in written.items():
        told = Counter({value: count for value, count in found[key].items() if value not in secrets})
        said = Counter({value: count for value, count in values_ours.items() if value not in {None, "map"}})
        if key == ("5", "asked"):  # tshark does not read commands that are lines
            said.subtract(["AUTH", "cook", "PING"])
            said = +said
        for value in list(told):  # a password's hash is left out
            if isinstance(value, str) and len(value) == 64 and " " not in value:
                del told[value]
                del said[""]
        assert said == told, key
