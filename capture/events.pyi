from .reorder import Reorder

class Events(Reorder):
    """Makes event blocks of the ring's records; used through Drain."""
