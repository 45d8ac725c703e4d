"""What the numbers of DNS mean, from IANA's registry of DNS parameters."""

from __future__ import annotations

_TYPES = (
    "1 A 2 NS 3 MD 4 MF 5 CNAME 6 SOA 7 MB 8 MG 9 MR 10 NULL 11 WKS 12 PTR 13 HINFO 14 MINFO 15 MX 16 TXT 17 RP"
    " 18 AFSDB 19 X25 20 ISDN 21 RT 22 NSAP 24 SIG 25 KEY 26 PX 27 GPOS 28 AAAA 29 LOC 30 NXT 33 SRV 35 NAPTR"
    " 36 KX 37 CERT 38 A6 39 DNAME 41 OPT 42 APL 43 DS 44 SSHFP 45 IPSECKEY 46 RRSIG 47 NSEC 48 DNSKEY 49 DHCID"
    " 50 NSEC3 51 NSEC3PARAM 52 TLSA 53 SMIMEA 55 HIP 59 CDS 60 CDNSKEY 61 OPENPGPKEY 62 CSYNC 63 ZONEMD 64 SVCB"
    " 65 HTTPS 99 SPF 104 NID 105 L32 106 L64 107 LP 108 EUI48 109 EUI64 249 TKEY 250 TSIG 251 IXFR 252 AXFR"
    " 253 MAILB 254 MAILA 255 ANY 256 URI 257 CAA 32768 TA 32769 DLV"
)


def _table(text: str) -> dict[int, str]:
    words = text.split()
    return {int(number): name for number, name in zip(words[::2], words[1::2], strict=True)}


TYPES = _table(_TYPES)
CLASSES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}
RCODES = _table(
    "0 NOERROR 1 FORMERR 2 SERVFAIL 3 NXDOMAIN 4 NOTIMP 5 REFUSED 6 YXDOMAIN 7 YXRRSET 8 NXRRSET 9 NOTAUTH 10 NOTZONE"
    " 11 DSOTYPENI 16 BADVERS 17 BADKEY 18 BADTIME 19 BADMODE 20 BADNAME 21 BADALG 22 BADTRUNC 23 BADCOOKIE"
)
SERVICE_KEYS = {
    0: "mandatory",
    1: "alpn",
    2: "no-default-alpn",
    3: "port",
    4: "ipv4hint",
    5: "ech",
    6: "ipv6hint",
    7: "dohpath",
    8: "ohttp",
}
"""Parameters of SVCB and HTTPS (RFC 9460)."""

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DNAME, OPT = 1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 41
SVCB, HTTPS, IXFR, AXFR, SPF, CAA = 64, 65, 251, 252, 99, 257
IN = 1
OLD_CLASSES = frozenset({3, 4})
CLASSLESS = frozenset({NS, CNAME, SOA, PTR, MX, TXT})
"""Types whose data is the same in every class (RFC 1035 section 3.3)."""


def type_name(number: int) -> str:
    """As RFC 3597 writes types that have no name."""
    return TYPES.get(number) or f"TYPE{number}"


def class_name(number: int) -> str:
    """As RFC 3597 writes classes that have no name."""
    return CLASSES.get(number) or f"CLASS{number}"
