"""LDAP by hand: binds of every kind, other operations, secrets in attributes, StartTLS, losses; and a real slapd."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import asn1_made as made
from support import ntlm_made
from support.asn1_made import done, entry, ldap, number, octets, sasl_bind, search, sequence, simple_bind, tlv
from support.parsing import Found, Talk, talk
from support.sql_talk import Calls
from syswire.convert.protocols.ldap.parser import Cldap, Ldap

ANN = b"cn=ann,dc=x"
BOUND = 0x61
PRESENT = octets(b"objectClass", 0x87)
START_TLS = ldap(1, tlv(0x77, octets(b"1.3.6.1.4.1.1466.20037", 0x80)))


def secrets(found: Found) -> list[tuple[str | None, bytes, str]]:
    return [(one.username, one.secret, one.outcome) for one in found.sightings]


def test_a_bind_byte_by_byte() -> None:
    """The bytes as RFC 4511 has them, written out: version 3, name, [0] password."""
    bind = bytes.fromhex("3017020101 6012 020103 0404 636e3d61 8007 73336372337421".replace(" ", ""))
    found = talk(Ldap, [(True, bind), (False, bytes.fromhex("300c02010161070a010004000400"))])
    assert found.asked == [
        {"operation": "bind", "message_id": 1, "version": 3, "user": "cn=a", "mechanism": "simple", "secret": True}
    ]
    assert found.answered == [{"message_id": 1, "result_code": 0, "result": "success"}]
    (one,) = found.sightings
    assert (one.username, one.secret, one.raw, one.outcome) == ("cn=a", b"s3cr3t!", b"s3cr3t!", "accepted")
    assert (one.span.offset, one.span.length, one.exchange) == (18, 7, 1)
    assert (one.location, one.form, one.confidence) == ("login", "cleartext", "certain")


@pytest.mark.parametrize("form", [0, 1, 2, 4])
def test_lengths_of_every_form(form: int) -> None:
    found = talk(Ldap, [(True, simple_bind(7, ANN, b"sesame", form)), (False, done(7, BOUND, 49))])
    assert secrets(found) == [("cn=ann,dc=x", b"sesame", "refused")]


def test_several_messages_a_segment_and_several_users() -> None:
    calls = [
        (True, simple_bind(1, ANN, b"one") + simple_bind(2, b"cn=bob", b"two")),
        (False, done(1, BOUND, 49, said=b"no") + done(2, BOUND, 0)),
        (True, simple_bind(3, b"DOM\\cai", b"three")),
    ]
    found = talk(Ldap, calls)
    assert secrets(found) == [
        ("cn=ann,dc=x", b"one", "unknown"),
        ("cn=bob", b"two", "accepted"),
        ("DOM\\cai", b"three", "unknown"),
    ]


@pytest.mark.parametrize(("name", "told"), [(b"", "anonymous"), (ANN, "unauthenticated")])
def test_an_empty_password_is_no_credential(name: bytes, told: str) -> None:
    found = talk(Ldap, [(True, simple_bind(1, name, b"")), (False, done(1, BOUND, 0))])
    assert not found.sightings
    assert found.asked[0] is not None
    assert found.asked[0][told] is True


def test_a_password_whose_end_is_missing() -> None:
    whole = simple_bind(1, ANN, b"much-too-long")
    for cut in (len(whole) - 5, len(whole) - 1):
        (one,) = talk(Ldap, [(True, whole[:cut])]).sightings
        assert (one.secret, one.secret_complete, one.confidence) == (whole[-13:cut], False, "likely")


def test_sasl_in_one_step_and_in_two() -> None:
    calls = [
        (True, sasl_bind(1, b"PLAIN", b"\0ann\0sesame")),
        (False, done(1, BOUND, 0)),
        (True, sasl_bind(2, b"CRAM-MD5", None)),
        (False, done(2, BOUND, 14, more=octets(b"<1896.697170952@postoffice.example>", 0x87))),
        (True, sasl_bind(3, b"CRAM-MD5", b"tim b913a602c7eda7a495b4e6e7334d3890")),
        (False, done(3, BOUND, 0)),
    ]
    plain, cram = talk(Ldap, calls).sightings
    assert (plain.username, plain.secret, plain.form, plain.outcome) == ("ann", b"sesame", "cleartext", "accepted")
    assert (cram.username, cram.form, cram.outcome, cram.exchange) == ("tim", "hash", "accepted", 2)
    assert b"b913a602c7eda7a495b4e6e7334d3890" in cram.secret
    assert cram.details is not None
    assert cram.details["challenge_seen"] is True


def test_what_windows_calls_sicily() -> None:
    def bind(identifier: int, tag: int, blob: bytes) -> bytes:
        return ldap(identifier, tlv(0x60, number(3), octets(b""), octets(blob, tag)))

    proof = ntlm_made.V2_PROOF + ntlm_made.V2_BLOB
    answer = ntlm_made.authenticate(lm=ntlm_made.V2_LM, nt=proof)
    calls = [
        (True, bind(1, 0x89, b"")),
        (False, done(1, BOUND, 0, b"NTLM")),
        (True, bind(2, 0x8A, ntlm_made.NEGOTIATE)),
        (False, done(2, BOUND, 0, ntlm_made.challenge())),
        (True, bind(3, 0x8B, answer)),
        (False, done(3, BOUND, 0)),
    ]
    found = talk(Ldap, calls)
    (one,) = found.sightings
    assert (one.form, one.outcome, one.protocol) == ("hash", "accepted", "ldap")
    assert one.secret == ntlm_made.V2_LINE.encode()


def test_a_kerberos_ticket_in_spnego() -> None:
    cipher = bytes(range(64))
    token = made.ap_req(made.ticket(b"X.ORG", (b"ldap", b"dc.x.org"), 23, cipher))
    blob = tlv(0x60, bytes.fromhex("06092a864886f712010202"), b"\1\0", token)
    spnego = tlv(0x60, bytes.fromhex("06062b0601050502"), tlv(0xA0, sequence(tlv(0xA2, octets(blob)))))
    found = talk(Ldap, [(True, sasl_bind(1, b"GSS-SPNEGO", spnego)), (False, done(1, BOUND, 0))])
    (one,) = found.sightings
    assert one.secret == (
        b"$krb5tgs$23$*ldap$X.ORG$ldap/dc.x.org*$" + cipher[:16].hex().encode() + b"$" + cipher[16:].hex().encode()
    )
    assert sasl_bind(1, b"GSS-SPNEGO", spnego)[one.span.offset :][: one.span.length] == cipher == one.raw
    # behind it the connection is sealed: that is passed over
    calls: Talk = [
        (True, sasl_bind(1, b"GSS-SPNEGO", spnego)),
        (False, done(1, BOUND, 0)),
        (True, b"\0\0\0\x05\x05\4\6\xff\0"),
        (False, b"\0\0\0\x04\x05\4\7\xff"),
    ]
    found = talk(Ldap, calls)
    assert not found.weirds
    assert len(found.records) == 1


def test_a_search_and_its_answers() -> None:
    wanted = tlv(
        0xA0,
        tlv(0xA3, octets(b"uid"), octets(b"a*b")),
        tlv(0xA2, PRESENT),
        tlv(0xA4, octets(b"cn"), sequence(octets(b"x", 0x80), octets(b"y", 0x81), octets(b"z", 0x82))),
        tlv(0xA5, octets(b"age"), octets(b"7")),
        tlv(0xA9, octets(b"1.2.3", 0x81), octets(b"cn", 0x82), octets(b"v", 0x83)),
    )
    reference = ldap(5, tlv(0x73, octets(b"ldap://b/")))
    calls = [
        (True, search(5, b"dc=x", wanted, b"cn", b"mail")),
        (False, entry(5, b"cn=a,dc=x", cn=b"a") + entry(5, b"cn=b,dc=x", cn=b"b") + reference),
        (False, done(5, 0x65, 4, said=b"enough")),
    ]
    found = talk(Ldap, calls)
    assert found.asked == [
        {
            "operation": "search",
            "message_id": 5,
            "base": "dc=x",
            "scope": "subtree",
            "filter": "(&(uid=a\\2ab)(!(objectClass=*))(cn=x*y*z)(age>=7)(cn:1.2.3:=v))",
            "attributes": ["cn", "mail"],
        }
    ]
    assert found.answered == [
        {
            "message_id": 5,
            "result_code": 4,
            "result": "sizeLimitExceeded",
            "diagnostic": "enough",
            "entries": 2,
            "references": 1,
        }
    ]


def test_passwords_in_attributes() -> None:
    change = sequence(number(2, 10), sequence(octets(b"unicodePwd"), tlv(0x31, octets('"N3w"'.encode("utf-16-le")))))
    renew = sequence(octets(ANN, 0x80), octets(b"old1", 0x81), octets(b"new2", 0x82))
    calls = [
        (True, ldap(1, tlv(0x66, octets(ANN), sequence(change)))),
        (False, done(1, 0x67, 53)),
        (True, ldap(2, tlv(0x77, octets(b"1.3.6.1.4.1.4203.1.11.1", 0x80), octets(renew, 0x81)))),
        (False, done(2, 0x78, 0)),
        (True, ldap(3, tlv(0x6E, octets(ANN), sequence(octets(b"userPassword"), octets(b"maybe"))))),
        (False, done(3, 0x6F, 5)),
        (True, search(4, b"", tlv(0xA3, octets(b"userPassword"), octets(b"tried")))),
        (False, entry(4, ANN, userPassword=b"{SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") + done(4, 0x65, 0)),
    ]
    found = talk(Ldap, calls)
    assert [(one.field, one.secret, one.outcome, one.form) for one in found.sightings] == [
        ("unicodePwd", b"N3w", "refused", "cleartext"),
        ("oldPasswd", b"old1", "accepted", "cleartext"),
        ("newPasswd", b"new2", "accepted", "cleartext"),
        ("userPassword", b"maybe", "refused", "cleartext"),
        ("userPassword", b"tried", "unknown", "cleartext"),
        ("userPassword", b"{SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unknown", "hash"),
    ]
    shown = repr([found.asked, found.answered])
    assert not any(word in shown for word in ("N3w", "old1", "new2", "maybe", "tried", "SSHA"))


@pytest.mark.parametrize(
    "said",
    [
        entry(1, ANN, userPassword=b"{SASL}ann@x.org"),
        entry(1, ANN, pwdLastSet=b"133"),
        entry(1, ANN, description=b"password: sesame"),
        entry(1, ANN, krbPrincipalKey=b"\1\2\3"),
        done(1, 0x65, 0, said=b"userPassword sesame"),
    ],
)
def test_what_an_answer_tells_is_no_credential(said: bytes) -> None:
    assert not talk(Ldap, [(True, search(1, b"", PRESENT, b"userPassword")), (False, said)]).sightings


def test_start_tls() -> None:
    calls = [(True, START_TLS), (False, done(1, 0x78, 0)), (True, b"\x16\x03\x01hello"), (False, b"\x16\x03\x03there")]
    for cuts in (None, [1], [3]):
        (inner,) = talk(Ldap, calls, cuts=cuts).switched
        assert (inner.name, inner.client, inner.server) == ("tls", b"\x16\x03\x01hello", b"\x16\x03\x03there")
    refused = [(True, START_TLS), (False, done(1, 0x78, 2)), (True, simple_bind(2, ANN, b"sesame"))]
    found = talk(Ldap, refused)
    assert not found.switched
    assert secrets(found) == [("cn=ann,dc=x", b"sesame", "unknown")]


def test_a_loss_and_the_way_back() -> None:
    calls: Talk = [
        (True, simple_bind(1, ANN, b"sesame")[:9]),
        (True, 100),
        (True, b"rest of something"),
        (True, simple_bind(4, ANN, b"other")),
        (False, done(4, BOUND, 0)),
    ]
    assert secrets(talk(Ldap, calls)) == [("cn=ann,dc=x", b"other", "accepted")]


def test_a_very_long_entry_is_passed_over() -> None:
    calls = [
        (True, search(2, b"", PRESENT)),
        (False, entry(2, ANN, photo=bytes(300_000)) + done(2, 0x65, 0)),
        (True, simple_bind(3, ANN, b"sesame")),
        (False, done(3, BOUND, 0)),
    ]
    for cuts in (None, [1000]):
        found = talk(Ldap, calls, cuts=cuts)
        assert found.answered[0] is not None
        assert found.answered[0]["entries"] == 1
        assert secrets(found) == [("cn=ann,dc=x", b"sesame", "accepted")]


def test_cldap() -> None:
    asked = search(9, b"", tlv(0xA3, octets(b"DnsDomain"), octets(b"x.org")), b"NetLogon")
    found = talk(Cldap, [(True, asked), (False, entry(9, b"", netlogon=b"\x17\0") + done(9, 0x65, 0))])
    assert [answer and answer["entries"] for answer in found.answered] == [1]


@pytest.mark.parametrize("make", [Ldap, Cldap])
def test_an_answer_from_the_client_answers_nothing(make: type[Ldap | Cldap]) -> None:
    asked, answer = search(2, b"dc=x", PRESENT), done(2, 0x65, 0)
    told = entry(2, ANN, cn=b"ann")
    found = talk(make, [(True, asked), (True, answer), (False, told), (True, answer), (False, answer)])
    assert [(name, span.offset, span.length) for name, span in found.weirds] == [
        ("ldap-wrong-direction", len(asked), len(answer))
    ]
    spans = [
        (one.request and (one.request.span.offset, one.request.span.length),
         one.response and (one.response.span.offset, one.response.span.length))
        for one in found.records
    ]  # fmt: skip
    assert spans == [
        ((len(asked), len(answer)), None),
        ((len(asked) + len(answer), len(answer)), None),
        ((0, len(asked)), (0, len(told) + len(answer))),
    ]
    assert found.answered[2] is not None
    assert (found.answered[2]["entries"], found.answered[2]["result"]) == (1, "success")


def test_a_request_from_the_server_takes_no_answer_from_it() -> None:
    """The client's bind and search keep what becomes of them, though the server asks the same with the same ids."""
    bind, other = simple_bind(1, ANN, b"sesame"), simple_bind(1, b"cn=eve", b"poppy")
    calls = [
        (True, bind),
        (False, other),
        (False, done(1, BOUND, 0)),
        (True, search(2, b"dc=x", PRESENT)),
        (False, search(2, b"dc=y", PRESENT)),
        (False, done(2, 0x65, 4)),
        (False, ldap(3, tlv(0x42))),
    ]
    found = talk(Ldap, calls)
    assert [(name, span.offset) for name, span in found.weirds] == [("ldap-wrong-direction", 0)]
    assert secrets(found) == [("cn=ann,dc=x", b"sesame", "accepted"), ("cn=eve", b"poppy", "unknown")]
    told = [one and (one["operation"], one["message_id"]) for one in found.asked]
    assert told == [("bind", 1), ("search", 2), None, None, None]
    assert [one and (one.get("operation"), one.get("result")) for one in found.answered] == [
        (None, "success"),
        (None, "sizeLimitExceeded"),
        ("unbind", None),
        ("bind", None),
        ("search", None),
    ]


