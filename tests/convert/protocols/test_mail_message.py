"""Mail messages: headers, MIME structure and encodings, against Python's email package and by hand."""

from __future__ import annotations

import email
import email.policy
import random
from base64 import b64encode
from email.message import EmailMessage
from hashlib import sha256
from quopri import encodestring
from typing import Any

import pytest

from support.parsing import Found
from syswire.convert.protocols.mail.decoders import Base64, QuotedPrintable
from syswire.convert.protocols.mail.headers import decode_words, parameters
from syswire.convert.protocols.mail.message import MailReader


def read(data: bytes, size: int = 0, complete: bool = True) -> dict[str, Any]:
    """What is said of a message that is fed in pieces of `size`, or whole."""
    reader = MailReader(Found(), True)
    for begin in range(0, len(data), size or len(data) or 1):
        reader.feed(data[begin : begin + (size or len(data))])
    return dict(reader.finish(complete))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?B?R3LDvMOfZQ==?= all", "Grüße all"),
        (b"=?ISO-8859-1?q?Gr=FC=DFe_an?= =?iso-8859-1?Q?_alle?=", "Grüße an alle"),
        (b"=?utf-8?q?=E2=82?=\r\n =?utf-8?q?=AC?=", "\u20ac"),
        (b"=?windows-1252?Q?=80?= and =?koi8-r?B?8NLJ18XU?=", "\u20ac and Привет"),
        (b"=?x-no-such?q?a?= =?utf-8*de?q?b?=", "=?x-no-such?q?a?= b"),
        (b"=?utf-8?q?=FF?=", "\ufffd"),
        (b"a =?utf-8?q??= b", "a  b"),
        (b"=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        (b"=?gb2312?B?xOO6ww==?=", "你好"),
    ],
)
def test_encoded_words(value: bytes, text: str) -> None:
    assert decode_words(value).decode() == text


@pytest.mark.parametrize(
    ("value", "first", "more"),
    [
        (b'Text/Plain; charset="utf-8"; format=flowed', b"text/plain", {b"charset": b"utf-8", b"format": b"flowed"}),
        (b'a/b; name="x\\"y;z.txt"', b"a/b", {b"name": b'x"y;z.txt'}),
        (
            b"attachment; filename*=utf-8'de'%C3%9Cber.txt; filename=old.txt",
            b"attachment",
            {b"filename": "Über.txt".encode()},
        ),
        (
            b"attachment; filename*1=\"c.txt\"; filename*0*=iso-8859-1''a%FC b",
            b"attachment",
            {b"filename": "aü bc.txt".encode()},
        ),
        (b"attachment; filename=my file.doc ; x", b"attachment", {b"filename": b"my file.doc"}),
        (b'attachment; filename="=?utf-8?q?=C3=BC?="', b"attachment", {b"filename": "ü".encode()}),
        (b"", b"", {}),
    ],
)
def test_parameters(value: bytes, first: bytes, more: dict[bytes, bytes]) -> None:
    assert parameters(value) == (first, more)


def test_decoders_against_encoders() -> None:
    draw = random.Random(3)
    for _ in range(60):
        data = draw.randbytes(draw.randrange(300))
        text = b64encode(data)
        lines = b"\r\n".join(text[at : at + 60] for at in range(0, len(text), 60)) + b"\r\n--"[: draw.randrange(3)]
        printable = encodestring(data, quotetabs=True)
        for coded, make, wanted in ((lines, Base64, data), (printable, QuotedPrintable, data)):
            for size in (1, 3, 50, 1000):
                decoder = make()
                out = b"".join(decoder.feed(coded[at : at + size]) for at in range(0, len(coded), size))
                assert out + decoder.end() == wanted


@pytest.mark.parametrize(
    ("coded", "plain"),
    [(b"a =\r\nb \t\r\nc=3D=\n", b"a b\r\nc="), (b"=zz=4", b"=zz=4"), (b"x" * 70000 + b"=41", b"x" * 70000 + b"A")],
)
def test_quoted_printable(coded: bytes, plain: bytes) -> None:
    for size in (1000, len(coded)):
        decoder = QuotedPrintable()
        out = b"".join(decoder.feed(coded[at : at + size]) for at in range(0, len(coded), size))
        assert out + decoder.end() == plain


def built() -> EmailMessage:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["Subject"] = "Jörg <j@example.org>", "Grüße " * 20
    message["To"] = ", ".join(f"Bärbel {n} <b{n}@example.com>" for n in range(9))
    message.set_content("Schöne Zeile\n--not a delimiter\n-\n")
    message.add_alternative("<p>Schöne Zeile</p>\n", subtype="html")
    message.add_attachment(bytes(range(256)) * 9, maintype="application", subtype="pdf", filename="Übersicht.pdf")
    inner = EmailMessage(policy=email.policy.SMTP)
    inner["Subject"] = "inner"
    inner.set_content("inside\n")
    inner.add_attachment("text", filename="deep.txt")
    message.add_attachment(inner)
    return message


