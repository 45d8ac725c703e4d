"""The same conversations, recorded by capture and by tcpdump at once, are told alike; and as the clients held them.

Three views of one conversation: system calls of both ends, packets, and the script of the client (scripts/e2e/servers),
which says what was sent, by whom, how often, and which password was taken. What is compared leaves out only what a
recording alone knows: its numbering, its clock, and the processes, which no packet names. Places within the stream
(`where`: stream_offset, length) are compared: bytes lie where they lie, in whatever pieces they were written or read.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from servers.running import Said
from servers.table import SERVERS

from support.both_recordings import Both, Json, Key, Told, converted, of_protocol, plain, texts, told

pytestmark = pytest.mark.e2e
NAMES = [server.name for server in SERVERS]
SPOKEN = [(server.name, protocol) for server in SERVERS for protocol in server.protocols]
SOCKETS = [("mariadb", "mysql"), ("postgresql", "postgresql"), ("redis", "redis"), ("nginx", "fastcgi")]
COMPARED = (
    "bytes_to_server", "bytes_to_client", "sha256_to_server", "sha256_to_client", "gaps", "missing_bytes", "protocols",
    "encrypted",
)  # fmt: skip


@pytest.fixture
def address(both: Both, name: str) -> str:
    """Of a server that was there and did as it should."""
    if name in both.missing:
        pytest.skip(both.missing[name])
    assert name not in both.failed, both.failed[name]
    return both.addresses[name]


@pytest.fixture
def said(both: Both, address: str, name: str, protocol: str) -> list[Said]:
    """What was said in a protocol, listener by listener."""
    found = [one for one in both.said[name] if one.protocol == protocol]
    assert found
    return found


def keys(streams: dict[Key, Json], address: str) -> set[Key]:
    """Conversations of one server that go over the network."""
    return {key for key in streams if key[0] != "unix" and any(end.startswith(f"{address}:") for end in key[1:])}


def heard_by(streams: dict[Key, Json], said: Said, address: str) -> list[Key]:
    """Conversations with one listener."""
    if said.transport == "unix":
        return [key for key in streams if key[:2] == ("unix", said.path)]
    return [key for key in streams if (key[0], key[2]) == (said.transport, f"{address}:{said.port}")]


def lines(both: Both, said: Said, address: str) -> Iterator[Json]:
    """What capture tells of a listener, all of its streams."""
    for key in heard_by(both.capture.streams, said, address):
        yield from both.capture.lines[key]


@pytest.mark.parametrize("name", NAMES)
def test_both_have_the_same_bytes(both: Both, address: str) -> None:
    """Every connection, its length and its hash, nothing missing."""
    mine, theirs = keys(both.capture.streams, address), keys(both.packets.streams, address)
    assert mine == theirs != set()
    for key in mine:
        one, other = both.capture.streams[key], both.packets.streams[key]
        assert {name: one[name] for name in COMPARED} == {name: other[name] for name in COMPARED}, key
        assert one["missing_bytes"] == 0


@pytest.fixture(scope="module")
def rewritten(both: Both, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The packets that convert wrote of the system calls, read as any other capture of packets."""
    packets = both.folder / "of-events" / "events.pcapng"
    sockets = [made_up(stream)[1] for key, stream in both.capture.streams.items() if key[0] == "unix"]
    return told(packets, tmp_path_factory.mktemp("rewritten") / "case", both.folder / "case.key", more=sockets)


def made_up(stream: Json) -> tuple[str, str]:
    """The addresses of client and server in the packets that are written of a unix socket."""
    return stream["client"]["synthetic_ip"], stream["server"]["synthetic_ip"]


@pytest.mark.parametrize("name", NAMES)
def test_the_packets_that_convert_wrote_tell_the_same(both: Both, rewritten: Told, address: str) -> None:
    """As those that tcpdump saw."""
    mine, theirs = keys(rewritten.streams, address), keys(both.packets.streams, address)
    assert mine == theirs
    for key in mine:
        one, other = rewritten.streams[key], both.packets.streams[key]
        assert {name: one[name] for name in COMPARED} == {name: other[name] for name in COMPARED}, key
        assert [plain(line) for line in rewritten.lines[key]] == [plain(line) for line in both.packets.lines[key]], key


@pytest.mark.parametrize(("name", "protocol"), SOCKETS)
def test_so_do_those_of_sockets(both: Both, rewritten: Told, address: str, said: list[Said]) -> None:
    """As capture's, but for the addresses: tcpdump sees no unix sockets."""

    def without_ends(lines: list[Json]) -> list[Json]:
        return [
            {name: value for name, value in plain(line).items() if name not in ("client", "server")} for line in lines
        ]

    written = {(stream["client"]["ip"], stream["server"]["ip"]): key for key, stream in rewritten.streams.items()}
    for one in said:
        for key in heard_by(both.capture.streams, one, address) if one.transport == "unix" else ():
            other = written[made_up(both.capture.streams[key])]
            assert without_ends(rewritten.lines[other]) == without_ends(both.capture.lines[key]) != []


