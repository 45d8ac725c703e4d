from ..trace.raw import RawWalker
from ..trace.replay import Replay
from .judging import Judging

class Replaying(Judging):
    """A walk that shares its rows with the plain replay."""

    @property
    def last_counted(self) -> int:
        """Time of the last event that counts, ns; 0 before the first."""
    def begin(self, replay: Replay, before: RawWalker | None) -> None:
        """Go on with this replay; `before` is the walker that came so far, None at the first event."""
    def finish(self) -> None:
        """Let go what the last event ended, and tell the replay where things stand."""