def test_a_conversation_whose_sides_are_taken_for_each_other() -> None:
    """Nothing of it is lost: not the password, not its outcome, nor what StartTLS turns to."""
    bind, answer = simple_bind(1, ANN, b"sesame"), done(1, BOUND, 49)
    calls = [(False, bind), (True, answer)]
    for cuts in (None, [1]):
        found = talk(Ldap, calls, cuts=cuts)
        assert secrets(found) == [("cn=ann,dc=x", b"sesame", "refused")]
        (one,) = found.records
        assert one.request is not None
        assert one.response is not None
        assert (one.request.span.length, one.request.fields["result_code"]) == (len(answer), 49)
        assert (one.response.span.length, one.response.fields["user"]) == (len(bind), "cn=ann,dc=x")
    turned = [(False, START_TLS), (True, done(1, 0x78, 0)), (False, b"\x16\x03\x01hello"), (True, b"\x16\x03\x03there")]
    for cuts in (None, [1], [3]):
        (inner,) = talk(Ldap, turned, cuts=cuts).switched
        assert (inner.name, inner.client, inner.server) == ("tls", b"\x16\x03\x03there", b"\x16\x03\x01hello")


@pytest.mark.parametrize("refused", [True, False])
def test_a_server_that_asks_for_tls_does_not_hold_the_client_up(refused: bool) -> None:
    calls: Talk = [
        (True, START_TLS),
        (False, (done(1, 0x78, 2) if refused else b"") + START_TLS + (b"" if refused else done(1, 0x78, 2))),
        (True, simple_bind(2, ANN, b"sesame")),
        (False, done(2, BOUND, 0)),
    ]
    found = talk(Ldap, calls)
    assert not found.switched
    assert secrets(found) == [("cn=ann,dc=x", b"sesame", "accepted")]


