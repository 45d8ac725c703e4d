"""BER by hand: elements, lengths of every form, numbers, object identifiers, and bytes that are nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.protocols.asn1 import ber
from syswire.convert.protocols.asn1.ber import Tlv


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("0400", Tlv(4, 2, 2, 2, 0)),
        ("040161", Tlv(4, 2, 3, 3, 0)),
        ("04810161", Tlv(4, 3, 4, 4, 0)),
        ("0482000161", Tlv(4, 4, 5, 5, 0)),
        ("04840000000161ff", Tlv(4, 6, 7, 7, 0)),
        ("6001ff", Tlv(0x60, 2, 3, 3, 0)),
        ("", None),
        ("04", None),
        ("0402ff", None),
        ("0480610000", None),
        ("048900000000000000000161", None),
        ("1f2101ff", None),
        ("0488ffffffffffffffff61", None),
        ("0484000000", None),
    ],
)
def test_elements(data: str, found: Tlv | None) -> None:
    wire = bytes.fromhex(data)
    assert ber.read(wire, 0, len(wire)) == found
    assert ber.read(b"\xee" + wire, 1, len(wire) + 1) == (
        found and Tlv(found.tag, *(number + 1 for number in found[1:]))
    )


def test_an_element_ends_where_it_is_told_to() -> None:
    assert ber.read(b"\x04\x02ab", 0, 3) is None
    assert ber.read(b"\x04\x02ab", 0, 900) == Tlv(4, 2, 4, 4, 0)
    assert ber.read(b"\x04\x02ab", -1, 4) is None
    assert ber.opened(b"\x04\x05ab", 0, 4) == Tlv(4, 2, 4, 4, 0)
    assert ber.opened(b"\x30\x82\x01", 0, 3) is None
    assert ber.opened(b"\x04\x05ab\x04\x00", 4, 6) == Tlv(4, 6, 6, 6, 4)


@pytest.mark.parametrize(
    ("data", "size"),
    [("", 0), ("30", 0), ("3005", 7), ("3082", 0), ("308201", 0), ("30820100", 260), ("3080", -1), ("3f05", -1)],
)
def test_how_long_a_message_is(data: str, size: int) -> None:
    assert ber.measure(bytes.fromhex(data)) == size


@pytest.mark.parametrize(
    ("data", "number"),
    [("020100", 0), ("020103", 3), ("0201ff", -1), ("02020080", 128), ("02028000", -32768), ("0200", None)],
)
def test_numbers(data: str, number: int | None) -> None:
    wire = bytes.fromhex(data)
    assert ber.integer(wire, ber.read(wire, 0, len(wire))) == number


def test_numbers_without_a_sign_and_long_ones() -> None:
    wire = bytes.fromhex("4104ffffffff")
    assert ber.unsigned(wire, ber.read(wire, 0, 6)) == 4294967295
    assert ber.integer(wire, ber.read(wire, 0, 6)) == -1
    assert ber.integer(b"\x02\x09" + bytes(9), ber.read(b"\x02\x09" + bytes(9), 0, 11)) is None


@pytest.mark.parametrize(
    ("data", "dotted"),
    [
        ("06082b06010201010100", "1.3.6.1.2.1.1.1.0"),
        ("0603883703", "2.999.3"),
        ("06062a864886f70d", "1.2.840.113549"),
        ("0600", None),
        ("060181", None),
        ("0614" + "ff" * 19 + "7f", None),
    ],
)
def test_object_identifiers(data: str, dotted: str | None) -> None:
    """The first two are those of X.690 8.19.5 and of sysDescr.0 (RFC 3418)."""
    wire = bytes.fromhex(data)
    assert ber.oid(wire, ber.read(wire, 0, len(wire))) == dotted


def test_elements_of_an_element() -> None:
    wire = bytes.fromhex("3008 020103 0403616263".replace(" ", ""))
    outer = ber.whole(wire, ber.SEQUENCE)
    assert outer is not None
    found = ber.children(wire, outer)
    assert found is not None
    assert [ber.value(wire, one) for one in found] == [b"\x03", b"abc"]
    assert ber.fields(wire, outer) == {2: found[0], 4: found[1]}
    assert ber.text(wire, found[1], 2) == "ab"
    assert ber.children(wire, outer, 1) == found[:1]
    assert ber.inside(wire, outer) is None
    assert ber.whole(wire + b"\0", ber.SEQUENCE) is None
    broken = bytes.fromhex("3006020103040361")
    assert ber.fields(broken, ber.whole(broken, ber.SEQUENCE)) is None


def test_what_an_explicit_tag_wraps() -> None:
    wire = bytes.fromhex("a003020105")
    assert ber.integer(wire, ber.inside(wire, ber.read(wire, 0, 5), ber.INTEGER)) == 5
    assert ber.inside(wire, ber.read(wire, 0, 5), ber.OCTETS) is None
    assert ber.inside(wire, None) is None


@given(st.binary(max_size=64), st.integers(-2, 70), st.integers(-2, 70))
def test_any_bytes_are_read_within_their_bounds(data: bytes, at: int, end: int) -> None:
    for found in (ber.read(data, at, end), ber.opened(data, at, end)):
        if found is not None:
            assert at < found.begin <= found.end == found.next <= min(end, len(data))
            ber.oid(data, found), ber.integer(data, found), ber.unsigned(data, found), ber.text(data, found)
            for one in ber.children(data, found) or []:
                assert found.begin < one.begin <= one.end <= found.end
