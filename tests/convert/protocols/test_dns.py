"""DNS over UDP and TCP: messages written out by hand, dig's own words about a recording, and hostile ones."""

from __future__ import annotations

from pathlib import Path
from random import Random
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.loopback_talk import recorded
from support.parsing import Found, talk
from syswire.convert.protocols.dns.messages import decode
from syswire.convert.protocols.dns.names import Broken, host_name, label_text, read_name
from syswire.convert.protocols.dns.parser import DnsDatagrams, DnsStream

IN_A = b"\0\1\0\1"
ASKED = b"\3www\7example\3org\0" + IN_A
QUERY = pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0) + ASKED


def answer(number: int = 0x1234, flags: int = 0x8180, records: tuple[bytes, ...] = (), asked: bytes = ASKED) -> bytes:
    return pack(">6H", number, flags, 1 if asked else 0, len(records), 0, 0) + asked + b"".join(records)


def record(owner: bytes, kind: int, data: bytes, group: int = 1, ttl: int = 300) -> bytes:
    return owner + pack(">HHIH", kind, group, ttl, len(data)) + data


ADDRESS = record(b"\xc0\x0c", 1, b"\xc0\0\2\x0a")
ANSWER = answer(records=(ADDRESS,))


def framed(*messages: bytes) -> bytes:
    return b"".join(pack(">H", len(message)) + message for message in messages)


def one(data: bytes, kind: int) -> object:
    """The data of a record of this type as text."""
    found = decode(answer(records=(record(b"\xc0\x0c", kind, data),)))
    return found.fields["answers"][0]["data"], found.broken  # type: ignore[index,call-overload]


def test_a_query_and_its_answer() -> None:
    found = talk(DnsDatagrams, [(True, QUERY), (False, ANSWER)])
    assert found.asked == [
        {
            "transaction": 4660,
            "opcode": "QUERY",
            "recursion_desired": True,
            "questions": [{"query_name": "www.example.org", "query_type": "A", "query_class": "IN"}],
        }
    ]
    assert found.answered == [
        {
            "transaction": 4660,
            "opcode": "QUERY",
            "rcode": "NOERROR",
            "authoritative": False,
            "truncated": False,
            "recursion_available": True,
            "answers": [{"name": "www.example.org", "record_type": "A", "ttl": 300, "data": "192.0.2.10"}],
            "authority": [],
            "additional": [],
        }
    ]
    request, response = found.records[0].request, found.records[0].response
    assert request is not None
    assert response is not None
    assert (request.span.place, request.span.offset, request.span.length) == ("call 0", 0, 33)
    assert (response.span.place, response.span.offset, response.span.length) == ("call 1", 0, 49)
    assert found.names == {bytes([192, 0, 2, 10]): "www.example.org"}
    assert not found.weirds


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (28, bytes.fromhex("20010db8000000000000000000000010"), "2001:db8::10"),
        (28, bytes.fromhex("00000000000000000000ffffc000020a"), "::ffff:192.0.2.10"),
        (5, b"\4shop\xc0\x10", "shop.example.org"),
        (2, b"\2ns\xc0\x10", "ns.example.org"),
        (12, b"\0", "."),
        (15, b"\0\x0a\4mail\xc0\x10", "10 mail.example.org"),
        (16, b"\x0bv=spf1 -all\4\"a\\\xff", '"v=spf1 -all" "\\"a\\\\\\255"'),
        (6, b"\2ns\xc0\x10\5admin\xc0\x10" + pack(">5I", 7, 1, 2, 3, 4294967295),
         "ns.example.org admin.example.org 7 1 2 3 4294967295"),
        (33, b"\0\5\0\7\x13\xc4\3sip\xc0\x10", "5 7 5060 sip.example.org"),
        (257, b"\x80\5issueca.example; a=b", '128 issue "ca.example; a=b"'),
        (65, b"\0\1\0" + bytes.fromhex("0001 0006 02 6832 02 6833 0003 0002 20fb 0004 0004 c000020a"),
         '1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.10'),
        (64, b"\0\0\3svc\xc0\x10", "0 svc.example.org"),
        (64, b"\0\2\0" + bytes.fromhex("0000 0002 0001 0001 0003 02 6832 0002 0000 0006 0010") + bytes(15) + b"\1"
         + bytes.fromhex("0005 0003 616263 029b 0002 78ff"),
         '2 . mandatory=alpn alpn="h2" no-default-alpn ipv6hint=::1 ech=YWJj key667="x\\255"'),
        (43, b"\xde\xad", "dead"),
        (65400, b"\xbe\xef", "beef"),
    ],
)  # fmt: skip
def test_data_as_text_of_a_zone_file(kind: int, data: bytes, text: str) -> None:
    assert one(data, kind) == (text, False)


