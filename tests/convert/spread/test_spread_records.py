"""Where secrets went, in captures made by hand: each hop by the event that a plain search names."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.packet_files import pcap_header, pcap_record
from support.packet_talk import answer, connection, form
from support.recording import AGES, UNIX, Age, Recording, tcp, unix
from syswire.convert.options import Options
from syswire.convert.pipeline import Case
from syswire.convert.scap.encoding import strings
from syswire.convert.scap.snapshot import Bound, Descriptor, File, Named, Process

SECRET = b"Wander-l0g.9x"
FORM = (
    b"POST /login HTTP/1.1\r\nHost: shop\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOG, NULL, PIPE, NET, SQL = 3, 4, 5, 8, 9


def machine(age: Age = "new", args: bytes = b"", more: Sequence[Descriptor] = ()) -> Recording:
    """A web server with a log file, a pipe, and a listening socket; another program with some arguments."""
    recording = Recording(age)
    files: list[Descriptor] = [
        *more,
        File(LOG, b"/var/log/shop.log"),
        File(NULL, b"/dev/null"),
        Named(PIPE, 7, b"pipe:[1]"),
    ]
    web = Process(10, 10, 1, b"web", b"/usr/sbin/web", b"/usr/sbin/web")
    other = Process(20, 20, 1, b"other", b"/bin/other", b"/bin/other", args)
    recording.machine([web, other], {10: [*files, Bound(6, "10.0.0.5", 80)]})
    return recording


def login(recording: Recording, secret: bytes = SECRET, port: int = 4000) -> None:
    """The password comes in from another host."""
    recording.accept(10, NET, tcp("10.0.0.7", port, "10.0.0.5", 80))
    body = b"login=alice&pass=" + secret
    recording.read(10, NET, FORM % (len(body), body))
    recording.write(10, NET, OK)
    recording.close(10, NET)


def asked(recording: Recording, *texts: bytes, port: int = 5000) -> None:
    recording.socket(10, SQL)
    recording.connect(10, SQL, tcp("10.0.0.5", port, "10.0.0.9", 7777))
    for text in texts:
        recording.write(10, SQL, text)
    recording.close(10, SQL)


def run(recording: Recording, folder: Path, **options: Any) -> list[dict[str, Any]]:
    file = folder / "made.scap"
    file.write_bytes(bytes(recording))
    Case([str(file)], folder / "case", Options(force=True, **options)).run()
    return [json.loads(line) for line in (folder / "case" / "made.annotations.jsonl").read_text("utf-8").splitlines()]


def hops(records: list[dict[str, Any]]) -> list[tuple[str, str, str | None, int | None]]:
    found = [one for one in records if one["type"] == "spread"]
    assert found == records[len(records) - len(found) :]
    assert [one["time"] for one in found] == sorted(one["time"] for one in found)
    return [(one["way"], one["spelling"], one["path"], one["where"]["event"]) for one in found]


@pytest.mark.parametrize("age", AGES)
def test_each_way(age: Age, tmp_path: Path) -> None:
    recording = machine(age)
    recording.write(10, LOG, SECRET + b" is a word that was written before")
    login(recording)
    events = []
    asked(recording, b"set " + SECRET)
    events.append(recording.events - (1 if age == "new" else 2))
    recording.write(10, LOG, b"login " + md5(SECRET).hexdigest().encode())
    events.append(recording.events)
    recording.write(10, NULL, SECRET)
    recording.write(10, PIPE, b"x=" + b64encode(b"ab" + SECRET))
    events.append(recording.events)
    recording.read(10, LOG, SECRET)
    recording.exec(30, "/bin/send", strings(["--to", SECRET.hex()]), env=strings(["A=b", "WHAT=" + SECRET.decode()]))
    events.append(recording.events)
    records = run(recording, tmp_path)
    assert hops(records) == [
        ("socket", "plain", None, events[0]),
        ("file", "md5", "/var/log/shop.log", events[1]),
        ("pipe", "base64", "pipe:[1]", events[2]),
        ("arguments", "hex", None, events[3]),
        ("environment", "plain", None, events[3]),
    ]
    processes = {one["id"]: one["name"] for one in records if one["type"] == "process"}
    found = [one for one in records if one["type"] == "spread"]
    assert [processes[one["process"]] for one in found] == ["web", "web", "web", "send", "send"]
    assert [one["stream"] for one in found] == [2, None, None, None, None]
    assert {one["username"] for one in found} == {"alice"}
    assert all(one["from_sighting"] == {"source": 0, "stream": 1, "exchange": 1, "process": None} for one in found)


def test_what_is_no_hop(tmp_path: Path) -> None:
    """The same log-in again, the answer that repeats it, what is read, what came in from others, another's copy."""
    recording = machine()
    login(recording)
    login(recording, port=4001)
    recording.accept(10, NET, tcp("10.0.0.8", 4002, "10.0.0.5", 80))
    recording.read(10, NET, SECRET)
    recording.close(10, NET)
    recording.socket(10, SQL)
    recording.connect(10, SQL, tcp("10.0.0.5", 5000, "10.0.0.9", 7777))
    recording.read(10, SQL, b"known: " + SECRET)
    recording.read(10, LOG, SECRET)
    assert hops(run(recording, tmp_path)) == []


