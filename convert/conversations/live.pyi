class LiveTable:
    """A bounded table of conversations by their addresses, in order of use; only compiled code looks inside."""

    @property
    def exhausted(self) -> bool: ...
    @property
    def evicted(self) -> int: ...

class Conversations(LiveTable):
    """The live table, writing each conversation that leaves it."""

    @property
    def last_id(self) -> int: ...
