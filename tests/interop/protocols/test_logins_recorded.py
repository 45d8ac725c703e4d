"""Recordings of real servers through convert: logins as they were made, hashes as crackers read them, and tshark."""

from __future__ import annotations

import hmac
import subprocess
from base64 import b64decode
from collections.abc import Callable
from hashlib import md5, new, pbkdf2_hmac, sha1
from pathlib import Path
from typing import Any

import pytest

from support.outputs import syswire
from support.tshark import Tshark

PASSWORDS = ("Moorhuhn.77", "Moorhuhn.78", "Wollgras.58")


def sightings(data: Path, name: str, out: Path) -> list[dict[str, Any]]:
    written = syswire("convert", data / "protocols" / f"{name}.pcap", out, "--reveal")
    return list(written.records["sighting"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "irc",
            [
                ("anja", "Torfstich.32", "refused", "login"),
                ("anja", "Torfstich.31", "accepted", "login"),
                ("chefin", "Heidekraut.91", "refused", "oper"),
                ("chefin", "Heidekraut.92", "accepted", "oper"),
            ],
        ),
        ("nntp", [("anja", "Moorhuhn.78", "refused", "login"), ("anja", "Moorhuhn.77", "accepted", "login")]),
        ("xmpp", [("anja", "Moorhuhn.78", "refused", "auth-plain"), ("anja", "Moorhuhn.77", "accepted", "auth-plain")]),
        ("imap-hashes", []),
        ("pop3-hashes", []),
    ],
)
def test_passwords(name: str, expected: list[tuple[str, str, str, str]], data: Path, tmp_path: Path) -> None:
    found = [one for one in sightings(data, name, tmp_path / "out") if one["form"] == "cleartext"]
    assert [(one["username"], one["secret"], one["outcome"], one["location"]) for one in found] == expected
    assert {one["protocol"] for one in found} <= {name}


def scram(line: str, password: str) -> bool:
    """RFC 5802, 3."""
    _, mechanism, _, rounds, salt, message, proof = line.split("$")
    algorithm = mechanism.removeprefix("scram-").replace("-", "")
    key = hmac.new(pbkdf2_hmac(algorithm, password.encode(), b64decode(salt), int(rounds)), b"Client Key", algorithm)
    signature = hmac.new(new(algorithm, key.digest()).digest(), b64decode(message), algorithm).digest()
    return bytes(a ^ b for a, b in zip(key.digest(), signature, strict=True)) == b64decode(proof)


def fits(mechanism: str, line: str, password: str) -> bool:
    """Whether the password is the one, by the RFC of the mechanism and hashlib alone."""
    if mechanism.startswith("SCRAM"):
        return scram(line, password)
    answer, _, challenge = line.partition(":")
    if mechanism == "CRAM-MD5":
        return hmac.new(password.encode(), challenge.encode(), "md5").hexdigest() == answer
    whole = (challenge + password).encode()
    return (md5(whole) if mechanism == "APOP" else sha1(whole)).hexdigest() == answer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "imap-hashes",
            [
                ("CRAM-MD5", "anja", "Moorhuhn.78", "refused", "imap"),
                ("CRAM-MD5", "anja", "Moorhuhn.77", "accepted", "imap"),
                ("SCRAM-SHA-1", "anja", "Moorhuhn.77", "accepted", "imap"),
                ("SCRAM-SHA-256", "anja", "Moorhuhn.77", "accepted", "imap"),
            ],
        ),
        (
            "pop3-hashes",
            [
                ("APOP", "anja", "Moorhuhn.78", "refused", "pop3"),
                ("APOP", "anja", "Moorhuhn.77", "accepted", "pop3"),
                ("CRAM-MD5", "anja", "Moorhuhn.77", "accepted", "pop3"),
            ],
        ),
        (
            "xmpp",
            [
                ("SCRAM-SHA-1", "anja", "Moorhuhn.77", "accepted", "xmpp"),
                ("HANDSHAKE", "bot.example.org", "Wollgras.58", "accepted", "xmpp"),
            ],
        ),
    ],
)
def test_hashes_are_those_of_the_passwords(
    name: str, expected: list[tuple[str, str, str, str, str]], data: Path, tmp_path: Path
) -> None:
    told = []
    for one in sightings(data, name, tmp_path / "out"):
        if one["form"] == "hash":
            mechanism = one["details"]["mechanism"]
            (password,) = [password for password in PASSWORDS if fits(mechanism, one["secret"], password)]
            told.append((mechanism, one["username"], password, one["outcome"], one["protocol"]))
    assert told == expected


