def number_frames(
    frames: str,
    sorted_out: str,
    numbers_out: str,
    tcp_streams_out: str,
    *,
    conversations: int,
    scratch: str,
    memory: int = 8 << 20,
) -> int:
    """Sort the frames of `rebuild` by (time, row) and give them their numbers.

    Args:
        frames: Frame rows as `rebuild` wrote them.
        sorted_out: To be written: the same rows in the order of the pcapng.
        numbers_out: To be written: for each row of `frames` its frame number, a u32 counting from 1.
        tcp_streams_out: To be written: for each conversation (id - 1) the tcp.stream that Wireshark gives it, a u32;
            0xFFFFFFFF where it has no TCP frame.
        conversations: How many there are.
        scratch: A folder for temporary files.
        memory: Bytes for sorting.

    Returns:
        The number of frames.

    Raises:
        OSError: Reading or writing failed.
    """

def number_streams(convs: str, flows: str, target: str, *, conversations: int, scratch: str) -> None:
    """Write the tcp.stream number that Wireshark gives each conversation of a packet capture.

    They were counted as the packets came (Flow.tcp_stream); a conversation that had left the bounded table and came
    back is the same stream to Wireshark, so later ones have a lower number.

    Args:
        convs: Conversation rows.
        flows: Flow rows.
        target: To be written: for each conversation (id - 1) a u32; 0xFFFFFFFF where it is not TCP.
        conversations: How many there are.
        scratch: A folder for temporary files.

    Raises:
        OSError: Reading or writing failed.
    """
