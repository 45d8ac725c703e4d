"""The output directory: who may write there, how files appear whole, and the spool that is gone afterwards."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from .errors import UsageError
from .model.text import printable, spelled
from .object_folder import object_differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MANIFEST = "manifest.json"
CAPTURE_SUFFIXES = (".scap", ".pcapng", ".pcap", ".cap")
COMPRESSION_SUFFIXES = (".gz", ".zst")
REPORTS = (
    "report.html",
    "report.pdf",
    "findings.jsonl",
    "findings.csv",
    "findings.schema.json",
    "findings.sarif",
    "findings.ocsf.jsonl",
    "timeline.csv",
)
WIRESHARK = "wireshark"
"""The folder in DIR with what makes Wireshark show findings."""
_FURTHER_PAGE = re.compile(r"report-[a-z]+(-[0-9]+)?\.html")
OUTPUT_SUFFIXES = (*REPORTS, ".pcapng", ".pcap", ".annotations.jsonl")
OWN_NAMES = (MANIFEST, "case.key", "syswire-crash.txt", *REPORTS)


def of_report(name: str) -> bool:
    """Whether a file of DIR is written by `report`: documents, their further pages, the folder for Wireshark."""
    return name in REPORTS or _FURTHER_PAGE.fullmatch(name) is not None or PurePosixPath(name).parts[:1] == (WIRESHARK,)


def within(name: str) -> bool:
    """Whether a name in a manifest, which anybody may have written, is one of a file that may stand in DIR."""
    parts = PurePosixPath(name).parts
    if not parts or name != "/".join(parts) or any(part in ("/", "..") for part in parts):
        return False
    return len(parts) == 1 or parts[0] == WIRESHARK


def stem(name: str) -> str:
    """INPUT's file name without compression and capture suffixes; "stdin" for standard input.

    What cannot be printed is escaped: the name is written to terminals and into documents.
    """
    if name == "-":
        return "stdin"
    base = printable(spelled(Path(name).name))
    for suffixes in (COMPRESSION_SUFFIXES, CAPTURE_SUFFIXES):
        for suffix in suffixes:
            if base.lower().endswith(suffix) and len(base) > len(suffix):
                base = base[: -len(suffix)]
                break
    return base.lstrip(".") or "capture"


def stems(names: Sequence[str]) -> list[str]:
    """One stem for each input; equal ones get -2, -3 ... in order."""
    taken: set[str] = set()
    out = []
    for name in names:
        plain = wanted = stem(name)
        number = 1
        while wanted in taken:
            number += 1
            wanted = f"{plain}-{number}"
        taken.add(wanted)
        out.append(wanted)
    return out


def real(path: Path) -> Path:
    """Where a path leads. Unlike Path.resolve it bears links that lead in a circle: opening those is refused later."""
    return Path(os.path.realpath(path))


class Written:
    """An output while it is written: its bytes are hashed as they pass, so that it need not be read again."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview, /) -> int:
        """Take all of `data`."""
        self._hash.update(data)
        self.size += len(data)
        return self._out.write(data)

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._hash.hexdigest()


