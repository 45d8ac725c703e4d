"""The same recordings of mail servers through tshark and through convert, and what their clients had sent."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from email.header import decode_header, make_header
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from support.outputs import syswire
from support.tshark import Tshark

Json = dict[str, Any]
PORTS = ("-d", "tcp.port==11025,smtp", "-d", "tcp.port==11143,imap", "-d", "tcp.port==11110,pop")
PASSWORD = "h4ns3l und gr3t3l"
TAG = re.compile(r"[A-Z]{1,4}[0-9]{1,3}")
"""As imaplib and curl make them."""
HEADERS = (("imf.subject", "subject"), ("imf.from", "header_from"), ("imf.message_id", "message_id"))


class Both:
    """One capture, read by both programs."""

    def __init__(self, file: Path, folder: Path, program: str) -> None:
        self.records = syswire("convert", file, folder / "out", "--reveal").records
        self._tshark = Tshark(program, file, *PORTS)

    def told(self, condition: str, field: str) -> list[str]:
        """All values of a field, in the order of the frames."""
        return [value for (values,) in self._tshark.fields(condition, field) for value in values]

    def of(self, protocol: str) -> list[Json]:
        """Our records that have a request or a response, in their order."""
        kinds = ("greeting", "login", "command", "mail")
        found = [record for kind in kinds for record in self.records[kind] if record["protocol"] == protocol]
        return sorted(
            found, key=lambda record: (record["stream"], (record["request"] or record["response"])["where"]["frame"])
        )

    def mails(self) -> list[Json]:
        """What is said of messages, whichever way they went."""
        sides = [(record["request"], record["response"]) for record in self.records["mail"]]
        return [side for pair in sides for side in pair if side and "size" in side]

    def secrets(self) -> list[tuple[str, str | None, str, str]]:
        """(location, user, secret, outcome) of every password of a mail protocol; hashes are another test's."""
        mine = [s for s in self.records["sighting"] if s["protocol"] in ("smtp", "pop3", "imap")]
        mine = [s for s in mine if s["form"] != "hash"]
        return [(s["location"], s["username"], s["secret"], s["outcome"]) for s in mine]


