"""Every pcapng that syswire writes, held against tshark, the capture itself, and the annotations.

tshark finds nothing wrong; it sees the same HTTP, message by message and stream by stream, without exception (what
the snaplen cut included); its stream numbers are ours on every frame; and whatever an annotation points at is there:
the bytes in the frame, and the same bytes in the event that it names.
"""

from __future__ import annotations

import base64
import json
import shutil
import struct
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha1
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from support import pcapng, plain_scap
from support.made import CAPTURES, SAMPLE, Made, Record, made, once
from support.tshark import Tshark

GOOD, UNKNOWN = ("1", "Good"), ("2", "3", "Unverified", "Not present")
"""How tshark tells a checksum that is right, and one that cannot be verified or is left out."""


@pytest.fixture(params=CAPTURES, ids=lambda path: path.name)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory, request.param, "report", "--reveal", "--format", "jsonl")


Frames = list[dict[str, list[str]]]
"""Of every frame the values of the fields below, as tshark tells them."""

ADDRESSES = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport")
FIELDS = (
    *("frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.comment", *ADDRESSES),
    *("tcp.stream", "tcp.seq_raw", "tcp.flags.syn", "tcp.checksum.status", "udp.checksum.status"),
    *("http.request.method", "http.request.uri", "http.response.code"),
)


@pytest.fixture
def frames(tool: Callable[[str], str], case: Made, tmp_path_factory: pytest.TempPathFactory) -> Frames:
    def ask(home: Path) -> None:
        rows = Tshark(tool("tshark"), case.pcapng).fields("frame", *FIELDS)
        (home / "frames.json").write_text(json.dumps([dict(zip(FIELDS, row, strict=True)) for row in rows]))

    found: Frames = json.loads((once(tmp_path_factory, f"tshark {case.pcapng}", ask) / "frames.json").read_text())
    return found


def one(frame: dict[str, list[str]], *fields: str) -> str:
    """The only value of the first of these fields that the frame has, "" where it has none."""
    values = next(filter(None, map(frame.__getitem__, fields)), [""])
    assert len(values) == 1
    return values[0]


