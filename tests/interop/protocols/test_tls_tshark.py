"""The same recordings of TLS through tshark and through convert; JA4 against what its authors publish."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from support.outputs import Outputs, syswire
from support.tshark import Tshark

Json = dict[str, Any]
PORTS = [part for port in (8443, 8444, 8445) for part in ("-d", f"tcp.port=={port},tls")]


def spoken(written: Outputs, side: str) -> dict[str, Json]:
    """What one side said, by tshark's number of the stream."""
    found: dict[str, Json] = {}
    for record in written.records["tls"]:
        if record[side]:
            found.setdefault(str(written.stream_of(record)["tcp_stream"]), record[side])
    return found


def first(rows: list[list[list[str]]]) -> dict[str, list[list[str]]]:
    """The first row of each stream, by its number."""
    found: dict[str, list[list[str]]] = {}
    for stream, *row in rows:
        found.setdefault(stream[0], row)
    return found


def short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def grease(number: str) -> bool:
    return number[-1] == "a" == number[-3] and number[-4] == number[-2]


def worked_out(
    ciphers: list[str], kinds: list[str], signatures: list[str], versions: list[str], alpn: list[str]
) -> str:
    """A JA4 out of tshark's fields, by FoxIO's description."""
    suites = sorted(f"{int(c, 16):04x}" for c in ciphers)
    suites = [c for c in suites if not grease(c)]
    extensions = [f"{int(k):04x}" for k in kinds]
    extensions = [k for k in extensions if not grease(k)]
    version = max(f"{int(v, 16):04x}" for v in versions if not grease(f"{int(v, 16):04x}"))
    digits = {"0304": "13", "0303": "12", "0302": "11", "0301": "10", "0300": "s3"}.get(version, "00")
    letters = alpn[0][0] + alpn[0][-1] if alpn else "00"
    hashed = ",".join(sorted(k for k in extensions if k not in ("0000", "0010")))
    algorithms = ",".join(f"{int(s, 16):04x}" for s in signatures)
    name = "d" if "0000" in extensions else "i"
    ending = f"{hashed}_{algorithms}" if algorithms and hashed else hashed
    counts = f"{len(suites):02d}{len(extensions):02d}"
    return f"t{digits}{name}{counts}{letters}_{short(','.join(suites))}_{short(ending)}"


def compare(tshark: Tshark, written: Outputs) -> int:
    """Hellos as both see them; how many there were."""
    asked = first(
        tshark.fields(
            "tls.handshake.ja3",
            "tcp.stream",
            "tls.handshake.ja3",
            "tls.handshake.ja3_full",
            "tls.handshake.extensions_server_name",
            "tls.handshake.extensions_alpn_str",
            "tls.handshake.ciphersuite",
            "tls.handshake.extension.type",
            "tls.handshake.sig_hash_alg",
            "tls.handshake.extensions.supported_version",
            "tls.handshake.version",
        )
    )
    requests = spoken(written, "request")
    assert set(requests) >= set(asked)
    for stream, (ja3, full, name, alpn, ciphers, kinds, signatures, versions, version) in asked.items():
        said = requests[stream]
        assert [said["ja3"]] == ja3
        assert [said["ja3_text"]] == full
        assert said["sni"] == (name[0] if name else None)
        assert said["alpn"] == alpn
        assert [int(cipher, 16) for cipher in said["ciphers"]] == [int(cipher, 16) for cipher in ciphers]
        if not {"34", "50"} & set(kinds):  # these list algorithms too, and tshark shows all of them as one
            assert said["ja4"] == worked_out(ciphers, kinds, signatures, versions or version, alpn)
    answered: dict[str, list[list[str]]] = {}
    for number, *row in tshark.fields(
        "tls.handshake.type == 2",
        "tcp.stream",
        "tls.handshake.ja3s",
        "tls.handshake.ciphersuite",
        "x509af.serialNumber",
        "x509ce.dNSName",
    ):
        answered[number[0]] = row  # the last one counts
    responses = spoken(written, "response")
    assert set(responses) >= set(answered)
    for stream, (ja3s, cipher, serial, names) in answered.items():
        said = responses[stream]
        assert [said["ja3s"]] == ja3s
        assert [int(said["cipher"], 16)] == [int(each, 16) for each in cipher]
        if serial:
            assert said["certificate"]["serial"] == serial[0]
            listed = [one for one in said["certificate"]["names"] if one in names]
            assert listed == names[: len(listed)]
    return len(asked)


def test_openssl_s_server_and_client(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "tls.pcap"
    tshark = Tshark(tool("tshark"), file, *PORTS)
    written = syswire("convert", file, tmp_path / "out")
    assert compare(tshark, written) == 12
    assert len(written.records["tls"]) == 12
    requests, responses = spoken(written, "request"), spoken(written, "response")
    alerts = tshark.fields("tls.alert_message.desc", "tcp.stream", "tls.alert_message.desc")
    told = {(stream[0], kind[0]) for stream, kind in alerts}
    names = {"handshake_failure": "40", "protocol_version": "70", "unknown_ca": "48"}
    sides = [*requests.items(), *responses.items()]
    assert {(stream, names[said["alert"]]) for stream, said in sides if "alert" in said} == told
    served = tshark.fields("tls.handshake.type == 11 && tcp.stream == 0", "x509af.utcTime")
    certificate = responses["0"]["certificate"]
    dates = [certificate[name].replace("T", " ").replace("Z", " (UTC)") for name in ("not_before", "not_after")]
    assert served == [[dates]]


@pytest.mark.parametrize(
    "name",
    [
        "arkime__openssl-tls1.pcap",
        "arkime__ssl-selfsign.pcap",
        "arkime__tls-split-client-hello.pcap",
        "arkime__tls13.pcap",
        "suricata__tls__tls-fingerprint-alert__input.pcap",
        "suricata__tls__tls13-draft19__tls13_draft19.pcap",
        "suricata__tls__tls13-draft28__tls13_draft28.pcap",
        "zeek__tls__chrome-1250-tls-x25519-kyber.pcap",
        "zeek__tls__client-certificate.pcap",
        "zeek__tls__ssl.v3.pcap",
        "zeek__tls__tls13-ech.pcap",
        "zeek__tls__tls13_psk_succesfull.pcap",
        "zeek__tls__tls13draft16-ff52.a01.pcap",
    ],
)
def test_what_others_recorded(shared: Path, tmp_path: Path, tool: Callable[[str], str], name: str) -> None:
    file = shared / "data" / "http" / name
    if not file.is_file():
        pytest.skip(f"no {name}")
    assert compare(Tshark(tool("tshark"), file), syswire("convert", file, tmp_path / "out"))


@pytest.mark.parametrize(
    ("name", "ja4"),
    [
        # As github.com/FoxIO-LLC/ja4 has it for captures of these names (rust/ja4/src/snapshots)
        ("arkime__badcurveball.pcap", "t13d1615h2_46e7e9700bed_45f260be83e2"),
        ("arkime__tls-alpn-h2.pcap", "t12d4605h2_85626a9a5f7f_aaf95bb78ec9"),
        ("arkime__https3-301-get.pcap", "t10d230100_6a57a6f57151_000000000000"),
    ],
)
def test_ja4_as_its_authors_publish_it(shared: Path, tmp_path: Path, name: str, ja4: str) -> None:
    file = shared / "data" / "http" / name
    if not file.is_file():
        pytest.skip(f"no {name}")
    (record,) = syswire("convert", file, tmp_path / "out").records["tls"]
    assert record["request"]["ja4"].replace("H2_", "h2_") == ja4  # our copy of one of them offers "H2"