@pytest.fixture
def both(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> Callable[[str], Both]:
    return lambda name: Both(data / "protocols" / name, tmp_path / name, tool("tshark"))


def plain(value: str) -> str:
    """tshark's text of a header as a mail program shows it: line ends and encoded words undone."""
    value = value.replace("\\r\\n", "").replace("\\t", "\t").replace('\\"', '"')
    return " ".join((str(make_header(decode_header(value))) if "=?" in value else value).split())


def headers(found: Both, fields: Sequence[tuple[str, str]] = HEADERS) -> None:
    """Subjects, senders and ids of the messages are the same. tshark looks into some of the messages within them."""
    outer = [mail for mail in found.mails() if "HEADER.FIELDS" not in mail.get("section", "")]
    inner = [part["message"] for mail in outer for part in mail.get("parts", []) if "message" in part]
    for theirs, ours in fields:
        least = Counter(" ".join(mail[ours].split()) for mail in outer if ours in mail)
        most = least + Counter(" ".join(mail[ours].split()) for mail in inner if ours in mail)
        assert least <= Counter(map(plain, found.told("imf", theirs))) <= most


def the_mail_that_was_sent(mail: Json) -> None:
    """The message that the clients made, with its four parts."""
    text, page, attached, inner = mail["parts"]
    assert text["content_type"] == "text/plain"
    assert page["content_type"] == "text/html"
    assert attached["filename"] == "Übersicht.bin"
    assert attached["part_sha256"] == sha256(bytes(range(256)) * 3).hexdigest()
    assert inner["message"]["subject"] == "inner" and mail["complete"]


def test_aiosmtpd(both: Callable[[str], Both]) -> None:
    found = both("smtp.pcap")
    headers(found)
    asked = [r for r in found.of("smtp") if r["request"]]
    rcpt = found.told('smtp.req.command == "rcpt" || smtp.req.command == "RCPT"', "smtp.req.parameter")
    mine = [address for r in asked for address in r["request"].get("recipients", [])]
    mine += [one["recipient"] for r in asked for one in r["request"].get("recipients_refused", [])]
    assert sorted(part.partition(":<")[2].partition(">")[0] for part in rcpt) == sorted(mine)
    codes = Counter(found.told("smtp.response", "smtp.response.code"))
    for kind, count in (("greeting", 3), ("login", 5)):
        assert len([r for r in found.of("smtp") if r["type"] == kind]) == count
    assert codes["235"] + codes["535"] == len(found.records["login"]) and codes["334"] > 0
    assert found.secrets() == [
        ("auth-plain", "joe", "wrong horse", "refused"),
        ("auth-login", "joe", "wrong horse", "refused"),
        ("auth-plain", "joe", PASSWORD, "accepted"),
        ("auth-login", "joe", PASSWORD, "accepted"),
        ("auth-login", "joe", PASSWORD, "accepted"),
    ]
    sent = [mail for mail in found.mails() if mail["subject"].startswith("Grüße")]
    assert len(sent) == 1
    the_mail_that_was_sent(sent[0])
    assert [one["recipient"] for one in sent[0]["recipients_refused"]] == ["no@example.com"]
    assert not found.records["weird"]


def test_starttls_hides_what_follows(both: Callable[[str], Both]) -> None:
    found = both("smtp-starttls.pcap")
    assert [r["request"]["command"] for r in found.of("smtp") if r["request"]] == ["EHLO", "STARTTLS"]
    assert len(found.records["tls"]) == 1 and not found.records["mail"]


def test_lmtp(both: Callable[[str], Both]) -> None:
    found = both("smtp-lmtp.pcap")
    ((mail),) = found.mails()
    assert (mail["subject"], mail["recipients"], mail["size"]) == ("local", ["a@example.com"], 21)


def test_dovecot_s_imap(both: Callable[[str], Both]) -> None:
    found = both("imap.pcap")
    headers(found, HEADERS[:1])  # of what is appended tshark shows no more
    mine = Counter(
        r["request"]["tag"]
        for r in found.of("imap")
        if r["request"] and (r["type"] != "mail" or r["request"]["command"] == "APPEND")
    )
    # tshark takes the lines of appended messages for commands too
    told = [tag for tag in found.told("imap.isrequest == 1", "imap.request_tag") if TAG.fullmatch(tag)]
    assert Counter(told) == mine
    assert found.secrets() == [
        ("login", "joe", 'wrong "horse"', "refused"),
        ("login", "joe", PASSWORD, "accepted"),
        ("auth-plain", "joe", PASSWORD, "accepted"),
    ]
    whole = [mail for mail in found.mails() if len(mail.get("parts", [])) == 4]
    assert len(whole) == 4  # two appended, two fetched
    for mail in whole:
        the_mail_that_was_sent(mail)
    assert not found.records["weird"]


def test_dovecot_s_compression(both: Callable[[str], Both]) -> None:
    found = both("imap-deflate.pcap")
    commands = [r["request"]["command"] for r in found.of("imap") if r["request"]]
    assert commands == ["LOGIN", "COMPRESS", "SELECT", "FETCH", "FETCH", "LOGOUT"]
    ((mail),) = found.mails()
    the_mail_that_was_sent(mail)
    assert found.secrets() == [("login", "joe", PASSWORD, "accepted")]


def test_dovecot_s_pop3(both: Callable[[str], Both]) -> None:
    found = both("pop3.pcap")
    told = found.told("pop.request", "pop.request.command")
    mine = [r["request"]["command"] for r in found.of("pop3") if r["request"]]
    # Ours has USER in the login's record, tshark counts the lines of a login by AUTH.
    ours = Counter(mine) + Counter({"USER": mine.count("PASS")})
    known = ("USER", "PASS", "STAT", "LIST", "UIDL", "RETR", "TOP", "QUIT", "CAPA", "AUTH")
    assert Counter(command for command in told if command in known) == ours
    assert found.secrets() == [
        ("login", "joe", "wrong horse", "refused"),
        ("login", "joe", PASSWORD, "accepted"),
        ("auth-plain", "joe", PASSWORD, "accepted"),
        ("auth-login", "joe", PASSWORD, "accepted"),
    ]
    whole = [mail for mail in found.mails() if mail["complete"]]
    assert len(whole) == 4
    for mail in whole:
        assert mail["text"] == f"{mail['size']} octets"
        the_mail_that_was_sent(mail)


@pytest.mark.parametrize(
    "name",
    [
        "arkime__smtp-html.pcap",
        "arkime__smtp-subject-8859-multi.pcap",
        "arkime__smtp-subject-8859-q.pcap",
        "suricata__smtp-bug-5989__input.pcap",
        "zeek__smtp-multi-addr.pcap",
    ],
)
def test_what_others_recorded(shared: Path, tmp_path: Path, tool: Callable[[str], str], name: str) -> None:
    file = shared / "data" / "http" / name
    if not file.is_file():
        pytest.skip(f"no {name}")
    headers(Both(file, tmp_path, tool("tshark")))


def test_every_password_of_the_truth_set(shared: Path, tmp_path: Path) -> None:
    """Each one with its user and outcome, and none that is not there."""
    truth = json.loads((shared / "data" / "credentials-truth.json").read_text())
    outcomes = {"success": "accepted", "failure": "refused", None: "unknown"}
    wanted: dict[str, set[tuple[str, str, str, str]]] = {}
    for one in truth["credentials"]:
        if one["protocol"] in ("smtp", "imap", "pop3"):
            found = wanted.setdefault(one["file"], set())
            if one["kind"] == "cleartext":
                found.add((one["protocol"], one["username"], one["secret"], outcomes[one["outcome"]]))
    assert len(wanted) > 10
    for number, (name, secrets) in enumerate(wanted.items()):
        file = shared / "data" / "credentials" / name
        if not file.is_file():
            pytest.skip(f"no {name}")
        records = syswire("convert", file, tmp_path / str(number), "--reveal").records
        told = {
            (s["protocol"], s["username"], s["secret"], s["outcome"])
            for s in records["sighting"]
            if s["form"] != "hash"
        }
        assert {one for one in told if one[0] in ("smtp", "imap", "pop3")} == secrets, name
