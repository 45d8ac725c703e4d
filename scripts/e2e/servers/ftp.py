"""FTP: pyftpdlib with a user's login, vsftpd for anybody; asked by Python's ftplib, and by curl."""

from __future__ import annotations

import sys
from pathlib import Path

from .running import PYTHON, Said, Secret, Server, account, program

VSFTPD = """\
listen=YES
listen_address={address}
listen_port={port}
run_as_launching_user=NO
anonymous_enable=YES
local_enable=NO
write_enable=NO
anon_root={files}
secure_chroot_dir={empty}
nopriv_user={user}
ftp_username={user}
background=NO
xferlog_enable=NO
connect_from_port_20=NO
pasv_address={address}
seccomp_sandbox=NO
delay_failed_login=0
"""


def lay(folder: Path) -> None:
    """The files that are fetched."""
    (folder / "small.txt").write_bytes(b"hoops and staves\r\n")
    (folder / "large.bin").write_bytes(bytes(i * 11 % 253 for i in range(300_000)))


class PyFtpd(Server):
    """One user, who may write."""

    name = "pyftpdlib"
    protocols = ("ftp",)

    def start(self) -> None:
        """Lay two files and serve them."""
        self.listener = self.port(12121)
        (files,) = self.give("root", "files")
        lay(files)
        self.launch(
            sys.executable, "-m", "servers.daemons.ftp", self.address, self.listener, files,
            ready=lambda: self.listens(self.listener), PYTHONPATH=str(Path(__file__).resolve().parent.parent),
        )  # fmt: skip

    def talk(self) -> None:
        """ftplib, then curl."""
        self.python("ftp", self.address, self.listener, "cooper", "Oak-stave3", "yes")
        url = f"ftp://{self.address}:{self.listener}/small.txt"
        assert self.client("curl", "-sS", "--user", "cooper:Oak-stave3", url) == b"hoops and staves\r\n"
        self.client("curl", "-sS", "--user", "cooper:Elm-stave4", url, code=67)

    def said(self) -> list[Said]:
        """Names of files as they were asked for, and four logins. curl asks for the size before the file."""
        asked = {"small.txt": 3, "large.bin": 1, "absent.txt": 1, "stored.txt": 2, "lines.txt": 1, "kept.txt": 2}
        good = Secret("cooper", "Oak-stave3", "accepted")
        secrets = [Secret("mallet", "Bent-nail1", "refused"), good, good, Secret("cooper", "Elm-stave4", "refused")]
        return [Said("ftp", "tcp", self.listener, "", asked, {}, secrets, {PYTHON, "curl"}, {PYTHON})]


class VsFtpd(Server):
    """Anonymous, files only; its own users would need PAM's configuration."""

    name = "vsftpd"
    protocols = ("ftp",)

    def start(self) -> None:
        """Lay two files and serve them."""
        self.listener = self.port(12221)
        files, empty = self.give("root", "files", "empty")
        lay(files)
        user = account("ftp", "nobody")
        text = VSFTPD.format(address=self.address, port=self.listener, files=files, empty=empty, user=user)
        configuration = self.write("vsftpd.conf", text, 0o600)
        self.launch(program("vsftpd"), configuration, ready=lambda: self.listens(self.listener))

    def talk(self) -> None:
        """ftplib, then curl."""
        self.python("ftp", self.address, self.listener, "anonymous", "cooper@barrels.example", "no")
        url = f"ftp://{self.address}:{self.listener}/small.txt"
        assert self.client("curl", "-sS", url) == b"hoops and staves\r\n"

    def said(self) -> list[Said]:
        """Names of files as they were asked for. vsftpd refuses an unknown user before it asks for the password."""
        asked = {"small.txt": 3, "large.bin": 1, "absent.txt": 1}
        secrets = [
            Secret("anonymous", "cooper@barrels.example", "accepted"),
            Secret("anonymous", "ftp@example.com", "accepted"),
        ]
        return [Said("ftp", "tcp", self.listener, "", asked, {}, secrets, {PYTHON, "curl"}, {"vsftpd"})]
