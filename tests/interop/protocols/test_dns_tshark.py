"""The same recordings of DNS through tshark and through convert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.outputs import syswire
from support.tshark import Tshark

NUMBERS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "NAPTR": 35}
NUMBERS |= {
    "DS": 43,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "NSEC3": 50,
    "SVCB": 64,
    "HTTPS": 65,
    "TKEY": 249,
    "TSIG": 250,
}
NUMBERS |= {"ANY": 255, "CAA": 257, "TYPE65400": 65400, "OPT": 41}
CODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
FIELDS: tuple[str, ...] = (
    "frame.number", "dns.id", "dns.qry.name", "dns.qry.type", "dns.flags.rcode", "dns.resp.type", "dns.resp.ttl",
    "dns.a", "dns.aaaa", "dns.cname", "dns.ns", "dns.ptr.domain_name", "dns.mx.mail_exchange",
)  # fmt: skip

Json = dict[str, Any]


def ours(records: list[Json]) -> dict[int, Json]:
    """Each message by its frame, with what tshark shows of it; the questions may stand in the query."""
    found: dict[int, Json] = {}
    for record in records:
        for side in ("request", "response"):
            message = record[side]
            if message is None:
                continue
            asked = message.get("questions") or (record["request"] or {}).get("questions", [])
            listed = [r for name in ("answers", "authority", "additional") for r in message.get(name, [])]
            of = {kind: [r["data"] for r in listed if r["record_type"] == kind] for kind in NUMBERS}
            found[message["where"]["frame"]] = {
                "id": message["transaction"],
                "names": [q["query_name"] for q in asked],
                "types": [NUMBERS[q["query_type"]] for q in asked],
                "code": CODES[message["rcode"]] if "rcode" in message else None,
                "resp": sorted(NUMBERS[r["record_type"]] for r in listed),
                "ttl": sorted(r["ttl"] for r in listed),
                "a": of["A"],
                "aaaa": of["AAAA"],
                "cname": of["CNAME"],
                "ns": of["NS"],
                "ptr": of["PTR"],
                "mx": [data.split()[1] for data in of["MX"]],
            }
    return found


def tshark_s(program: str, file: Path, *options: str) -> dict[int, Json]:
    """The same of tshark; OPT, which is no record but how the message is meant, left out."""
    found: dict[int, Json] = {}
    for frame, number, names, types, code, kinds, ttl, a, aaaa, cname, ns, ptr, mx in Tshark(
        program, file, *options
    ).fields("dns && !_ws.malformed && !icmp", *FIELDS):
        found[int(frame[0])] = {
            "id": int(number[0], 16),
            "names": [name.replace("<Root>", ".") for name in names],
            "types": [int(kind) for kind in types],
            "code": int(code[0]) if code else None,
            "resp": sorted(int(kind) for kind in kinds if kind != "41"),
            "ttl": sorted(int(seconds) for seconds in ttl),
            "a": a,
            "aaaa": aaaa,
            "cname": cname,
            "ns": ns,
            "ptr": ptr,
            "mx": mx,
        }
    return found


def test_dnsmasq_and_dig(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "dns.pcap"
    written = syswire("convert", file, tmp_path / "out")
    told = tshark_s(tool("tshark"), file, "-d", "udp.port==5300,dns", "-d", "tcp.port==5300,dns")
    # tshark writes no escapes in names
    told = {
        frame: {**fields, "names": [name.replace("we.ird\\001\\", "we\\.ird\\001\\\\") for name in fields["names"]]}
        for frame, fields in told.items()
    }
    assert len(told) == 41
    assert ours(written.records["dns"]) == told
    assert not written.records["weird"]


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("suricata__dns__dns-frames__input.pcap", 1),
        ("suricata__dns__dns-tcp-www-google-com__dns.pcap", 2),
        ("zeek__dns-edns-ecs.pcap", 80),
        ("suricata__datasets-04-http-dns__input.pcap", 1),
        ("suricata__dns__dns-query__dns-detect-query-03__input.pcap", 1),
    ],
)
def test_what_others_recorded(
    shared: Path, tmp_path: Path, tool: Callable[[str], str], name: str, messages: int
) -> None:
    file = shared / "data" / "http" / name
    if not file.is_file():
        pytest.skip(f"no {name}")
    told = tshark_s(tool("tshark"), file)
    assert len(told) >= messages
    records = syswire("convert", file, tmp_path / "out").records["dns"]
    found = ours(records)
    again = sum(record["request"].get("repeats", 0) for record in records if record["request"])
    assert len(told) == len(found) + again  # a query that came again is no record of its own
    told = {frame: fields for frame, fields in told.items() if frame in found}
    for frame, fields in told.items():
        if {NUMBERS["NSEC"], NUMBERS["NSEC3"]} & set(fields["resp"]):  # tshark adds the types that these list
            fields["resp"] = found[frame]["resp"]
    assert found == told
