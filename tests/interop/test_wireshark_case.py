"""Every pcapng that syswire writes, read by tshark: nothing wrong in it, and the same HTTP as the annotations.

Exchanges that tshark cannot show are those whose head the recorder's snaplen cut: the rest has to agree message by
message. The numbers of TCP streams agree on every frame.
"""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.outputs import Outputs, payloads, syswire

CHECKS = [part for name in ("ip", "tcp", "udp") for part in ("-o", f"{name}.check_checksum:TRUE")]
WRONG = " || ".join(
    (
        "_ws.malformed",
        'ip.checksum.status=="Bad"',
        'tcp.checksum.status=="Bad"',
        'udp.checksum.status=="Bad"',
        "(tcp.analysis.flags && !tcp.analysis.reused_ports)",
    )
)
CAPTURES = (
    *("scap/502Error.scap", "scap/curl_google.scap", "scap/test_ipv6_client.scap", "scap-modern/a_http.scap.gz"),
    *("scap-modern/b_redis.scap.gz", "scap-modern/d_tree.scap.gz", "scap-modern/e_syscalls.scap.gz"),
)
Tshark = Callable[..., list[list[str]]]


@pytest.fixture(scope="module", params=["the sample", *CAPTURES])
def case(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    if request.param == "the sample":
        source = data / "lamp" / "act1.scap.gz"
    else:
        source = Path(request.getfixturevalue("shared")) / "data" / request.param
    return syswire("convert", source, tmp_path_factory.mktemp("case") / "out")


@pytest.fixture
def tshark(tool: Callable[[str], str], case: Outputs) -> Tshark:
    """tshark(filter, field ...): the fields of every frame that the filter lets through."""
    program = tool("tshark")

    def read(wanted: str, *fields: str) -> list[list[str]]:
        shown = [part for field in fields for part in ("-e", field)]
        command = [program, "-r", str(case.pcapng), *CHECKS, "-Y", wanted, "-T", "fields", "-E", "aggregator=|", *shown]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    return read


def test_nothing_is_wrong(tshark: Tshark) -> None:
    assert tshark(WRONG, "frame.number", "_ws.col.Info") == []


def test_every_frame_is_there(tshark: Tshark, case: Outputs) -> None:
    (capture,) = case.records["capture"]
    assert len(tshark("frame", "frame.number")) == capture["frames"] == len(payloads(case.pcapng))


def test_tcp_streams(tshark: Tshark, case: Outputs) -> None:
    frames: dict[int, list[int]] = defaultdict(list)
    for number, stream in tshark("tcp", "frame.number", "tcp.stream"):
        frames[int(stream)].append(int(number))
    told = {
        record["tcp_stream"]: record["frames"]
        for record in case.records["stream"]
        if record["tcp_stream"] is not None and record["frames"]
    }
    assert told == {stream: [min(numbers), max(numbers)] for stream, numbers in frames.items()}


def test_http(tshark: Tshark, case: Outputs) -> None:
    seen = Counter[tuple[Any, ...]]()
    for stream, methods, targets, codes in tshark(
        "http.request || http.response", "tcp.stream", "http.request.method", "http.request.uri", "http.response.code"
    ):
        number = int(stream.split("|")[0])
        seen.update((number, *pair) for pair in zip(methods.split("|"), targets.split("|"), strict=True) if pair[0])
        seen.update((number, int(code)) for code in codes.split("|") if code)
    told, cut = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    for record in case.records["http"]:
        number = case.stream_of(record)["tcp_stream"]
        for part in filter(None, (record["request"], record["response"])):
            key = (number, part["method"], part["target"]) if "method" in part else (number, part["status"])
            if "********" not in str(part.get("target")):
                (told if part["headers_complete"] else cut)[key] += 1
    unmasked = Counter({key: count for key, count in seen.items() if "password=" not in str(key[-1])})
    assert not told - unmasked
    assert not unmasked - told - cut


def test_heads_are_in_their_frames(case: Outputs) -> None:
    frames = payloads(case.pcapng)
    for record in case.records["http"]:
        for part in filter(None, (record["request"], record["response"])):
            if part["where"]["frame_has_bytes"]:
                start = part["method"] if "method" in part else f"{part['version']} {part['status']}"
                assert start.encode() in frames[part["where"]["frame"] - 1]