def test_the_list_of_processes(tmp_path: Path) -> None:
    recording = machine(args=strings(["serve", SECRET.decode()]))
    login(recording)
    records = run(recording, tmp_path)
    assert hops(records) == [("arguments", "plain", None, None)]
    told = next(one for one in records if one["type"] == "process" and one["name"] == "other")
    assert told["cmdline"] == "other serve ********"


def test_both_ends_of_a_conversation_are_one_hop(tmp_path: Path) -> None:
    recording = machine()
    login(recording)
    recording.socket(10, SQL, UNIX)
    recording.connect(10, SQL, unix(0x11, 0x22, b"/run/db.sock"))
    recording.accept(20, 4, unix(0x11, 0x22, b"/run/db.sock"))
    recording.write(10, SQL, b"keep " + SECRET)
    event = recording.events
    recording.read(20, 4, b"keep " + SECRET)
    recording.write(20, 4, b"kept " + SECRET)
    assert hops(run(recording, tmp_path)) == [("socket", "plain", "/run/db.sock", event)]


def test_many_are_told_once(tmp_path: Path) -> None:
    recording = machine()
    login(recording)
    first = recording.events + 1
    for _ in range(5):
        recording.write(10, LOG, b"again " + SECRET)
    for port in range(5000, 5004):
        asked(recording, SECRET, port=port)
    records = run(recording, tmp_path)
    assert [(one["way"], one["count"]) for one in records if one["type"] == "spread"] == [("file", 5), ("socket", 4)]
    assert hops(records)[0][3] == first


@pytest.mark.parametrize("secret", [b"short77", b"password1", b"xxxxyyyyxxxx", b"/usr/sbin/web"])
def test_what_means_nothing_is_not_followed(secret: bytes, tmp_path: Path) -> None:
    recording = machine()
    login(recording, secret.replace(b"/", b"%2F"))
    recording.write(10, LOG, b"in " + secret)
    assert hops(run(recording, tmp_path)) == []


def test_a_secret_that_is_everywhere_is_a_word(tmp_path: Path) -> None:
    recording = machine()
    login(recording)
    for number in range(300):
        recording.call(3, 10, fd=50, name=f"/srv/file{number}", flags=2)
        recording.write(10, 50, SECRET)
        recording.close(10, 50)
    assert hops(run(recording, tmp_path)) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.tuples(st.sampled_from([LOG, PIPE, SQL]), st.integers(1, 40)), max_size=12), data=st.data())
def test_wherever_it_is_cut(parts: list[tuple[int, int]], data: st.DataObject, tmp_path: Path) -> None:
    """Texts in pieces, each to a file, a pipe or a socket: found as a search of the whole text says."""
    recording = machine()
    login(recording)
    recording.socket(10, SQL)
    recording.connect(10, SQL, tcp("10.0.0.5", 5000, "10.0.0.9", 7777))
    texts = {LOG: b"", PIPE: b"", SQL: b""}
    rest = {fd: data.draw(st.lists(st.sampled_from([SECRET, b"-", b"Wander", b"xy"]), max_size=4)) for fd in texts}
    left = {fd: b"".join(words) for fd, words in rest.items()}
    for fd, size in parts:
        if part := left[fd][:size]:
            left[fd] = left[fd][size:]
            texts[fd] += part
            recording.write(10, fd, part)
    records = run(recording, tmp_path)
    ways = {LOG: "file", PIPE: "pipe", SQL: "socket"}
    assert {way for way, *_ in hops(records)} == {ways[fd] for fd, text in texts.items() if SECRET in text}
    counts = {one["way"]: one["count"] for one in records if one["type"] == "spread"}
    for fd in (LOG, PIPE):
        assert counts.get(ways[fd], 0) == texts[fd].count(SECRET)


