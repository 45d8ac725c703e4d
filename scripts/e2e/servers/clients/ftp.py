"""Logs in (refused, accepted), lists, fetches, stores; passive and active, IPv4's and the longer commands."""

from __future__ import annotations

import ftplib
import io
import sys


def refused(address: str, port: int, user: str, password: str) -> None:
    """A login that has to fail."""
    with ftplib.FTP() as one:
        one.connect(address, port, timeout=20)
        try:
            one.login(user, password)
        except ftplib.error_perm as error:
            assert str(error).startswith("530"), error
        else:
            raise AssertionError(f"{user} was let in")


def fetch(one: ftplib.FTP, name: str) -> bytes:
    """A file, by RETR."""
    found = io.BytesIO()
    one.retrbinary(f"RETR {name}", found.write)
    return found.getvalue()


def main(address: str, port: str, user: str, password: str, may_write: str) -> None:
    """One refused login, one session."""
    refused(address, int(port), "mallet", "Bent-nail1")
    with ftplib.FTP() as one:
        one.connect(address, int(port), timeout=20)
        one.login(user, password)
        names = one.nlst()
        assert "small.txt" in names and "large.bin" in names, names
        assert fetch(one, "small.txt") == b"hoops and staves\r\n"
        assert len(fetch(one, "large.bin")) == 300_000
        try:
            fetch(one, "absent.txt")
        except ftplib.error_perm as error:
            assert str(error).startswith("550"), error
        one.set_pasv(False)
        one.retrlines("LIST", lambda line: None)
        if may_write == "yes":
            one.storbinary("STOR stored.txt", io.BytesIO(b"bung " * 100))
            one.set_pasv(True)
            one.storlines("STOR lines.txt", io.BytesIO(b"one\ntwo\n"))
            one.rename("stored.txt", "kept.txt")
            one.delete("kept.txt")
        one.voidcmd("NOOP")


if __name__ == "__main__":
    main(*sys.argv[1:])
