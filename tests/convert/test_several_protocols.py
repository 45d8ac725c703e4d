"""Conversations in which one protocol passes within another or goes on as another: numbers, names, sightings."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from support import packet_made as made
from support.conversations import ACK, PSH, Talk, capture
from syswire.convert.options import Options
from syswire.convert.pipeline import Case

Record = dict[str, Any]


def told(folder: Path, *said: tuple[bool, bytes]) -> list[Record]:
    """The annotations of one TCP connection in which these bytes are said in turn."""
    talk = Talk()
    at = {True: 1, False: 1}
    frames = talk.handshake()
    for up, data in said:
        frames.append(talk(up, ACK | PSH, at[up], at[not up], data))
        at[up] += len(data)
    frames += talk.close(at[True] - 1, at[False] - 1)
    path = capture(folder / "a.pcap", frames)
    Case([str(path)], folder / "out", Options(pcapng=False, reveal=True)).run()
    return [json.loads(line) for line in (folder / "out/a.annotations.jsonl").read_text().splitlines()]


def of(records: list[Record], kind: str) -> list[Record]:
    return [one for one in records if one["type"] == kind]


def basic(text: bytes) -> bytes:
    return b"Basic " + b64encode(text)


def test_a_proxy_and_what_passes_through_it(tmp_path: Path) -> None:
    """The tunnel's own exchanges count on from the proxy's, and each secret names its own."""
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    records = told(
        tmp_path,
        (True, b"CONNECT h:80 HTTP/1.1\r\nProxy-Authorization: " + basic(b"outer:first-secret") + b"\r\n\r\n"),
        (False, b"HTTP/1.1 200 Connected\r\n\r\n"),
        (True, b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n"),
        (False, ok),
        (True, b"GET /two HTTP/1.1\r\nHost: h\r\nAuthorization: " + basic(b"inner:second-secret") + b"\r\n\r\n"),
        (False, ok),
    )
    assert [one["request"]["target"] for one in of(records, "http")] == ["h:80", "/one", "/two"]
    assert [(one["username"], one["exchange"]) for one in of(records, "sighting")] == [("outer", 1), ("inner", 3)]
    [stream] = of(records, "stream")
    assert (stream["protocols"], stream["encrypted"]) == (["http", "http"], False)


def test_mail_that_goes_on_encrypted(tmp_path: Path) -> None:
    """STARTTLS: the hello behind it is TLS, at its own place in the stream, and the stream counts as encrypted."""
    hello = bytes.fromhex("0303") + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + b"\0\0"
    record = b"\x16\x03\x01" + (len(hello) + 4).to_bytes(2, "big") + b"\x01" + len(hello).to_bytes(3, "big") + hello
    before = b"EHLO h\r\nSTARTTLS\r\n"
    records = told(
        tmp_path,
        (False, b"220 mail.example ESMTP\r\n"),
        (True, before[:8]),
        (False, b"250-mail.example\r\n250 STARTTLS\r\n"),
        (True, before[8:]),
        (False, b"220 Go ahead\r\n"),
        (True, record),
    )
    [stream] = of(records, "stream")
    assert (stream["protocols"], stream["encrypted"]) == (["smtp", "tls"], True)
    [tls] = of(records, "tls")
    assert tls["request"]["where"]["stream_offset"] == len(before)
    assert tls["request"]["where"]["frame"] == 9
    assert tls["response"] is None


def test_numbers_count_records_and_exchanges_together(tmp_path: Path) -> None:
    """A login by FTP is the second record of the file: its sighting says so."""
    records = told(
        tmp_path,
        (False, b"220 Welcome\r\n"),
        (True, b"USER anna\r\n"),
        (False, b"331 Password\r\n"),
        (True, b"PASS open-sesame\r\n"),
        (False, b"230 In\r\n"),
    )
    said = [one for one in records if one["type"] not in ("capture", "process", "stream", "sighting")]
    [sighting] = of(records, "sighting")
    assert said[sighting["exchange"] - 1]["type"] == "login"
    assert (sighting["protocol"], sighting["username"], sighting["secret"]) == ("ftp", "anna", "open-sesame")
    assert (sighting["outcome"], sighting["method"], sighting["target"]) == ("accepted", None, None)


def test_transfers_that_use_one_port_again(tmp_path: Path) -> None:
    """Each has the data connection that came for it."""
    control, at = Talk(server=(made.B4, 21)), {True: 1, False: 1}
    frames = control.handshake()

    def say(up: bool, data: bytes) -> None:
        frames.append(control(up, ACK | PSH, at[up], at[not up], data))
        at[up] += len(data)

    say(False, b"220 Welcome\r\n")
    port = 50_000
    for number in range(2):
        say(True, b"PASV\r\n")
        address = made.B4.replace(".", ",").encode()
        say(False, b"227 Entering Passive Mode (%s,%d,%d)\r\n" % (address, port >> 8, port & 255))
        say(True, b"RETR file%d\r\n" % number)
        data = Talk(client=(made.A4, 41_000 + number), server=(made.B4, port), numbers=(7 + number, 9 + number))
        frames += data.handshake()
        say(False, b"150 Here it comes\r\n")
        frames += [data(False, ACK | PSH, 1, 1, b"content %d" % number), *data.close(0, 9)]
        say(False, b"226 Done\r\n")
    path = capture(tmp_path / "a.pcap", [*frames, *control.close(at[True] - 1, at[False] - 1)])
    Case([str(path)], tmp_path / "out", Options(pcapng=False)).run()
    records = [json.loads(line) for line in (tmp_path / "out/a.annotations.jsonl").read_text().splitlines()]
    assert [one["data_stream"] for one in of(records, "transfer")] == [2, 3]
    assert [one["client"]["port"] for one in of(records, "stream")][1:] == [41_000, 41_001]
