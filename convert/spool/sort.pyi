from collections.abc import Sequence

def sort_rows(
    source: str,
    target: str,
    row_size: int,
    keys: Sequence[tuple[int, int]],
    *,
    memory: int = 8 << 20,
    scratch: str,
) -> int:
    """Sort the rows of `source` into `target`, stably, in flat memory; return how many there are.

    Args:
        source: A file of rows of `row_size` bytes.
        target: The file to write; not the source.
        row_size: Bytes of a row, 1 to 65,536.
        keys: (offset, width) of little-endian unsigned fields, the most significant first. Widths are 1, 2, 4
            or 8, at most 8 fields and 16 bytes together.
        memory: Bytes to use, about. At least 16 rows and two buffers of 32 KiB are taken.
        scratch: The folder for runs that do not fit; what is put there is gone afterwards.

    Raises:
        OSError: Reading or writing failed.
        ValueError: A key field lies outside the row, or the file's size is not a whole number of rows.
    """
