"""Which conversations are LDAP's, SNMP's and Kerberos's, by their bytes on any port, and which only begin so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import asn1_made as made
from support.asn1_made import done, pdu, request, simple_bind, snmp, streamed
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.table import probes

OURS = frozenset({"ldap", "cldap", "snmp", "snmp-tcp", "kerberos", "kerberos-udp"})
BIND = simple_bind(1, b"cn=ann", b"sesame")
GET = snmp(1, b"public", pdu(0xA0, 1, b"\5\0"))
AS_REQ = request(10, b"X.ORG", (b"ann",), (b"krbtgt", b"X.ORG"))
DATA = Path(__file__).parents[2] / "data" / "protocols"


@dataclass
class Seen:
    """An opening."""

    client: bytes = b""
    server: bytes = b""
    transport: str = "tcp"
    over: bool = False
    client_port: int = 40000
    server_port: int = 9999
    path: str = ""
    first_to_server: bool = True


def claimed(seen: Seen) -> dict[str, int]:
    """Verdicts of our probes that are not NO."""
    found = {name: probe(seen) for name, probe in probes(seen.transport) if name in OURS}
    return {name: verdict for name, verdict in found.items() if verdict != NO}


@pytest.mark.parametrize(
    ("seen", "verdicts"),
    [
        (Seen(BIND), {"ldap": YES}),
        (Seen(server=done(3, 0x61, 0)), {"ldap": YES}),
        (Seen(BIND[:1]), {"ldap": MORE, "snmp-tcp": MORE}),
        (Seen(BIND[:-2]), {"ldap": YES}),
        (Seen(bytes.fromhex("30050201034200")), {"ldap": YES}),
        (Seen(GET), {"snmp-tcp": YES}),
        (Seen(GET[:6]), {"snmp-tcp": MORE, "ldap": MORE}),
        (Seen(GET, transport="udp"), {"snmp": YES}),
        (Seen(GET[:-1], transport="udp"), {}),
        (Seen(streamed(AS_REQ)), {"kerberos": YES}),
        (Seen(streamed(AS_REQ)[:12]), {"kerberos": MORE}),
        (Seen(streamed(AS_REQ)[:12], over=True), {}),
        (Seen(AS_REQ, transport="udp"), {"kerberos-udp": YES}),
        (Seen(AS_REQ + b"\0", transport="udp"), {}),
        (Seen(BIND, transport="udp"), {}),  # nobody binds over UDP
        (Seen(made.search(1, b"", b"\x87\x01a"), transport="udp"), {"cldap": YES}),
        (Seen(b"\x30\x82\x03\x00\x30\x82\x01\xe8\xa0\x03\x02\x01\x02\x02"), {}),  # a certificate
        (Seen(b"\x30\x0d\x02\x01\x01\x60\x08\x02\x01\x09\x04\x00\x80\x01x"), {}),  # no such version
        (Seen(b"0123456789 and so on\r\n"), {}),
        (Seen(b"\0\0\0\x20\x6a\x1e\x30\x1c\xa1\x03\x02\x01\x04"), {"kerberos": MORE}),
        (Seen(b"\0\0\0\x20\x6a\x1e\x30\x1c\xa1\x03\x02\x01\x04" + bytes(40)), {}),  # version 4
    ],
)
def test_what_begins_so(seen: Seen, verdicts: dict[str, int]) -> None:
    assert claimed(seen) == verdicts


@given(st.binary(max_size=60), st.binary(max_size=60), st.booleans())
def test_random_bytes_are_none_of_them(client: bytes, server: bytes, stream: bool) -> None:
    seen = Seen(client, server, "tcp" if stream else "udp", over=True)
    assert YES not in claimed(seen).values()


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.pcap")))
def test_recordings_of_other_protocols(file: Path | str) -> None:
    """Each direction's first bytes, of all recordings: ours are known, no other one is."""
    import dpkt

    name = str(file).split(".")[0].split("-")[0]
    flows: dict[tuple[str, bytes, int, bytes, int], bytes] = {}
    with (DATA / file).open("rb") as opened:
        for _, frame in dpkt.pcap.Reader(opened):
            packet = dpkt.ethernet.Ethernet(frame).data
            part = packet.data
            if isinstance(part, dpkt.tcp.TCP | dpkt.udp.UDP) and part.data:
                key = type(part).__name__.lower(), packet.src, part.sport, packet.dst, part.dport
                if key[0] == "tcp" or key not in flows:
                    flows[key] = (flows.get(key, b"") + bytes(part.data))[:4096]
    for key, data in flows.items():
        found = {
            one.split("-")[0]
            for one, verdict in claimed(Seen(data, transport=key[0], over=True)).items()
            if verdict == YES
        }
        if name in ("ldap", "snmp", "kerberos"):
            assert found <= {name}
        else:
            assert not found
