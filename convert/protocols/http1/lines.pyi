from .owner import Owner

class Lines:
    """What of a direction stands before and at the beginning of its messages; fed by compiled code only."""

    def __init__(self, to_server: bool, owner: Owner) -> None: ...
    @property
    def to_server(self) -> bool: ...
