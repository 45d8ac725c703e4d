"""Connections that are older than both recordings: what is told of the rest is the same, and is what was said then."""

from __future__ import annotations

import ftplib
import http.client
import imaplib
import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from typing import Any, NamedTuple

import pymysql  # type: ignore[import-untyped]
import pytest

from support.both_recordings import Told, plain, recording_twice, serving, texts, told_of_both

pytestmark = pytest.mark.e2e
PATIENCE = 20


class Late(NamedTuple):
    """Both recordings, the addresses of the servers, and those that could not be had."""

    capture: Told
    packets: Told
    addresses: dict[str, str]
    lacking: dict[str, str]


def database(server: Any) -> Iterator[None]:
    one = pymysql.connect(
        host=server.address,
        port=server.listener,
        user="clerk",
        password="Till-and-drawer5",
        database="shop",
        ssl_disabled=True,
    )
    with one, one.cursor() as cursor:
        cursor.execute("SELECT 'before'")
        yield
        for number in range(3):
            cursor.execute(f"SELECT 'late tea', {number}")
            assert cursor.fetchall() == (("late tea", number),)


def cache(server: Any) -> Iterator[None]:
    with socket.create_connection((server.address, server.listener), PATIENCE) as one:

        def ask(line: bytes) -> bytes:
            words = line.split()
            one.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
            return one.recv(4096)

        assert ask(b"AUTH Cold-cellar3") == b"+OK\r\n"
        yield
        assert ask(b"SET bread:late stale") == b"+OK\r\n"
        assert ask(b"GET bread:late") == b"$5\r\nstale\r\n"


def files(server: Any) -> Iterator[None]:
    with ftplib.FTP() as one:
        one.connect(server.address, server.listener, PATIENCE)
        one.login("cooper", "Oak-stave3")
        yield
        one.retrbinary("RETR small.txt", lambda data: None)
        one.voidcmd("NOOP")


def mails(server: Any) -> Iterator[None]:
    with imaplib.IMAP4(server.address, server.imap, PATIENCE) as one:
        one.login("lighter", "Whale-oil4")
        yield
        one.select("INBOX")
        one.fetch("1", "(FLAGS UID)")


def letters(server: Any) -> Iterator[None]:
    with smtplib.SMTP(server.address, server.listener, "round.example", timeout=PATIENCE) as one:
        one.ehlo()
        yield
        one.sendmail("postie@sorting.example", ["late@lane.example"], "Subject: late\r\n\r\nPast the last post.\r\n")


def pages(server: Any) -> Iterator[None]:
    one = http.client.HTTPConnection(server.address, server.plain, timeout=PATIENCE)
    one.request("GET", "/absent")
    one.getresponse().read()
    yield
    for target in ("/late", "/tower.bin"):
        one.request("GET", target)
        one.getresponse().read()
    one.close()


# Values of fields that were sent after the recordings had begun, and how often.
SAID: dict[str, tuple[Callable[[Any], Iterator[None]], dict[str, int]]] = {
    "mariadb": (database, {f"SELECT 'late tea', {number}": 1 for number in range(3)}),
    "redis": (cache, {"SET": 1, "GET": 1, "stale": 1}),
    "pyftpdlib": (files, {"small.txt": 1, "NOOP": 1}),
    "dovecot": (mails, {"SELECT": 1, "1 (FLAGS UID)": 1}),
    "aiosmtpd": (letters, {"late@lane.example": 1, sha256(b"Past the last post.\r\n").hexdigest(): 1}),
    "nginx": (pages, {"/late": 1, "/tower.bin": 1}),
}


@pytest.fixture(scope="module")
def late(able: None, tmp_path_factory: pytest.TempPathFactory) -> Late:
    """Log in, begin to record, go on."""
    folder = tmp_path_factory.mktemp("late")
    with serving(SAID) as running, ExitStack() as ends:
        lacking = running.missing | running.failed
        talks = {name: SAID[name][0](server) for name, server in running.servers.items() if name not in lacking}
        for talk in talks.values():
            ends.callback(talk.close)  # type: ignore[attr-defined]
            next(talk)
        with recording_twice(folder):
            for talk in talks.values():
                assert next(talk, "done") == "done"
    addresses = {name: server.address for name, server in running.servers.items()}
    return Late(*told_of_both(folder, running.ground), addresses, lacking)


@pytest.mark.parametrize("name", list(SAID))
def test_the_rest_is_told_alike(late: Late, name: str) -> None:
    if name in late.lacking:
        pytest.skip(late.lacking[name])
    ours = {key for key in late.packets.streams if key[2].startswith(f"{late.addresses[name]}:")}
    assert ours == {key for key in late.capture.streams if key[2].startswith(f"{late.addresses[name]}:")} != set()
    for key in ours:
        assert [plain(line) for line in late.capture.lines[key]] == [plain(line) for line in late.packets.lines[key]]
    asked = sum(
        (texts(line["request"]) for key in ours for line in late.capture.lines[key] if line.get("request")), texts({})
    )
    assert {text: asked[text] for text in SAID[name][1]} == SAID[name][1]
