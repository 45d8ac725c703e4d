"""The three phases over all inputs of a case: decode, annotate, write. Everything else is called from here.

Findings are judged by whoever calls (`judge`), between the annotations and the pcapng, so that frames can carry them
as comments; this module knows nothing of reports.
"""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from . import annotations as notes
from .annotate import Counts, annotate
from .capture_files import write_frames
from .errors import EXIT_DAMAGED, EXIT_DONE, InputError
from .inputs import Input
from .masking import gather, informed, mask
from .model.text import address, spelled, timestamp
from .object_folder import object_folder
from .options import Options
from .parts import Serial, divide, in_order, workers
from .pcap import link_types, write_pcap
from .pcapng import LINKTYPE_RAW
from .prepare import Prepared, prepare
from .process_records import ProcessRecords
from .redact import Redactor, load_case_key
from .redaction.captures import redaction
from .scap.identity_store import IdentityStore
from .spread.spread import find_spread, unfollowed
from .version import VERSION
from .workspace import Workspace, real, stems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .objects import ObjectPlan

    Judge = Callable[[Path, dict[str, Any]], Callable[[int], Mapping[int, list[str]]]]
    Say = Callable[[str], None]
    Progress = Callable[[str, int, int], None]

_encode = msgspec.json.Encoder().encode

MOST_NAMES = 10_000
"""That a pcapng's name resolution blocks hold at most."""


def silent(*_: object) -> None:
    """Say nothing, show nothing."""