def test_of_packets(tmp_path: Path) -> None:
    """The web server hands a password on to two hosts; the same client's other log-ins are none."""
    web, user = ("10.0.0.5", 80), "10.0.0.7"
    body = b"login=alice&pass=" + SECRET
    frames = connection((user, 4000), web, [(True, form("/login", body)), (False, answer("200 OK", b"hi"))])
    frames += connection((user, 4001), web, [(True, form("/login", body)), (False, answer("200 OK", b"hi"))])
    first = len(frames) + 4
    frames += connection(("10.0.0.5", 5000), ("10.0.0.9", 7777), [(True, b"keep " + SECRET)])
    second = len(frames) + 4
    frames += connection(("10.0.0.5", 5001), ("10.0.0.8", 7777), [(True, b"\0\1" + md5(SECRET).digest())], mss=10)
    file = tmp_path / "made.pcap"
    records = [pcap_record(1_700_000_000, 1000 * at, frame) for at, frame in enumerate(frames)]
    file.write_bytes(pcap_header() + b"".join(records))
    Case([str(file)], tmp_path / "case", Options()).run()
    text = (tmp_path / "case" / "made.annotations.jsonl").read_text("utf-8")
    found = [one for one in map(json.loads, text.splitlines()) if one["type"] == "spread"]
    told = [(one["way"], one["spelling"], one["process"], one["where"]["source_frame"]) for one in found]
    assert told == [("socket", "plain", None, first), ("socket", "md5", None, second)]
    assert [(one["where"]["stream_offset"], one["where"]["frame_has_bytes"]) for one in found] == [(5, True), (2, True)]


def test_the_same_on_two_processes(tmp_path: Path) -> None:
    recording = machine()
    for number in range(40):
        login(recording, b"Wander-l0g.%d" % number, port=4000 + number)
        asked(recording, b"x" * 20_000, b"Wander-l0g.%d" % (number // 2), port=6000 + number)
    one = run(recording, tmp_path)
    two = run(recording, tmp_path, jobs=2)
    assert hops(one) == hops(two) and len(hops(one)) == 20


def test_places_beyond_a_bound_are_counted(tmp_path: Path) -> None:
    """103 log files of one secret: 100 records, 3 that are told of by number alone."""
    recording = machine(more=[File(100 + number, b"/var/log/%d.log" % number) for number in range(103)])
    login(recording)
    for number in range(103):
        recording.write(10, 100 + number, SECRET)
    file = tmp_path / "made.scap"
    file.write_bytes(bytes(recording))
    case = Case([str(file)], tmp_path / "case", Options(force=True))
    told = case.run()
    records = (tmp_path / "case" / "made.annotations.jsonl").read_text("utf-8").splitlines()
    assert sum('"type":"spread"' in line for line in records) == 100
    assert told["spread"] == {"secrets": 0, "places": 3, "unsearched": []}


def test_an_input_that_can_be_read_but_once_is_named(tmp_path: Path) -> None:
    """By standard input nothing that was written to files is found, and the manifest and the report say so."""
    recording = machine()
    login(recording)
    recording.write(10, LOG, SECRET)
    for name, told in (("-", [0]), ("made.scap", [])):
        (tmp_path / "made.scap").write_bytes(bytes(recording))
        folder = tmp_path / ("once" if told else "twice")
        command = [sys.executable, "-m", "syswire", "report", name, "-o", str(folder), "--format", "html,jsonl"]
        done = subprocess.run(command, input=bytes(recording), cwd=tmp_path, capture_output=True, check=True)
        assert done.returncode == 0
        written = json.loads((folder / "manifest.json").read_text("utf-8"))
        assert written["spread"] == {"secrets": 0, "places": 0, "unsearched": told}
        page = (folder / "report.html").read_text("utf-8")
        assert ("<dt>Files not searched</dt>" in page) == bool(told)
