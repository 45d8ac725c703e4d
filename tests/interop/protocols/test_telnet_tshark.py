"""The recording of telnetd through tshark and through convert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.outputs import syswire
from support.tshark import Tshark
from syswire.convert.protocols.telnet.options import name

VERBS = {"251": "will", "252": "wont", "253": "do", "254": "dont"}
PORT = "2390"


def test_telnetd(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "telnet.pcap"
    tshark = Tshark(tool("tshark"), file, "-d", f"tcp.port=={PORT},telnet")
    options: dict[bool, list[list[str]]] = {True: [], False: []}
    terminal, window = [], []
    for to, verbs, numbers, strings, width, height in tshark.fields(
        "telnet.cmd", "tcp.dstport", "telnet.cmd", "telnet.subcmd", "telnet.string_subopt.value",
        "telnet.naws_subopt.width", "telnet.naws_subopt.height",
    ):  # fmt: skip
        negotiated = [verb for verb in verbs if verb != "240"]  # SE has no option
        # numbers that stand in what is negotiated come last
        options[to[0] == PORT] += [
            [VERBS[verb], name(int(number))] for verb, number in zip(negotiated, numbers, strict=False) if verb in VERBS
        ]
        terminal += strings if to[0] == PORT else []
        window += [[int(width[0]), int(height[0])]] if width else []
    written = syswire("convert", file, tmp_path / "out")
    [session] = written.records["session"]
    asked, told = session["request"], session["response"]
    assert asked["options"] == options[True] and told["options"] == options[False]
    assert asked["terminal"] in terminal and asked["window"] == window[-1]
    [stream] = written.records["stream"]
    assert (asked["bytes"], told["bytes"]) == (stream["bytes_to_server"], stream["bytes_to_client"])