@pytest.mark.parametrize(
    ("kind", "data"),
    [(1, b"\1\2\3"), (28, bytes(4)), (5, b"\3ab"), (15, b"\0"), (16, b"\5ab"), (6, b"\0\0\0"), (33, b"\0\0"),
     (257, b"\0\x09ab"), (65, b"\0\1\0\0\1\0\x09h2"), (65, b"\0\1\0\0\4\0\3abc")],
)  # fmt: skip
def test_data_that_is_not_what_its_type_says_is_shown_in_hex(kind: int, data: bytes) -> None:
    assert one(data, kind) == (data.hex(), True)


def test_odd_bytes_of_labels_are_escaped() -> None:
    assert label_text(b"we.ird\x01\\na me\xff@") == "we\\.ird\\001\\\\na\\032me\\255\\@"
    assert read_name(b"\2a.\1b\0", 0) == ("a\\..b", 6)


@pytest.mark.parametrize(
    "message",
    [
        b"\xc0\x00",  # a pointer to itself
        b"\1a\xc0\x02",  # into itself
        b"\xc0\x04\0\0\1a\0",  # forwards
        b"\1a\xc0",
        b"\5ab",
        b"\x40a",
        b"",
        b"".join(b"\x3f" + b"a" * 63 for _ in range(4)) + b"\0",  # 257 bytes
    ],
)
def test_names_that_are_none(message: bytes) -> None:
    with pytest.raises(Broken):
        read_name(message, 0)


def test_the_longest_name_and_pointers_that_lead_back() -> None:
    long = b"".join(b"\x3f" + b"a" * 63 for _ in range(3)) + b"\x3d" + b"b" * 61 + b"\0"
    assert len(long) == 255
    assert len(read_name(long, 0)[0]) == 253
    assert read_name(b"\3org\0\1a\xc0\x00\1b\xc0\x05", 9) == ("b.a.org", 13)


def test_host_names() -> None:
    assert host_name("WWW.Example.ORG") == "www.example.org"
    for name in (".", "_sip._tcp.example.org", "-a.org", "a-.org", "a..b", "caf\\195", "a" * 64, "*.example.org"):
        assert host_name(name) is None


def test_aliases_lead_to_the_name_that_was_asked_for() -> None:
    alias = record(b"\xc0\x0c", 5, b"\3CDN\xc0\x10")
    other = record(b"\5other\xc0\x10", 1, b"\xc0\0\2\x63")
    cdn = record(b"\3cdn\xc0\x10", 1, b"\xc0\0\2\x0b")
    found = talk(DnsDatagrams, [(True, QUERY), (False, answer(records=(cdn, other, alias)))])
    assert found.names == {bytes([192, 0, 2, 11]): "www.example.org"}


def test_no_name_for_refusals_odd_names_and_aliases_in_a_ring() -> None:
    ring = (record(b"\xc0\x0c", 5, b"\1a\xc0\x10"), record(b"\1a\xc0\x10", 5, b"\xc0\x0c"))
    odd = b"\4_dmx\3org\0" + IN_A
    for message in (
        answer(flags=0x8183, records=(ADDRESS,)),
        answer(records=ring),
        answer(records=(ADDRESS,), asked=odd),
    ):
        assert not talk(DnsDatagrams, [(False, message)]).names


def test_pairs_by_transaction_and_question_in_the_order_of_the_queries() -> None:
    other = pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0) + b"\3ftp\7example\3org\0" + IN_A
    third = pack(">6H", 7, 0x0100, 1, 0, 0, 0) + ASKED
    reply = answer(asked=b"\3FTP\7EXAMPLE\3org\0" + IN_A)  # in whatever case
    found = talk(DnsDatagrams, [(True, QUERY), (True, other), (True, third), (False, reply), (False, ANSWER)])
    assert [r.request.span.place for r in found.records if r.request] == ["call 0", "call 1", "call 2"]
    assert [r.response and r.response.span.place for r in found.records] == ["call 4", "call 3", None]
    response = found.answered[1]
    assert response is not None
    assert response["questions"] == [
        {"query_name": "FTP.EXAMPLE.org", "query_type": "A", "query_class": "IN"}
    ]  # it is not what was asked, to the letter


def test_a_query_that_comes_again_is_counted() -> None:
    found = talk(DnsDatagrams, [(True, QUERY), (True, QUERY), (True, QUERY), (False, ANSWER), (True, QUERY)])
    assert [asked and asked.get("repeats") for asked in found.asked] == [2, None]
    assert [said is None for said in found.answered] == [False, True]


