"""Machine-readable forms of the findings, one file a format."""
