from .emitter import Emitter
from .views import Views

class DatagramMerger:
    """Merges both ends of a datagram conversation; for the other compiled modules."""

    def __init__(self, views: Views, out: Emitter) -> None: ...
