"""What another examiner needs to come to the same results: commands, ports, the files beside the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .display import number
from .findings import Findings
from .model import Captured, Phrase, Table

Manifest = Mapping[str, Any]
# tshark 4 hands these TCP ports to HTTP by itself; elsewhere another dissector may come first.
HTTP_PORTS = frozenset((80, 3128, 3132, 5985, 8080, 8088, 11371, 1900, 2869, 2710))


def commands(
    manifest: Manifest, findings: Findings, frames: Sequence[tuple[int, int, str]]
) -> list[tuple[str, list[Phrase]]]:
    """Commands that repeat this report and show single packets. `frames`: (source, frame, finding id) to show."""
    inputs = list(manifest.get("inputs", ()))
    names = [str(entry.get("name") or "-") for entry in inputs]
    captures = rebuilt(manifest)
    flags = "".join(f" --{name}" for name in ("redact", "reveal") if (manifest.get("options") or {}).get(name))
    groups: list[tuple[str, list[Phrase]]] = [
        ("Check the evidence", [("sha256sum ", Captured(" ".join(map(quoted, names))))]),
        (
            "Make this report again",
            [("syswire report ", Captured(" ".join(map(quoted, names))), f" -o DIR{flags}"), "syswire verify DIR"],
        ),
    ]
    shown: list[Phrase] = []
    for source, frame, finding in frames:
        if source in captures:
            shown.append(
                ("tshark -r ", Captured(quoted(captures[source])), f' -Y "frame.number == {frame}" -V   # {finding}')
            )
    if shown:
        groups.append(("Show a packet", shown))
    odd = odd_ports(manifest, findings)
    options = "-o http.desegment_body:FALSE" + "".join(f" -d tcp.port=={port},http" for port in odd)
    everything: list[Phrase] = [
        ("tshark -r ", Captured(quoted(name)), f' {options} -Y "http.response.code == 404"')
        for name in list(captures.values())[:8]
    ]
    if everything:
        groups.append(("List the 404s", everything))
    return groups


def quoted(name: str) -> str:
    """A file name as one shell word."""
    return (
        name
        if name and all(letter.isalnum() or letter in "._-/+," for letter in name)
        else "'" + name.replace("'", "'\\''") + "'"
    )


def odd_ports(manifest: Manifest, findings: Findings, limit: int = 12) -> list[int]:
    """Ports on which HTTP ran and that Wireshark does not give to HTTP by itself, busiest first."""
    counts = dict(findings.survey.http_ports)
    for entry in manifest.get("inputs", ()):
        for port in entry.get("tcp_ports_http") or ():
            counts.setdefault(int(port), 0)
    odd = [port for port in counts if port not in HTTP_PORTS]
    return sorted(sorted(odd, key=lambda port: (-counts[port], port))[:limit])


def rebuilt(manifest: Manifest) -> dict[int, str]:
    """The rebuilt capture of each source, by the manifest's outputs, else by the input's stem."""
    found = {
        int(entry["source"]): str(entry["name"])
        for entry in manifest.get("outputs", ())
        if entry.get("source") is not None and str(entry.get("name", "")).endswith((".pcapng", ".pcap"))
    }
    if (manifest.get("options") or {}).get("no_pcapng"):
        return found
    return {
        int(entry["source"]): f"{entry['stem']}.pcapng" for entry in manifest.get("inputs", ()) if entry.get("stem")
    } | found


def companions(manifest: Manifest, made: Sequence[tuple[str, int, str]]) -> Table:
    """Files delivered with the report. `made`: (name, size, SHA-256) of those written with it."""
    rows: list[tuple[Phrase, ...]] = []
    known = {name for name, _, _ in made}
    listed = [
        (str(entry["name"]), int(entry.get("size") or 0), str(entry.get("sha256") or ""))
        for entry in manifest.get("outputs", ())
        if str(entry["name"]) not in known
    ]
    for name, length, digest in [*listed, *made]:
        if not name.startswith("report."):
            rows.append((Captured(name), _purpose(name), number(length), digest or "in manifest.json"))
    return Table(
        ("File", "Content", "Bytes", "SHA-256"),
        rows,
        "Digests of report.html and report.pdf are in manifest.json, with those of all other files.",
    )


def _purpose(name: str) -> str:
    for ending, text in (
        (".pcapng", "rebuilt packets with comments, for Wireshark"),
        (".pcap", "rebuilt packets, older format"),
        (".annotations.jsonl", "processes, conversations, exchanges, sightings"),
        ("findings.jsonl", "all findings, for programs"),
        ("findings.csv", "all findings, for spreadsheets"),
    ):
        if name.endswith(ending):
            return text
    return "-"
