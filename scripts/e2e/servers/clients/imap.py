"""Reads and appends mail: refused and accepted logins of three kinds, literals, a long mail, STARTTLS."""

from __future__ import annotations

import imaplib
import ssl
import sys


def plain(challenge: bytes) -> bytes:
    """What AUTHENTICATE PLAIN sends."""
    return b"\0lighter\0Whale-oil4"


def main(address: str, port: str) -> None:
    """Five sessions."""
    one = imaplib.IMAP4(address, int(port), timeout=20)
    try:
        one.login("lighter", "Fish-oil9")
    except imaplib.IMAP4.error as error:
        assert "AUTHENTICATIONFAILED" in str(error), error
    else:
        raise AssertionError("the wrong password was taken")
    one.logout()
    one = imaplib.IMAP4(address, int(port), timeout=20)
    one.login("lighter", "Whale-oil4")
    assert one.select("INBOX")[1] == [b"2"]
    assert one.search(None, "SUBJECT", "Oil")[1] == [b"1"]
    one.fetch("1:2", "(FLAGS UID RFC822.SIZE)")
    found = one.fetch("2", "(BODY[])")[1][0]
    assert isinstance(found, tuple) and len(found[1]) > 57_000
    one.create("Attic")
    one.append("Attic", "(\\Seen)", '"01-Jan-2024 00:00:00 +0000"', b"Subject: Kept\r\n\r\nGlass.\r\n")
    assert one.select("Cellar")[0] == "NO"
    one.logout()
    one = imaplib.IMAP4(address, int(port), timeout=20)
    one.authenticate("PLAIN", plain)
    one.logout()
    one = imaplib.IMAP4(address, int(port), timeout=20)
    one.login_cram_md5("lighter", "Whale-oil4")
    one.logout()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    one = imaplib.IMAP4(address, int(port), timeout=20)
    one.starttls(context)
    one.login("lighter", "Whale-oil4")
    one.logout()


if __name__ == "__main__":
    main(*sys.argv[1:])
