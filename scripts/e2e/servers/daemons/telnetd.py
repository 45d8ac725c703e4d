"""Hands each connection to in.telnetd, as inetd does."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys


def main(address: str, port: str, *command: str) -> None:
    """Until the process ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.create_server((address, int(port))) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                subprocess.Popen(
                    list(command), stdin=connection.fileno(), stdout=connection.fileno(), stderr=subprocess.DEVNULL
                )


if __name__ == "__main__":
    main(*sys.argv[1:])
