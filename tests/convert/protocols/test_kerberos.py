"""Kerberos by hand: requests, replies, tickets, errors, what gives nothing away; and a real KDC, also by scapy."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import asn1_made as made
from support.asn1_made import answer, ap_req, error, octets, padata, request, sequence, streamed, ticket, tlv, wrapped
from support.parsing import Found, Talk, talk
from support.sql_talk import Calls
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.kerberos import lines
from syswire.convert.protocols.kerberos.messages import AS_REP, AS_REQ, TGS_REP, TGS_REQ, decode
from syswire.convert.protocols.kerberos.parser import KerberosDatagrams, KerberosStream
from syswire.convert.protocols.kerberos.tickets import in_spnego

DATA = Path(__file__).parents[2] / "data" / "protocols"
REALM, ANN = b"X.ORG", (b"ann",)
TGT = (b"krbtgt", b"X.ORG")
WEB = (b"HTTP", b"www.x.org")
RC4, AES = bytes(range(52)), bytes(range(56))
LONG = bytes(range(100, 180))


def asked(etype: int, cipher: bytes) -> bytes:
    return request(10, REALM, ANN, TGT, padata(2, made.encrypted(etype, cipher)))


def replied(etype: int, *given: bytes) -> bytes:
    return answer(11, REALM, ANN, ticket(REALM, TGT, 18, LONG), etype, LONG, *given)


def outcomes(found: Found) -> list[tuple[str, bytes, str]]:
    return [(one.location, one.secret, one.outcome) for one in found.sightings]


def test_a_login_with_rc4() -> None:
    found = talk(KerberosDatagrams, [(True, asked(23, RC4)), (False, replied(23))])
    (record,) = found.records
    assert (record.kind, record.protocol) == ("login", "kerberos")
    etypes = ["aes256-cts-hmac-sha1-96", "rc4-hmac"]
    assert found.asked == [
        {
            "message": "AS-REQ",
            "user": "ann",
            "realm": "X.ORG",
            "service": "krbtgt/X.ORG",
            "etypes": etypes,
            "options": "40810010",
            "padata": ["enc-timestamp"],
            "timestamp_etype": "rc4-hmac",
            "secret": True,
        }
    ]
    assert found.answered == [
        {
            "message": "AS-REP",
            "user": "ann",
            "realm": "X.ORG",
            "service": "krbtgt/X.ORG",
            "reply_etype": "rc4-hmac",
            "ticket_etype": "aes256-cts-hmac-sha1-96",
            "secret": True,
        }
    ]
    stamp = f"$krb5pa$23$ann$X.ORG$${RC4[16:].hex()}{RC4[:16].hex()}".encode()
    reply = f"$krb5asrep$23$ann@X.ORG:{LONG[:16].hex()}${LONG[16:].hex()}".encode()
    assert outcomes(found) == [("preauthentication", stamp, "accepted"), ("reply", reply, "accepted")]
    first, second = found.sightings
    assert first.username == second.username == "ann@X.ORG"
    assert asked(23, RC4)[first.span.offset :][: first.span.length] == RC4 == first.raw
    assert replied(23)[second.span.offset :][: second.span.length] == LONG == second.raw
    assert first.details is not None
    assert (first.details["hashcat"], first.details["john"]) == (7500, "krb5pa-md5")


def test_a_login_with_aes_and_the_salt_that_the_server_told() -> None:
    info = sequence(sequence(wrapped(0, made.number(18)), wrapped(1, made.general(b"X.ORGAnn"))))
    found = talk(KerberosDatagrams, [(True, asked(18, AES)), (False, replied(18, padata(19, info)))])
    assert outcomes(found) == [
        ("preauthentication", f"$krb5pa$18$Ann$X.ORG${AES.hex()}".encode(), "accepted"),
        ("reply", f"$krb5asrep$18$X.ORGAnn${LONG[:-12].hex()}${LONG[-12:].hex()}".encode(), "accepted"),
    ]
    assert [(one.details or {})["hashcat"] for one in found.sightings] == [19900, 32200]


@pytest.mark.parametrize(
    ("names", "realm", "salt", "line", "mode"),
    [
        (("ann",), "X.ORG", None, "$krb5pa$17$ann$X.ORG$", 19800),
        (("ann",), "X.ORG", "OLD.ORGann", "$krb5pa$17$ann$OLD.ORG$", 19800),
        (("ann",), "X.ORG", "OLDbirthname", "$krb5pa$17$birthname$OLD$", 19800),
        (("PC$",), "X.ORG", None, "$krb5pa$17$hostpc.x.org$X.ORG$", 19800),
        (("ann",), "x.org", "x.organn", "$krb5pa$17$ann$x.org$x.organn$", None),
        (("an$n",), "X.ORG", None, "$krb5pa$17$ann$X.ORG$X.ORGan$n$", None),
    ],
)
def test_salts_in_lines_of_aes(
    names: tuple[str, ...], realm: str, salt: str | None, line: str, mode: int | None
) -> None:
    """hashcat takes the realm in capitals with the name behind it for the salt."""
    made_line = lines.preauth(17, realm, names, salt, AES)
    assert made_line.text == (line + AES.hex()).encode()
    assert made_line.hashcat == mode


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(24, "refused"), (6, "refused"), (18, "refused"), (25, "unknown"), (37, "unknown"), (52, "unknown")],
)
def test_errors(code: int, outcome: str) -> None:
    found = talk(KerberosStream, [(True, streamed(asked(18, AES))), (False, streamed(error(code, REALM, TGT)))])
    assert [one.outcome for one in found.sightings] == [outcome]
    assert found.answered[0] is not None
    assert found.answered[0]["error_code"] == code


@pytest.mark.parametrize(
    ("etype", "line", "sure"),
    [
        (23, f"$krb5tgs$23$*ann$X.ORG$HTTP/www.x.org*${LONG[:16].hex()}${LONG[16:].hex()}", "certain"),
        (17, f"$krb5tgs$17$HTTPwww.x.org$X.ORG${LONG[-12:].hex()}${LONG[:-12].hex()}", "likely"),
        (3, f"$krb5tgs$3$HTTP/www.x.org$X.ORG${LONG.hex()}", "likely"),
    ],
)
def test_a_ticket(etype: int, line: str, sure: str) -> None:
    calls = [
        (True, request(12, REALM, (), WEB)),
        (False, answer(13, REALM, ANN, ticket(REALM, WEB, etype, LONG), 18, RC4)),
    ]
    found = talk(KerberosDatagrams, calls)
    assert outcomes(found) == [("ticket", line.encode(), "accepted")]
    assert (found.sightings[0].username, found.sightings[0].confidence) == ("ann@X.ORG", sure)
    assert found.records[0].kind == "kerberos"


@pytest.mark.parametrize(
    "calls",
    [
        [(True, request(10, REALM, ANN, TGT)), (False, error(25, REALM, TGT))],
        [(True, request(12, REALM, (), TGT)), (False, answer(13, REALM, ANN, ticket(REALM, TGT, 23, LONG), 23, LONG))],
        [(False, answer(13, REALM, ANN, ticket(REALM, (b"PC$",), 23, LONG), 23, LONG))],
        [(False, answer(11, REALM, (b"WELLKNOWN", b"ANONYMOUS"), ticket(REALM, TGT, 18, LONG), 18, LONG))],
        [(False, replied(18, padata(17, b"\xa0\0")))],  # PKINIT: the key comes of no password
        [(True, request(10, REALM, ANN, TGT, padata(151, b"\xa0\0"))), (False, replied(18))],  # SPAKE
        [(True, asked(23, b"too short"))],
    ],
)
def test_what_gives_nothing_away_is_no_credential(calls: Calls) -> None:
    found = talk(KerberosDatagrams, calls)
    assert len(found.records) == 1
    assert not found.sightings


def test_a_reply_behind_fast_is_doubted() -> None:
    found = talk(
        KerberosDatagrams, [(True, request(10, REALM, ANN, TGT, padata(136, b"\xa0\0"))), (False, replied(18))]
    )
    assert [one.confidence for one in found.sightings] == ["possible"]


def test_repeats_and_losses() -> None:
    calls = [(True, asked(23, RC4))] * 2 + [(False, replied(23))] * 2
    found = talk(KerberosDatagrams, calls)
    assert len(found.records) == 1
    assert found.asked[0] is not None
    assert found.asked[0]["repeats"] == 1
    assert len(found.sightings) == 2
    whole = streamed(asked(23, RC4))
    lost: Talk = [(True, whole[:30]), (True, 20), (True, whole[50:]), (True, streamed(asked(18, AES)))]
    assert [one.raw for one in talk(KerberosStream, lost).sightings] == [AES]
    assert [name for name, _ in talk(KerberosStream, [(True, b"\0\0\0\x10 something else.")]).weirds] == [
        "kerberos-lost"
    ]


def test_tickets_in_other_protocols() -> None:
    token = ap_req(ticket(REALM, WEB, 23, LONG))
    gss = tlv(0x60, bytes.fromhex("06092a864886f712010202"), b"\1\0", token)
    first = tlv(0x60, bytes.fromhex("06062b0601050502"), tlv(0xA0, sequence(tlv(0xA2, octets(gss)))))
    later = tlv(0xA1, sequence(tlv(0xA2, octets(gss))))
    line = f"$krb5tgs$23$*HTTP$X.ORG$HTTP/www.x.org*${LONG[:16].hex()}${LONG[16:].hex()}".encode()
    for blob in (token, gss, first, later):
        found = in_spnego(blob)
        assert found is not None
        assert (found.line, found.hashcat, found.service, found.realm) == (line, 13100, "HTTP/www.x.org", "X.ORG")
        assert blob[found.at : found.at + len(LONG)] == LONG == found.cipher
    user_to_user = ap_req(ticket(REALM, WEB, 23, LONG), b"\x40\0\0\0")
    for blob in (user_to_user, ap_req(ticket(REALM, TGT, 23, LONG)), first[:-1], b"NTLMSSP\0\1" + bytes(30), b""):
        assert in_spnego(blob) is None


def recording(name: str) -> list[tuple[str, Calls]]:
    return made.recorded(DATA / name, 8880)


def found_in(name: str) -> list[Found]:
    kinds: dict[str, Callable[[Sink], Parser]] = {"udp": KerberosDatagrams, "tcp": KerberosStream}
    return [talk(kinds[transport], calls) for transport, calls in recording(name)]


def test_a_recording_of_mits_server() -> None:
    """What kinit and kvno did and said (tests/data/protocols/README.md)."""
    found = found_in("kerberos.pcap")
    assert not [weird for each in found for weird in each.weirds]
    told = [
        (one.username, one.location, (one.details or {})["etype"], one.outcome)
        for each in found
        for one in each.sightings
    ]
    ida = [("ida@MILL.EXAMPLE", "preauthentication", 18, "accepted"), ("ida@MILL.EXAMPLE", "reply", 18, "accepted")]
    assert told == [
        *ida,
        ("ida@MILL.EXAMPLE", "ticket", 23, "accepted"),
        ("ida@MILL.EXAMPLE", "ticket", 18, "accepted"),
        ("ida@MILL.EXAMPLE", "preauthentication", 18, "refused"),
        ("otto@MILL.EXAMPLE", "preauthentication", 23, "accepted"),
        ("otto@MILL.EXAMPLE", "reply", 23, "accepted"),
        ("una@MILL.EXAMPLE", "preauthentication", 17, "accepted"),
        ("una@MILL.EXAMPLE", "reply", 17, "accepted"),
        ("nopre@MILL.EXAMPLE", "reply", 18, "accepted"),
        *ida,
        ("ida@MILL.EXAMPLE", "ticket", 18, "accepted"),
    ]
    errors = [fields["error"] for each in found for fields in each.answered if fields and "error" in fields]
    assert errors.count("KDC_ERR_PREAUTH_FAILED") == 1
    assert errors.count("KDC_ERR_C_PRINCIPAL_UNKNOWN") == 1


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 255])
    return bytes(out)


NT_HASHES = {  # by `openssl dgst -md4` of the password in UTF-16
    "grist;Stone31": bytes.fromhex("b973017e502b4edcc89092ebe37ccd1d"),
    "grist;Stone32": bytes.fromhex("0844c09cf07873bbdfec2393182cf34f"),
    "sluice.Gate5": bytes.fromhex("3c081c4e3d60b2d19102e3dcfcb8403d"),
}


def opened_by(line: str) -> tuple[str, str] | None:
    """(Kind of line, password): RFC 4757's RC4-HMAC over what stands in the line."""
    kind, rest = line.split("$", 3)[1], line.rsplit("$", 2)
    if kind == "krb5pa":
        usage, data, check = 1, bytes.fromhex(rest[2])[:-16], bytes.fromhex(rest[2])[-16:]
    else:
        usage, data = {"krb5asrep": 8, "krb5tgs": 2}[kind], bytes.fromhex(rest[2])
        check = bytes.fromhex(rest[1].rpartition(":")[2])
    for password, key in NT_HASHES.items():
        first = hmac.digest(key, usage.to_bytes(4, "little"), "md5")
        plain = rc4(hmac.digest(first, check, "md5"), data)
        if hmac.digest(first, plain, "md5") == check:
            return kind, password
    return None