def calls_of(path: Path) -> list[Calls]:
    return [calls for _, calls in made.recorded(path, 3890)]


def test_a_recording_of_slapd(data: Path) -> None:
    """What the clients were told to use, and what they printed (tests/data/protocols/README.md)."""
    ida, otto = "uid=ida,ou=people,dc=mill,dc=example", "uid=otto,ou=people,dc=mill,dc=example"
    found = [talk(Ldap, calls) for calls in calls_of(data / "protocols" / "ldap.pcap")]
    clear = {
        (one.username, one.secret, one.outcome) for each in found for one in each.sightings if one.form == "cleartext"
    }
    assert clear == {
        (ida, b"wheel+Race77", "accepted"),
        (ida, b"wheel+Race78", "refused"),
        ("cn=keeper,dc=mill,dc=example", b"quern-Flume-52", "accepted"),
        ("ida", b"wheel+Race77", "refused"),
        (otto, b"grist;Stone33", "accepted"),
        (otto, b"w9qc.g0R", "accepted"),
        (otto, b"hopper&Shoe8", "accepted"),
        ("uid=pia,ou=people,dc=mill,dc=example", b"damsel_Tail4", "accepted"),
    }
    hashed = [one for each in found for one in each.sightings if one.form == "hash"]
    assert [(one.username, (one.details or {})["mechanism"], one.outcome) for one in hashed] == [
        ("ida", "CRAM-MD5", "accepted"),
        ("ida", "DIGEST-MD5", "accepted"),
        ("ida", "SCRAM-SHA-1", "accepted"),
        ("ida", "SCRAM-SHA-256", "accepted"),
        ("ida", "SCRAM-SHA-512", "accepted"),
        ("otto", "CRAM-MD5", "refused"),
        (otto, "{SSHA}", "unknown"),
    ]
    assert not [weird for each in found for weird in each.weirds]
    assert [inner.name for each in found for inner in each.switched] == ["tls"]


