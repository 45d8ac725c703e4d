class Emitter:
    """Writes pieces and frames for the other compiled modules; it has nothing for Python but a count."""

    refused: int
    """Gap frames that were not written because the file's budget for them was used up."""
