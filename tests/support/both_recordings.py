"""The same conversations recorded twice at once, by `syswire capture` and by tcpdump, and what is told of them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from support import live
from support.recording_live import alone, wait_for

if TYPE_CHECKING:
    from servers.running import Said, Server

Json = dict[str, Any]
Key = tuple[str, str, str]
"""Of a stream: protocol, client and server; of a unix socket, which only capture sees: `unix`, path, and a number."""
NET = "127.86.0.0/16"
OURS = "127.86."
APART = frozenset(
    # What a recording alone knows: its own numbering, its clock, who did it.
    ("stream", "exchange", "time", "client_process", "server_process", "client_attribution", "server_attribution")
)


class Told(NamedTuple):
    """What convert wrote of our servers' conversations in one recording."""

    streams: dict[Key, Json]
    lines: dict[Key, list[Json]]
    """Exchanges, records and sightings of a stream, in their order."""
    processes: dict[int, Json]

    def name(self, process: int | None) -> str | None:
        """Of a process, by its id."""
        return None if process is None else self.processes[process]["name"]

    def names(self, processes: list[int]) -> set[str]:
        """Of some."""
        return {self.processes[process]["name"] for process in processes}


class Both(NamedTuple):
    """Two recordings of the same conversations, and which server could not be had or did not do as it should."""

    folder: Path
    """Has events.scap, packets.pcap, the case.key, and of-events/events.pcapng, which convert wrote."""
    capture: Told
    packets: Told
    addresses: dict[str, str]
    said: dict[str, list[Said]]
    """By server."""
    missing: dict[str, str]
    failed: dict[str, str]


def key_of(stream: Json, before: Collection[Key]) -> Key:
    """What is the same in both recordings; `before` are those of the streams before it."""
    client, server = stream["client"], stream["server"]
    if stream["protocol"] == "unix":
        return "unix", server["path"], str(sum(one[1] == server["path"] for one in before))
    key = (stream["protocol"], f"{client['ip']}:{client['port']}", f"{server['ip']}:{server['port']}")
    assert key not in before, "a pair of ports was used twice: run it again"
    return key


def plain(value: Any) -> Any:
    """A line without what differs between recordings; of `where` remains the place in the stream."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, one in value.items():
        if name == "where":
            found[name] = None if one is None else (one["stream_offset"], one["length"])
        elif name not in APART:
            found[name] = plain(one)
    return found


def texts(value: Any) -> Counter[str]:
    """Every text and number in the fields of a message, as text, and how often."""
    if isinstance(value, dict):
        return sum((texts(one) for name, one in value.items() if name != "where"), Counter[str]())
    if isinstance(value, list):
        return sum((texts(one) for one in value), Counter[str]())
    return Counter([] if value is None or isinstance(value, bool) else [str(value)])


def of_protocol(line: Json, protocol: str) -> bool:
    """Whether a line is what this protocol said. HTTP/1 and HTTP/2 have lines of one type: the version tells."""
    if line["type"] == "sighting":
        return False
    if line["type"] == "http":
        return protocol == (
            "http2" if (line["request"] or line["response"])["version"].startswith("HTTP/2") else "http"
        )
    return bool(line["protocol"] == protocol)


def converted(source: Path, folder: Path, key: Path, *options: str) -> Path:
    """Convert a recording; returns the annotations. `key`: one for all, so that fingerprints can be compared."""
    command = [
        *live.SYSWIRE,
        "convert",
        str(source),
        "-o",
        str(folder),
        "--jobs",
        "1",
        "--case-key",
        str(key),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=live.PATIENCE)
    assert done.returncode == 0, done.stderr
    (annotations,) = folder.glob("*.annotations.jsonl")
    return annotations


def told(source: Path, folder: Path, key: Path, folders: str = "/nowhere", more: Collection[str] = ()) -> Told:
    """Convert a recording and read what is ours: by address (or one of `more`), unix sockets by their folder."""
    annotations = converted(source, folder, key, "--reveal")
    keys: dict[int, Key] = {}
    one = Told({}, defaultdict(list), {})
    with annotations.open(encoding="utf-8") as lines:
        for text in lines:
            line = json.loads(text)
            if line["type"] == "process":
                one.processes[line["id"]] = line
            elif line["type"] == "stream":
                if is_ours(line, folders, more):
                    keys[line["id"]] = key_of(line, one.streams)
                    one.streams[keys[line["id"]]] = line
            elif line["type"] != "spread" and line.get("stream") in keys:  # spread: see test_spread.py
                one.lines[keys[line["stream"]]].append(line)
    for lines_of in one.lines.values():
        for line in lines_of:
            if line.get("data_stream") is not None:
                line["data_stream"] = keys.get(line["data_stream"])
    return one


def is_ours(stream: Json, folders: str, more: Collection[str] = ()) -> bool:
    """Whether one of our servers is in it."""
    for end in (stream["client"] or {}, stream["server"] or {}):
        address = end.get("ip", "")
        if address.startswith(OURS) or address in more or str(end.get("path")).startswith(folders):
            return True
    return False


def quiet() -> bool:
    """No connection of our addresses is open."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    listens, over = "0A", "06"
    return not any("567F:" in line[1] + line[2] and line[3] not in (listens, over) for line in lines)


