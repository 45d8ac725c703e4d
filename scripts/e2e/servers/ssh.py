"""SSH: sshd with keys of its own, asked by ssh: what can be seen from outside is who they are and what they offer."""

from __future__ import annotations

from pathlib import Path

from .running import Said, Server, program

CONFIGURATION = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host
PidFile none
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
StrictModes no
AuthorizedKeysFile {folder}/user.pub
"""
SEPARATION = Path("/run/sshd")


class Ssh(Server):
    """Lets root in with one key."""

    name = "sshd"
    protocols = ("ssh",)

    def start(self) -> None:
        """Make keys and serve."""
        self.listener = self.port(12222)
        for name in ("host", "user", "stranger"):
            keygen = program("ssh-keygen")
            self.prepare(keygen, "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.folder / name)
        text = CONFIGURATION.format(port=self.listener, address=self.address, folder=self.folder)
        configuration = self.write("sshd.conf", text)
        self.made = not SEPARATION.exists()  # sshd wants it, and its place is compiled in
        SEPARATION.mkdir(mode=0o755, exist_ok=True)
        self.launch(program("sshd"), "-D", "-e", "-f", configuration, ready=lambda: self.listens(self.listener))

    def talk(self) -> None:
        """One session, one stranger."""
        words = [
            "ssh", "-F", "/dev/null", "-p", self.listener, "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
            "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "IdentitiesOnly=yes",
        ]  # fmt: skip
        told = self.client(*words, "-i", self.folder / "user", f"root@{self.address}", "seq 1 20000")
        assert told.endswith(b"20000\n"), told[-500:]
        self.client(*words, "-i", self.folder / "stranger", f"root@{self.address}", "true", code=255)

    def stop(self) -> None:
        """And leave nothing behind."""
        super().stop()
        if self.made:
            SEPARATION.rmdir()

    def said(self) -> list[Said]:
        """The client's version, twice; looking whether it serves is no conversation."""
        version = self.client("ssh", "-V").decode().split(",")[0].replace("OpenSSH_", "SSH-2.0-OpenSSH_", 1)
        return [Said("ssh", "tcp", self.listener, "", {version: 2}, {}, [], {"ssh"}, {"sshd"}, 2)]
