"""Sends mail: logins of all kinds, refused ones, a long mail, a recipient that is not there, STARTTLS."""

from __future__ import annotations

import smtplib
import ssl
import sys

LONG = "parcel and string " * 50 + "\r\n" + "label\r\n" * 8_000
MAIL = "Subject: {subject}\r\nFrom: postie@sorting.example\r\n\r\n{body}\r\n.dotted line\r\n"


def mail(one: smtplib.SMTP, subject: str, body: str, *recipients: str) -> None:
    """One mail."""
    one.sendmail("postie@sorting.example", recipients, MAIL.format(subject=subject, body=body))


def main(address: str, port: str) -> None:
    """Five sessions."""
    with smtplib.SMTP(address, int(port), "round.example", timeout=20) as one:
        one.ehlo()
        one.user, one.password = "postie", "Blue-pillar3"
        try:
            one.auth("PLAIN", one.auth_plain)
        except smtplib.SMTPAuthenticationError as error:
            assert error.smtp_code == 535, error
        else:
            raise AssertionError("the wrong password was taken")
    for mechanism in ("plain", "login"):
        with smtplib.SMTP(address, int(port), "round.example", timeout=20) as one:
            one.ehlo()
            one.user, one.password = "postie", "Red-pillar2"
            one.auth(mechanism.upper(), getattr(one, f"auth_{mechanism}"), initial_response_ok=mechanism == "plain")
            mail(one, f"by {mechanism}", "short", "one@lane.example", "two@lane.example")
    with smtplib.SMTP(address, int(port), "round.example", timeout=20) as one:
        mail(one, "long", LONG, "one@lane.example")
        try:
            mail(one, "lost", "x", "nobody@lane.example")
        except smtplib.SMTPRecipientsRefused as error:
            assert error.recipients["nobody@lane.example"][0] == 550
        assert one.docmd("TELEPORT")[0] == 500
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(address, int(port), "round.example", timeout=20) as one:
        one.starttls(context=context)
        one.login("postie", "Red-pillar2")
        mail(one, "sealed", "nobody reads this", "three@lane.example")


if __name__ == "__main__":
    main(*sys.argv[1:])