def test_a_second_answer_is_told() -> None:
    forged = answer(records=(record(b"\xc0\x0c", 1, b"\xcb\0\x71\1"),))
    found = talk(DnsDatagrams, [(True, QUERY), (False, ANSWER), (False, ANSWER), (False, forged)])
    assert [(name, span.place) for name, span in found.weirds] == [
        ("dns-repeated-response", "call 2"),
        ("dns-second-response", "call 3"),
    ]
    assert [asked is None for asked in found.asked] == [False, True]
    assert found.records[1].response is not None
    assert found.records[1].response.fields["questions"]


def test_an_answer_without_the_question_is_paired_by_its_number() -> None:
    found = talk(DnsDatagrams, [(True, QUERY), (False, answer(flags=0x8181, asked=b""))])
    assert len(found.records) == 1
    assert found.answered[0] is not None
    assert found.answered[0]["rcode"] == "FORMERR"
    assert found.answered[0]["questions"] == []


def test_multicast_dns() -> None:
    query = pack(">6H", 0, 0, 1, 0, 0, 0) + b"\4host\5local\0\0\1\x80\1"
    said = pack(">6H", 0, 0x8400, 0, 1, 0, 0) + record(b"\4host\5local\0", 1, b"\xc0\0\2\1", group=0x8001, ttl=120)
    found = talk(DnsDatagrams, [(True, query), (True, said)])
    assert found.asked[0] is not None
    assert found.asked[0]["questions"] == [
        {"query_name": "host.local", "query_type": "A", "query_class": "IN", "unicast_response": True}
    ]
    assert found.asked[1] is not None
    assert found.asked[1]["answers"] == [
        {"name": "host.local", "record_type": "A", "cache_flush": True, "ttl": 120, "data": "192.0.2.1"}
    ]
    assert found.names == {bytes([192, 0, 2, 1]): "host.local"}


def test_both_ends_may_ask() -> None:
    found = talk(DnsDatagrams, [(False, QUERY), (True, ANSWER)])
    assert found.answered[0] is not None
    assert found.answered[0]["recursion_desired"] is True
    assert found.asked[0] is not None
    assert found.asked[0]["rcode"] == "NOERROR"


def test_edns_and_the_upper_bits_of_the_code() -> None:
    options = b"\0" + pack(">HHIH", 41, 1232, 0x01008000, 7) + b"\0\x0a\0\3abc"
    message = pack(">6H", 1, 0x8180, 1, 0, 0, 1) + ASKED + options
    fields = decode(message).fields
    assert fields["rcode"] == "BADVERS"
    assert fields["additional"] == []
    assert fields["edns"] == {
        "udp_size": 1232,
        "version": 0,
        "dnssec_ok": True,
        "options": [{"code": 10, "data": "616263"}],
    }


def test_what_is_cut_off_and_what_is_broken() -> None:
    cut = talk(DnsDatagrams, [(True, QUERY), (False, ANSWER[:40]), (False, 9)])
    assert cut.answered[0] is not None
    assert cut.answered[0]["message_complete"] is False
    assert not cut.weirds
    broken = talk(DnsDatagrams, [(True, QUERY), (False, ANSWER[:40]), (True, b"\0\1")])
    assert broken.answered[0] is not None
    assert broken.answered[0]["malformed"] is True
    assert sorted(name for name, _ in broken.weirds) == ["dns-malformed", "dns-malformed"]


def test_lists_and_text_are_bounded() -> None:
    many = answer(records=(ADDRESS,) * 2000)
    fields = decode(many).fields
    assert len(fields["answers"]) == 256  # type: ignore[arg-type]
    assert fields["answers_complete"] is False
    name = b"".join(b"\x3f" + b"\xff" * 63 for _ in range(3)) + b"\0"
    swollen = pack(">6H", 1, 0x8180, 1, 2000, 0, 0) + name + IN_A + record(b"\xc0\x0c", 16, b"\1a") * 2000
    fields = decode(swollen).fields
    text = sum(len(found["name"]) for found in fields["answers"])  # type: ignore[union-attr,arg-type,misc,call-overload,index]
    assert text < 4096 + 16 * len(swollen) + 1024


def test_several_in_a_stream_and_losses() -> None:
    second = pack(">6H", 2, 0x0100, 1, 0, 0, 0) + b"\4mail\7example\3org\0" + IN_A
    calls: list[tuple[bool, bytes | int]] = [(True, framed(QUERY, second)), (False, framed(ANSWER))]
    found = talk(DnsStream, calls)
    assert [asked and asked["transaction"] for asked in found.asked] == [0x1234, 2]
    request = found.records[1].request
    assert request is not None
    assert (request.span.offset, request.span.length) == (35, 36)
    inside = talk(DnsStream, [(True, framed(QUERY)[:20]), (True, 15), (True, framed(second))])
    assert [asked and asked.get("message_complete") for asked in inside.asked] == [False, None]
    found_again = talk(DnsStream, [(True, framed(QUERY)), (True, 77), (True, framed(second))])
    assert [asked and asked["transaction"] for asked in found_again.asked] == [0x1234, 2]
    lost = talk(DnsStream, [(True, framed(QUERY)), (True, 77), (True, framed(second)[7:] + bytes(60000))])
    assert len(lost.records) == 1
    assert [name for name, _ in lost.weirds] == ["dns-lost"]


