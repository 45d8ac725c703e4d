"""Every pointer of every finding: the frame holds the bytes by tshark, the event is the one named by sysdig."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import pytest

from support.command import run
from support.report_reading import Report

Record = dict[str, Any]
CASES = {
    "lamp": ["lamp/act1.scap.gz"],
    "made": ["made/act1.scap.gz"],
    "ftp": ["protocols/ftp-vsftpd.pcap"],
    "imap": ["protocols/imap.pcap"],
    "several": ["lamp/act1.scap.gz", "protocols/redis.pcap", "made/act1.scap.gz"],
}
SHARED = {
    "502": ["scap/502Error.scap"],
    "basic": ["credentials/arkime-http-basicauth-f18b74.pcap"],
    "smtp": ["credentials/credslayer-smtp-17ad23.pcap"],
    "pop3": ["credentials/credslayer-pop3-8270e0.pcap"],
    "login": ["credentials/credslayer-http-post-auth-89b34c.pcap"],
}
FIELDS = ("frame.number", "frame.time_epoch", "tcp.stream", "tcp.payload", "udp.payload")


class Pointed(NamedTuple):
    """A case, its inputs and its findings."""

    folder: Path
    sources: list[Path]
    findings: list[Record]
    manifest: Record

    def packets(self, source: int) -> bool:
        return self.manifest["inputs"][source]["format"] in ("pcap", "pcapng")

    def pcapng(self, source: int) -> Path:
        return self.folder / f"{self.manifest['inputs'][source]['stem']}.pcapng"

    def instances(self) -> Iterator[tuple[Record, Record]]:
        for finding in self.findings:
            for where in finding["instances"]:
                for place in (where, *where.get("also", ())):
                    yield finding, place


class Frame(NamedTuple):
    time: str
    stream: str
    payload: bytes


@pytest.fixture(scope="module", params=[*CASES, *SHARED])
def case(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Pointed:
    name = request.param
    root = data if name in CASES else request.getfixturevalue("shared") / "data"
    sources = [root / path for path in (CASES | SHARED)[name]]
    folder = tmp_path_factory.mktemp(name)
    done = run("report", *sources, "-o", folder, "--reveal", "--format", "html,jsonl", timeout=120)
    assert done.returncode in (0, 4), done.stderr
    lines = (folder / "findings.jsonl").read_text("utf-8").splitlines()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    return Pointed(folder, sources, [json.loads(line) for line in lines], manifest)


def frames(tshark: str, file: Path) -> dict[int, Frame]:
    """Every frame of a capture: its time, its tcp.stream, and what it carries, by tshark."""
    wanted = [part for name in FIELDS for part in ("-e", name)]
    command = [tshark, "-r", str(file), "-T", "fields", "-E", "occurrence=l", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        number, time, stream, *payloads = line.split("\t")
        carried = next((each for each in payloads if each), "")
        found[int(number)] = Frame(time, stream, bytes.fromhex(carried.replace(":", "")))
    return found


def spellings(finding: Record) -> list[bytes]:
    """How a secret may stand in a message."""
    secret, user = finding["secret"], finding["username"] or ""
    plain = secret.encode()
    told = [plain, quote(secret).encode(), quote(secret, safe="").encode(), quote_plus(secret).encode()]
    told += [json.dumps(secret)[1:-1].encode(), json.dumps(secret, ensure_ascii=False)[1:-1].encode()]
    for text in (
        plain,
        f"{user}:{secret}".encode(),
        f"\0{user}\0{secret}".encode(),
        f"{user}\0{user}\0{secret}".encode(),
    ):
        told.append(base64.b64encode(text))
    return told


def test_frames_hold_the_bytes(case: Pointed, tool: Callable[[str], str]) -> None:
    held = {at: frames(tool("tshark"), case.pcapng(at)) for at in range(len(case.sources)) if case.pcapng(at).is_file()}
    looked = 0
    for finding, where in case.instances():
        if finding["kind"] in ("spread", "brute_force", "scan") or where["frame"] is None:
            continue
        frame = held[where["source"]][where["frame"]]
        if not where["frame_has_bytes"]:
            continue
        looked += 1
        assert len(frame.payload) > 0, finding["id"]
        if finding["kind"] == "http_error":
            assert re.search(rb"HTTP/\d\.\d %d" % finding["status"], frame.payload), (finding["id"], where)
        elif finding["form"] == "hash":
            continue  # the line for hashcat stands nowhere; its parts are looked at in tests of each protocol
        elif finding["protocol"] == "telnet":
            assert frame.payload[:1] in finding["secret"].encode()  # each key may be a segment of its own
        else:
            payload = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), frame.payload)
            assert any(spelling in payload or spelling in frame.payload for spelling in spellings(finding)), (
                finding["id"],
                frame.payload[:400],
            )
    assert looked >= (1 if case.findings else 0)


def test_what_has_no_bytes_says_why(case: Pointed) -> None:
    report = Report.read(case.folder)
    without = [finding["id"] for finding, where in case.instances() if where["frame"] and not where["frame_has_bytes"]]
    for _ in without[:1]:
        assert re.search(
            r"the capture lacks the first of these bytes|the capture holds these bytes, the rebuilt packet does not",
            report.words,
        )


def test_source_frames_are_the_source_s(case: Pointed, tool: Callable[[str], str]) -> None:
    """Of packets: the frame in the pcapng and the frame of the source that is named carry the same at the same time."""
    for at, source in enumerate(case.sources):
        if not case.packets(at):
            continue
        ours, theirs = frames(tool("tshark"), case.pcapng(at)), frames(tool("tshark"), source)
        for finding, where in case.instances():
            if where["source"] == at and where["frame"] is not None:
                assert ours[where["frame"]].payload == theirs[where["source_frame"]].payload, finding["id"]
                written, recorded = ours[where["frame"]].time, theirs[where["source_frame"]].time
                assert float(written) == pytest.approx(float(recorded), abs=1e-6)


def test_events_are_sysdig_s(case: Pointed, tool: Callable[[str], str]) -> None:
    """Of system calls: sysdig's evt.num names an event of that time, by a process of that connection."""
    looked = 0
    for at, source in enumerate(case.sources):
        if case.packets(at):
            continue
        places = [
            (finding, where)
            for finding, where in case.instances()
            if where["source"] == at and where["evt_num"] is not None and finding["kind"] != "spread"
        ]
        if not places:
            continue
        condition = " or ".join(f"evt.num={number}" for number in sorted({where["evt_num"] for _, where in places}))
        command = [tool("sysdig"), "-r", str(source), "-p", "%evt.num %evt.rawtime %proc.pid %evt.type", condition]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        told = {int(line.split()[0]): line.split()[1:] for line in done.stdout.splitlines()}
        (annotations,) = case.folder.glob(f"{case.manifest['inputs'][at]['stem']}.annotations.jsonl")
        records = [json.loads(line) for line in annotations.read_text("utf-8").splitlines()]
        pids = {record["id"]: record["pid"] for record in records if record["type"] == "process"}
        streams = {record["id"]: record for record in records if record["type"] == "stream"}
        for finding, where in places:
            time, pid, kind = told[where["evt_num"]]
            assert int(time) == nanoseconds(where["time"]), finding["id"]
            stream = streams.get(where["stream"])
            if stream is not None:
                known = {pids[number] for side in ("client", "server") for number in stream[f"{side}_processes"]}
                assert int(pid) in known, (finding["id"], kind)
            looked += 1
    if any(not case.packets(at) for at in range(len(case.sources))) and case.findings:
        assert looked


