"""Telnet: in.telnetd with a login program of our own, asked by telnet."""

from __future__ import annotations

import sys
from pathlib import Path

from .running import Said, Secret, Server, program

LOGIN = """\
#!/bin/sh
printf 'login: '
read -r user
stty -echo
printf 'Password: '
read -r password
stty echo
echo
if [ "$user:$password" != miller:Mill-stone5 ]; then
    echo 'Login incorrect'
    exit 1
fi
echo 'Last login: never'
while printf 'mill$ ' && read -r line && [ "$line" != exit ]; do
    seq -s ' ' 1 2000
    echo "ground: $line"
done
"""


class Telnet(Server):
    """Grinds what it is told."""

    name = "telnetd"
    protocols = ("telnet",)

    def start(self) -> None:
        """Serve."""
        self.listener = self.port(12323)
        login = self.write("login", LOGIN, 0o755)
        self.launch(
            sys.executable, "-m", "servers.daemons.telnetd", self.address, self.listener,
            program("in.telnetd"), "-h", "-L", login,
            ready=lambda: self.listens(self.listener), PYTHONPATH=str(Path(__file__).resolve().parent.parent),
        )  # fmt: skip

    def talk(self) -> None:
        """A refused and an accepted login."""
        program("telnet")
        self.python("telnet", self.address, self.listener)

    def said(self) -> list[Said]:
        """Both logins."""
        secrets = [Secret("miller", "Grist-stone6", "refused"), Secret("miller", "Mill-stone5", "accepted")]
        return [Said("telnet", "tcp", self.listener, "", {}, {}, secrets, {"telnet"}, {"in.telnetd"})]
