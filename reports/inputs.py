"""The inputs of a case and their kinds: what a sentence may say of one of system calls, it may not say of packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .display import duration, moment, nanoseconds
from .language import listing, plural, text

Manifest = Mapping[str, Any]
PACKET_FORMATS = ("pcap", "pcapng")
STDIN = "-"


def item(source: int) -> str:
    """The name of an input in the report."""
    return f"E-{source + 1:02d}"


class Input(NamedTuple):
    """One input of the manifest."""

    source: int
    name: str
    format: str
    compression: str
    readable: bool
    capture: str | None
    """The file beside the annotations whose frames have the annotations' numbers; None where none was written. It is
    told from an input of the same name by the directory, DIR as in the commands of the report.
    """
    entry: Mapping[str, Any]

    @property
    def packets(self) -> bool:
        """Whether it is a packet capture: its frames are the source's own, and it names no process."""
        return self.format in PACKET_FORMATS

    @property
    def item(self) -> str:
        """Its name in the report."""
        return item(self.source)

    def count(self, name: str) -> int:
        """One of its counts, 0 where the manifest has none."""
        return int((self.entry.get("counts") or {}).get(name) or 0)


class Inputs:
    """All inputs of a case, in the manifest's order."""

    def __init__(self, manifest: Manifest) -> None:
        captures = _captures(manifest)
        self._inputs = [_input(entry, captures.get(int(entry["source"]))) for entry in manifest.get("inputs", ())]
        self.unfollowed: Mapping[str, Any] = manifest.get("spread") or {}
        """What the search for secrets that were handed on did not look at, as the manifest has it."""
        self._by_source = {each.source: each for each in self._inputs}

    def __iter__(self) -> Iterator[Input]:
        return iter(self._inputs)

    def __len__(self) -> int:
        return len(self._inputs)

    def get(self, source: int) -> Input | None:
        """The input of that index."""
        return self._by_source.get(source)

    def is_packets(self, source: int) -> bool:
        """Whether the input of that index is a packet capture."""
        found = self._by_source.get(source)
        return found is not None and found.packets

    @property
    def readable(self) -> list[Input]:
        """Those of which something could be read."""
        return [each for each in self._inputs if each.readable]

    @property
    def packets(self) -> list[Input]:
        """The packet captures among them."""
        return [each for each in self.readable if each.packets]

    @property
    def calls(self) -> list[Input]:
        """The captures of system calls among them."""
        return [each for each in self.readable if not each.packets]

    @property
    def mixed(self) -> bool:
        """Whether there are both kinds."""
        return bool(self.packets) and bool(self.calls)

    @property
    def only_packets(self) -> bool:
        """Whether no system call was recorded."""
        return bool(self.packets) and not self.calls

    def covered(self) -> tuple[str, str, int] | None:
        """First and last time, and how many nanoseconds between them lie in a capture; None where no time is known."""
        spans = sorted(
            (begin, end, str(each.entry["first"]), str(each.entry["last"]))
            for each in self._inputs
            if (begin := nanoseconds(each.entry.get("first"))) is not None
            and (end := nanoseconds(each.entry.get("last"))) is not None
        )
        if not spans:
            return None
        inside, reached = 0, spans[0][0]
        for begin, end, _, _ in spans:
            inside += max(end - max(begin, reached), 0)
            reached = max(reached, end)
        return spans[0][2], max(spans, key=lambda entry: entry[1])[3], inside

    def overlap(self, one: int, other: int) -> bool:
        """Whether the times of two inputs have something in common."""
        spans = []
        for source in (one, other):
            entry = self._by_source[source].entry if source in self._by_source else {}
            spans.append((nanoseconds(entry.get("first")), nanoseconds(entry.get("last"))))
        (begin, end), (start, stop) = spans
        if begin is None or end is None or start is None or stop is None:
            return False
        return begin <= stop and start <= end


def items(inputs: Iterable[Input], limit: int = 12) -> str:
    """`E-01, E-02 and E-04`; beyond the limit only how many more."""
    return listing([each.item for each in inputs], limit)


def period(inputs: Inputs) -> str:
    """`10 minutes`; where the captures leave gaps, between which times they lie; nothing where no time is known."""
    found = inputs.covered()
    if found is None:
        return ""
    first, last, inside = found
    reach = (nanoseconds(last) or 0) - (nanoseconds(first) or 0)
    told = duration(inside)
    if duration(reach) == told:
        return told
    return text(
        "{duration} between {first} and {last} UTC", duration=told, first=moment(first)[:16], last=moment(last)[:16]
    )


def dates(inputs: Inputs) -> str:
    """First to last time of all inputs, and whether there is time between them that none covers."""
    found = inputs.covered()
    if found is None:
        return ""
    first, last, inside = found
    reach = (nanoseconds(last) or 0) - (nanoseconds(first) or 0)
    told = text("{first} to {last} UTC", first=moment(first)[:19], last=moment(last)[:19])
    if duration(inside) == duration(reach):
        return told
    return text("{period}, {duration} of it", period=told, duration=duration(inside))


def kinds(inputs: Inputs) -> str:
    """`2 captures of system calls`, `1 packet capture`, or both."""
    parts = [plural(len(inputs.calls), "capture of system calls", "captures of system calls")] if inputs.calls else []
    parts += [plural(len(inputs.packets), "packet capture")] if inputs.packets else []
    return listing(parts)


def _input(entry: Mapping[str, Any], capture: str | None) -> Input:
    readable = entry.get("status") != "unreadable"
    return Input(
        source=int(entry["source"]),
        name=str(entry.get("name") or STDIN),
        format=str(entry.get("format") or ""),
        compression=str(entry.get("compression") or "none"),
        readable=readable,
        capture=capture if readable else None,
        entry=entry,
    )


def _captures(manifest: Manifest) -> dict[int, str]:
    """The capture of each source by which its frames are numbered: the pcapng, else a pcap that holds all frames."""
    found: dict[int, list[str]] = {}
    for entry in manifest.get("outputs", ()):
        name = str(entry.get("name", ""))
        if entry.get("source") is not None and name.endswith((".pcapng", ".pcap")):
            found.setdefault(int(entry["source"]), []).append(name)
    captures: dict[int, str] = {}
    written = not (manifest.get("options") or {}).get("no_pcapng")
    for entry in manifest.get("inputs", ()):
        names = found.get(int(entry["source"]), [])
        packets = [name for name in names if name.endswith(".pcapng")]
        if packets:
            captures[int(entry["source"])] = packets[0]
        elif written and entry.get("stem"):
            captures[int(entry["source"])] = f"{entry['stem']}.pcapng"
        elif len(names) == 1:  # several pcaps have one link type each, and numbers of their own
            captures[int(entry["source"])] = names[0]
    read = {str(entry.get("name")) for entry in manifest.get("inputs", ())}
    return {source: f"DIR/{name}" if name in read else name for source, name in captures.items()}
