"""The forms of buffers; the expected texts were read off sysdig 0.29.3 with -A, -x, -X and -b."""

from __future__ import annotations

import pytest

from syswire.convert.trace.buffers import Form, ascii_lines, buffer_text, hex_rows


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"hello\r\nworld\n\r\n\tx\x00y\x80z", "\nhello\nworld\n\nxyz"),
        (b"\x00\x01", "\n"),
        (b"\nab", "\nab"),
        (b"\n\nab", "\n\nab"),
        (b"\r\nab", "\n\nab"),
        (b"a\r\r\nb", "\na\n\nb"),
        (b"\x00\nab", "\n\nab"),
        (b"a\r\x00\nb", "\na\n\nb"),
        (b"\n", "\n"),
    ],
)
def test_ascii(data: bytes, text: str) -> None:
    assert ascii_lines(data) == text


def test_plain_form_is_cut_at_80_bytes() -> None:
    assert buffer_text(b"a" * 80) == "a" * 80
    assert buffer_text(b"a" * 81) == "a" * 77 + "..."
    assert buffer_text(b"a" * 81, Form(full=True)) == "a" * 81
    assert buffer_text(b"a\n\x7f\xc3\xa9z") == "a....z"


def test_hex_rows() -> None:
    assert hex_rows(b"\x00\x01", with_ascii=False) == "\n\t0x0000: 0001\n"
    assert hex_rows(b"b" * 33, with_ascii=False) == (
        "\n\t0x0000: 6262 6262 6262 6262 6262 6262 6262 6262"
        "\n\t0x0010: 6262 6262 6262 6262 6262 6262 6262 6262\n\t0x0020: 62\n"
    )


def test_text_beside_hex_rows() -> None:
    assert hex_rows(b"hello\r\nworld\n\r\n\tx\x00y\x80z", with_ascii=True) == (
        "\n\t0x0000: 6865 6c6c 6f0d 0a77 6f72 6c64 0a0d 0a09  hello..world...."
        "\n\t0x0010: 7800 7980 7a                           x.y.z\n"
    )
    assert hex_rows(b"\x00\x01", with_ascii=True) == "\n\t0x0000: 0001" + " " * 37 + "..\n"


@pytest.mark.parametrize("kind", ["dots", "ascii", "hex", "hexascii", "base64"])
def test_empty(kind: str) -> None:
    assert buffer_text(b"", Form(kind)) == ""


def test_base64() -> None:
    assert buffer_text(b"hello\r\nworld\n\r\n\tx\x00y\x80z", Form("base64")) == "aGVsbG8NCndvcmxkCg0KCXgAeYB6"
