from .emitter import Emitter
from .views import Views

class StreamMerger:
    """Merges both ends of a byte stream; for the other compiled modules."""

    def __init__(self, views: Views, out: Emitter) -> None: ...