def tcpdump_program() -> str | None:
    """Where it is."""
    return shutil.which("tcpdump", path="/usr/bin:/usr/sbin:/sbin:/bin")


@contextmanager
def tcpdump(file: Path) -> Iterator[None]:
    """All packets of our addresses, until the end of the block; none may be lost."""
    program = tcpdump_program()
    assert program is not None
    command = [
        program,
        "-i",
        "lo",
        "-s",
        "0",
        "-n",
        "-U",
        "--immediate-mode",
        "-B",
        "65536",
        "-Z",
        "root",
        "-w",
        str(file),
        "net",
        NET,
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        end = time.monotonic() + live.PATIENCE
        while not (file.exists() and file.stat().st_size):
            assert process.poll() is None and time.monotonic() < end, "tcpdump does not record"
            time.sleep(0.05)
        yield
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=live.PATIENCE)[1]
        assert "\n0 packets dropped by kernel" in said, said
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


class Serving(NamedTuple):
    """Servers that run, and those that could not be had."""

    ground: Path
    servers: dict[str, Server]
    missing: dict[str, str]
    failed: dict[str, str]


@contextmanager
def serving(names: Collection[str] = ()) -> Iterator[Serving]:
    """All servers (or some) until the end of the block; they begin side by side. Nobody else has them meanwhile."""
    from servers.running import Missing
    from servers.table import SERVERS

    ground = Path(tempfile.mkdtemp(prefix="syswire-both-"))
    ground.chmod(0o755)  # the servers look at it as users without rights
    kinds = [(kind, number) for number, kind in enumerate(SERVERS, 1) if not names or kind.name in names]
    one = Serving(ground, {kind.name: kind(ground, number) for kind, number in kinds}, {}, {})

    def begin(name: str) -> None:
        try:
            one.servers[name].start()
        except Missing as error:
            one.missing[name] = str(error)
        except Exception as error:
            one.failed[name] = repr(error)

    with alone():
        try:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(begin, one.servers))
            wait_for(quiet, "the end of the connections that looked whether they serve")
            yield one
        finally:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda server: server.stop(), one.servers.values()))
            shutil.rmtree(ground, ignore_errors=True)


@contextmanager
def recording_twice(folder: Path) -> Iterator[None]:
    """Record all that passes until the end of the block: events.scap and packets.pcap."""
    with tcpdump(folder / "packets.pcap"), live.recording(folder / "events.scap", "-s", "65000"):
        yield


def told_of_both(folder: Path, ground: Path) -> tuple[Told, Told]:
    """What convert tells of events.scap and of packets.pcap."""
    key = folder / "case.key"
    key.write_text("86" * 32 + "\n", "ascii")
    with ThreadPoolExecutor(2) as pool:
        events = pool.submit(told, folder / "events.scap", folder / "of-events", key, str(ground))
        packets = pool.submit(told, folder / "packets.pcap", folder / "of-packets", key)
    return events.result(), packets.result()


def recorded(folder: Path, names: Collection[str] = ()) -> Both:
    """Start all servers (or some), let all clients talk, one server after the other, and convert both recordings."""
    from servers.running import Missing

    said: dict[str, list[Said]] = {}
    with serving(names) as running, recording_twice(folder):
        for name, server in running.servers.items():
            if name not in running.missing and name not in running.failed:
                try:
                    server.talk()
                    said[name] = server.said()
                except Missing as error:
                    running.missing[name] = str(error)
                except Exception as error:
                    running.failed[name] = repr(error)
    capture, packets = told_of_both(folder, running.ground)
    addresses = {name: server.address for name, server in running.servers.items()}
    return Both(folder, capture, packets, addresses, said, running.missing, running.failed)


if __name__ == "__main__":  # python -m support.both_recordings FOLDER [NAME...]: leaves both recordings there
    both = recorded(Path(sys.argv[1]), sys.argv[2:])
    print(both.missing, both.failed, sep="\n")
