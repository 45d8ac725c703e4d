"""Every number of the report against a count of our own from annotations.jsonl, findings.jsonl and the files."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.command import run
from support.report_reading import Report, size, whole

Record = dict[str, Any]
OWN = {
    "lamp": "lamp/act1.scap.gz",
    "made": "made/act1.scap.gz",
    "ftp": "protocols/ftp-vsftpd.pcap",
    "redis": "protocols/redis.pcap",
}
SHARED = {
    "curl": "scap/curl_google.scap",
    "basic": "credentials/arkime-http-basicauth-f18b74.pcap",
    "smtp": "credentials/credslayer-smtp-17ad23.pcap",
    "telnet": "credentials/credslayer-telnet-343f8c.pcap",
}
LEVELS = ("critical", "high", "medium", "low", "info")
IN_A_PROCESS = ("process-arguments", "process-environment")
UNITS = {"ms": 10**6, "second": 10**9, "minute": 60 * 10**9, "hour": 3600 * 10**9, "day": 86_400 * 10**9}


class Counted:
    """What the files beside the report hold, counted by plain loops."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder, self.source = folder, source
        (annotations,) = folder.glob("*.annotations.jsonl")
        self.by_type: dict[str, list[Record]] = defaultdict(list)
        for line in annotations.read_text("utf-8").splitlines():
            record = json.loads(line)
            self.by_type[record["type"]].append(record)
        lines = (folder / "findings.jsonl").read_text("utf-8").splitlines()
        self.findings: list[Record] = [json.loads(line) for line in lines]
        self.manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        self.http, self.streams = self.by_type["http"], self.by_type["stream"]
        known = ("capture", "process", "stream", "http", "sighting", "spread")
        self.said = [record for kind, records in self.by_type.items() if kind not in known for record in records]
        self.statuses = Counter(record["response"]["status"] for record in self.http if record["response"])

    def exposed(self, *forms: str) -> int:
        """Different secrets of these forms on a wire, session cookies and stored forms of users aside."""
        return len(
            {
                finding["secret_fingerprint"]
                for finding in self.findings
                if finding["kind"] in ("credential", "challenge", "password_hash")
                and finding["rule"] not in IN_A_PROCESS
                and finding["form"] in forms
            }
        )

    def program(self, process: int | None) -> tuple[str, str, str, str] | None:
        if process is None:
            return None
        record = self.by_type["process"][process - 1]
        assert record["id"] == process
        return (
            record["name"] or "unknown",
            record["exe"] or "-",
            record["user"] or "-",
            record["container"] or "host",
        )


def machine(end: Record | None) -> str:
    return "unknown" if end is None else end.get("ip") or "unix socket"


def endpoint(end: Record | None) -> str:
    if end is None:
        return "unknown"
    if not end.get("ip"):
        return f"unix:{end['path']}" if end.get("path") else "unix socket"
    host = f"[{end['ip']}]" if ":" in end["ip"] else end["ip"]
    return f"{host}:{end['port']}"


