"""What hostile LDAP, SNMP and Kerberos may cost: memory that is held, messages without end, bytes one by one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from support import asn1_made as made
from support.asn1_made import octets, padata, pdu, request, search, simple_bind, snmp, streamed, tlv
from support.parsing import Found
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.kerberos.parser import KerberosDatagrams, KerberosStream
from syswire.convert.protocols.ldap import framer
from syswire.convert.protocols.ldap.messages import Envelope, envelope
from syswire.convert.protocols.ldap.parser import Ldap
from syswire.convert.protocols.snmp.parser import SnmpDatagrams, SnmpStream


class Silent(Found):
    """A sink that keeps nothing."""

    def record(self, r: object, /) -> None:
        pass

    def sighting(self, s: object, /) -> None:
        pass

    def weird(self, name: object, span: object, /) -> None:
        pass


def entries() -> Iterator[tuple[bool, bytes]]:
    for turn in range(400):
        yield True, search(turn + 1, b"", octets(b"a", 0x87))
        values = tlv(0x31, *(octets(b"%d-" % number + bytes(4000)) for number in range(15)))
        listed = made.sequence(made.sequence(octets(b"userPassword"), values))
        yield False, made.ldap(turn + 1, tlv(0x64, octets(b"cn=a"), listed))


def requests() -> Iterator[tuple[bool, bytes]]:
    for turn in range(600):
        yield True, request(10, b"X", (b"%d" % turn,), (b"krbtgt", b"X"), padata(2, bytes(60_000)))


def unfinished() -> Iterator[tuple[bool, bytes]]:
    yield True, b"\x30\x84\x0f\xff\xff\xff\x02\x01\x01\x63\x84\x0f\xff\xff\xf0"
    for _ in range(600):
        yield True, bytes(60_000)


@pytest.mark.parametrize(
    ("make", "talk_of"),
    [
        (Ldap, entries),
        (Ldap, unfinished),
        (KerberosDatagrams, requests),
        (KerberosStream, lambda: ((side, streamed(said)) for side, said in requests())),
        (SnmpStream, unfinished),
        (
            SnmpDatagrams,
            lambda: ((True, snmp(1, bytes(1000), pdu(0xA0, n, octets(bytes(50_000))))) for n in range(600)),
        ),
    ],
)
def test_what_is_held_is_bounded(
    make: Callable[[Sink], Parser], talk_of: Callable[[], Iterator[tuple[bool, bytes]]]
) -> None:
    """Some 25 to 36 MB of each."""
    parser = make(Silent())
    offsets = {True: 0, False: 0}
    tracemalloc.start()
    try:
        for to_server, said in talk_of():
            parser.data(to_server, said, offsets[to_server], None, True)
            offsets[to_server] += len(said)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    parser.close()
    assert peak < 16_000_000


def test_bytes_one_by_one_are_not_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bind of 20,000 bytes that come one at a time: its envelope is looked at in the first few of them only."""
    looked: list[int] = []

    def counted(data: bytes) -> Envelope | None:
        looked.append(len(data))
        return envelope(data)

    monkeypatch.setattr(framer, "envelope", counted)
    message = simple_bind(1, b"cn=a", b"x" * 20_000)
    found = Found()
    parser = Ldap(found)
    for at in range(len(message)):
        parser.data(True, message[at : at + 1], at, None, at == 0)
    parser.close()
    assert len(found.sightings) == 1
    assert sum(looked) <= 40 * len(message)


def test_elements_in_elements() -> None:
    """A filter that goes 20,000 deep is not followed, and not called whole."""
    deep = octets(b"a", 0x87)
    for _ in range(10_000):
        deep = tlv(0xA2, deep)
    found = Found()
    parser = Ldap(found)
    parser.data(True, search(1, b"", deep), 0, None, True)
    parser.close()
    (fields,) = found.asked
    assert fields is not None
    assert fields["filter_complete"] is False
    assert len(str(fields["filter"])) < 100
