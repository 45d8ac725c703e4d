"""DNS: dnsmasq with names of its own, asked by dig over UDP and TCP."""

from __future__ import annotations

import socket

from .running import Said, Server, account, program

CONFIGURATION = """\
keep-in-foreground
no-resolv
no-hosts
no-daemon
port={port}
listen-address={address}
bind-interfaces
user={user}
pid-file={folder}/dnsmasq.pid
local=/orchard.example/
local-ttl=77
host-record=apple.orchard.example,10.86.0.1,fd86::1
cname=cider.orchard.example,apple.orchard.example
mx-host=orchard.example,press.orchard.example,10
srv-host=_juice._tcp.orchard.example,press.orchard.example,8080,5,7
txt-record=note.orchard.example,"ripe; and \\"red\\"",second
ptr-record=1.0.86.10.in-addr.arpa,apple.orchard.example
{many}
"""


class DnsMasq(Server):
    """Answers for orchard.example and refuses all else."""

    name = "dnsmasq"
    protocols = ("dns",)

    def start(self) -> None:
        """Serve."""
        self.listener = self.port(15353, socket.SOCK_DGRAM)
        many = "\n".join(f"host-record=tree.orchard.example,10.86.1.{n}" for n in range(1, 120))
        text = CONFIGURATION.format(
            port=self.listener, address=self.address, user=account("nobody"), folder=self.folder, many=many
        )
        configuration = self.write("dnsmasq.conf", text)
        self.launch(program("dnsmasq"), f"--conf-file={configuration}", ready=lambda: self.listens(self.listener))

    def talk(self) -> None:
        """All kinds of records, a name that is not there, one that is refused, an answer too long for a datagram."""
        base = ["dig", f"@{self.address}", "-p", self.listener, "+tries=1", "+time=10", "+short"]
        for kind, name, answer in (
            ("A", "apple.orchard.example", b"10.86.0.1"),
            ("AAAA", "apple.orchard.example", b"fd86::1"),
            ("A", "cider.orchard.example", b"10.86.0.1"),
            ("MX", "orchard.example", b"10 press.orchard.example."),
            ("SRV", "_juice._tcp.orchard.example", b"5 7 8080 press"),
            ("TXT", "note.orchard.example", b'"second"'),
        ):
            for way in ("+notcp", "+tcp"):
                assert answer in self.client(*base, way, kind, name)
        assert b"apple.orchard.example." in self.client(*base, "-x", "10.86.0.1")
        assert self.client(*base, "+notcp", "A", "pear.orchard.example") == b""
        assert self.client(*base, "+notcp", "A", "elsewhere.example") == b""
        assert self.client(*base, "+notcp", "+noedns", "A", "tree.orchard.example").count(b"10.86.1.") == 119

    def said(self) -> list[Said]:
        """The names that were asked for; dig asks again over TCP where the answer was cut."""
        asked = {"orchard.example": 1, "_juice._tcp.orchard.example": 1, "note.orchard.example": 1}
        asked |= {"apple.orchard.example": 2, "cider.orchard.example": 1, "tree.orchard.example": 1}
        more = {"pear.orchard.example": 1, "elsewhere.example": 1, "1.0.86.10.in-addr.arpa": 1}
        answers = {"fd86::1": 1, "10 press.orchard.example": 1, "5 7 8080 press.orchard.example": 1}
        told = {"NXDOMAIN": 1, "REFUSED": 1, "10.86.1.77": 0}
        udp = Said("dns", "udp", self.listener, "", asked | more, answers | told, [], {"dig"}, {"dnsmasq"})
        return [udp, udp._replace(transport="tcp", requests=asked, answers=answers | {"10.86.1.77": 1})]
