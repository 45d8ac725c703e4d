class Views:
    """Walks chunk rows for the other compiled modules; it has nothing for Python but a count."""

    overlong: int
    """Chunks that claimed more bytes than one system call can move; they were cut to that."""
