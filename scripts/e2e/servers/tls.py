"""TLS: openssl s_server, asked by openssl s_client and curl in versions 1.2 and 1.3, with and without a name."""

from __future__ import annotations

from pathlib import Path

from .running import Said, Server, program

SUBJECT = "/C=XX/O=Locksmiths/CN=vault.example"


def certificate(server: Server) -> Path:
    """A key and a certificate signed with it, in one file."""
    both = server.folder / "certificate.pem"
    key, signed = server.folder / "key.pem", server.folder / "signed.pem"
    server.prepare(
        program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "30", "-subj", SUBJECT, "-addext", "subjectAltName=DNS:vault.example,DNS:*.vault.example",
        "-keyout", key, "-out", signed,
    )  # fmt: skip
    both.write_text(key.read_text("ascii") + signed.read_text("ascii"), "ascii")
    return both


class OpenSsl(Server):
    """`s_server -www` answers what it negotiated."""

    name = "openssl"
    protocols = ("tls",)

    def start(self) -> None:
        """Make a certificate and serve."""
        self.listener = self.port(14433)
        both = certificate(self)
        self.launch(
            program("openssl"), "s_server", "-accept", f"{self.address}:{self.listener}", "-cert", both, "-key", both,
            "-www", "-alpn", "h2,http/1.1", "-quiet",
            ready=lambda: self.listens(self.listener),
        )  # fmt: skip

    def talk(self) -> None:
        """Four connections that are made, one that is refused."""
        where = ["-connect", f"{self.address}:{self.listener}"]
        asked = "GET / HTTP/1.0\r\n\r\n"
        for version in ("-tls1_2", "-tls1_3"):
            name = f"door{version[-1]}.vault.example"
            words = ["s_client", *where, version, "-servername", name, "-alpn", "http/1.1", "-ign_eof"]
            assert b"Verify return code" in self.client("openssl", *words, said=asked)
        self.client("openssl", "s_client", *where, "-noservername", "-ign_eof", said=asked)
        url = f"https://window.vault.example:{self.listener}/"
        self.client("curl", "-sSk", "--http1.1", "--resolve", f"*:{self.listener}:{self.address}", url)
        words = ["s_client", *where, "-tls1_2", "-cipher", "AES128-SHA", "-servername", "wall.vault.example"]
        self.client("openssl", *words, code=1)

    def said(self) -> list[Said]:
        """The names that were asked for."""
        asked = dict.fromkeys(f"{name}.vault.example" for name in ("door2", "door3", "window", "wall"))
        names = dict.fromkeys(asked, 1)
        # In TLS 1.3 the certificate is sealed, so only one can be seen.
        answers = {"handshake_failure": 1, "vault.example": 1, "*.vault.example": 1}
        return [Said("tls", "tcp", self.listener, "", names, answers, [], {"openssl", "curl"}, {"openssl"}, 5)]
