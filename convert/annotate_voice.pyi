from .annotate_spool import Spool
from .protocols.api import Parser, Sink

class Voice(Sink):
    """The sink of one parser (protocols/api.py): several may speak in one conversation, one behind or in another."""

    def __init__(self, spool: Spool) -> None: ...
    def switch(self, name: str | None, /) -> Parser:
        """The parser of that protocol with a sink of its own; one that finds nothing where there is none."""