def nanoseconds(time: str) -> int:
    whole_ = datetime.strptime(time[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return int(whole_.timestamp()) * 10**9 + int(time[20:-1].ljust(9, "0"))


@pytest.fixture(scope="module", params=[*OWN, *SHARED])
def case(
    request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Report, Counted]:
    name = request.param
    source = data / OWN[name] if name in OWN else request.getfixturevalue("shared") / "data" / SHARED[name]
    folder = tmp_path_factory.mktemp(name)
    done = run("report", source, "-o", folder, "--case", "numbers", timeout=120)
    assert done.returncode == 0, done.stderr
    return Report.read(folder), Counted(folder, source)


def test_findings_by_severity(case: tuple[Report, Counted]) -> None:
    report, counted = case
    levels = Counter(finding["severity"] for finding in counted.findings)
    shown = {row[0]: whole(row[1]) for row in report.table("Findings by severity: the numbers").rows}
    assert shown == {level: levels[level] for level in LEVELS}
    assert whole(report.figures["critical and high findings"]) == levels["critical"] + levels["high"]


def test_statuses(case: tuple[Report, Counted]) -> None:
    report, counted = case
    rows = report.table("HTTP responses by status: the numbers").rows
    shown = {name: whole(count) for name, count in rows}
    classes = Counter(status // 100 for status in counted.statuses.elements())
    assert shown.pop("of these 404") == counted.statuses[404]
    assert {int(name[0]): count for name, count in shown.items()} == {
        hundred: classes[hundred] for hundred in range(1, 6) if hundred > 1 or classes[1]
    }
    answered = sum(counted.statuses.values())
    if answered:
        share = f"{100 * counted.statuses[404] / answered:.1f} %"
        noun = "response" if answered == 1 else "responses"
        said = f"Of {answered:,} HTTP {noun}, {counted.statuses[404]:,} ({share}) said that the page does not exist"
        assert said in report.words
    else:
        assert "No HTTP response was seen." in report.words


def test_key_figures(case: tuple[Report, Counted]) -> None:
    report, counted = case
    assert len(report.figures) == 5
    shown = {label: whole(value) for label, value in report.figures.items()}
    assert shown["distinct passwords in readable form"] == counted.exposed("cleartext")
    assert shown["responses with status 404"] == counted.statuses[404]
    assert shown["server errors (5xx)"] == sum(n for status, n in counted.statuses.items() if 500 <= status <= 599)
    others = counted.exposed("token") + counted.exposed("hash")
    if others:
        assert shown["distinct tokens, and answers to guess passwords from"] == others
    else:
        assert shown["HTTP exchanges"] == len(counted.http)


def test_bytes_over_time(case: tuple[Report, Counted]) -> None:
    report, counted = case
    (caption,) = [name for name in report.tables if name.startswith("Bytes over time")]
    amount, unit = re.findall(r"by ([\d.]+) (\w+?)s?: the numbers", caption)[0]
    width = round(float(amount) * UNITS[unit if unit in UNITS else unit + "s"])
    bins: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for record in [*counted.http, *counted.said]:
        for side in ("request", "response"):
            where = (record.get(side) or {}).get("where")
            if where and where["time"]:
                bins[nanoseconds(where["time"]) // width][0] += where["length"]
    for record in counted.http:
        status = (record["response"] or {}).get("status")
        found = bins[nanoseconds(record["time"]) // width]
        found[1] += 1
        found[2] += status == 404
        found[3] += status is not None and 500 <= status <= 599
    rows = report.tables[caption].rows
    assert [[whole(cell) for cell in row[1:]] for row in rows] == [bins[at] for at in sorted(bins) if any(bins[at][:2])]
    first = datetime.fromtimestamp(min(bins) * width // 10**9, UTC)
    assert f"{first:%H:%M}" in rows[0][0]


def test_overview_and_error_tables(case: tuple[Report, Counted]) -> None:
    report, counted = case
    rows = report.table("Findings by severity, then by time").dicts()
    assert len(rows) == len(counted.findings)
    for row, finding in zip(rows, counted.findings, strict=True):
        assert (row["ID"], row["Severity"]) == (finding["id"], finding["severity"])
        assert whole(row["Times"]) == finding["instances_total"]
        assert row["First (UTC)"] == finding["first"][:19].replace("T", " ")
        frame = finding["instances"][0]["frame"] if finding["instances"] else None
        assert row["Frame"] == ("" if not finding["instances"] else "-" if frame is None else str(frame))
    errors = [finding for finding in counted.findings if finding["kind"] == "http_error"]
    for caption, missing in (
        ("Missing pages, the most asked for first", True),
        ("Server errors, the most frequent first", False),
    ):
        shown = report.table(caption).dicts()
        wanted = [finding for finding in errors if (finding["rule"] == "http-404") == missing]
        assert sorted((row["ID"], row["Status"], whole(row["Times"])) for row in shown) == sorted(
            (finding["id"], str(finding["status"]), finding["instances_total"]) for finding in wanted
        )
        times = [whole(row["Times"]) for row in shown]
        assert times == sorted(times, reverse=True)
    if counted.statuses[404]:
        total = sum(finding["instances_total"] for finding in errors if finding["rule"] == "http-404")
        assert total == counted.statuses[404]


def test_hosts_pairs_and_programs(case: tuple[Report, Counted]) -> None:
    report, counted = case
    hosts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    pairs: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    programs: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(to: list[int], sent: int, received: int) -> None:
        to[0] += 1
        to[1] += sent
        to[2] += received

    for stream in counted.streams:
        up, down = stream["bytes_to_server"], stream["bytes_to_client"]
        client, server = machine(stream["client"]), machine(stream["server"])
        add(hosts[client], up, down)
        if client != server:
            add(hosts[server], down, up)
        spoken = ", ".join(dict.fromkeys(stream["protocols"]))
        wire = "encrypted" if stream["encrypted"] else "in clear" if spoken else "not known"
        said = f"{stream['protocol']}, {spoken}" if spoken else stream["protocol"]
        add(pairs[client, endpoint(stream["server"]), said, wire], up, down)
        for process, sent, received in (
            (stream["client_process"], up, down),
            (stream["server_process"], down, up),
        ):
            if (program := counted.program(process)) is not None:
                add(programs[program], sent, received)
    alone: dict[tuple[str, ...], list[int]] = {(name,): sums for name, sums in hosts.items()}
    for caption, wanted, columns in (
        ("Hosts by payload", alone, 1),
        ("Who talked to whom", pairs, 4),
        ("Programs by payload", programs, 4),
    ):
        rows = report.table(caption).rows
        shown = {tuple(row[:columns]): row[columns:] for row in rows}
        assert len(shown) == len(rows) == min(len(wanted), 50)
        for key, (streams, sent, received) in wanted.items():
            if key in shown or len(wanted) <= 50:
                assert shown[key] == [f"{streams:,}", size(sent), size(received)], key
        totals = [sum(wanted[tuple(row[:columns])][1:]) for row in rows]
        assert totals == sorted(totals, reverse=True)
        if len(wanted) > len(rows):
            assert f"{len(wanted) - len(rows):,} more " in report.words


def test_evidence_and_companions(case: tuple[Report, Counted]) -> None:
    report, counted = case
    raw = counted.source.read_bytes()
    assert report.fact("Size") == [f"{len(raw):,} bytes"]
    assert report.fact("SHA-256 before reading") == [hashlib.sha256(raw).hexdigest()]
    assert report.fact("SHA-256 after reading") == ["the same"]
    (holds,) = report.fact("Holds")
    said = {noun.rstrip("s"): whole(count) for count, noun in re.findall(r"([\d,]+) ([A-Za-z ]+)", holds)}
    assert said["conversation"] == len(counted.streams)
    assert said["HTTP exchange"] == len(counted.http)
    assert said.get("other record", 0) == len(counted.said)
    if "process record" in said:
        assert said["process record"] == len(counted.by_type["process"])
    for name, _, length, digest in report.table("Companion files").rows:
        data = (counted.folder / name).read_bytes()
        assert (whole(length), digest) == (len(data), hashlib.sha256(data).hexdigest()), name
    summary = f"{len(counted.streams):,} conversation{'' if len(counted.streams) == 1 else 's'}"
    assert f"{summary} and {len(counted.http):,} HTTP exchange" in report.words or f"{summary}, " in report.words


def test_limitations(case: tuple[Report, Counted]) -> None:
    report, counted = case
    packets = counted.manifest["inputs"][0]["format"] in ("pcap", "pcapng")
    nothing = hashlib.sha256().hexdigest()
    one_sided = [
        bool(stream["bytes_to_server"] and stream["sha256_to_server"] == nothing)
        != bool(stream["bytes_to_client"] and stream["sha256_to_client"] == nothing)
        for stream in counted.streams
        if stream["protocol"] == "tcp"
    ]
    opened = [stream for stream in counted.streams if stream["opened"] is None and stream["protocol"] != "udp"]
    wanted = {
        "Open before the capture": 0 if packets else len(opened),
        "No handshake": sum(stream["protocol"] == "tcp" for stream in opened) if packets else 0,
        "One direction only": sum(one_sided) if packets else 0,
        "Missing payload": sum(stream["gaps"] > 0 for stream in counted.streams),
        "No response": sum(not record["response"] or record["response"]["status"] is None for record in counted.http),
        "No request": sum(not record["request"] for record in counted.http),
    }
    shown = {term: whole(report.terms[term].split()[0]) for term in wanted if term in report.terms}
    assert shown == {term: count for term, count in wanted.items() if count}
    if wanted["Missing payload"]:
        lost = sum(stream["missing_bytes"] for stream in counted.streams)
        assert f"({size(lost)} in all)" in report.terms["Missing payload"]


def test_timeline(case: tuple[Report, Counted]) -> None:
    report, counted = case
    by_id = {finding["id"]: finding for finding in counted.findings}
    rows = report.table("What happened when").dicts()
    times = [row["Time (UTC)"] for row in rows]
    assert times == sorted(times)
    first = [row for row in rows if re.match(r"SW-\d+: (?!for the last|a login)", row["What happened"])]
    assert {row["What happened"].split(":")[0] for row in first} == {
        finding["id"] for finding in counted.findings if finding["rule"] != "http-404"
    }
    for row in first:
        finding = by_id[row["What happened"].split(":")[0]]
        assert row["Time (UTC)"] == finding["first"].replace("T", " ")[:26]
        assert row["Severity"] == finding["severity"]
        where = finding["instances"][0] if finding["instances"] else {}
        place = where.get("event") or where.get("source_frame")
        assert (row.get("Event") or row.get("Source frame", "")).split()[-1] == ("-" if place is None else str(place))
    for row in rows:
        if found := re.match(r"(SW-\d+): for the last time, after ([\d,]+) records in all", row["What happened"]):
            finding = by_id[found[1]]
            assert (row["Time (UTC)"], whole(found[2])) == (
                finding["last"].replace("T", " ")[:26],
                finding["instances_total"],
            )


def test_where_secrets_went(case: tuple[Report, Counted]) -> None:
    report, counted = case
    spread = [finding for finding in counted.findings if finding["kind"] == "spread"]
    rows = report.table("Secrets that were handed on").dicts()
    assert [(row["ID"], whole(row["Times"])) for row in rows] == [
        (finding["id"], finding["instances_total"]) for finding in spread
    ]
    same: dict[str, list[Record]] = defaultdict(list)
    for finding in counted.findings:
        if finding["kind"] in ("credential", "challenge", "password_hash", "session") and not finding["merged"]:
            same[finding["secret_fingerprint"]].append(finding)
    several = {fingerprint: found for fingerprint, found in same.items() if len(found) > 1}
    shown = report.table("The same secret in several findings").dicts()
    assert {row["Fingerprint"]: whole(row["Records"]) for row in shown} == {
        fingerprint: sum(finding["instances_total"] for finding in found) for fingerprint, found in several.items()
    }


def test_display_filters(case: tuple[Report, Counted], tool: Callable[[str], str]) -> None:
    """Each filter lets through the frames of its findings and no other, by tshark."""
    report, counted = case
    rows = report.table("Display filters for the pcapng").dicts()
    by_rule = Counter(finding["rule"] for finding in counted.findings)
    assert sorted(whole(row["Findings"]) for row in rows[1:]) == sorted(by_rule.values())
    titles = {finding["rule"]: finding["title"] for finding in counted.findings}
    (pcapng,) = counted.folder.glob("*.pcapng")
    for row in rows:
        rules = [rule for rule, title in titles.items() if row is rows[0] or title.startswith(row["Shows"])]
        marked = {
            str(where["frame"])
            for finding in counted.findings
            if finding["rule"] in rules and finding["kind"] not in ("spread", "brute_force", "scan")
            for where in finding["instances"]
            if where["frame"] is not None
        }
        command = [tool("tshark"), "-r", str(pcapng), "-Y", row["Filter"], "-T", "fields", "-e", "frame.number"]
        shown = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        assert marked <= shown, row
        if row is not rows[0] and marked and all(finding["instances_total"] <= 100 for finding in counted.findings):
            assert shown == marked, row


def test_the_pdf_says_the_same(case: tuple[Report, Counted], tool: Callable[[str], str]) -> None:
    report, counted = case
    command = [tool("pdftotext"), "-layout", str(counted.folder / "report.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    flat = " ".join(text.split())
    for value in report.figures.values():
        assert value in flat
    summary = re.findall(r"[^.]* (?:was|were) examined\. (?:It holds|They hold) [^.]*\. [^.]*\.", report.words)[0]
    assert " ".join(summary.split()) in flat
    for finding in counted.findings[:100]:
        (line, *_) = re.findall(rf"^ *{finding['id']} .*$", text[text.index("Findings overview", 2_000) :], re.M) or [
            ""
        ]
        assert line, finding["id"]
    for _, _, _, digest in report.table("Companion files").rows:
        assert digest[:24] in text  # the rest may stand in the next line


def test_the_reader_sees_what_is_wrong(case: tuple[Report, Counted]) -> None:
    """A number that is changed in the page is another number to the tests above."""
    report, counted = case
    page = (counted.folder / "report.html").read_text("utf-8")
    value = report.figures["responses with status 404"]
    changed = page.replace(
        f'<span class="value">{value}</span> <span class="label">responses',
        '<span class="value">777</span> <span class="label">responses',
    )
    assert Report(changed).figures["responses with status 404"] == "777"
    digest = hashlib.sha256(counted.source.read_bytes()).hexdigest()
    assert Report(page.replace(digest, "0" * 64)).fact("SHA-256 before reading") == ["0" * 64]