@pytest.mark.parametrize("size", [0, 1, 2, 7, 100])
def test_structure_against_the_email_package(size: int) -> None:
    data = built().as_bytes()
    told = read(data, size)
    parsed = email.message_from_bytes(data, policy=email.policy.SMTP)
    leaves = [part for part in parsed.walk() if not part.is_multipart()]
    outer = [part for part in told["parts"] if "message" not in part]
    (inner,) = [part for part in told["parts"] if "message" in part]
    mine = [*outer, *inner["message"]["parts"]]
    assert [part["content_type"] for part in mine] == [part.get_content_type() for part in leaves]
    for part, leaf in zip(mine, leaves, strict=True):
        content = leaf.get_payload(decode=True)
        assert isinstance(content, bytes)
        assert (part["length"], part["complete"]) == (len(content), True)
        assert part["part_sha256"] == sha256(content).hexdigest()
        name = leaf.get_filename()
        assert part.get("filename") == (None if name is None else name.encode().decode("latin-1"))
    assert told["subject"].encode("latin-1").decode() == parsed["Subject"].rstrip()
    assert told["header_to"].encode("latin-1").decode() == parsed["To"]
    assert inner["message"]["subject"] == "inner"
    assert (told["size"], told["complete"]) == (len(data), True)


def test_no_mime_no_headers_no_body() -> None:
    plain = read(b"Subject: a\n\nhello\n")
    assert plain["parts"] == [
        {"content_type": "text/plain", "length": 6, "part_sha256": sha256(b"hello\n").hexdigest(), "complete": True}
    ]
    assert read(b"no header at all\r\n")["parts"][0]["length"] == 18
    assert read(b"Subject: a\r\n")["parts"] == [] and not read(b"Subject: a\r\n")["headers_complete"]
    assert read(b"")["size"] == 0


def test_a_message_that_is_cut_or_has_a_hole() -> None:
    data = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n"
    assert [part["complete"] for part in read(data, complete=False)["parts"]] == [True, False]
    assert [part["complete"] for part in read(data)["parts"]] == [True, False]  # no closing delimiter
    reader = MailReader(Found(), True)
    reader.feed(data[:54])
    reader.lose(100)
    reader.feed(b"rest\r\n--x\r\n\r\ntwo\r\n--x--\r\n")
    told: Any = reader.finish(True)
    assert [part["complete"] for part in told["parts"]] == [False, True] and not told["complete"]


def test_limits() -> None:
    many = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 1000 + b"--x--\r\n"
    told = read(many)
    assert (len(told["parts"]), told["parts_total"]) == (256, 1000)
    deep = b"Content-Type: message/rfc822\r\n\r\n" * 50 + b"Subject: deepest\r\n\r\nx"
    levels, message = 0, read(deep)
    while message["parts"] and "message" in message["parts"][0]:
        levels, message = levels + 1, message["parts"][0]["message"]
    assert levels == 3
    long = read(b"To: " + b"a@b, " * 100_000 + b"\r\nSubject: s\r\n\r\nx")
    assert len(long["header_to"]) < 65536 and not long["headers_complete"] and long["subject"] == "s"
    name = read(b"Content-Disposition: attachment; filename=" + b"n" * 5000 + b"\r\n\r\nx")["parts"][0]
    assert (len(name["filename"]), name["filename_complete"]) == (1024, False)


class Wanted(Found):
    """A sink that wants objects."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def open_object(self) -> Any:
        sink = self

        class Writer:
            def __init__(self) -> None:
                self.data = b""

            def write(self, data: bytes) -> None:
                self.data += data

            def gap(self, length: int) -> None: ...

            def close(self, complete: bool) -> dict[str, Any]:
                sink.written.append(self.data)
                return {"file": None, "size": len(self.data), "complete": complete} if self.data else {}

            def discard(self) -> None: ...

        return Writer()


def test_attachments_are_objects_and_text_is_not() -> None:
    sink = Wanted()
    reader = MailReader(sink, True)
    reader.feed(built().as_bytes())
    told: Any = reader.finish(True)
    assert sink.written[0] == bytes(range(256)) * 9 and len(sink.written) == 3
    assert ["object" in part for part in told["parts"]] == [False, False, True, True]
    assert told["parts"][2]["object"] == {"file": None, "size": 2304, "complete": True}
