"""What another examiner needs to come to the same results: commands, ports, the files beside the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .display import number
from .findings import Findings
from .inputs import STDIN, Input, Inputs
from .language import heads, later, text
from .languages import LANGUAGES
from .model import Captured, Phrase, Table

Manifest = Mapping[str, Any]
# tshark 4 hands these TCP ports to HTTP by itself; elsewhere another dissector may come first.
HTTP_PORTS = frozenset((80, 3128, 3132, 5985, 8080, 8088, 11371, 1900, 2869, 2710))
CAPTURES = 8
FLAGS = (("redact", "--redact"), ("reveal", "--reveal"), ("no_pcapng", "--no-pcapng"), ("pcap", "--pcap"))
PURPOSES = later(
    {
        ".pcapng": (
            "the frames of the source with comments, for Wireshark",
            "rebuilt packets with comments, for Wireshark",
        ),
        ".pcap": (
            "the frames of the source, older format, no comments",
            "rebuilt packets, older format, no comments",
        ),
        ".annotations.jsonl": (
            "conversations, exchanges, sightings",
            "processes, conversations, exchanges, sightings",
        ),
        "findings.schema.json": ("the schema of findings.jsonl",),
        "findings.ocsf.jsonl": ("all findings, as OCSF detection findings",),
        "findings.sarif": ("all findings, as SARIF",),
        "findings.jsonl": ("all findings, for programs",),
        "findings.csv": ("all findings, for spreadsheets",),
        "timeline.csv": ("what was seen when, for Timesketch",),
    }
)
"""What a file holds, by how its name ends: of packets, of system calls where that differs."""
HEAD = later(("File", "Content", "Bytes", "SHA-256"))
UNPACK = {"gzip": "gzip -dc", "zstd": "zstd -dc"}


class Frame(NamedTuple):
    """A frame that a finding points at: its numbers in what was written and in the source."""

    source: int
    frame: int | None
    source_frame: int | None
    finding: str


def commands(
    manifest: Manifest, findings: Findings, inputs: Inputs, frames: Sequence[Frame]
) -> list[tuple[str, list[Phrase]]]:
    """Commands that repeat this report and show single packets, `frames`."""
    names = [quoted(each.name) for each in inputs]
    files = [name for name in names if name != STDIN]
    options_ = manifest.get("options") or {}
    flags = "".join(f" {flag}" for name, flag in FLAGS if options_.get(name))
    flags += f" --language {options_['language']}" if options_.get("language") in LANGUAGES else ""
    files_ = [(name, options_[name]["name"]) for name in ("rules", "ignore") if options_.get(name)]
    more = [part for name, file in files_ for part in (f" --{name} ", Captured(quoted(str(file))))]
    groups: list[tuple[str, list[Phrase]]] = []
    if files:
        groups.append((text("Check the evidence"), [("sha256sum ", Captured(" ".join(files)))]))
    groups.append(
        (
            text("Make this report again"),
            [("syswire report ", Captured(" ".join(names)), f" -o DIR{flags}", *more), "syswire verify DIR"],
        )
    )
    written = [line for frame in frames if (line := _of_capture(inputs, frame)) is not None]
    if written:
        groups.append((text("Show a packet"), written))
    original = [line for frame in frames if (line := _of_source(inputs, frame)) is not None]
    if original:
        groups.append((text("Show it in the packet capture that was read"), original))
    odd = odd_ports(manifest, findings)
    options = "-o http.desegment_body:FALSE" + "".join(f" -d tcp.port=={port},http" for port in odd)
    everything: list[Phrase] = [
        ("tshark -r ", Captured(quoted(each.capture)), f' {options} -Y "http.response.code == 404"')
        for each in inputs
        if each.capture is not None
    ]
    if everything:
        groups.append((text("List the 404s"), everything[:CAPTURES]))
    return groups


def show_packet(inputs: Inputs, frame: Frame) -> list[Phrase]:
    """Commands that show a frame: in the capture that was written, and in the packet capture that was read."""
    lines = (_of_capture(inputs, frame, named=False), _of_source(inputs, frame, named=False))
    return [line for line in lines if line is not None]


def _of_capture(inputs: Inputs, frame: Frame, *, named: bool = True) -> Phrase | None:
    found = inputs.get(frame.source)
    if found is None or found.capture is None or frame.frame is None:
        return None
    return "tshark -r ", Captured(quoted(found.capture)), _shown(frame.frame, frame, named=named)


def _of_source(inputs: Inputs, frame: Frame, *, named: bool = True) -> Phrase | None:
    found = inputs.get(frame.source)
    if found is None or not found.packets or found.name == STDIN or frame.source_frame is None:
        return None
    return *_opened(found), _shown(frame.source_frame, frame, named=named)


def _opened(found: Input) -> tuple[str, ...]:
    """Tshark on an input; it reads gzip by itself, and not what is compressed twice."""
    name = Captured(quoted(found.name))
    layers = found.compression.split("+")
    if layers in (["none"], ["gzip"]):
        return "tshark -r ", name
    first, *others = [UNPACK.get(layer, "cat") for layer in layers]
    return f"{first} ", name, "".join(f" | {other}" for other in others) + " | tshark -r -"


def _shown(number_: int, frame: Frame, *, named: bool) -> str:
    told = f' -Y "frame.number == {number_}" -V'
    return f"{told}   # {frame.finding}" if named else told


def quoted(name: str) -> str:
    """A file name as one shell word, never an option."""
    plain = name and name[0] != "-" and all(letter.isalnum() or letter in "._-/+," for letter in name)
    if plain or name == STDIN:
        return name
    return "'" + ("./" if name[:1] == "-" else "") + name.replace("'", "'\\''") + "'"


def odd_ports(manifest: Manifest, findings: Findings, limit: int = 12) -> list[int]:
    """Ports on which HTTP ran and that Wireshark does not give to HTTP by itself, busiest first."""
    counts = dict(findings.survey.http_ports)
    for entry in manifest.get("inputs", ()):
        for port in entry.get("tcp_ports_http") or ():
            counts.setdefault(int(port), 0)
    odd = [port for port in counts if port not in HTTP_PORTS]
    return sorted(sorted(odd, key=lambda port: (-counts[port], port))[:limit])


def companions(manifest: Manifest, inputs: Inputs, made: Sequence[tuple[str, int, str]]) -> Table:
    """Files delivered with the report. `made`: (name, size, SHA-256) of those written with it."""
    rows: list[tuple[Phrase, ...]] = []
    known = {name for name, _, _ in made}
    listed = [
        (str(entry["name"]), entry.get("source"), int(entry.get("size") or 0), str(entry.get("sha256") or ""))
        for entry in manifest.get("outputs", ())
        if str(entry["name"]) not in known
    ]
    for name, source, length, digest in [*listed, *((name, None, size, digest) for name, size, digest in made)]:
        if not name.startswith("report."):
            packets = source is not None and inputs.is_packets(int(source))
            rows.append(
                (Captured(name), _purpose(name, packets=packets), number(length), digest or text("in manifest.json"))
            )
    return Table(
        heads(HEAD),
        rows,
        text("Digests of report.html and report.pdf are in manifest.json, with those of all other files."),
    )


def _purpose(name: str, *, packets: bool) -> str:
    if name.startswith("wireshark/"):
        return text("profile and script for Wireshark")
    found = next((told for ending, told in PURPOSES.items() if name.endswith(ending)), None)
    return "-" if found is None else text(found[0 if packets else -1])
