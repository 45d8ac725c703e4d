"""The directory of objects (--objects): made, filled when all parts are done, and listed.

Nothing that stands there is overwritten but what an earlier run of ours listed and nobody changed since.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import UsageError
from .model.text import spelled
from .objects import Limits, ObjectPlan, StoredObject, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .annotated import Annotated
    from .parts import Part

LIST = "objects.jsonl"
_SCRATCH = ".syswire-"


class ObjectFolder:
    """One run's directory of objects."""

    def __init__(self, directory: Path, limits: Limits, outputs: Path, inputs: Iterable[Path]) -> None:
        """Refuse what would harm evidence or other files, before anything is read: raises UsageError."""
        self.directory, self.limits = directory, limits
        self.files = self.bytes = self.left_out = 0
        self._full = False
        self._kept: list[tuple[Part, int]] = []
        if directory.exists() and not directory.is_dir():
            raise UsageError(f"{directory}: is not a directory")
        if _real(directory) == _real(outputs):
            raise UsageError(f"{directory}: objects need a directory of their own")
        for path in inputs:
            if _real(path).parent == _real(directory):
                raise UsageError(f"{directory}: holds the input {path}; write objects elsewhere")
        self._before = _earlier(directory)

    @contextmanager
    def scratch(self) -> Iterator[ObjectPlan]:
        """A folder (0700) for objects without a name yet, removed at the end, also after an error."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=_SCRATCH, dir=self.directory)
        try:
            yield ObjectPlan(folder, self.limits)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, part: Part, found: Annotated) -> int:
        """How many of a part's objects are kept, the first ones; parts are to be asked for in order."""
        self.left_out += found.objects.left_out
        number = 0
        if not self._full and self._fits(found.objects.listed, found.objects.bytes):
            number = found.objects.listed
        elif not self._full:
            self._full = True
            for row in rows(part.path("objects")):
                if not self._fits(1, row.size):
                    break
                number += 1
        self.left_out += found.objects.listed - number
        self._kept.append((part, number))
        return number

    def _fits(self, files: int, size: int) -> bool:
        if self.files + files > self.limits.files or self.bytes + size > self.limits.total:
            return False
        self.files += files
        self.bytes += size
        return True

    def publish(self, note: Callable[[str], object]) -> None:
        """Give the objects their names: of each part the first ones, as many as `keep` said; and list them."""
        if self.left_out:
            note(f"{spelled(str(self.directory))}: {self.left_out} objects left out beyond the limits")
        for name in self._before:
            (self.directory / name).unlink(missing_ok=True)
        part_of_list = self.directory / f".{LIST}.part"
        part_of_list.unlink(missing_ok=True)
        handle = os.open(part_of_list, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            for part, kept in self._kept:
                for number, row in enumerate(rows(part.path("objects"))):
                    if number == kept:
                        break
                    target = self.directory / row.file
                    if os.path.lexists(target):
                        raise UsageError(f"{target}: is there already, and not ours")
                    Path(row.scratch).rename(target)
                    out.write(msgspec.json.encode(_listed(row)) + b"\n")
        part_of_list.replace(self.directory / LIST)

    def described(self, *, reveal: bool) -> dict[str, Any]:
        """What the manifest says. The list has hashes that the annotations withhold: its own would tell them."""
        listing = self.directory / LIST
        hashed = {"sha256": _digest(listing)} if reveal else {"sha256": None, "hash_withheld": True}
        told = {
            "directory": spelled(str(_real(self.directory))),
            "files": self.files,
            "bytes": self.bytes,
            "left_out": self.left_out,
            "limits": self.limits._asdict(),
            "list": {"name": LIST, "size": listing.stat().st_size} | hashed,
        }
        return {"objects": told}


def object_folder(
    directory: Path | None, limits: tuple[int, int, int], outputs: Path, inputs: Iterable[Path]
) -> ObjectFolder | None:
    """The directory of a run's objects, None where they are not wanted. Raises what ObjectFolder does."""
    return None if directory is None else ObjectFolder(directory, Limits(*limits), outputs, inputs)


def object_differences(told: Any) -> list[str]:
    """Compare objects that are still where they were with what the manifest tells; one line a difference."""
    if not isinstance(told, dict):
        return []
    directory = Path(str(told.get("directory")))
    listing = directory / LIST
    if not directory.is_dir():
        return []
    if not listing.is_file():
        return [f"{listing}: missing"]
    wanted = told.get("list") or {}
    if listing.stat().st_size != wanted.get("size") or wanted.get("sha256") not in (None, _digest(listing)):
        return [f"{listing}: differs from the manifest"]
    found = []
    for line in listing.read_bytes().splitlines():
        entry = msgspec.json.decode(line)
        path = directory / str(entry["file"])
        if not path.is_file():
            found.append(f"{path}: missing")
        elif _digest(path) != entry["sha256"]:
            found.append(f"{path}: differs from its entry in {LIST}")
    return found


def _listed(row: StoredObject) -> dict[str, Any]:
    told = {
        "file": row.file,
        "sha256": row.sha256,
        "size": row.size,
        "type": row.type,
        "complete": row.complete,
        "source": row.source,
        "stream": row.stream,
        "ordinal": row.ordinal,
        "side": "request" if row.to_server else "response",
    }
    return told | {"cut": True} if row.cut else told


def _earlier(directory: Path) -> list[str]:
    """The names that an earlier run wrote there. Raises UsageError where anything else is, or one was changed."""
    if not directory.exists():
        return []
    known: dict[str, str] = {}
    try:
        for line in (directory / LIST).read_bytes().splitlines():
            told = msgspec.json.decode(line)
            known[str(told["file"])] = str(told["sha256"])
    except FileNotFoundError:
        pass
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{directory / LIST}: is no list of objects") from error
    found = []
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        if entry.name == LIST or entry.name.startswith((_SCRATCH, f".{LIST}")):
            continue
        if (
            entry.name not in known
            or not entry.is_file(follow_symlinks=False)
            or _digest(directory / entry.name) != known[entry.name]
        ):
            raise UsageError(f"{directory}: holds other files ({spelled(entry.name)}); name an empty directory")
        found.append(entry.name)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
