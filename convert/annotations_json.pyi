from .json_text import JsonText

class RecordLines(JsonText):
    """The records of exchanges and sightings as JSON lines; written by compiled code only (annotate_pass.pyx)."""

    def __init__(self, source: int, packets: bool) -> None:
        """`source` is the input's index in the manifest; `packets`: it is a packet capture."""
