from .lines import Lines
from .owner import Owner

HEAD_BYTES: int
"""The longest head, and the longest trailer section, that is taken for one."""

class Half(Lines):
    """The messages of one direction; fed by its owner (http1.pyx)."""

    def __init__(self, to_server: bool, owner: Owner) -> None: ...
    @property
    def at(self) -> int:
        """Where in the stream what was given ends."""

    @property
    def searched(self) -> int:
        """Bytes in which the end of a head was looked for, each as often as it was looked at."""