def test_a_stream_that_is_no_dns_any_more_is_told_once() -> None:
    found = talk(DnsStream, [(True, framed(QUERY) + bytes(5000)), (False, framed(ANSWER))])
    assert [(name, span.offset) for name, span in found.weirds] == [("dns-lost", 35)]
    assert len(found.records) == 1


def test_a_zone_transfer_is_many_messages() -> None:
    asked = b"\7example\3org\0\0\xfc\0\1"
    query = pack(">6H", 5, 0, 1, 0, 0, 0) + asked
    parts = [pack(">6H", 5, 0x8400, 0 if i else 1, 1, 0, 0) + (b"" if i else asked)
             + record(b"\7example\3org\0", 1, bytes([10, 0, 0, i])) for i in range(3)]  # fmt: skip
    found = talk(DnsStream, [(True, framed(query)), (False, framed(*parts))])
    assert [len(said["answers"]) for said in found.answered if said] == [1, 1, 1]  # type: ignore[arg-type]
    assert not found.weirds


def test_unanswered_queries_do_not_pile_up() -> None:
    found = Found()
    parser = DnsDatagrams(found)
    for number in range(2000):
        parser.data(True, pack(">H", number) + QUERY[2:], 33 * number, None, True)
    assert 2000 - len(found.records) <= 257
    parser.close()
    assert [asked and asked["transaction"] for asked in found.asked] == list(range(2000))


def dig(text: str) -> list[tuple[str, list[str]]]:
    """(Status, answer section) of each answer that dig printed."""
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in text.splitlines():
        if "status:" in line:
            found.append((line.split("status: ")[1].split(",")[0], []))
        inside = line.startswith(";; ANSWER SECTION") or (inside and bool(line))
        if inside and not line.startswith(";"):
            owner, ttl, group, kind, data = line.split(None, 4)
            found[-1][1].append(" ".join((owner.rstrip("."), ttl, group, kind, data)))
    return found


def undotted(text: str) -> str:
    return " ".join(word.removesuffix(".") or "." for word in text.split(" "))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_says_what_dig_says(data: Path, transport: str) -> None:
    told = dig((data / "protocols" / f"dns-dig-{transport}.txt").read_text())
    make = DnsDatagrams if transport == "udp" else DnsStream
    heard = []
    for conversation in recorded(data / "protocols" / "dns.pcap", transport):
        for fields in talk(make, conversation.calls).answered:
            if fields is not None:
                assert isinstance(fields["answers"], list)
                listed = [
                    f"{a['name']} {a['ttl']} {a.get('record_class', 'IN')} {a['record_type']} {a['data']}"  # type: ignore[index,call-overload,union-attr]
                    for a in fields["answers"]
                ]
                heard.append((fields["rcode"], listed))
    assert len(heard) == len(told)
    for (code, listed), (status, answers) in zip(heard, told, strict=True):
        assert code == status
        shown = [undotted(line) for line in answers]
        if any(word in line for line in shown for word in ("TYPE65400", "NAPTR")):
            assert len(listed) == len(shown)  # in hex here
        else:
            assert [undotted(line) for line in listed] == shown


TALK = [
    (True, framed(QUERY)),
    (False, framed(ANSWER)),
    (True, framed(pack(">H", 9) + QUERY[2:], QUERY)),
    (False, framed(answer(9, records=(ADDRESS, record(b"\xc0\x0c", 16, b"\3abc"))))),
    (True, framed(QUERY)[:-3]),
]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_however_a_stream_is_cut(cuts: list[int], boundaries: bool) -> None:
    assert talk(DnsStream, TALK, cuts=cuts, boundaries=boundaries).said() == talk(DnsStream, TALK).said()


@given(st.lists(st.tuples(st.booleans(), st.one_of(st.binary(max_size=80), st.integers(1, 99))), max_size=8))
@settings(max_examples=150, deadline=None)
def test_never_raises_on_anything(calls: list[tuple[bool, bytes | int]]) -> None:
    talk(DnsDatagrams, calls)
    talk(DnsStream, calls)


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_the_same_answer_to_changed_messages(seed: int) -> None:
    random = Random(seed)
    calls: list[tuple[bool, bytes | int]] = []
    for to_server, content in TALK:
        changed = bytearray(content)
        for _ in range(random.randrange(1, 4)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        calls.append((to_server, bytes(changed)))
    talk(DnsStream, calls)
    talk(
        DnsDatagrams, [(to_server, bytes(content)[2:]) for to_server, content in calls if not isinstance(content, int)]
    )
