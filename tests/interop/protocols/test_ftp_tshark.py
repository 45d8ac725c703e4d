"""Recordings of vsftpd and pyftpdlib through tshark and through convert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.outputs import Outputs, syswire
from support.tshark import Tshark

KINDS = ("greeting", "login", "command", "transfer")
Said = dict[str, list[Any]]


def in_order(written: Outputs) -> list[dict[str, Any]]:
    found = [record for kind in KINDS for record in written.records[kind]]
    return sorted(found, key=lambda record: (record["request"] or record["response"])["where"]["frame"])


def commands(written: Outputs) -> Said:
    """What each stream's client asked; USER and PASS are one login."""
    found: Said = defaultdict(list)
    for record in in_order(written):
        asked = record["request"]
        if asked:
            stream = str(written.stream_of(record)["tcp_stream"])
            if asked["command"] == "PASS":
                found[stream] += [["USER", asked["user"]], ["PASS", None]]
            else:
                argument = asked.get("path", asked.get("argument", asked.get("user")))
                found[stream].append([asked["command"], argument])
    return dict(found)


def replies(written: Outputs) -> Said:
    """Codes of all replies, in order."""
    found: Said = defaultdict(list)
    for record in in_order(written):
        told = record["response"]
        stream = str(written.stream_of(record)["tcp_stream"])
        before = [told["user_code"]] if "user_code" in told else []
        found[stream] += [*before, *[one["code"] for one in told.get("preliminary", [])], told["code"]]
    return dict(found)


@pytest.mark.parametrize(("name", "port"), [("ftp-vsftpd", 2190), ("ftp-pyftpdlib", 2191)])
def test_commands_and_replies(data: Path, tmp_path: Path, tool: Callable[[str], str], name: str, port: int) -> None:
    file = data / "protocols" / f"{name}.pcap"
    tshark = Tshark(tool("tshark"), file, "-d", f"tcp.port=={port},ftp")
    asked: Said = defaultdict(list)
    for stream, verb, argument in tshark.fields(
        f"ftp.request.command && tcp.dstport == {port}", "tcp.stream", "ftp.request.command", "ftp.request.arg"
    ):
        secret = verb[0] == "PASS"
        if not verb[0].isalpha():
            continue  # tshark reads on behind AUTH
        asked[stream[0]].append([verb[0], argument[0] if argument and not secret else None])
    told: Said = defaultdict(list)
    last: dict[str, str] = {}
    for stream, code, argument in tshark.fields(
        f"ftp.response.code && tcp.srcport == {port}", "tcp.stream", "ftp.response.code", "ftp.response.arg"
    ):
        first = argument and argument[0].startswith("End") and last.get(stream[0]) == code[0]
        if not first:  # else the last line of a reply of several
            told[stream[0]].append(int(code[0]))
        last[stream[0]] = code[0]
    written = syswire("convert", file, tmp_path / "out")
    assert commands(written) == dict(asked)
    assert replies(written) == dict(told)


def test_channels_are_where_tshark_finds_data(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "ftp-pyftpdlib.pcap"
    tshark = Tshark(tool("tshark"), file, "-d", "tcp.port==2191,ftp")
    rows = tshark.fields("ftp.passive.port || ftp.active.port", "frame.number", "ftp.passive.port", "ftp.active.port")
    listening = [int((passive or active)[0]) for _, passive, active in rows]
    written = syswire("convert", file, tmp_path / "out")
    ends = [stream["server"]["port"] for stream in written.records["stream"]]
    assert len(listening) == 8
    assert {port for port in listening if port in ends} >= set(listening[:7])
