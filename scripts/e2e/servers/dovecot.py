"""Dovecot: IMAP and POP3, asked by Python's imaplib and poplib and by curl; in the clear, and after STARTTLS."""

from __future__ import annotations

from hashlib import sha256

from .running import PYTHON, Said, Secret, Server, account, program
from .tls import certificate

CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.out
protocols = imap pop3
listen = {address}
mail_location = maildir:{folder}/mail
ssl = yes
ssl_cert = <{folder}/signed.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5
auth_failure_delay = 0
first_valid_uid = 1
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
default_login_user = {login}
default_internal_user = {internal}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={user} home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""
MAILS = {
    "1700000001.a.lamps": "From: wick@lamps.example\r\nSubject: Oil\r\n\r\nTrim it.\r\n",
    "1700000002.b.lamps": "From: wick@lamps.example\r\nSubject: Long\r\n\r\n" + "Lamp post and chimney.\r\n" * 2500,
}


class Dovecot(Server):
    """One mailbox with two mails."""

    name = "dovecot"
    protocols = ("imap", "pop3")

    def start(self) -> None:
        """Lay the mailbox and serve."""
        user = account("www-data", "nobody")
        self.imap, self.pop3 = self.port(10143), self.port(10110)
        certificate(self)
        self.write("users", "lighter:{PLAIN}Whale-oil4\n")
        (mail, *_) = self.give(user, "mail", "mail/new", "mail/cur", "mail/tmp")
        for name, text in MAILS.items():
            (mail / "new" / name).write_text(text, "ascii", newline="")
        self.give("root", "run", "state")
        text = CONFIGURATION.format(
            folder=self.folder, address=self.address, imap=self.imap, pop3=self.pop3, user=user,
            login=account("dovenull", "nobody"), internal=account("dovecot", "nobody"),
        )  # fmt: skip
        configuration = self.write("dovecot.conf", text)
        program_ = program("dovecot")
        self.launch(program_, "-F", "-c", configuration, ready=lambda: self.listens(self.imap, self.pop3))

    def talk(self) -> None:
        """POP3 first: IMAP leaves marks on the mails."""
        base = ["curl", "-sS", "-u", "lighter:Whale-oil4", "--login-options"]
        self.python("pop3", self.address, self.pop3)
        assert b"Trim it." in self.client(*base, "AUTH=LOGIN", f"pop3://{self.address}:{self.pop3}/1")
        self.python("imap", self.address, self.imap)
        url = f"imap://{self.address}:{self.imap}/INBOX;UID=1"
        assert b"Trim it." in self.client(*base, "AUTH=PLAIN", url)

    def said(self) -> list[Said]:
        """Logins; those after STARTTLS and by challenge show no password."""
        good, bad = Secret("lighter", "Whale-oil4", "accepted"), Secret("lighter", "Fish-oil9", "refused")
        short, long = (sha256(text.partition("\r\n\r\n")[2].encode()).hexdigest() for text in MAILS.values())
        kept = sha256(b"Glass.\r\n").hexdigest()
        answers = {short: 1, long: 1, "[AUTHENTICATIONFAILED] Authentication failed.": 1}
        clients, folders = {PYTHON, "curl"}, {"Attic": 1, "Cellar": 1, kept: 1}
        # The login's process hands its connection on to another, of whose calls is not known where they go: scap has
        # no event for descriptors that are passed. What it says is told all the same, since the client reads it.
        imap = Said("imap", "tcp", self.imap, "", folders, answers, [bad, good, good, good], clients, {"imap-login"}, 1)
        asked, answers = {"RETR": 4, "2 1": 1, "STLS": 1}, {short: 2, long: 1, "There's no message 9.": 1}
        pop3 = Said("pop3", "tcp", self.pop3, "", asked, answers, [bad, good, good], clients, {"pop3-login"}, 1)
        return [imap, pop3]
