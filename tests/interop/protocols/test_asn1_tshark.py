"""The same recordings of LDAP, SNMP and Kerberos through tshark and through convert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.outputs import Outputs, syswire
from support.tshark import Tshark


def sides(written: Outputs, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    """(request or response, its fields) of all records."""
    return [
        (side, record[side])
        for kind in kinds
        for record in written.records[kind]
        for side in ("request", "response")
        if record[side]
    ]


def test_slapd(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "ldap.pcap"
    tshark = Tshark(tool("tshark"), file, "-d", "tcp.port==3890,ldap", "-o", "ldap.tls.port:0")
    written = syswire("convert", file, tmp_path / "out")
    records = written.records["login"] + written.records["ldap"]
    asked = Counter(record["request"]["operation"] for record in records)
    names = {3: "search", 6: "modify", 8: "add", 10: "delete", 12: "rename", 14: "compare", 23: "extended", 2: "unbind"}
    theirs = Counter(
        names[int(number)]
        for row in tshark.fields("ldap.protocolOp", "ldap.protocolOp")
        for number in row[0]
        if int(number) in names
    )
    assert {name: asked[name] for name in theirs} == theirs
    bases = Counter(one for row in tshark.fields("ldap.baseObject", "ldap.baseObject") for one in row[0])
    ours = Counter(record["request"]["base"] for record in records if record["request"]["operation"] == "search")
    assert ours == bases
    binds = {one for row in tshark.fields("ldap.simple", "ldap.name") for one in row[0]}
    simple = {
        record["request"]["user"] for record in written.records["login"] if record["request"]["mechanism"] == "simple"
    }
    assert simple - {None, ""} == binds - {""}
    rows = tshark.fields("ldap.protocolOp == 1", "ldap.protocolOp", "ldap.resultCode")
    verdicts = Counter(int(codes[0]) for _, codes in rows if codes[0] != "14")
    assert Counter(record["response"]["result_code"] for record in written.records["login"]) == verdicts


def test_snmpd(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "snmp.pcap"
    ways = [f"{transport}.port=={port},snmp" for transport in ("udp", "tcp") for port in (1610, 1620)]
    tshark = Tshark(tool("tshark"), file, *(part for way in ways for part in ("-d", way)))
    kinds = {
        0: "get",
        1: "get-next",
        2: "response",
        3: "set",
        4: "trap",
        5: "get-bulk",
        6: "inform",
        7: "trap",
        8: "report",
    }
    theirs = Counter(
        (kinds[int(number[0])], int(identifier[0]) if identifier else None, tuple(names[:8]))
        for number, identifier, names in tshark.fields("snmp.data", "snmp.data", "snmp.request_id", "snmp.name")
        if int(number[0]) != 4
    )
    told = sides(syswire("convert", file, tmp_path / "out"), "snmp")
    ours: Counter[tuple[str, int | None, tuple[str, ...]]] = Counter()
    for _, fields in told:
        if "pdu" in fields and fields.get("request_id") is not None:
            key = fields["pdu"], fields["request_id"], tuple(fields["oids"])
            ours[key] += 1 + fields.get("repeats", 0)
    assert ours == theirs
    users = {one for row in tshark.fields("snmp.msgUserName", "snmp.msgUserName") for one in row[0]}
    assert {fields["user"] for _, fields in told if "user" in fields} - {""} == users - {""}


def test_kdc(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "kerberos.pcap"
    ways = ("-d", "udp.port==8880,kerberos", "-d", "tcp.port==8880,kerberos")
    tshark = Tshark(tool("tshark"), file, *ways)
    names = {10: "AS-REQ", 11: "AS-REP", 12: "TGS-REQ", 13: "TGS-REP", 30: "KRB-ERROR"}
    theirs = Counter(
        (names[int(kind[0])], code[0] if code else "")
        for kind, code in tshark.fields("kerberos.msg_type", "kerberos.msg_type", "kerberos.error_code")
    )
    written = syswire("convert", file, tmp_path / "out")
    ours = Counter(
        (fields["message"], str(fields.get("error_code", ""))) for _, fields in sides(written, "login", "kerberos")
    )
    assert ours == theirs
    condition = "kerberos.msg_type == 13 || kerberos.msg_type == 11"
    ciphers = {one.replace(":", "") for row in tshark.fields(condition, "kerberos.cipher") for one in row[0]}
    shown = syswire("convert", file, tmp_path / "shown", "--reveal").records["sighting"]
    parts = {part for record in shown for part in record["secret"].split("$") if len(part) > 150}
    assert len(parts) == 5 + 3  # replies to logins, and tickets; those of the timestamps are shorter
    assert all(any(part in cipher for cipher in ciphers) for part in parts)
