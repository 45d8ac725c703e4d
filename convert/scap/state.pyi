from .sink import NetSink
from .tables import Tables

class State(Tables):
    """Applies events to the tables; the reader drives it from compiled code."""

    def __init__(self, sink: NetSink, identities: object) -> None: ...
    @property
    def dropped_events(self) -> int: ...
