"""The same recordings of SSH through tshark and through convert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.outputs import Outputs, syswire
from support.tshark import Tshark

LISTS = {
    "kex_algorithms": "ssh.kex_algorithms",
    "host_key_algorithms": "ssh.server_host_key_algorithms",
    "ciphers_to_server": "ssh.encryption_algorithms_client_to_server",
    "ciphers_to_client": "ssh.encryption_algorithms_server_to_client",
    "macs_to_server": "ssh.mac_algorithms_client_to_server",
    "macs_to_client": "ssh.mac_algorithms_server_to_client",
    "compression_to_server": "ssh.compression_algorithms_client_to_server",
    "compression_to_client": "ssh.compression_algorithms_server_to_client",
}
Said = dict[tuple[str, bool], dict[str, Any]]


def tshark_s(tshark: Tshark, port: int) -> Said:
    """By stream and whether it is the client: banner, lists and hassh."""
    found: Said = defaultdict(dict)
    for stream, to, banner, hassh, hassh_server, *lists in tshark.fields(
        "ssh.protocol || ssh.kex_algorithms", "tcp.stream", "tcp.dstport", "ssh.protocol", "ssh.kex.hassh",
        "ssh.kex.hasshserver", *LISTS.values(),
    ):  # fmt: skip
        said = found[stream[0], to[0] == str(port)]
        if banner:
            said["banner"] = banner[0]
        if hassh or hassh_server:
            said["hassh" if hassh else "hassh_server"] = (hassh or hassh_server)[0]
            said.update({name: value[0].split(",") for name, value in zip(LISTS, lists, strict=True)})
    return dict(found)


def ours(written: Outputs) -> Said:
    found: Said = {}
    wanted = ("banner", "hassh", "hassh_server", *LISTS)
    for record in written.records["ssh"]:
        stream = str(written.stream_of(record)["tcp_stream"])
        for side in ("request", "response"):
            if record[side]:
                said = {name: record[side][name] for name in wanted if name in record[side]}
                found[stream, side == "request"] = said
    return found


def test_sshd_and_ssh(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "ssh.pcap"
    told = tshark_s(Tshark(tool("tshark"), file, "-d", "tcp.port==2222,ssh"), 2222)
    assert len(told) == 8
    assert ours(syswire("convert", file, tmp_path / "out")) == told


@pytest.mark.parametrize(
    "name",
    [
        "arkime__ssh2.pcap",
        "suricata__bypass-ssh-enabled__input.pcap",
        "suricata__ssh-newkeys__input.pcap",
        "zeek__ssh__ssh_client_sends_first_enc_pkt_with_newkeys.pcap",
        "zeek__ssh__ssh_server_sends_first_enc_pkt_with_newkeys.pcap",
    ],
)
def test_what_others_recorded(shared: Path, tmp_path: Path, tool: Callable[[str], str], name: str) -> None:
    file = shared / "data" / "http" / name
    if not file.is_file():
        pytest.skip(f"no {name}")
    told = tshark_s(Tshark(tool("tshark"), file), 22)
    assert told
    assert ours(syswire("convert", file, tmp_path / "out")) == told
