"""curl behind a proxy of SOCKS, read by tshark and by convert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.outputs import Outputs, syswire
from support.tshark import Tshark

PORTS = {"1080", "1081"}
METHODS = {"0": "none", "1": "gssapi", "2": "password", "255": "refused"}
FIELDS = ("version", "auth_method", "command", "remote_name", "v4a_dns_name", "dst", "dstV6", "port", "dstport",
          "username", "password", "auth_accepted_method", "auth_status", "results")  # fmt: skip
TARGETS = ["/in", "/four-a", "/by-six", "/by-address", "/by-name", "/four"]
"""What passed through the tunnels."""
Said = dict[tuple[int, bool], dict[str, Any]]


def tshark_s(tshark: Tshark) -> Said:
    """By the client's port and whether it is the client: what is named up to the proxy's answer.

    tshark numbers streams anew within tunnels, and names in each of their frames what was asked before.
    """
    found: Said = defaultdict(dict)
    tunnels = set()
    names = [f"socks.{name}" for name in FIELDS]
    for [source], [to], [length], *columns in tshark.fields(
        "socks && tcp.len > 0", "tcp.srcport", "tcp.dstport", "tcp.len", *names
    ):
        row = {name: values[0] for name, values in zip(FIELDS, columns, strict=True) if values}
        client = int(to if source in PORTS else source)
        if client in tunnels:
            continue
        side = found[client, source not in PORTS]
        side["length"] = side.get("length", 0) + int(length)
        address = [row[name] for name in ("v4a_dns_name", "remote_name", "dst", "dstV6") if name in row]
        if address:
            side["address"], side["port"] = address[0], int(row.get("port") or row["dstport"])
        if source in PORTS:
            if "auth_accepted_method" in row:
                side["method"] = METHODS[row["auth_accepted_method"]]
            if "auth_status" in row:
                side["authenticated"] = row["auth_status"] == "0"
            if "results" in row:
                side["reply"] = int(row["results"])
                tunnels.add(client)
            continue
        side["version"] = "4a" if "v4a_dns_name" in row else row.get("version") or side["version"]
        if methods := columns[FIELDS.index("auth_method")]:
            side["methods"] = [METHODS[method] for method in methods]
        if "command" in row:
            side["command"] = {"1": "connect"}[row["command"]]
        if row.get("username"):
            side["username"] = row["username"]
        if "password" in row:
            side["password_length"] = len(row["password"])
    return dict(found)


def ours(written: Outputs) -> Said:
    """The same of our records; a password's length is that of its sighting."""
    found: Said = {}
    for record in written.records["proxy"]:
        for side, message in ((True, record["request"]), (False, record["response"])):
            fields = {key: value for key, value in message.items() if key not in ("where", "secret", "granted")}
            found[record["client"]["port"], side] = fields | {"length": message["where"]["length"]}
    for one in written.records["sighting"]:
        if one["protocol"] == "socks":
            said = found[one["client"]["port"], True]
            assert one["username"] == said["username"]
            said["password_length"] = one["secret_length"]
    return found


def test_what_curl_asked(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "socks.pcap"
    told = tshark_s(Tshark(tool("tshark"), file, "-d", "tcp.port==1081,socks"))
    assert len(told) == 20
    written = syswire("convert", file, tmp_path / "out")
    assert ours(written) == told
    outcomes = [one["outcome"] for one in written.records["sighting"] if one["protocol"] == "socks"]
    assert outcomes == ["accepted", "refused"]
    assert [one["request"]["target"] for one in written.records["http"]] == TARGETS
