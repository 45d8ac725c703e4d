from typing import IO

from .annotated import Annotated
from .conversations.rebuilt import Rebuilt
from .parts import Part
from .redact import Redactor

class Pass:
    """The first pass over one part."""

    def __init__(
        self,
        part: Part,
        rebuilt: Rebuilt,
        redactor: Redactor,
        found: Annotated,
        lines: IO[bytes],
        streams: IO[bytes],
        marks: IO[bytes],
    ) -> None:
        """Writes the exchanges and sightings to `lines`, for each of them a row of record_marks.pxd to `marks`, and the
        conversations to `streams`; what else there is goes to `found`.
        """

    def run(self, begin: int, end: int) -> None:
        """Take the conversations `begin` to `end`, the last one excluded.

        Raises:
            OSError: Reading or writing failed.
        """
