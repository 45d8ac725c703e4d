"""Fetches mail: a refused login, an accepted one, one by challenge, STARTTLS."""

from __future__ import annotations

import poplib
import ssl
import sys


def main(address: str, port: str) -> None:
    """Four sessions."""
    one = poplib.POP3(address, int(port), timeout=20)
    one.user("lighter")
    try:
        one.pass_("Fish-oil9")
    except poplib.error_proto as error:
        assert b"-ERR" in error.args[0], error
    else:
        raise AssertionError("the wrong password was taken")
    one.quit()
    one = poplib.POP3(address, int(port), timeout=20)
    one.capa()
    one.user("lighter")
    one.pass_("Whale-oil4")
    assert one.stat()[0] == 2
    one.list()
    one.uidl()
    assert b"Trim it." in one.retr(1)[1]
    assert len(one.retr(2)[1]) > 2500
    assert b"Subject: Long" in one.top(2, 1)[1]
    try:
        one.retr(9)
    except poplib.error_proto as error:
        assert b"-ERR" in error.args[0], error
    one.dele(2)
    one.rset()
    one.quit()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    one = poplib.POP3(address, int(port), timeout=20)
    one.stls(context)
    one.user("lighter")
    one.pass_("Whale-oil4")
    one.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