def test_filters_of_the_cards_lead_to_one_frame(case: Pointed, tool: Callable[[str], str]) -> None:
    """Each command that a card prints works as it stands in the directory of the case, and shows one frame."""
    page = (case.folder / "report.html").read_text("utf-8")
    printed = re.findall(r'<p class="command"><code>(tshark -r .*?)</code></p>', page)
    for line in list(dict.fromkeys(printed))[:6]:
        words = line.replace("&#34;", '"').replace("&quot;", '"').replace("&#39;", "'").replace("<wbr>", "")
        file, number = re.findall(r'tshark -r (.+?) -Y "frame\.number == (\d+)" -V', words)[0]
        name = file.removeprefix("DIR/").strip("'")
        folder = case.folder if name.endswith(".pcapng") and (case.folder / name).is_file() else case.sources[0].parent
        if not (folder / name).is_file():
            continue
        done = subprocess.run(
            [
                tool("tshark"),
                "-r",
                str(folder / name),
                "-Y",
                f"frame.number == {number}",
                "-T",
                "fields",
                "-e",
                "frame.number",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [number]


def nanoseconds(time: str) -> int:
    from datetime import UTC, datetime

    begin = datetime.strptime(time[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return int(begin.timestamp()) * 10**9 + int(time[20:-1].ljust(9, "0"))