@pytest.mark.parametrize(("name", "mode"), [("imap-hashes", 50), ("pop3-hashes", 20), ("xmpp", 120)])
def test_hashcat_finds_the_passwords(
    name: str, mode: int, data: Path, tmp_path: Path, tool: Callable[[str], str]
) -> None:
    hashcat = tool("hashcat")
    lines = [
        s["secret"] for s in sightings(data, name, tmp_path / "out") if (s["details"] or {}).get("hashcat") == mode
    ]
    assert lines
    hashes, words = tmp_path / "hashes", tmp_path / "words"
    hashes.write_text("".join(line + "\n" for line in lines))
    words.write_text("".join(word + "\n" for word in PASSWORDS))
    command = [hashcat, "-m", str(mode), "-a", "0", "--potfile-disable", "--quiet", "--force", str(hashes), str(words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    if done.returncode not in (0, 1):
        pytest.skip("hashcat has no device that it can use")
    cracked = dict(line.rsplit(":", 1) for line in done.stdout.splitlines() if ":" in line)
    assert set(cracked) == set(lines) and set(cracked.values()) <= set(PASSWORDS)


def test_irc_as_tshark_tells_it(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    tshark = Tshark(tool("tshark"), data / "protocols" / "irc.pcap", "-d", "tcp.port==16667,irc")
    rows = tshark.fields("irc.request", "irc.request.command", "irc.request.command_parameter", "irc.request.trailer")
    commands = [command for row in rows for command in row[0]]
    written = syswire("convert", data / "protocols" / "irc.pcap", tmp_path / "out")
    logins = [one["request"] for one in written.records["login"]]
    assert [one["command"] for one in logins] == [c for c in commands if c in ("PASS", "OPER")]
    done = [one["request"]["command"] for one in written.records["irc"] if "command" in one["request"]]
    assert done == ["JOIN", "NICK", "QUIT"] and set(done) <= set(commands)
    names = [parameter for row in rows for parameter in row[1]]
    assert {one["nick"] for one in logins if "nick" in one} <= set(names)
    (said,) = [one["request"] for one in written.records["irc"] if "messages" in one["request"]]
    assert said["messages"] == commands.count("PRIVMSG")
    assert said["text_length"] in [len(trailer) for row in rows for trailer in row[2]]


def test_news_as_tshark_tells_it(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    tshark = Tshark(tool("tshark"), data / "protocols" / "nntp.pcap", "-d", "tcp.port==11119,nntp")
    infos = [info for (info,) in tshark.one("nntp", "_ws.col.Info")]
    asked = [words[1].upper() for words in map(str.split, infos) if words[0] == "Request:"]
    codes = [int(words[1]) for words in map(str.split, infos) if words[0] == "Response:" and words[1].isdigit()]
    written = syswire("convert", data / "protocols" / "nntp.pcap", tmp_path / "out")
    told = [one for kind in ("greeting", "command", "login", "mail") for one in written.records[kind]]
    words = {"CAPABILITIES", "GROUP", "LIST", "POST", "QUIT"}
    commands = [one["request"]["command"] for one in told if one["request"]]
    assert sorted(c for c in commands if c in words) == sorted(word for word in asked if word in words)
    assert commands.count("AUTHINFO PASS") * 2 == asked.count("AUTHINFO") == 4
    answered = sorted(one["response"]["code"] for one in told)
    assert answered == sorted(code for code in codes if code not in (340, 381))