def test_the_lines_of_rc4_give_the_passwords() -> None:
    both = [*found_in("kerberos.pcap"), *found_in("kerberos-rc4.pcap")]
    rc4_lines = [one for each in both for one in each.sightings if (one.details or {})["etype"] == 23]
    assert [(*(opened_by(one.secret.decode("ascii")) or ()), one.outcome) for one in rc4_lines] == [
        ("krb5tgs", "sluice.Gate5", "accepted"),
        ("krb5pa", "grist;Stone31", "accepted"),
        ("krb5asrep", "grist;Stone31", "accepted"),
        ("krb5pa", "grist;Stone31", "accepted"),
        ("krb5asrep", "grist;Stone31", "accepted"),
        ("krb5pa", "grist;Stone32", "refused"),
    ]


def test_scapy_reads_the_same() -> None:
    """Users, services, and what is encrypted, by scapy's layers."""
    from scapy.layers.kerberos import Kerberos

    seen = 0
    for transport, calls in recording("kerberos.pcap"):
        for _, said in calls:
            assert isinstance(said, bytes)
            data = said[4:] if transport == "tcp" else said
            message, root = decode(data), Kerberos(data).root
            assert message is not None
            assert message.kind == root.msgType.val
            if message.kind in (AS_REQ, TGS_REQ):
                body = root.reqBody
                assert message.service == tuple(name.val.decode() for name in body.sname.nameString)
                assert list(message.etypes) == [etype.val for etype in body.etype]
                assert list(message.padata) == [one.padataType.val for one in root.padata]
            elif message.kind in (AS_REP, TGS_REP):
                assert message.client == tuple(name.val.decode() for name in root.cname.nameString)
                assert message.ticket is not None
                assert message.encrypted is not None
                for part, ours in ((root.encPart, message.encrypted), (root.ticket.encPart, message.ticket.encrypted)):
                    assert (part.etype.val, part.cipher.val) == (ours.etype, data[ours.cipher.begin : ours.cipher.end])
            else:
                assert message.code == root.errorCode.val
            seen += 1
    assert seen > 20


@given(st.data())
def test_no_bytes_raise_and_cuts_do_not_matter(data_of: st.DataObject) -> None:
    _, calls = data_of.draw(st.sampled_from(recording("kerberos.pcap")))
    changed: Calls = []
    for to_server, said in calls:
        assert isinstance(said, bytes)
        if data_of.draw(st.booleans()):
            place = data_of.draw(st.integers(0, min(len(said), 400) - 1))
            said = said[:place] + data_of.draw(st.binary(max_size=2)) + said[place + 1 :]
        changed.append((to_server, said or b"\0"))
    talk(KerberosDatagrams, changed)
    cuts = data_of.draw(st.lists(st.integers(1, 200), min_size=1, max_size=4))
    assert talk(KerberosStream, changed, cuts=cuts).said() == talk(KerberosStream, changed).said()
    in_spnego(data_of.draw(st.binary(min_size=17, max_size=80)))