@given(st.data())
def test_cuts_do_not_matter(data_of: st.DataObject) -> None:
    calls = data_of.draw(st.sampled_from(calls_of(Path(__file__).parents[2] / "data" / "protocols" / "ldap.pcap")))
    cuts = data_of.draw(st.lists(st.integers(1, 40), min_size=1, max_size=6))
    assert talk(Ldap, calls, cuts=cuts).said() == talk(Ldap, calls).said()


@given(st.data())
def test_no_bytes_raise(data_of: st.DataObject) -> None:
    recording = calls_of(Path(__file__).parents[2] / "data" / "protocols" / "ldap.pcap")
    calls = list(data_of.draw(st.sampled_from(recording)))
    for _ in range(data_of.draw(st.integers(1, 8))):
        at = data_of.draw(st.integers(0, len(calls) - 1))
        to_server, said = calls[at]
        assert isinstance(said, bytes)
        place = data_of.draw(st.integers(0, len(said) - 1))
        calls[at] = to_server, said[:place] + data_of.draw(st.binary(max_size=3)) + said[place + 1 :] or b"\0"
    if data_of.draw(st.booleans()):
        calls.insert(data_of.draw(st.integers(0, len(calls))), (data_of.draw(st.booleans()), 50))
    for make in (Ldap, Cldap):
        talk(make, calls)
        talk(make, [(True, data_of.draw(st.binary(min_size=1, max_size=60)))])
