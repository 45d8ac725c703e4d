from .sink import NetSink
from .tables import Tables

class Arguments(Tables):
    """Finds an event's arguments; the base of the state machine."""

    def __init__(self, sink: NetSink, identities: object) -> None: ...
    @property
    def dropped_events(self) -> int: ...
