"""Apache with HTTP/2 without TLS, which nginx takes by prior knowledge only: curl and nghttp ask for the upgrade."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from .running import Missing, Said, Server, account, program

MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """\
ServerRoot {folder}
ServerName bells.example
PidFile {folder}/run/apache2.pid
DefaultRuntimeDir {folder}/run
Mutex file:{folder}/run default
Listen {address}:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule http2_module {modules}/mod_http2.so
Protocols h2c http/1.1
User {user}
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
DocumentRoot {folder}/pages
ErrorLog {folder}/error.log
<Directory {folder}/pages>
    Require all granted
</Directory>
"""
CLOCK, DIAL = b"quarter past\n", bytes(i * 17 % 239 for i in range(20_000))


class Apache(Server):
    """Two files."""

    name = "apache"
    protocols = ("http2",)

    def start(self) -> None:
        """Serve."""
        if not (MODULES / "mod_http2.so").exists():
            raise Missing("Apache's mod_http2 is not installed: scripts/setup-e2e")
        self.listener = self.port(18281)
        user = account("www-data", "nobody")
        self.give(user, "pages", "run")
        (self.folder / "pages" / "clock.txt").write_bytes(CLOCK)
        (self.folder / "pages" / "dial.bin").write_bytes(DIAL)
        text = CONFIGURATION.format(
            folder=self.folder, address=self.address, port=self.listener, modules=MODULES, user=user
        )
        configuration = self.write("apache2.conf", text)
        apache = program("apache2", "httpd")
        self.launch(apache, "-f", configuration, "-D", "FOREGROUND", ready=lambda: self.listens(self.listener))

    def talk(self) -> None:
        """Three upgrades, and two by prior knowledge."""
        url = f"http://{self.address}:{self.listener}"
        for target, size in (("clock.txt?one", 13), ("dial.bin?two", 20_000)):
            # More than 32 KiB right behind the upgrade is too much for curl 7.88.
            assert len(self.client("curl", "-sS", "--http2", f"{url}/{target}")) == size
        # One request only: to a second one behind an upgrade Apache 2.4 says GOAWAY.
        self.client("nghttp", "-n", "-u", f"{url}/clock.txt?three")
        self.client("nghttp", "-n", f"{url}/absent?four")
        self.client("curl", "-sS", "--http2-prior-knowledge", f"{url}/dial.bin?five")

    def said(self) -> list[Said]:
        """What was asked in HTTP/2, and what was answered: three times what HTTP/1.1 had asked for with the upgrade."""
        asked = {"/absent?four": 1, "/dial.bin?five": 1}
        answers = {sha256(DIAL).hexdigest(): 2, sha256(CLOCK).hexdigest(): 2, "200": 4, "404": 1}
        return [Said("http2", "tcp", self.listener, "", asked, answers, [], {"curl", "nghttp"}, {"apache2"})]
