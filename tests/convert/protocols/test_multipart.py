"""multipart bodies in parts: by hand and by the email package, in any cuts, with losses, and within bounds."""

from __future__ import annotations

from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.parsing import Written
from syswire.convert.protocols.http import multipart as multipart
from syswire.convert.protocols.http.multipart import MultipartSplitter, boundary_of, parameters


def split(
    body: bytes | list[bytes | int],
    boundary: bytes = b"b",
    cuts: list[int] | None = None,
    objects: list[Written] | None = None,
) -> MultipartSplitter:
    """A number in `body` is that many lost bytes."""

    def open_object() -> Written:
        assert objects is not None
        objects.append(Written())
        return objects[-1]

    made = MultipartSplitter(boundary, lambda name: name in {"user", "pass"}, None if objects is None else open_object)
    turn = 0
    for stretch in [body] if isinstance(body, bytes) else body:
        if isinstance(stretch, int):
            made.gap(stretch)
            continue
        at = 0
        while at < len(stretch):
            size = cuts[turn % len(cuts)] if cuts else len(stretch)
            made.feed(stretch[at : at + size])
            at, turn = at + size, turn + 1
    made.finish()
    return made


def told(made: MultipartSplitter) -> list[tuple[Any, ...]]:
    return [
        (part.name, part.filename, part.content_type, part.length, part.complete, part.sha256) for part in made.parts
    ]


def digest(data: bytes) -> str | None:
    return sha256(data).hexdigest() if data else None


FORM = (
    b"preamble\r\n--b\r\n"
    b'Content-Disposition: form-data; name="user"\r\n\r\nann\r\n--b  \r\n'
    b"content-disposition: form-data; name=pass\r\nX: y\r\n\r\nse\r\ncret\r\n--b\r\n"
    b'Content-Disposition: form-data; filename="C:\\a \\"b\\".txt"; name="f"\r\n'
    b"Content-Type: text/plain;\r\n charset=x\r\n"
    b"\r\n--bb\r\n--b-\r\n-b\r\n\n--b\r\n\r\n\r\n--b--\r\nepilogue\r\n--b\r\n"
)


@pytest.mark.parametrize("cuts", [None, [1], [2, 3], [17]])
def test_parts_of_a_form(cuts: list[int] | None) -> None:
    objects: list[Written] = []
    made = split(FORM, cuts=cuts, objects=objects)
    content = b"--bb\r\n--b-\r\n-b\r\n"
    assert told(made) == [
        ("user", None, None, 3, True, digest(b"ann")),
        ("pass", None, None, 8, True, digest(b"se\r\ncret")),
        ("f", 'C:\\a "b".txt', "text/plain; charset=x", len(content), True, digest(content)),
        (None, None, None, 0, True, None),
    ]
    assert [(value.name, value.data, value.complete) for value in made.values] == [
        ("user", b"ann", True),
        ("pass", b"se\r\ncret", True),
    ]
    for value in made.values:
        assert value.run == 0 and FORM[value.begin : value.begin + len(value.data)] == value.data
    assert [bytes(one.data) for one in objects] == [content]
    assert (made.total, made.problems) == (4, [])


def test_what_another_program_wrote() -> None:
    message = EmailMessage()
    message.make_mixed()
    contents = {"a.bin": bytes(range(256)), "b.txt": b"text\n", "c": b""}
    for name, data in contents.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name, cte="8bit")
    head, _, body = message.as_bytes().partition(b"\n\n")
    boundary = boundary_of(message["Content-Type"])
    assert boundary is not None and boundary in head
    made = split(body, boundary)
    assert [(part.filename, part.complete) for part in made.parts] == [(name, True) for name in contents]
    assert made.parts[1].sha256 == digest(b"text\n")


def test_bare_lf_and_no_end() -> None:
    made = split(b'--b\nContent-Disposition: form-data; name="x"\n\nvalue\n--b\n\nrest of it')
    assert told(made) == [
        ("x", None, None, 5, True, digest(b"value")),
        (None, None, None, 10, False, digest(b"rest of it")),
    ]
    assert made.problems == ["multipart-without-end"]


