from .buffer import FrameReader

class PcapngReader(FrameReader):
    """Reads a pcapng file (draft-ietf-opsawg-pcapng).

    Attributes:
        sections: Section headers so far.
        big_endian: The byte order of the last one.
    """

    sections: int

    @property
    def big_endian(self) -> bool: ...
