from .pcapng import Writable

def link_types(path: str) -> list[int]:
    """The link types (LINKTYPE_*) of the frames in a pcapng, ascending.

    Raises:
        OSError: It cannot be read.
    """

def write_pcap(path: str, linktype: int, out: Writable) -> int:
    """Write the frames of one link type in a pcapng to `out` as a classic pcap; return how many there are.

    Time stamps have nanoseconds where an interface of that link type tells more than microseconds, else microseconds;
    frames without a time get 0, seconds beyond 2106 become the last that the format has.

    Raises:
        OSError: Reading or writing failed.
        ValueError: A link type is below 65,536.
    """