def test_losses_cut_the_part_in_which_they_lie() -> None:
    begin = b'--b\r\nContent-Disposition: form-data; name="pass"\r\n\r\nabc'
    middle = b'def\r\n--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nann\r\n--b--'
    for cuts in (None, [1], [7]):
        made = split([begin, 5, middle], cuts=cuts)
        assert told(made) == [
            ("pass", None, None, 11, False, digest(b"abcdef")),
            ("user", None, None, 3, True, digest(b"ann")),
        ]
        assert [(value.data, value.complete, value.run) for value in made.values] == [
            (b"abc", False, 0),
            (b"ann", True, 1),
        ]
        assert middle[made.values[1].begin :].startswith(b"ann")


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "MOST_PARTS", 3)
    made = split(b"--b\r\n\r\nx\r\n" * 10 + b"--b--")
    assert (len(made.parts), made.total, made.problems) == (3, 10, ["too-many-parts"])
    long = b'--b\r\nContent-Disposition: form-data; name="pass"\r\n\r\n' + b"s" * 100_000 + b"\r\n--b--"
    [value] = split(long).values
    assert (len(value.data), value.complete) == (multipart.LONGEST_VALUE, False)
    made = split(b"--b\r\nX: " + b"h" * 40_000 + b"\r\n\r\nx\r\n--b--")
    assert made.problems == ["multipart-head-too-long"]
    assert len(made.parts) == 1


def test_what_is_held_does_not_grow() -> None:
    made = MultipartSplitter(b"b", lambda _: True)
    for piece in (b"--b\r\n\r\n", *[b"\r\n--b" * 3000] * 200, *[b"no line end " * 900] * 50):
        made.feed(piece)
        assert len(made._held) <= multipart.LONGEST_HEAD + len(piece)


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=----WebKit7", b"----WebKit7"),
        ('multipart/form-data; charset=utf-8; Boundary="a b:c" ; x=y', b"a b:c"),
        ("multipart/form-data;boundary=x;boundary=y", b"x"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=" + "x" * 2000, None),
    ],
)
def test_boundaries(header: str, boundary: bytes | None) -> None:
    assert boundary_of(header) == boundary


def test_parameters() -> None:
    said = parameters('form-data; name="a;b=c"; filename*=UTF-8\'\'%e2%82%ac; cut="no end')
    assert said == {"name": "a;b=c", "filename*": "UTF-8''%e2%82%ac", "cut": "no end"}


pieces = st.sampled_from(
    [b"--b", b"\r\n", b"\n", b"--b--", b"\r\n--b\r\n", b"-", b"b", b"text", b": ", b'; name="pass"', b" "]
)


@given(st.lists(pieces, max_size=40), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_any_cuts(said: list[bytes], cuts: list[int]) -> None:
    body = b"".join(said)
    whole, cut = split(body), split(body, cuts=cuts)
    assert (told(whole), whole.values, whole.problems, whole.total) == (told(cut), cut.values, cut.problems, cut.total)


@given(st.lists(st.one_of(pieces, st.integers(1, 9)), max_size=40), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_any_cuts_with_losses(said: list[bytes | int], cuts: list[int]) -> None:
    joined: list[bytes | int] = []
    for one in said:
        last = joined[-1] if joined else 0
        if isinstance(one, bytes) and isinstance(last, bytes):
            joined[-1] = last + one
        else:
            joined.append(one)
    whole, cut = split(joined), split(joined, cuts=cuts)
    assert (told(whole), whole.values, whole.problems, whole.total) == (told(cut), cut.values, cut.problems, cut.total)


@given(st.lists(st.binary(max_size=200).filter(lambda data: b"--b" not in data), max_size=5))
def test_what_goes_in_comes_out(contents: list[bytes]) -> None:
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n' + data + b"\r\n" for data in contents
    )
    objects: list[Written] = []
    made = split(body + b"--b--\r\n", objects=objects)
    assert [bytes(one.data) for one in objects] == contents
    assert [part.sha256 for part in made.parts] == [digest(data) for data in contents]
