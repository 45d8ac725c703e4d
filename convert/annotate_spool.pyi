class Spool:
    """Writes what parsers find in one part to its spool files; it is only for the compiled pass."""
