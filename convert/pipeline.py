"""The three phases over all inputs of a case: decode, annotate, write. Everything else is called from here.

Findings are judged by whoever calls (`judge`), between the annotations and the pcapng, so that frames can carry them
as comments; this module knows nothing of reports.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from . import annotations as notes
from .annotate import Annotator
from .comments import FlowComments
from .conversations.both_ends import rebuild
from .conversations.numbers import number_frames
from .conversations.rebuilt import Rebuilt
from .decode import Decoded, decode
from .errors import EXIT_DAMAGED, EXIT_DONE, InputError
from .magic import capture_format
from .model.losses import Loss
from .model.rows import CHUNK
from .model.text import timestamp
from .pcapng import Header, Interface, write_pcapng
from .redact import Redactor, load_case_key
from .scap.identity import IdentityStore
from .source import Hasher, Source
from .spool.sort import sort_rows
from .version import VERSION
from .workspace import Workspace, stems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Judge = Callable[[Path, dict[str, Any]], Callable[[int], Mapping[int, list[str]]]]
    Say = Callable[[str], None]
    Progress = Callable[[str, int, int], None]

CONV_FIELD = (52, 4)  # Chunk.conv
IDENTITY = ("st_size", "st_mtime_ns", "st_ino")
SPOOLED = ("pieces", "frames", "totals", "threads", "ordered", "numbers", "tcp")
SYNTHETIC = "synthetic TCP rebuilt from system calls: headers, sequence numbers and acknowledgements were not on a wire"


@dataclass
class Options:
    """What the command line says; `case` is free text for the report."""

    reveal: bool = False
    pcapng: bool = True
    force: bool = False
    case_key: Path | None = None
    case: dict[str, str] = field(default_factory=dict)
    jobs: int = 1


@dataclass
class _Input:
    """One input on its way through the phases."""

    source: int
    name: str
    stem: str
    entry: dict[str, Any]
    stat: os.stat_result | None = None
    decoded: Decoded | None = None
    reader: Rebuilt | None = None
    annotator: Annotator | None = None
    identities: IdentityStore | None = None
    spool: IO[bytes] | None = None
    frames: int = 0
    folder: Path | None = None


def silent(*_: object) -> None:
    """Say nothing, show nothing."""


class Case:
    """One run over some inputs into one directory."""

    def __init__(
        self, names: list[str], directory: Path, options: Options, say: Say = silent, progress: Progress = silent
    ) -> None:
        self.space = Workspace(directory)
        self.options = options
        self._say, self._progress = say, progress
        wanted = stems(names)
        self._inputs = [
            _Input(number, name, stem, {"source": number, "path": _path(name), "name": Path(name).name, "stem": stem})
            for number, (name, stem) in enumerate(zip(names, wanted, strict=True))
        ]
        outputs = [f"{stem}.{kind}" for stem in wanted for kind in ("pcapng", "annotations.jsonl")]
        self.space.prepare([Path(name) for name in names if name != "-"], outputs, force=options.force)
        for item in self._inputs:
            if item.stem != stems([item.name])[0]:
                say(f"{item.name}: written as {item.stem}, another input has the same name")
        self.redactor = Redactor(load_case_key(directory, options.case_key), options.reveal)
        self.manifest: dict[str, Any] = {}
        self.exit_code = EXIT_DONE

    def run(self, judge: Judge | None = None) -> dict[str, Any]:
        """Do it all. Returns the manifest, whose outputs do not yet hold reports (it is not written yet).

        Raises InputError where not one input could be read.
        """
        with self.space.spool() as spool:
            try:
                for item in self._inputs:
                    item.folder = spool / str(item.source)
                    item.folder.mkdir(mode=0o700)
                    self._read(item)
                if not any(item.decoded for item in self._inputs):
                    single = len(self._inputs) == 1
                    raise InputError(self._inputs[0].entry["message"] if single else "no input could be read")
                for item in self._inputs:
                    self._annotate(item)
                self._describe()
                comments = judge(self.space.directory, self.manifest) if judge is not None else _no_comments
                hashers = [self._hash_again(item) for item in self._inputs]
                if self.options.pcapng:
                    for item in self._inputs:
                        self._write_pcapng(item, comments(item.source))
                for item, hasher in zip(self._inputs, hashers, strict=True):
                    self._check_unchanged(item, hasher)
            finally:
                for item in self._inputs:
                    _release(item)
        self.manifest["outputs"] = self._outputs()
        return self.manifest

    # -- phase 1 and the first pass of phase 2

    def _read(self, item: _Input) -> None:
        try:
            source = Source(None if item.name == "-" else Path(item.name))
        except InputError as error:
            self._unreadable(item, str(error))
            return
        try:
            self._read_source(item, source)
        except InputError as error:
            self._unreadable(item, str(error))
        finally:
            source.close()

    def _read_source(self, item: _Input, source: Source) -> None:
        assert item.folder is not None
        kind = capture_format(source)
        if kind != "scap":
            if kind is None and source.damage is not None:
                raise InputError(f"{item.name}: {source.damage.what}, at stored byte {source.damage.offset}")
            raise InputError(f"{item.name}: {kind or 'not a capture (no known magic number)'}, at byte 0")
        source.start_hashing()
        item.stat = source.status
        decoded = decode(source, item.folder, lambda done: self._progress(item.stem, done, source.size))
        spool = item.folder
        sort_rows(decoded.chunks, str(spool / "sorted"), CHUNK.size, [CONV_FIELD], scratch=str(spool))
        Path(decoded.chunks).unlink()
        files = {name: str(spool / name) for name in SPOOLED}
        payload = os.open(decoded.payload, os.O_RDONLY | os.O_CLOEXEC)
        try:
            summary = rebuild(
                str(spool / "sorted"),
                decoded.convs,
                files["pieces"],
                files["frames"],
                files["totals"],
                files["threads"],
                payload_fd=payload,
                scratch=str(spool),
            )
        finally:
            os.close(payload)
        (spool / "sorted").unlink()
        for cause in ("gap_frames_not_written", "overlong"):
            if count := getattr(summary, cause):
                decoded.losses[cause] = Loss(count)
        item.frames = number_frames(
            files["frames"],
            files["ordered"],
            files["numbers"],
            files["tcp"],
            conversations=decoded.conversations,
            scratch=str(spool),
        )
        item.decoded = decoded
        item.spool = Path(decoded.identities).open("rb")  # noqa: SIM115 - closed by _release
        item.identities = IdentityStore(item.spool, decoded.offsets, decoded.ends)
        item.reader = Rebuilt(
            convs=decoded.convs,
            totals=files["totals"],
            threads=files["threads"],
            pieces=files["pieces"],
            numbers=files["numbers"],
            tcp_streams=files["tcp"],
            payload=decoded.payload,
        )
        item.annotator = Annotator(item.source, decoded, item.reader, item.identities, self.redactor, spool)
        item.annotator.parse(lambda done: self._progress(f"{item.stem}: conversations", done, decoded.conversations))
        item.entry |= {
            "size": source.size,
            "mtime": timestamp(source.status.st_mtime_ns) if source.regular else None,
            "sha256": source.sha256(),
            "format": kind,
            "compression": source.compression,
            "shifted": summary.shifted,
        }
        self._note_damage(item, source, decoded)

    def _note_damage(self, item: _Input, source: Source, decoded: Decoded) -> None:
        message = None
        if decoded.damage is not None:
            what, offset = decoded.damage
            message = f"{item.name}: {what}, at byte {offset}; kept the {decoded.events} events before it"
        elif source.damage is not None:
            what, offset = source.damage
            message = f"{item.name}: {what}, at stored byte {offset}; kept all {decoded.events} events"
        item.entry |= {"status": "damaged" if message else "complete", "message": message}
        if message:
            self._say(message)
            self.exit_code = EXIT_DAMAGED

    def _unreadable(self, item: _Input, message: str) -> None:
        item.decoded = None
        item.entry |= {"status": "unreadable", "message": message, "sha256": None, "losses": {}, "counts": {}}
        self.exit_code = EXIT_DAMAGED
        if len(self._inputs) > 1:
            self._say(message)

    # -- the second pass of phase 2

    def _annotate(self, item: _Input) -> None:
        if item.decoded is None or item.annotator is None:
            return
        capture = notes.capture_record(item.source, item.entry["sha256"], item.entry["size"], item.decoded, item.frames)
        with self.space.whole(f"{item.stem}.annotations.jsonl") as out:
            item.annotator.write(out, capture)
        counts, decoded = item.annotator.counts, item.decoded
        item.entry |= {
            "counts": {
                "events": decoded.events,
                "frames": item.frames,
                "streams": counts.streams,
                "exchanges": counts.exchanges,
                "processes": len(decoded.offsets),
                "sightings": counts.sightings,
            },
            "weird": dict(sorted(counts.weird.items())),
            "first": capture["first"],
            "last": capture["last"],
            "losses": capture["losses"],
            "machine": decoded.machine,
            "interfaces": [{"name": name, "address": address} for name, address in decoded.interfaces],
            "tcp_ports_http": sorted(counts.http_ports),
        }

    def _describe(self) -> None:
        """The manifest, all but outputs and the times of the run (those are the command line's)."""
        counts: dict[str, int] = {}
        losses: dict[str, dict[str, int]] = {}
        for item in self._inputs:
            for name, number in item.entry.get("counts", {}).items():
                counts[name] = counts.get(name, 0) + number
            for cause, loss in item.entry.get("losses", {}).items():
                total = losses.setdefault(cause, {"count": 0, "bytes": 0})
                total["count"] += loss["count"]
                total["bytes"] += loss["bytes"]
        self.manifest = {
            "syswire": VERSION,
            "masked": not self.options.reveal,
            "case": self.options.case,
            "options": {"reveal": self.options.reveal, "no_pcapng": not self.options.pcapng},
            "inputs": [item.entry for item in self._inputs],
            "outputs": [],
            "counts": counts,
            "losses": losses,
            "versions": {"syswire": VERSION, "python": sys.version.split()[0]},
        }

    # -- phase 3

    def _write_pcapng(self, item: _Input, frame_comments: Mapping[int, list[str]]) -> None:
        decoded, reader, identities = item.decoded, item.reader, item.identities
        if decoded is None or reader is None or identities is None or item.folder is None:
            return
        flow = FlowComments(decoded, reader, identities, self.redactor)
        machine = decoded.machine or {}
        header = Header(
            comments=[
                f"syswire {VERSION}",
                f"source {item.entry['name']}, SHA-256 {item.entry['sha256']}",
                SYNTHETIC,
                "where payload was cut, tshark and Wireshark show every response with -o http.desegment_body:FALSE",
            ],
            os=f"Linux, host {machine['hostname']}" if machine.get("hostname") else "Linux",
            application=f"syswire {VERSION}",
            containers=[
                Interface(f"container {name}", decoded.container_names.get(name, "")) for name in decoded.containers[1:]
            ],
            names=flow.names(),
        )
        payload = os.open(decoded.payload, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with self.space.whole(f"{item.stem}.pcapng") as out:
                write_pcapng(
                    out,
                    header,
                    frames=str(item.folder / "ordered"),
                    pieces=str(item.folder / "pieces"),
                    convs=decoded.convs,
                    payload_fd=payload,
                    identity=flow.identity,
                    flow_comments=flow.comments,
                    frame_comments=frame_comments,
                )
        finally:
            os.close(payload)

    def _hash_again(self, item: _Input) -> Hasher | None:
        """Begin to hash the input a second time, beside the writing: evidence must be what it was."""
        return Hasher(Path(item.name)) if item.decoded is not None and item.name != "-" else None

    def _check_unchanged(self, item: _Input, hasher: Hasher | None) -> None:
        if hasher is None or item.stat is None:
            item.entry.setdefault("sha256_after", None)
            return
        item.entry["sha256_after"] = hasher.digest()
        now = Path(item.name).stat()
        if any(getattr(now, name) != getattr(item.stat, name) for name in IDENTITY) or (
            item.entry["sha256_after"] != item.entry["sha256"]
        ):
            message = f"{item.name}: the input changed while it was read"
            item.entry |= {"status": "damaged", "message": message}
            self._say(message)
            self.exit_code = EXIT_DAMAGED

    def _outputs(self) -> list[dict[str, Any]]:
        outputs = []
        for item in self._inputs:
            if item.decoded is not None:
                kinds = ("pcapng", "annotations.jsonl") if self.options.pcapng else ("annotations.jsonl",)
                outputs += [self.space.entry(f"{item.stem}.{kind}", item.source) for kind in kinds]
        return outputs


def _path(name: str) -> str:
    return "-" if name == "-" else str(Path(name).resolve())


def _no_comments(_: int) -> Mapping[int, list[str]]:
    return {}


def _release(item: _Input) -> None:
    if item.annotator is not None:
        item.annotator.close()
    if item.reader is not None:
        item.reader.close()
    if item.spool is not None:
        item.spool.close()