class Case:
    """One run over some inputs into one directory."""

    def __init__(
        self,
        names: list[str],
        directory: Path,
        options: Options,
        say: Say = silent,
        progress: Progress = silent,
        *,
        note: Say = silent,
        detail: Say = silent,
    ) -> None:
        """`say` is told of damage, `note` of what a user may want to know, `detail` of what was done.

        Raises UsageError before anything is read or written where an output would replace evidence or another case.
        """
        self.space = Workspace(directory)
        self.options = options
        self._say, self._progress, self._note, self._detail = say, progress, note, detail
        wanted = stems(names)
        self._inputs = [
            Input(number, name, stem, {"source": number, "path": _path(name), "name": _name(name), "stem": stem})
            for number, (name, stem) in enumerate(zip(names, wanted, strict=True))
        ]
        kinds = ("pcapng", "annotations.jsonl", *(("pcap",) if options.pcap else ()))
        outputs = [f"{stem}.{kind}" for stem in wanted for kind in kinds]
        stdin = os.fstat(sys.stdin.fileno()) if "-" in names and sys.stdin is not None else None
        files = [Path(name) for name in names if name != "-"]
        self.objects = object_folder(options.objects, options.object_limits, directory, files)
        self.space.prepare(files, outputs, force=options.force, stdin=stdin)
        for item in self._inputs:
            if item.stem != stems([item.name])[0]:
                note(f"{item.name}: written as {item.stem}, another input has the same name")
        self._key = load_case_key(directory, options.case_key)
        self.redactor = Redactor(self._key, options.reveal)
        self.manifest: dict[str, Any] = {}
        self._unfollowed = unfollowed()
        self.exit_code = EXIT_DONE

    def run(self, judge: Judge | None = None) -> dict[str, Any]:
        """Do it all. Returns the manifest, whose outputs do not yet hold reports (it is not written yet).

        Raises InputError where not one input could be read.
        """
        with self.space.spool() as spool:
            self._prepare_all(spool)
            readable = [item for item in self._inputs if item.prepared is not None]
            if not readable:
                single = len(self._inputs) == 1
                raise InputError(self._inputs[0].entry["message"] if single else "no input could be read")
            # Where no finding will comment them, the frames of packet captures need not wait for anything.
            early = judge is None and not self.options.redact
            ready = [item for item in readable if early and item.prepared and item.prepared.decoded.packets]
            with ThreadPoolExecutor(1, "captures") as beside:
                writing = [beside.submit(self._write_captures, item, {}) for item in ready]
                everything = len(ready) == len(readable)
                try:
                    with self.objects.scratch() if self.objects else nullcontext() as plan:
                        self._annotate_all(readable, str(spool / "secrets"), writing if everything else None, plan)
                finally:
                    for item in readable:
                        item.names.cancel()  # whoever waits for them need not wait longer
                for done in writing:
                    done.result()
            self._describe()
            comments = judge(self.space.directory, self.manifest) if judge is not None else _no_comments
            for item in readable:
                item.hash_again()
            for item in readable:
                if item not in ready:
                    self._write_captures(item, comments(item.source))
            for item in readable:
                self._check_unchanged(item)
        self.manifest["outputs"] = self._outputs()
        return self.manifest

    # -- phase 1

    def _prepare_all(self, spool: Path) -> None:
        """Read every input. Standard input and single inputs are read in this process."""
        tasks: list[tuple[str, Path, bool]] = []
        for item in self._inputs:
            folder = spool / str(item.source)
            folder.mkdir(mode=0o700)
            tasks.append((item.name, folder, self.options.redact))
        many = len(tasks) if "-" not in [name for name, *_ in tasks] else 1
        with workers(self.options.jobs, many) as executor:
            if isinstance(executor, Serial):
                for item, task in zip(self._inputs, tasks, strict=True):
                    shown = partial(self._progress, item.stem)
                    self._take(item, _try_prepare(*task, shown))
            else:
                for item, done in zip(self._inputs, in_order(executor, _try_prepare, tasks), strict=True):
                    self._take(item, done)

    def _take(self, item: Input, done: Prepared | str) -> None:
        """Note what became of an input: it was read, or a message says why not."""
        if isinstance(done, str):
            item.entry |= {"status": "unreadable", "message": done, "sha256": None, "losses": {}, "counts": {}}
            self.exit_code = EXIT_DAMAGED
            if len(self._inputs) > 1:
                self._say(done)
            return
        item.prepared = done
        message = done.damage_message()
        item.entry |= {
            "size": done.size,
            "mtime": timestamp(done.stat[1]) if done.regular else None,
            "sha256": done.sha256,
            "format": done.decoded.format,
            "compression": done.compression,
            "counts_file": done.counts_file,
            "shifted": done.shifted,
            "status": "damaged" if message else "complete",
            "message": message,
        }
        if message:
            self._say(message)
            self.exit_code = EXIT_DAMAGED
        for kind, frames in sorted(done.decoded.unread_links.items()):
            self._note(f"{item.name}: {frames} frames of link type {kind}, which is not read: they are in no stream")

    # -- phase 2

    def _annotate_all(
        self, items: list[Input], secrets: str, writing: list[Future[None]] | None, objects: ObjectPlan | None
    ) -> None:
        """Both passes over all conversations of all inputs: what is secret in one is secret in all.

        `writing` are what else reads the inputs, None where that comes later: only behind both are they hashed again.
        """
        for item in items:
            assert item.prepared is not None
            item.parts = divide(
                item.source,
                item.prepared,
                self._key,
                reveal=self.options.reveal,
                objects=objects,
                redact=self.options.redact,
                shared_secrets=self.options.shared_secrets,
            )
        parts = [part for item in items for part in item.parts]
        with workers(self.options.jobs, len(parts)) as executor:
            by_source = {item.source: item for item in items}
            for number, (part, found) in enumerate(
                zip(parts, in_order(executor, annotate, [(part,) for part in parts]), strict=True)
            ):
                by_source[part.source].found.append(found)
                self._progress("conversations", number + 1, len(parts))
            everything = [found for item in items for found in item.found]
            gather(everything, secrets, [item.prepared.decoded for item in items if item.prepared])
            self.redactor = informed(secrets, self._key, self.options.reveal)
            self._unfollowed = find_spread(items, self.redactor, Path(f"{secrets}.followed"), executor)
            for item in items:
                item.names.set_result(self._names(item))
            for item in items:
                counts = Counts()
                tasks = []
                for part, found in zip(item.parts, item.found, strict=True):
                    kept = self.objects.keep(part, found) if self.objects else 0
                    tasks.append((part, found, secrets, counts.exchanges + counts.records, kept))
                    counts.add(found.counts)
                for number, _ in enumerate(in_order(executor, mask, tasks)):
                    self._progress("annotations", number + 1, len(tasks))
                if writing is not None:
                    for done in writing:
                        done.result()
                    item.hash_again()
                self._write_annotations(item, counts)
        if self.objects is not None:
            self.objects.publish(self._note)

    def _write_annotations(self, item: Input, counts: Counts) -> None:
        assert item.prepared is not None
        decoded = item.prepared.decoded
        capture = notes.capture_record(
            item.source, item.entry["sha256"], item.entry["size"], decoded, item.prepared.frames
        )
        if self.options.reveal:
            capture["contains_secrets"] = True
        with self.space.whole(f"{item.stem}.annotations.jsonl") as out, open(decoded.identities, "rb") as spool:
            identities = IdentityStore(spool, decoded.offsets, decoded.ends)
            processes = ProcessRecords(item.source, decoded, identities, self.redactor)
            for record in chain((capture,), processes):
                out.write(self._line(record))
            for name in ("streams.final", "exchanges.final"):
                for part in item.parts:
                    with open(part.path(name), "rb") as made:
                        shutil.copyfileobj(made, out, 1 << 20)
            for record in chain(map(processes.sighting, decoded.sightings), item.spread):
                out.write(self._line(record))
        item.entry |= {
            "counts": {
                "events": decoded.events,
                "frames": item.prepared.frames,
                "streams": counts.streams,
                "exchanges": counts.exchanges,
                "records": counts.records,
                "processes": len(decoded.offsets),
                "sightings": counts.sightings + len(decoded.sightings),
            },
            "spoken": dict(sorted(counts.spoken.items())),
            "weird": dict(sorted(counts.weird.items())),
            "first": capture["first"],
            "last": capture["last"],
            "losses": capture["losses"],
            "machine": self._masked(notes.machine_record(decoded)),
            "interfaces": self._masked(notes.interface_records(decoded)),
            "tcp_ports_http": sorted(counts.http_ports),
        }
        numbers = ", ".join(f"{number} {name}" for name, number in item.entry["counts"].items())
        lost = ", ".join(f"{cause} {loss['count']}" for cause, loss in capture["losses"].items())
        self._detail(f"{item.name}: {numbers}; lost: {lost or 'nothing'}")

    def _names(self, item: Input) -> list[tuple[str, str]]:
        """What answers called which address, without names that hold a secret."""
        named = dict.fromkeys(pair for found in item.found for pair in found.names)
        return [(address(raw), name) for raw, name in named if self.redactor.text(name) == name][:MOST_NAMES]

    def _line(self, record: dict[str, Any]) -> bytes:
        return self.redactor.json_line(_encode(record)) + b"\n"

    def _masked(self, value: Any) -> Any:
        """Records for the manifest, their texts masked as in the annotations."""
        return msgspec.json.decode(self.redactor.json_line(_encode(value)))

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
            "options": {
                "reveal": self.options.reveal,
                "redact": self.options.redact,
                "no_pcapng": not self.options.pcapng,
                "pcap": self.options.pcap,
            },
            "inputs": [item.entry for item in self._inputs],
            "outputs": [],
            "counts": counts,
            "losses": losses,
            "spread": self._unfollowed,
            "versions": {"syswire": VERSION, "python": sys.version.split()[0]},
        } | (self.objects.described(reveal=self.options.reveal) if self.objects else {})

    # -- phase 3

    def _write_captures(self, item: Input, frame_comments: Mapping[int, list[str]]) -> None:
        """The pcapng, and the pcap where it is asked for: that is made of the pcapng."""
        assert item.prepared is not None
        if not (self.options.pcapng or self.options.pcap):
            return
        name = f"{item.stem}.pcapng"
        patches = None
        if self.options.redact:
            patches, item.entry["redacted"] = redaction(item.prepared, item.parts, self.redactor)
        written = partial(
            write_frames,
            prepared=item.prepared,
            entry=item.entry,
            redactor=self.redactor,
            frame_comments=frame_comments,
            names=item.names.result,
            patches=patches,
        )
        if not self.options.pcapng:
            scratch = item.prepared.folder / "pcapng"
            with open(scratch, "wb") as out:
                written(out)
            self._write_pcaps(item, scratch)
            return
        with self.space.whole(name) as out:
            written(out)
        if self.options.pcap:
            self._write_pcaps(item, self.space.directory / name)

    def _write_pcaps(self, item: Input, pcapng: Path) -> None:
        """A pcap has one link type: one file for each, the first without it in its name."""
        kinds = link_types(str(pcapng)) or [LINKTYPE_RAW]
        if len(kinds) > 1:
            self._note(f"{item.name}: {len(kinds)} link types, and a pcap has one: written as {len(kinds)} files")
        for number, kind in enumerate(kinds):
            name = f"{item.stem}.pcap" if number == 0 else f"{item.stem}.linktype-{kind}.pcap"
            with self.space.whole(name) as out:
                write_pcap(str(pcapng), kind, out)
            item.pcaps.append(name)

    def _check_unchanged(self, item: Input) -> None:
        """Evidence must be what it was."""
        if (message := item.changed()) is not None:
            self._say(message)
            self.exit_code = EXIT_DAMAGED

    def _outputs(self) -> list[dict[str, Any]]:
        outputs = []
        for item in self._inputs:
            if item.prepared is not None:
                kinds = ("pcapng", "annotations.jsonl") if self.options.pcapng else ("annotations.jsonl",)
                names = [*(f"{item.stem}.{kind}" for kind in kinds), *item.pcaps]
                outputs += [self.space.entry(name, item.source) for name in names]
        return outputs


def _path(name: str) -> str:
    return "-" if name == "-" else spelled(str(real(Path(name))))


def _name(name: str) -> str:
    return spelled(Path(name).name)


def _no_comments(_: int) -> Mapping[int, list[str]]:
    return {}


def _try_prepare(
    name: str, folder: Path, redact: bool, progress: Callable[[int, int], None] | None = None
) -> Prepared | str:
    """Read one input; the message where nothing of it can be read (exceptions would end the other inputs too)."""
    try:
        return prepare(name, folder, progress, keep_segments=redact)
    except InputError as error:
        return spelled(str(error))
