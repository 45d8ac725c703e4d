"""Compare with the expected listings of captures of the newest schema, which sysdig 0.29.3 cannot read."""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from parity.compare import SHARED, syswire
from parity.known import same_argument

ARGUMENTS = "evt.args"


class Listing(NamedTuple):
    """How many events agree: in all fields but the arguments, and in the arguments' text."""

    events: int
    fields: int
    arguments: int
    differing: Counter[str]
    examples: dict[str, tuple[object, object]]


def captures() -> list[Path]:
    """The captures that have an expected listing."""
    return sorted((SHARED / "data" / "scap-modern").glob("*.scap.gz"))


def compare(capture: Path) -> Listing:
    """Read a capture with syswire and hold it against its expected listing."""
    with gzip.open(
        capture.with_name(capture.name.replace(".scap.gz", ".expected.jsonl.gz")), "rt", encoding="utf-8"
    ) as file:
        wanted = [json.loads(line) for line in file]
    names = sorted(wanted[0])
    lines = syswire(capture, ("-v", "-j", "-p", "*" + " ".join(f"%{name}" for name in names)))
    found = [json.loads(line.decode("utf-8", "replace")) for line in lines if line]
    differing: Counter[str] = Counter()
    examples: dict[str, tuple[object, object]] = {}
    fields = arguments = 0
    for want, have in zip(wanted, found, strict=False):
        wrong = [name for name in names if name != ARGUMENTS and _plain(want[name]) != _plain(have.get(name))]
        same = same_argument(str(want[ARGUMENTS] or "").rstrip(), str(have.get(ARGUMENTS) or "").rstrip())
        fields += not wrong
        arguments += same
        for name in [*wrong, *([] if same else [ARGUMENTS])]:
            key = f"{name} of {want['evt.type']}"
            differing[key] += 1
            examples.setdefault(key, (want[name], have.get(name)))
    return Listing(max(len(wanted), len(found)), fields, arguments, differing, examples)


def _plain(value: Any) -> Any:
    """Missing is null or <NA>; numbers may come as text."""
    if value is None or value == "<NA>":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def main() -> None:
    """Print the figures of all captures."""
    for capture in captures():
        listing = compare(capture)
        print(
            f"{capture.name}: {listing.events} events, fields equal {listing.fields / listing.events:.2%}, "
            f"arguments {listing.arguments / listing.events:.2%}"
        )
        for name, count in listing.differing.most_common(12):
            print(f"    {count:5} {name}: {str(listing.examples[name])[:300]}")


if __name__ == "__main__":
    main()
