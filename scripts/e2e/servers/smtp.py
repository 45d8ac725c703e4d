"""SMTP: aiosmtpd, sent to by Python's smtplib and by curl."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

from .clients.smtp import LONG
from .running import PYTHON, Said, Secret, Server
from .tls import certificate

CURLED = "Subject: by curl\r\n\r\nA short one.\r\n"


class Smtp(Server):
    """One user; takes all mail but that for one recipient."""

    name = "aiosmtpd"
    protocols = ("smtp",)

    def start(self) -> None:
        """Make a certificate and serve."""
        self.listener = self.port(12525)
        self.launch(
            sys.executable, "-m", "servers.daemons.smtp", self.address, self.listener, certificate(self),
            ready=lambda: self.listens(self.listener), PYTHONPATH=str(Path(__file__).resolve().parent.parent),
        )  # fmt: skip

    def talk(self) -> None:
        """smtplib, then curl."""
        self.python("smtp", self.address, self.listener)
        self.client(
            "curl", "-sS", f"smtp://{self.address}:{self.listener}/round.example", "--mail-from", "curl@round.example",
            "--mail-rcpt", "four@lane.example", "--user", "postie:Red-pillar2", "--login-options", "AUTH=PLAIN",
            "-T", "-", said=CURLED,
        )  # fmt: skip

    def said(self) -> list[Said]:
        """Recipients, and logins that were not sealed."""
        asked = {"one@lane.example": 3, "two@lane.example": 2, "nobody@lane.example": 1, "four@lane.example": 1}
        good = Secret("postie", "Red-pillar2", "accepted")
        secrets = [Secret("postie", "Blue-pillar3", "refused"), good, good, good]
        for body in ("short\r\n.dotted line\r\n", LONG + "\r\n.dotted line\r\n", "A short one.\r\n"):
            asked[sha256(body.encode()).hexdigest()] = 2 if body.startswith("short") else 1
        answers = {"no such box": 1, "sorted": 4, "5.7.8": 1}
        return [Said("smtp", "tcp", self.listener, "", asked, answers, secrets, {PYTHON, "curl"}, {PYTHON}, 1)]
