"""WebSocket: the package websockets on both ends."""

from __future__ import annotations

import sys
from pathlib import Path

from .running import PYTHON, Said, Server


class WebSocket(Server):
    """Says everything back."""

    name = "websockets"
    protocols = ("websocket",)

    def start(self) -> None:
        """Serve."""
        self.listener = self.port(18765)
        self.launch(
            sys.executable, "-m", "servers.daemons.websocket", self.address, self.listener,
            ready=lambda: self.listens(self.listener), PYTHONPATH=str(Path(__file__).resolve().parent.parent),
        )  # fmt: skip

    def talk(self) -> None:
        """With compression and without."""
        self.python("websocket", self.address, self.listener)

    def said(self) -> list[Said]:
        """Each message in both connections."""
        asked = {"pendulum": 2, "cuckoo": 2, "strike": 2, "wound down": 2}
        answers = {"pendulum": 2, "cuckoo": 2, "tick tock " * 6_000: 2, "wound down": 2}
        return [Said("websocket", "tcp", self.listener, "", asked, answers, [], {PYTHON}, {PYTHON})]