def nanoseconds(time: str) -> int:
    """An RFC 3339 time in UTC as nanoseconds since 1970."""
    assert len(time) == 30 and time[19] == "." and time[29] == "Z"
    whole = datetime.strptime(time[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return int(whole.timestamp()) * 1_000_000_000 + int(time[20:29])


def places(case: Made) -> Iterator[tuple[Record, Record, Record]]:
    """(record, the part of it that holds a place, the place) of every exchange and every sighting in a stream."""
    for record in case.records("http"):
        for part in filter(None, (record["request"], record["response"])):
            yield record, part, part["where"]
    for record in case.records("sighting"):
        if record["stream"] is not None:
            yield record, record, record["where"]


def test_nothing_is_wrong(tool: Callable[[str], str], case: Made) -> None:
    assert Tshark(tool("tshark"), case.pcapng).wrong() == []


def test_checksums_are_looked_at(frames: Frames, case: Made) -> None:
    """The empty answer above means something: tshark verified all but those of frames whose bytes were cut."""
    assert len(frames) == len(pcapng.read(case.pcapng).packets)
    for frame in frames:
        whole = one(frame, "frame.len") == one(frame, "frame.cap_len")
        assert one(frame, "tcp.checksum.status", "udp.checksum.status") in (GOOD if whole else UNKNOWN)


def test_time_never_goes_back(frames: Frames, case: Made) -> None:
    times = [packet.time for packet in pcapng.read(case.pcapng).packets]
    assert times == sorted(times)
    assert [one(frame, "frame.time_epoch") for frame in frames] == [
        f"{time // 10**9}.{time % 10**9:09d}" for time in times
    ]
    (capture,) = case.records("capture")
    assert times[0] >= nanoseconds(capture["first"])
    assert times[-1] <= nanoseconds(capture["last"])


def test_http_is_the_same(frames: Frames, case: Made) -> None:
    requests: dict[int, list[tuple[str, str]]] = defaultdict(list)
    statuses: dict[int, list[int]] = defaultdict(list)
    for frame in frames:
        if frame["http.request.method"] or frame["http.response.code"]:
            number = int(one(frame, "tcp.stream"))
            requests[number] += zip(frame["http.request.method"], frame["http.request.uri"], strict=True)
            statuses[number] += map(int, frame["http.response.code"])
    streams_by_id = {stream["id"]: stream["tcp_stream"] for stream in case.records("stream")}
    told: dict[int, list[tuple[str, str]]] = defaultdict(list)
    answered: dict[int, list[int]] = defaultdict(list)
    for record in case.records("http"):
        number = streams_by_id[record["stream"]]
        if (request := record["request"]) is not None:
            told[number].append((request["method"], request["target"]))
        if (response := record["response"]) is not None:
            answered[number].append(response["status"])
    present = {number: messages for number, messages in requests.items() if messages}
    assert dict(told) == present
    assert dict(answered) == {number: codes for number, codes in statuses.items() if codes}


def endpoint(record: Record) -> tuple[str, int | None]:
    return str(ip_address(record.get("synthetic_ip") or record["ip"])), record.get("port")


def test_every_frame_is_in_its_stream(frames: Frames, case: Made) -> None:
    by_number: dict[int, Record] = {}
    datagrams: dict[frozenset[str], list[Record]] = defaultdict(list)
    of_stream: dict[int, list[int]] = defaultdict(list)
    for stream in case.records("stream"):
        if stream["tcp_stream"] is not None:
            assert by_number.setdefault(stream["tcp_stream"], stream) is stream
            assert stream["protocol"] in ("tcp", "unix")
        elif stream["frames"] is not None:
            datagrams[frozenset((endpoint(stream["client"])[0], endpoint(stream["server"])[0]))].append(stream)
    for number, frame in enumerate(frames, 1):
        assert one(frame, "frame.number") == str(number)
        source, target = one(frame, "ip.src", "ipv6.src"), one(frame, "ip.dst", "ipv6.dst")
        ports = int(one(frame, "tcp.srcport", "udp.srcport")), int(one(frame, "tcp.dstport", "udp.dstport"))
        talk = {(source, ports[0]), (target, ports[1])}
        if tcp := one(frame, "tcp.stream"):
            stream = by_number[int(tcp)]
        else:
            (stream,) = (
                found
                for found in datagrams[frozenset((source, target))]
                if found["frames"][0] <= number <= found["frames"][1]
                and (found["protocol"] == "unix" or {endpoint(found["client"]), endpoint(found["server"])} == talk)
            )
        ends = {endpoint(stream["client"]), endpoint(stream["server"])}
        assert ends == (talk if stream["protocol"] != "unix" else {(source, None), (target, None)})
        of_stream[stream["id"]].append(number)
    assert set(by_number) == set(range(len(by_number)))
    for stream in case.records("stream"):
        numbers = of_stream.get(stream["id"])
        assert stream["frames"] == (None if numbers is None else [numbers[0], numbers[-1]])
    (capture,) = case.records("capture")
    assert capture["frames"] == len(frames)


def first_sequences(case: Made, frames: Frames) -> dict[tuple[int, bool], int]:
    """The sequence number of the first byte of each direction: (tcp.stream, to the server) -> number."""
    found: dict[tuple[int, bool], int] = {}
    servers = {stream["tcp_stream"]: endpoint(stream["server"]) for stream in case.records("stream")}
    for frame in frames:
        if frame["tcp.stream"]:
            stream = int(one(frame, "tcp.stream"))
            address, port = servers[stream]
            to_server = one(frame, "ip.dst", "ipv6.dst") == address and port in (None, int(one(frame, "tcp.dstport")))
            start = int(one(frame, "tcp.seq_raw")) + (one(frame, "tcp.flags.syn") in ("1", "True"))
            found.setdefault((stream, to_server), start & 0xFFFFFFFF)
    return found


def spoken(part: Record) -> bytes:
    """How the message begins on the wire."""
    if "method" in part:
        return f"{part['method']} {part['target']} ".encode()
    return f"{part['version']} {part['status']} ".encode()


def test_frames_hold_the_bytes(frames: Frames, case: Made) -> None:
    """A place with bytes: the frame's payload has them where the stream offset says."""
    packets = pcapng.read(case.pcapng).packets
    starts = first_sequences(case, frames)
    streams = {stream["id"]: stream for stream in case.records("stream")}
    for record, part, where in places(case):
        assert where["frame_has_bytes"], "whatever the parsers read in these captures is in a frame"
        packet = packets[where["frame"] - 1]
        first, last = streams[record["stream"]]["frames"]
        assert first <= where["frame"] <= last
        start = starts[streams[record["stream"]]["tcp_stream"], "status" not in part]
        at = where["stream_offset"] - ((packet.sequence - start) & 0xFFFFFFFF)
        held = packet.payload[at : at + where["length"]]
        assert at >= 0 and held
        if part is record:
            assert len(held) == where["length"]
            assert secret_of(held, record) == record["secret"]
        else:
            assert held.startswith(spoken(part)[: len(held)])


def secret_of(held: bytes, sighting: Record) -> str:
    """The secret in the bytes that a sighting points at."""
    if sighting["location"] == "authorization-basic":
        user, _, secret = base64.b64decode(held).partition(b":")
        assert user.decode() == sighting["username"]
    elif sighting["form"] == "hash":
        salt = sighting["secret"].removeprefix("$mysqlna$").partition("*")[0]
        key = sha1(b"db-Pass0").digest()  # the password of shop: scripts/e2e/sample.py
        mask = sha1(bytes.fromhex(salt) + sha1(key).digest()).digest()
        assert held == bytes(a ^ b for a, b in zip(key, mask, strict=True))
        secret = f"$mysqlna${salt}*{held.hex()}".encode()
    elif sighting["location"] in ("form-body", "url-query", "referer"):
        secret = unquote_to_bytes(held.replace(b"+", b" "))
    else:
        secret = held
    assert len(secret) == sighting["secret_length"]
    return secret.decode()


def test_events_hold_the_same_bytes(case: Made) -> None:
    """The event that a place names, read by the plain reader: its number, offset, time, process and bytes."""
    events = plain_scap.events(plain_scap.load(case.capture))
    packets = pcapng.read(case.pcapng).packets
    threads = {process["tid"] for process in case.records("process")}
    for record, part, where in places(case):
        event = events[where["event"] - 1]
        assert (event.ordinal, event.offset) == (where["event"], where["offset"])
        assert where["source"] == 0 and where["source_frame"] is None
        assert event.ts == nanoseconds(where["time"])
        assert event.tid in threads
        if part is record:
            wanted = packets[where["frame"] - 1].payload
            begin = next(at for at in range(len(wanted)) if holds_secret(wanted[at : at + where["length"]], record))
            wanted = wanted[begin : begin + where["length"]]
        else:
            wanted = spoken(part)
        assert any(meets(param, wanted) for param in event.params), (record["type"], where)


def holds_secret(held: bytes, sighting: Record) -> bool:
    try:
        return secret_of(held, sighting) == str(sighting["secret"])
    except (ValueError, AssertionError):
        return False


def meets(param: bytes, wanted: bytes) -> bool:
    """Whether the bytes begin in this parameter; they may go on in the next event."""
    if wanted in param:
        return True
    return any(wanted.startswith(param[-size:]) for size in range(min(len(wanted), len(param)), 0, -1))


def test_secrets_of_programs(case: Made) -> None:
    """A sighting without a stream has no frame; the secret is in the execve, or in the list of processes."""
    data = plain_scap.load(case.capture)
    events = plain_scap.events(data)
    lists = {header.offset: header.entries for header in plain_scap.headers(data) if header.kind == "processes"}
    processes = {process["id"]: process for process in case.records("process")}
    for sighting in (one for one in case.records("sighting") if one["stream"] is None):
        where, process = sighting["where"], processes[sighting["client_process"]]
        assert (sighting["protocol"], sighting["exchange"], sighting["server_process"]) == ("process", None, None)
        assert (where["frame"], where["frame_has_bytes"], where["stream_offset"]) == (None, False, None)
        given = sighting["location"]
        if where["event"] is None:
            assert (where["evt_num"], where["time"], sighting["client_attribution"]) == (None, None, "inferred")
            (entry,) = (one for one in lists[where["offset"]] if one["tid"] == process["tid"])
            held = entry[{"arguments": "args", "environment": "env"}[given]]
        else:
            event = events[where["event"] - 1]
            assert (event.offset, event.ts) == (where["offset"], nanoseconds(where["time"]))
            assert (event.name, event.direction, event.tid) == ("execve", "<", process["tid"])
            assert sighting["client_attribution"] == "observed"
            held = event.params[{"arguments": 2, "environment": 15}[given]]
        secret = sighting["secret"].encode()
        assert where["length"] == sighting["secret_length"] == len(secret)
        words = [word for word in held.split(b"\0") if secret in word]
        assert words and (given == "arguments" or sighting["field"].encode() + b"=" + secret in words)


def test_sysdig_numbers_events_the_same(tool: Callable[[str], str], case: Made) -> None:
    """`evt_num` is what sysdig prints for that event, wherever sysdig can read the file."""
    if "scap-modern" in case.capture.parts:
        pytest.skip("sysdig 0.29.3 crashes on the newest schema")
    command = [tool("sysdig"), "-r", str(case.capture), "-p", "%evt.num %evt.rawtime"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    times = {int(line.split()[0]): int(line.split()[1]) for line in done.stdout.splitlines()}
    of_programs = [one["where"] for one in case.records("sighting") if one["stream"] is None]
    for where in (*(where for _, _, where in places(case)), *of_programs):
        if where["event"] is not None:
            assert times[where["evt_num"]] == nanoseconds(where["time"])


def test_process_beside_the_packets(frames: Frames, case: Made) -> None:
    """Three layers: comments on the first frame, process blocks, and the option with process and thread id."""
    found = pcapng.read(case.pcapng)
    processes = {process["id"]: process for process in case.records("process")}
    pairs = {(process["pid"], process["tid"]) for process in processes.values()}
    names = {(process["pid"], process["name"]) for process in processes.values()}
    for stream in case.records("stream"):
        if stream["frames"] is None:
            continue
        told = "\n".join(frames[stream["frames"][0] - 1]["frame.comment"])
        assert f"syswire stream {stream['id']} ({stream['protocol']})" in told
        for side in ("client", "server"):
            if (process := processes.get(stream[f"{side}_process"])) is not None:
                assert f"{side}: {process['name']} pid={process['pid']} tid={process['tid']} user=" in told
                assert ("by the descriptor tables" in told) >= (stream[f"{side}_attribution"] == "inferred")
    beside = 0
    for packet in found.packets:
        for ids in packet.values(pcapng.IDS):
            assert struct.unpack("<II", ids) in pairs
            beside += 1
        for index in packet.values(pcapng.PROCESS_INDEX):
            (number,) = struct.unpack("<I", index)
            assert number < packet.processes
            assert found.processes[number] in names
    assert beside > 0


def answers(program: str, path: Path) -> dict[str, str]:
    """Addresses that DNS answers gave, and the names that were asked for, as tshark reads them."""
    fields = ("dns.qry.name", "dns.a", "dns.aaaa")
    asked = ["-Y", "dns.flags.response == 1", "-T", "fields", *(word for name in fields for word in ("-e", name))]
    told = subprocess.run([program, "-r", str(path), *asked], capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = {}
    for line in told.splitlines():
        name, *addresses = line.split("\t")
        found |= {address: name.lower() for some in addresses for address in some.split(",") if address}
    return found


def test_head_of_the_file(tool: Callable[[str], str], case: Made) -> None:
    found = pcapng.read(case.pcapng)
    (capture,) = case.records("capture")
    comments = [value.decode() for code, value in found.section if code == pcapng.COMMENT]
    assert comments[0].startswith("syswire ")
    assert any(capture["sha256"] in text and case.capture.name in text for text in comments)
    assert any("synthetic TCP rebuilt from system calls" in text for text in comments)
    assert {3, 4} <= {code for code, _ in found.section}, "system and application"
    titles = [dict(options)[2].decode() for options in found.interfaces]
    assert titles[0] == "host" and titles[-1] == "unix" and len(set(titles)) == len(titles)
    assert all(dict(options)[9] == b"\x09" and dict(options)[3] for options in found.interfaces)
    first = found.kinds.index(pcapng.PACKET)
    assert found.kinds[0] == pcapng.SECTION and pcapng.NAMES not in found.kinds[first:]
    unix = {
        end["synthetic_ip"]: end["path"]
        for stream in case.records("stream")
        for end in (stream["client"], stream["server"])
        if stream["protocol"] == "unix" and end.get("path")
    }
    named = answers(tool("tshark"), case.pcapng)
    assert {str(ip_address(address)): name for address, name in found.names} == unix | named


def test_capinfos_and_editcap(tool: Callable[[str], str], case: Made, tmp_path: Path) -> None:
    (capture,) = case.records("capture")
    told = subprocess.run([tool("capinfos"), "-M", str(case.pcapng)], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    rows = [line.split(":", 1) for line in told.stdout.splitlines() if ":" in line]
    facts = {name.strip(): value.strip() for name, value in rows}
    assert facts["Number of packets"] == str(capture["frames"])
    assert facts["Strict time order"] == "True"
    assert facts["File encapsulation"] == "rawip"
    plain = tmp_path / "plain.pcap"
    subprocess.run([tool("editcap"), "-F", "pcap", str(case.pcapng), str(plain)], capture_output=True, check=True)
    again = Tshark(tool("tshark"), plain)
    assert len(again.one("frame", "frame.number")) == capture["frames"]
    assert again.wrong() == []


def test_masking_changes_comments_only(case: Made, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The packets of the masked run, which all the above was not asked of, are the same byte for byte."""
    masked = pcapng.read(made(tmp_path_factory, case.capture, "report", "--format", "jsonl").pcapng)
    clear = pcapng.read(case.pcapng)
    assert [packet[:4] for packet in masked.packets] == [packet[:4] for packet in clear.packets]
    assert masked.interfaces == clear.interfaces


def test_tshark_would_tell(
    tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """The checks themselves: one byte of one packet changed, and tshark finds it."""
    case = made(tmp_path_factory, SAMPLE, "report", "--reveal", "--format", "jsonl")
    broken = tmp_path / "broken.pcapng"
    shutil.copyfile(case.pcapng, broken)
    data = bytearray(broken.read_bytes())
    at = data.index(b"GET /index.php")
    data[at] ^= 1
    broken.write_bytes(data)
    assert len(Tshark(tool("tshark"), broken).wrong()) == 1
