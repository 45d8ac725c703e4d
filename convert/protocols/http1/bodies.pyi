from ..http.content import BodyContent

class Body:
    """One body while it passes; made and fed by compiled code only (http1_messages.pyx)."""

    @property
    def kind(self) -> int: ...
    @property
    def length(self) -> int:
        """Bytes that passed, lost ones too."""

    @property
    def intact(self) -> bool:
        """No byte was lost so far."""

    @property
    def content(self) -> BodyContent | None: ...
    @property
    def done(self) -> bool: ...
    @property
    def lost(self) -> bool:
        """Where it ends can no longer be told."""