class Workspace:
    """DIR, made 0700 where it is not there. Files in it appear whole and are 0600."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._evidence: list[Path] = []
        self._written: dict[str, tuple[int, str]] = {}

    def prepare(
        self, inputs: Iterable[Path], outputs: Iterable[str], *, force: bool, stdin: os.stat_result | None = None
    ) -> None:
        """Refuse before anything is read what would overwrite evidence or another case; then make the directory.

        `stdin` is what standard input is, where it is an input. Raises UsageError.
        """
        inputs = [real(path) for path in inputs]
        if self.directory.exists() and not self.directory.is_dir():
            raise UsageError(f"{self.directory}: is not a directory")
        for name in (*OWN_NAMES, *outputs):
            target = self.directory / name
            for path in inputs:
                if real(target) == path or (target.exists() and path.exists() and target.samefile(path)):
                    raise UsageError(f"{target}: the output would overwrite the input {path}")
            if stdin is not None and target.exists() and os.path.samestat(target.stat(), stdin):
                raise UsageError(f"{target}: the output would overwrite the input -")
        here = real(self.directory)
        for path in inputs:
            if path.is_relative_to(here) and of_report(path.relative_to(here).as_posix()):
                raise UsageError(f"{path}: is an input, and of a name that a report takes in {self.directory}")
        if not force and (self.directory / MANIFEST).exists():
            old = self.manifest()
            before = [entry.get("path") for entry in old.get("inputs", ())] if old else None
            if before != [spelled(str(path)) for path in inputs]:
                raise UsageError(f"{self.directory}: holds another case; use --force or another directory")
        self._evidence = inputs
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def manifest(self) -> dict[str, Any] | None:
        """The manifest that stands in the directory; None where there is none or it cannot be read."""
        try:
            found = msgspec.json.decode((self.directory / MANIFEST).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        return found if isinstance(found, dict) else None

    @contextmanager
    def spool(self) -> Iterator[Path]:
        """A folder (0700) for temporary files, removed at the end, also after an error."""
        folder = Path(tempfile.mkdtemp(prefix=".syswire-", dir=self.directory))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def whole(self, name: str) -> Iterator[Written]:
        """A new file (0600) that gets its name only when it is complete.

        Raises UsageError where it would replace an input: some names are known only when the input was read.
        """
        if real(self.directory / name) in self._evidence:
            raise UsageError(f"{self.directory / name}: the output would overwrite that input")
        part = self.directory / f".{name}.part"
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                written = Written(out)
                yield written
            part.replace(self.directory / name)
            self._written[name] = written.size, written.sha256
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def entry(self, name: str, source: int | None) -> dict[str, Any]:
        """A file of the directory as the manifest lists it: as it was written here, else as it stands."""
        if name in self._written:
            size, digest = self._written[name]
            return {"name": name, "size": size, "sha256": digest, "source": source}
        path = self.directory / name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"name": name, "size": path.stat().st_size, "sha256": digest, "source": source}

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, indented for people; what only an earlier run wrote here is taken away.

        A report of that run may show secrets that this one masks, or another case; a file that is not as it was
        written is somebody's own and stays.
        """
        before = self.manifest() or {}
        with self.whole(MANIFEST) as out:
            out.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        kept = {entry["name"] for entry in manifest["outputs"]}
        read = {entry.get("sha256") for entry in manifest["inputs"]}  # by whatever name, or through standard input
        for entry in before.get("outputs", ()):
            path = self.directory / str(entry.get("name"))
            if entry.get("name") not in kept and entry.get("sha256") not in read and self._made_here(path, entry):
                path.unlink()
                for folder in path.relative_to(self.directory).parents:
                    if folder.name and not any((self.directory / folder).iterdir()):
                        (self.directory / folder).rmdir()

    def _made_here(self, path: Path, entry: dict[str, Any]) -> bool:
        """Whether a file is one of ours, in this directory, and as the manifest's entry says it was written."""
        name = str(entry.get("name"))
        if not within(name) or not (of_report(name) or name.endswith(OUTPUT_SUFFIXES)) or not path.is_file():
            return False
        return bool(self.entry(name, None)["sha256"] == entry.get("sha256"))


def verify(directory: Path) -> list[str]:
    """Compare every output, object, and input that is still where it was with the manifest; one line a difference.

    Raises UsageError where there is no manifest.
    """
    space = Workspace(directory)
    manifest = space.manifest()
    if manifest is None:
        raise UsageError(f"{directory}: no readable {MANIFEST}")
    differences = []
    for entry in manifest.get("outputs", ()):
        name = str(entry.get("name"))
        if not within(name):
            differences.append(f"{name}: not a name within the directory")
        elif not (directory / name).is_file():
            differences.append(f"{name}: missing")
        elif space.entry(name, None)["sha256"] != entry.get("sha256"):
            differences.append(f"{name}: differs from the manifest")
    for entry in manifest.get("inputs", ()):
        path = Path(str(entry.get("path")))
        if entry.get("sha256") and path.is_file():
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                    differences.append(f"{path}: the input differs from the one that was read")
    return differences + object_differences(manifest.get("objects"))
