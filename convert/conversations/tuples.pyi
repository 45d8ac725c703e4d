def find_predecessors(convs: str, target: str, *, scratch: str) -> None:
    """Write for each conversation which TCP conversation had its two ends before.

    Args:
        convs: Conversation rows.
        target: To be written: Key rows (tuples.pxd), the one of id N at (N - 1) rows.
        scratch: A folder for temporary files.

    Raises:
        OSError: Reading or writing failed.
    """
