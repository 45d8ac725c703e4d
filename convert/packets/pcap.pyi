from .buffer import FrameReader

class PcapReader(FrameReader):
    """Reads a pcap file (draft-ietf-opsawg-pcap); also the modified variant and IXIA's.

    Attributes:
        snaplen: What the file header says of it; often wrong.
        linktype: LINKTYPE_* of all frames.
    """

    snaplen: int
    linktype: int

def is_pcap(head: bytes) -> bool:
    """Whether a file that begins with these bytes (4 suffice) is a pcap."""
