"""Phase 2, first pass: conversation by conversation, from merged pieces to streams, exchanges and sightings.

Feeds the protocols' parsers, hashes the streams and spools the records in the order of the file, each with its place
in the evidence. Which secrets there are is known only when all parts are done: masking.py then makes the second pass.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from .annotate_pass import Pass
from .annotated import Annotated, Counts
from .redact import Redactor

if TYPE_CHECKING:
    from .parts import Part

__all__ = ["Annotated", "Counts", "annotate"]


def annotate(part: Part) -> Annotated:
    """The first pass over one part: spools `streams.N` and `exchanges.N`, one line a record, secrets in the clear."""
    # It knows no secret but those of the exchange at hand: what other parts know must make no difference.
    redactor = Redactor(part.key, part.reveal)
    found = Annotated(Counts(), array("I"), {}, set(), {})
    rebuilt = part.prepared.open()
    try:
        with (
            open(part.path("exchanges"), "wb") as lines,
            open(part.path("streams"), "wb") as streams,
            open(part.path("marks"), "wb") as marks,
        ):
            Pass(part, rebuilt, redactor, found, lines, streams, marks).run(part.begin, part.end)
    finally:
        rebuilt.close()
    return found