@pytest.mark.parametrize("name", NAMES)
def test_both_tell_the_same(both: Both, address: str) -> None:
    """Every record of every protocol, field by field, in the same order; and every password."""
    for key in keys(both.capture.streams, address):
        assert [plain(line) for line in both.capture.lines[key]] == [plain(line) for line in both.packets.lines[key]], (
            key
        )


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_each_listener_was_understood(both: Both, address: str, said: list[Said]) -> None:
    """Every conversation with it holds a record of the protocol, in both recordings."""
    for one in said:
        found = heard_by(both.capture.streams, one, address)
        assert found
        for view in (both.capture, both.packets) if one.transport != "unix" else (both.capture,):
            for key in found:
                assert any(of_protocol(line, one.protocol) for line in view.lines[key]), key


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_processes_are_named_by_capture_alone(both: Both, address: str, said: list[Said]) -> None:
    for one in said:
        names: tuple[set[str | None], set[str | None]] = (set(), set())
        for key in heard_by(both.capture.streams, one, address):
            for line in both.capture.lines[key]:
                names[0].add(both.capture.name(line["client_process"]))
                names[1].add(both.capture.name(line["server_process"]))
            for line in both.packets.lines.get(key, []):
                assert (line["client_process"], line["server_process"]) == (None, None)
        assert names == (one.clients, one.servers)


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_what_the_clients_sent_is_there_once_for_each_time(both: Both, address: str, said: list[Said]) -> None:
    for one in said:
        asked, answered = Counter[str](), Counter[str]()
        for line in lines(both, one, address):
            if of_protocol(line, one.protocol):
                asked += texts(line["request"])
                answered += texts(line["response"])
        assert {text: asked[text] for text in one.requests} == one.requests
        assert {text: answered[text] for text in one.answers} == one.answers


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_passwords_are_found_with_their_outcome(both: Both, address: str, said: list[Said]) -> None:
    """Each time that one was sent in the clear; and in no record."""
    for one in said:
        found = Counter[tuple[str | None, str, str]]()
        for line in lines(both, one, address):
            if line["type"] == "sighting" and line["form"] == "hash":
                continue  # nothing was sent in the clear
            if line["type"] == "sighting":
                found[line["username"], line["secret"], line["outcome"]] += 1
            elif line["type"] != "http":  # whose headers are told as they are; masked unless --reveal
                inside = [text for text in texts(line) if any(secret.secret in text for secret in one.secrets)]
                assert not inside, line
        assert found == Counter(tuple(secret) for secret in one.secrets)


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_what_is_sealed_is_told_from_what_is_plain(both: Both, address: str, said: list[Said]) -> None:
    for one in said:
        streams = [both.capture.streams[key] for key in heard_by(both.capture.streams, one, address)]
        sealed = [stream for stream in streams if stream["encrypted"]]
        assert len(sealed) == one.sealed
        assert all({"tls", "ssh"} & set(stream["protocols"]) for stream in sealed)


@pytest.mark.parametrize(("name", "protocol"), [("mariadb", "mysql"), ("postgresql", "postgresql"), ("redis", "redis")])
def test_a_socket_and_tcp_carry_the_same(both: Both, address: str, said: list[Said]) -> None:
    """Where the same was said over both: the same records, but for what a server counts or draws by lot."""
    kinds = []
    for one in said:
        found = [line for line in lines(both, one, address) if of_protocol(line, one.protocol)]
        kinds.append([(line["type"], line["request"] is None, line["response"] is None) for line in found])
    assert [one.transport for one in said] == ["tcp", "unix"]
    assert kinds[0] == kinds[1] != []


@pytest.mark.parametrize(("name", "protocol"), [one for one in SPOKEN if one[1] == "ftp"])
def test_transfers_name_the_stream_of_their_bytes(both: Both, address: str, said: list[Said]) -> None:
    """Passive and active: the bytes that the file has passed there."""
    sizes = {"small.txt": 18, "large.bin": 300_000, "stored.txt": 500, "lines.txt": 10}
    found = set()
    for one in said:
        for line in lines(both, one, address):
            if line["type"] == "transfer" and line["response"]["code"] == 226 and line["request"]["path"] in sizes:
                data = both.capture.streams[line["data_stream"]]
                path, mode = line["request"]["path"], line["request"]["mode"]
                assert data["bytes_to_server"] + data["bytes_to_client"] == sizes[path], line
                found.add((path, mode))
    assert {("small.txt", "passive"), ("large.bin", "passive")} <= found
    if "stored.txt" in said[0].requests:
        assert {("stored.txt", "active"), ("lines.txt", "passive")} <= found


@pytest.mark.parametrize("recording", ["events.scap", "packets.pcap"])
def test_no_password_is_shown_unless_asked(both: Both, recording: str, tmp_path: Path) -> None:
    """Neither where it was sent nor in a command line, in whatever spelling: curl's has it too."""
    text = converted(both.folder / recording, tmp_path / "masked", both.folder / "case.key").read_bytes()
    secrets = {secret.secret for said in both.said.values() for one in said for secret in one.secrets}
    assert len(secrets) > 10
    for secret in secrets:
        spelled = [secret.encode(), base64.b64encode(secret.encode()), quote(secret).encode()]
        assert not any(one in text for one in spelled), secret
