"""Types into telnet what a user would, each line when it is asked for."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time


def session(command: list[str], lines: list[tuple[bytes, bytes]], last: bytes) -> None:
    """Wait for each prompt, then type; at the end the server has to say `last`."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as telnet:
        assert telnet.stdin is not None and telnet.stdout is not None
        shown, seen = telnet.stdout.fileno(), b""

        def wait(text: bytes) -> None:
            nonlocal seen
            end = time.monotonic() + 20
            while text not in seen:
                assert time.monotonic() < end, (text, seen)
                if select.select([shown], [], [], 1)[0]:
                    more = os.read(shown, 65536)
                    assert more, (text, seen)
                    seen += more
            seen = seen.partition(text)[2]

        for prompt, line in lines:
            wait(prompt)
            telnet.stdin.write(line + b"\n")
            telnet.stdin.flush()
        wait(last)


def main(address: str, port: str) -> None:
    """A refused and an accepted login."""
    command = ["telnet", address, port]
    session(command, [(b"login: ", b"miller"), (b"Password: ", b"Grist-stone6")], b"Login incorrect")
    lines = [(b"login: ", b"miller"), (b"Password: ", b"Mill-stone5"), (b"mill$ ", b"grind wheat")]
    session(command, [*lines, (b"ground: grind wheat\r\nmill$ ", b"exit")], b"exit")


if __name__ == "__main__":
    main(*sys.argv[1:])
