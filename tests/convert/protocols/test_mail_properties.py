"""SMTP, POP3 and IMAP on hostile input: any cuts, any bytes, losses, one side alone, bodies without an end."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.mail_talk import IMAP, POP3, SMTP, C, Call, S
from support.parsing import Found, talk
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.imap.parser import Imap
from syswire.convert.protocols.pop3.parser import Pop3
from syswire.convert.protocols.smtp.parser import Smtp

Make = Callable[[Sink], Parser]
TALKS: list[tuple[Make, list[Call]]] = [(Smtp, SMTP), (Pop3, POP3), (Imap, IMAP)]
PASSWORDS = ("b3Blbi1zZXNhbWU=", "open-sesame", "open sesame", "AGpvZQBoNG5zM2w=", "h4ns3l", "p{2}")
both = pytest.mark.parametrize(("make", "calls"), TALKS, ids=["smtp", "pop3", "imap"])


def no_secret(found: Found) -> None:
    """No record holds a password, in whatever form it passed."""
    text = repr([(r.request, r.response) for r in found.records])
    assert not [word for word in PASSWORDS if word in text]


@both
@pytest.mark.parametrize("cuts", [[1], [2], [3], [1, 5, 2], [17]])
def test_cuts_and_boundaries_make_no_difference(make: Make, calls: list[Call], cuts: list[int]) -> None:
    whole = talk(make, calls)
    assert whole.records
    assert talk(make, calls, cuts=cuts).said() == whole.said()
    assert talk(make, calls, cuts=cuts, boundaries=False).said() == whole.said()
    no_secret(whole)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Make, list[Call]]:
    """A conversation with calls dropped, doubled, moved, lost, or changed within."""
    make, calls = draw(st.sampled_from(TALKS))
    out: list[Call] = []
    for up, data in calls:
        assert isinstance(data, bytes)
        what = draw(st.integers(0, 19))
        if what == 0:
            continue
        if what == 1:
            out.append((up, len(data)))
        elif what == 2:
            begin, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
            out += [(up, data[:begin]), (up, end - begin), (up, data[end:])]
        elif what == 3:
            begin = draw(st.integers(0, len(data)))
            out.append((up, data[:begin] + draw(st.binary(max_size=6)) + data[begin + draw(st.integers(0, 6)) :]))
        elif what == 4:
            out += [(up, data), (up, data)]
        elif what == 5:
            out.append((not up, data))
        else:
            out.append((up, data))
    if draw(st.booleans()) and len(out) > 2:
        index = draw(st.integers(0, len(out) - 2))
        out[index], out[index + 1] = out[index + 1], out[index]
    return make, [(up, data) for up, data in out if data]


@given(mutated(), st.lists(st.integers(1, 40), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_damaged_talks_are_read_alike_however_cut(case: tuple[Make, list[Call]], cuts: list[int]) -> None:
    make, calls = case
    whole = talk(make, calls)
    assert talk(make, calls, cuts=cuts, boundaries=False).said() == whole.said()


@given(
    st.sampled_from([Smtp, Pop3, Imap]),
    st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=60)), max_size=12),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
)
@settings(max_examples=300, deadline=None)
@example(Smtp, [(True, b"DATA\n"), (False, b"354 \n"), (True, b"\n.\n"), (False, b"250 \n")], [1])
def test_any_bytes_are_survived(make: Make, calls: list[tuple[bool, bytes]], cuts: list[int]) -> None:
    assert talk(make, calls, cuts=cuts, boundaries=False).said() == talk(make, calls).said()


@both
def test_one_side_alone(make: Make, calls: list[Call]) -> None:
    client = talk(make, [call for call in calls if call[0] is C])
    assert {r.kind for r in client.records} >= {"login"}
    assert all(r.response is None for r in client.records)
    assert all(s.outcome == "unknown" for s in client.sightings)
    assert {s.secret for s in client.sightings} >= {b"h4ns3l"}
    no_secret(client)
    server = talk(make, [call for call in calls if call[0] is S])
    assert all(r.request is None for r in server.records) and not server.sightings


@both
def test_a_capture_that_begins_anywhere_makes_up_no_secret(make: Make, calls: list[Call]) -> None:
    true = {s.raw for s in talk(make, calls).sightings}
    for begin in range(1, len(calls)):
        found = talk(make, calls[begin:])
        assert {s.raw for s in found.sightings} <= true
        no_secret(found)


@both
def test_a_cut_capture_hands_out_what_was_begun(make: Make, calls: list[Call]) -> None:
    for end in range(1, len(calls)):
        no_secret(talk(make, calls[:end]))


def endless(kind: str) -> Iterable[Call]:
    """Two megabytes of something that never ends."""
    piece = b"x" * 4096
    fill: dict[str, Callable[[int], list[Call]]] = {
        "smtp-line": lambda n: [(C, piece)],
        "smtp-commands": lambda n: [(C, b"NOOP a b c\r\n" * 300)],
        "smtp-answers": lambda n: [(S, b"250-" + piece[:500] + b"\r\n")],
        "smtp-header": lambda n: [(C, b"To: a\r\n" * 500)],
        "smtp-parts": lambda n: [(C, b"--x\r\nContent-Type: a/b; name=%d\r\n\r\n\r\n" % n * 90)],
        "smtp-recipients": lambda n: [(C, b"RCPT TO:<%d@x>\r\n" % n * 100), (S, b"250 ok\r\n" * 100)],
        "pop3-list": lambda n: [(S, b"1 2\r\n" * 800)],
        "imap-literals": lambda n: [(C, b"{9+}\r\nabcdefghi" * 250)],
        "imap-tags": lambda n: [(C, b"".join(b"t%dx%d NOOP\r\n" % (n, i) for i in range(300)))],
        "imap-untagged": lambda n: [(S, b"* %d EXISTS\r\n" % n * 250)],
    }
    data = b"MAIL FROM:<a>\r\nDATA\r\n"
    begin: dict[str, list[Call]] = {
        "smtp-header": [(C, data), (S, b"250 ok\r\n354 go\r\n")],
        "smtp-parts": [
            (C, data),
            (S, b"250 ok\r\n354 go\r\n"),
            (C, b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"),
        ],
        "smtp-recipients": [(C, b"MAIL FROM:<a>\r\n"), (S, b"250 ok\r\n")],
        "pop3-list": [(C, b"LIST\r\n"), (S, b"+OK\r\n")],
        "imap-literals": [(C, b"a SEARCH ")],
        "imap-untagged": [(C, b"a NOOP\r\n")],
    }
    yield from begin.get(kind, [])
    for number in range(500):
        yield from fill[kind](number)


@pytest.mark.parametrize(
    "kind",
    [
        "smtp-line",
        "smtp-commands",
        "smtp-answers",
        "smtp-header",
        "smtp-parts",
        "smtp-recipients",
        "pop3-list",
        "imap-literals",
        "imap-tags",
        "imap-untagged",
    ],
)
def test_memory_is_bounded(kind: str) -> None:
    make: Make = {"smtp": Smtp, "pop3": Pop3, "imap": Imap}[kind[:4]]

    class Forgetful(Found):
        """Keeps nothing of what it is given."""

        def record(self, r: object, /) -> None: ...

    parser = make(Forgetful())
    offsets = {True: 0, False: 0}
    tracemalloc.start()
    try:
        for up, data in endless(kind):
            assert isinstance(data, bytes)
            parser.data(up, data, offsets[up], "p", True)
            offsets[up] += len(data)
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
    finally:
        tracemalloc.stop()
    parser.close()


def test_random_mail_is_read_alike_however_it_is_cut() -> None:
    draw = random.Random(6)
    words = [
        b"--x\r\n",
        b"--x--\r\n",
        b"--y\r\n",
        b"\r\n",
        b"\n",
        b"-",
        b"=\r\n",
        b"=3D",
        b"QUJD",
        b"=",
        b" ",
        b"..\r\n",
    ]
    words += [b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Transfer-Encoding: base64\r\n"]
    words += [b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n"]
    words += [b"Content-Type: multipart/digest; boundary=y\r\n", b"Subject: a\r\n"]
    for _ in range(150):
        body = b"".join(draw.choice(words) for _ in range(draw.randrange(60)))
        calls: list[Call] = [(C, b"MAIL FROM:<a>\r\nDATA\r\n"), (S, b"250 ok\r\n354 go\r\n"), (C, body + b"\r\n.\r\n")]
        calls.append((S, b"250 ok\r\n"))
        whole = talk(Smtp, calls)
        assert [r.kind for r in whole.records] == ["mail"]
        for cuts in ([1], [2, 3], [draw.randrange(1, 30)]):
            assert talk(Smtp, calls, cuts=cuts).said() == whole.said()


@pytest.mark.parametrize("ending", [b"\r\n.\r\n", b"\n.\n", b"\n.\r\n" + b"y\r\n" * 50_000 + b".\r\n", b""])
@pytest.mark.parametrize("answered", [True, False])
def test_long_messages_without_an_answer_or_an_end(ending: bytes, answered: bool) -> None:
    body = b"Subject: long\r\n\r\n" + b"line of a message\r\n" * 4500 + b"x" + ending
    calls: list[Call] = [(C, b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + body)]
    if answered:
        calls = [(C, b"MAIL FROM:<a@b>\r\nDATA\r\n"), (S, b"250 ok\r\n354 go\r\n"), (C, body), (S, b"250 ok\r\n")]
    whole = talk(Smtp, calls)
    (mail,) = [r for r in whole.records if r.kind == "mail"]
    assert mail.request and mail.request.fields["subject"] == "long" and mail.request.fields["sender"] == "a@b"
    assert (mail.response is not None) == answered
    for cuts in ([1], [1460], [65537, 3]):
        assert talk(Smtp, calls, cuts=cuts, boundaries=False).said() == whole.said()
