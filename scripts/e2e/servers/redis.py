"""Redis, asked by redis-cli in both versions of its protocol, over TCP and a socket."""

from __future__ import annotations

from .running import Said, Secret, Server, account, program

CONFIGURATION = """\
bind {address}
port {port}
unixsocket {socket}
unixsocketperm 777
dir {data}
save ""
appendonly no
daemonize no
user default on >Cold-cellar3 ~* &* +@all
user baker on >Warm-oven4 ~bread:* &* +@all
"""
VALUE = "crumb" * 12_000
SAID = f"""\
SET bread:rye "dark and \\xff\\x00 sour"
GET bread:rye
RPUSH bread:all {" ".join(f"loaf{n}" for n in range(500))}
LRANGE bread:all 0 -1
MULTI
INCR bread:sold
INCR bread:sold
EXEC
LPUSH bread:rye oops
SET bread:long {VALUE}
GET bread:long
"""


class Redis(Server):
    """In memory."""

    name = "redis"
    protocols = ("redis",)

    def start(self) -> None:
        """Serve nothing yet."""
        user = account("redis", "nobody")
        self.listener = self.port(16379)
        run, data = self.give(user, "run", "data")
        self.socket = run / "redis.sock"
        text = CONFIGURATION.format(address=self.address, port=self.listener, socket=self.socket, data=data)
        configuration = self.write("redis.conf", text)
        self.launch(
            *self.as_user(user), program("redis-server", "valkey-server"), configuration,
            ready=lambda: self.socket.exists() and self.listens(self.listener),
        )  # fmt: skip

    def talk(self) -> None:
        """Over TCP, then over the socket."""
        for where in (["-h", self.address, "-p", self.listener], ["-s", self.socket]):
            base = ["redis-cli", "--no-auth-warning", "--no-raw", *where]
            told = self.client(*base, "--user", "baker", "--pass", "Warm-oven4", said=SAID)
            assert b"dark and \\xff\\x00 sour" in told and b"WRONGTYPE" in told and told.count(b"loaf") == 500, told[
                -500:
            ]
            assert VALUE.encode() in told
            assert b'"2"' in self.client(*base, "-3", "-a", "Cold-cellar3", "GET", "bread:sold")
            refused = self.client(*base, "--user", "baker", "--pass", "Cool-oven5", "GET", "bread:rye", code=None)
            assert b"WRONGPASS" in refused, refused
            assert b"PONG" in self.client(*base, "-a", "Cold-cellar3", "PING")
            self.client(*base, "-a", "Cold-cellar3", "FLUSHALL")

    def said(self) -> list[Said]:
        """The commands of the script, each once over each way."""
        # Of a long value its length and its beginning are told.
        asked = {str(len(VALUE)): 1, "loaf499": 1, "oops": 1, "MULTI": 1, "EXEC": 1, "PING": 1, "bread:sold": 3}
        answers = {str(len(VALUE)): 1, "loaf499": 1, "dark and \\xff\0 sour": 1, "PONG": 1, "QUEUED": 2}
        answers["WRONGTYPE Operation against a key holding the wrong kind of value"] = 1
        secrets = [
            Secret("baker", "Warm-oven4", "accepted"),
            Secret(None, "Cold-cellar3", "accepted"),
            Secret("baker", "Cool-oven5", "refused"),
            Secret(None, "Cold-cellar3", "accepted"),
            Secret(None, "Cold-cellar3", "accepted"),
        ]
        said = Said("redis", "tcp", self.listener, "", asked, answers, secrets, {"redis-cli"}, {"redis-server"})
        return [said, said._replace(transport="unix", port=0, path=str(self.socket))]
