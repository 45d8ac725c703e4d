"""What is fuzzed. Entries are data; a target's module is loaded on use, when its instrumentation is ready."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    Mutator = Callable[[bytes, Random], bytes]


class Target(NamedTuple):
    """One target.

    Attributes:
        name: On the command line.
        module: The file in fuzz/targets.
        corpus: The folders of fuzz/corpus that it begins with; also the suffixes of files that are seeds for it.
        format: The file in fuzz/mutate that knows what its inputs look like.
        longest: Bytes of an input at most.
        code: The sources whose coverage is told, as the beginnings of their paths.
        objects: Compiled code is handed small Python objects, whose ends the sanitizer has to see; it takes twice the
            time.
    """

    name: str
    module: str
    corpus: tuple[str, ...]
    format: str
    longest: int
    code: tuple[str, ...]
    objects: bool = False

    def load(self, scratch: Path) -> Callable[[bytes], None]:
        """What runs one input and raises where something is wrong; `scratch` is an empty folder for its files."""
        return import_module(f"{__package__}.targets.{self.module}").Run(scratch)  # type: ignore[no-any-return]

    def load_mutator(self) -> Mutator:
        """What changes an input."""
        found: Mutator = import_module(f"{__package__}.mutate.{self.format}").mutate
        return found

    def pieces(self, data: bytes) -> list[bytes]:
        """The parts of an input that can be left out."""
        found: list[bytes] = import_module(f"{__package__}.mutate.{self.format}").pieces(data)
        return found


PACKETS = ("pcap", "pcapng")
CAPTURES = ("scap", *PACKETS)
FILES = ("convert/packets/buffer", "convert/packets/pcap", "convert/packets/pcapng")
STREAMS = tuple(
    f"convert/conversations/{name}"
    for name in ("flows", "from_packets", "wireshark", "sequence", "reassembly", "sweep", "contest", "copies")
)
TARGETS: tuple[Target, ...] = (
    Target("scap", "scap", ("scap",), "scap", 1 << 14, ("convert/scap/", "convert/conversations/from_events")),
    Target("pcap", "frames", ("pcap",), "pcap", 1 << 13, FILES),
    Target("pcapng", "frames", ("pcapng",), "pcapng", 1 << 13, FILES),
    Target("layers", "layers", ("pcap",), "pcap", 1 << 13, ("convert/packets/",), objects=True),
    Target("reassembly", "reassembly", ("segments",), "segments", 1 << 10, STREAMS[4:]),
    Target("streams", "streams", ("pcap",), "pcap", 1 << 13, STREAMS),
    Target("connection", "connection", ("steps",), "steps", 1 << 9, STREAMS),
    Target("http1", "http1", ("http1",), "http1", 1 << 12, ("convert/protocols/",), objects=True),
    Target("protocols", "protocols", ("protocols",), "protocols", 1 << 12, ("convert/protocols/",)),
    Target("passthrough", "passthrough", PACKETS, "captures", 1 << 13, ("convert/packets/", "convert/pcap")),
    Target("convert", "convert", CAPTURES, "captures", 1 << 14, ("convert/",), objects=True),
)


def target(name: str) -> Target:
    """The target of that name. Raises KeyError."""
    return {entry.name: entry for entry in TARGETS}[name]
