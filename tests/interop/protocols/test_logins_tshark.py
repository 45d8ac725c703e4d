"""Logins of real servers (of PPP: hand-made ones), read by tshark and by convert: who, by what challenge and answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.outputs import Record, syswire
from support.tshark import Tshark

Tool = Callable[[str], str]


def sightings(file: Path, folder: Path) -> list[Record]:
    return syswire("convert", file, folder / "out", "--reveal").records["sighting"]


def test_sip(data: Path, tmp_path: Path, tool: Tool) -> None:
    file = data / "protocols" / "sip.pcap"
    shark = Tshark(tool("tshark"), file, "-d", "udp.port==5070,sip", "-d", "tcp.port==5070,sip")
    names = ("username", "realm", "nonce", "cnonce", "nc", "qop", "digest.response", "uri")
    told = shark.one("sip.auth.digest.response", "sip.Method", *(f"sip.auth.{name}" for name in names))
    lines = []
    for row in told:
        method, user, realm, nonce, own, count, qop, response, uri = (value.strip('"') for value in row)
        scheme, host, port = uri.split(":")
        fields = [
            "127.0.0.1",
            "127.0.0.1",
            user,
            realm,
            method,
            scheme,
            host,
            port,
            nonce,
            own,
            count,
            qop,
            "MD5",
            response,
        ]
        lines.append("$sip$*" + "*".join(fields))
    ours = sightings(file, tmp_path)
    assert len(lines) == 4 and [one["secret"] for one in ours] == lines
    assert [one["outcome"] for one in ours] == ["accepted", "refused", "accepted", "accepted"]
    frames = shark.one("sip.auth.digest.response", "frame.number")
    assert [one["where"]["frame"] for one in ours] == [int(frame) for [frame] in frames]


def test_radius(data: Path, tmp_path: Path, tool: Tool) -> None:
    file = data / "protocols" / "radius.pcap"
    shark = Tshark(tool("tshark"), file)
    chap = shark.one(
        "radius.CHAP_Password", "frame.number", "radius.CHAP_Password", "radius.CHAP_Challenge", "radius.authenticator"
    )
    eap = shark.one("eap.md5.value", "radius.code", "frame.number", "eap.id", "eap.md5.value")
    wanted = {}
    for frame, answer, challenge, authenticator in chap:
        wanted[int(frame)] = f"{answer[2:]}:{challenge or authenticator.replace(':', '')}:{answer[:2]}"
    challenges = {identifier: value for code, _, identifier, value in eap if code == "11"}
    for code, frame, identifier, value in eap:
        if code == "1":
            wanted[int(frame)] = f"{value}:{challenges[identifier]}:{int(identifier):02x}"
    ours = sightings(file, tmp_path)
    guessed = {one["where"]["frame"]: one["secret"] for one in ours if one["details"].get("hashcat") == 4800}
    assert len(wanted) == 3 and guessed == wanted
    told = {(one["details"]["mechanism"], one["outcome"]) for one in ours}
    assert told == {
        ("CHAP", "accepted"), ("CHAP", "refused"), ("MS-CHAP", "accepted"), ("EAP-MD5", "accepted"),
        ("EAP-MSCHAPv2", "accepted"), ("EAP-GTC", "accepted"),
    }  # fmt: skip
    assert {one["username"] for one in ours} == {"ada"}
    assert [one["secret"] for one in ours if one["form"] == "cleartext"] == ["Lovelace-1815"]


def test_radius_records(data: Path, tmp_path: Path, tool: Tool) -> None:
    file = data / "protocols" / "radius.pcap"
    rows = Tshark(tool("tshark"), file).one("radius", "frame.number", "radius.code", "radius.id")
    found = syswire("convert", file, tmp_path / "out").records["radius"]
    codes = {"access-request": "1", "access-accept": "2", "access-reject": "3", "access-challenge": "11"}
    ours = [
        [str(side["where"]["frame"]), codes[side["code"]], str(side["identifier"])]
        for record in found
        for side in (record["request"], record["response"])
    ]
    assert sorted(ours) == sorted(rows)


def test_vnc(data: Path, tmp_path: Path, tool: Tool) -> None:
    file = data / "protocols" / "vnc.pcap"
    shark = Tshark(tool("tshark"), file)  # its dissector takes the two for each other where versions differ
    asked = shark.one("tcp.srcport == 5907 && tcp.len == 20", "tcp.payload")
    answered = shark.one("tcp.dstport == 5907 && tcp.len == 16", "frame.number", "tcp.payload")
    ours = sightings(file, tmp_path)
    assert len(ours) == 2
    for one, [challenge], [frame, answer] in zip(ours, asked, answered[:2], strict=True):
        assert (one["where"]["frame"], one["secret"]) == (int(frame), f"$vnc$*{challenge[8:]}*{answer}")
    assert [one["outcome"] for one in ours] == ["refused", "accepted"]


def test_x11(data: Path, tmp_path: Path, tool: Tool) -> None:
    file = data / "protocols" / "x11.pcap"
    shark = Tshark(tool("tshark"), file, "-d", "tcp.port==6049,x11")
    frames = [frame for [frame] in shark.one("x11.authorization-protocol-data", "frame.number")]
    ours = sightings(file, tmp_path)
    assert [str(one["where"]["frame"]) for one in ours] == frames
    assert [(one["secret"], one["outcome"]) for one in ours] == [
        ("9b1d7e3c5a2f4866b0c1d2e3f4051627", "accepted"),  # those that the recording's script wrote
        ("0123456789abcdeffedcba9876543210", "refused"),
    ]


def test_ppp(data: Path, tmp_path: Path, tool: Tool) -> None:
    file = data / "protocols" / "ppp.pcap"
    shark = Tshark(tool("tshark"), file)
    pap = shark.one("pap.password", "frame.number", "pap.peer_id", "pap.password")
    chap = shark.one("chap.value", "chap.code", "frame.number", "chap.identifier", "chap.value", "chap.name")
    [(_, frame, identifier, answer, name)] = [row for row in chap if row[0] == "2"]
    [challenge] = [row[3] for row in chap if row[0] == "1"]
    line = f"{answer}:{challenge}:{int(identifier, 0):02x}"
    ours = [[str(one["where"]["frame"]), one["username"], one["secret"]] for one in sightings(file, tmp_path)]
    assert ours == [*pap, [frame, name, line]]


def test_ppp_has_no_ends(data: Path, tmp_path: Path) -> None:
    written = syswire("report", data / "protocols" / "ppp.pcap", tmp_path / "out", "--reveal")
    assert [(s["protocol"], s["client"], s["server"], s["tcp_stream"]) for s in written.records["stream"]] == [
        ("ppp", None, None, None)
    ] * 2
    found = [
        (one["protocol"], one["username"], one["outcome"]) for one in written.findings() if one["kind"] == "credential"
    ]
    assert sorted(found) == [("chap", "bert", "accepted"), ("pap", "anna", "accepted"), ("pap", "anna", "refused")]
