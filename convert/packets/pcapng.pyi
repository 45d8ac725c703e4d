from .buffer import FrameReader

class PcapngReader(FrameReader):
    """Reads a pcapng file (draft-ietf-opsawg-pcapng).

    Attributes:
        sections: Section headers so far.
    """

    sections: int
