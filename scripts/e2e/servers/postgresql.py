"""PostgreSQL, asked by psql (simple queries, COPY) and pgbench (the extended protocol), over TCP and a socket."""

from __future__ import annotations

from pathlib import Path

from .running import Missing, Said, Secret, Server, account

SETUP = (
    "CREATE ROLE plain LOGIN PASSWORD 'Open-sesame8';"
    "SET password_encryption = 'md5'; CREATE ROLE older LOGIN PASSWORD 'Old-sesame9';"
    "SET password_encryption = 'scram-sha-256'; CREATE ROLE newer LOGIN PASSWORD 'New-sesame7';"
    "CREATE TABLE herbs (id int, name text); GRANT ALL ON herbs TO plain, older, newer;"
)
# Which way of asking for the password is used depends on the role; `all` is the superuser, over the socket only.
ACCESS = """\
{kind} all plain {who} password
{kind} all older {who} md5
{kind} all newer {who} scram-sha-256
"""
PASSWORDS = {"plain": "Open-sesame8", "older": "Old-sesame9", "newer": "New-sesame7"}
QUERIES = (
    "DELETE FROM herbs",
    "INSERT INTO herbs VALUES (1, 'sage'), (2, 'thyme')",
    "SELECT name FROM herbs WHERE id = 2",
    "SELECT repeat('basil ', 30000)",
    "SELECT g, md5(g::text) FROM generate_series(1, 2000) g",
)
BROKEN = "SELECT colour FROM herbs"
COPY = "COPY herbs FROM STDIN"
EXTENDED = "SELECT name FROM herbs WHERE id > $1 AND id < $2;"
SCRIPT = "\\set low 1\n\\set high 3\nSELECT name FROM herbs WHERE id > :low AND id < :high;\n"


def found(name: str) -> str:
    """A server program of PostgreSQL, which Debian keeps off the path. Raises Missing."""
    paths = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not paths:
        raise Missing(f"{name} is not installed: scripts/setup-e2e")
    return str(paths[-1])


class PostgreSql(Server):
    """A cluster of its own, laid by initdb."""

    name = "postgresql"
    protocols = ("postgresql",)

    def start(self) -> None:
        """Lay the data and serve it; PostgreSQL refuses to run as root."""
        user = account("postgres")
        self.listener = self.port(15432)
        self.run, data = self.give(user, "run", "data")
        self.socket = self.run / f".s.PGSQL.{self.listener}"
        data.chmod(0o700)
        self.prepare(
            *self.as_user(user), found("initdb"), "-D", data, "-U", "owner", "-A", "trust", "--no-sync", "-E", "UTF8",
            "--no-instructions",
        )  # fmt: skip
        by_tcp = ACCESS.format(kind="host", who="127.0.0.0/8")
        self.write("data/pg_hba.conf", "local all owner trust\n" + ACCESS.format(kind="local", who="") + by_tcp)
        self.launch(
            *self.as_user(user), found("postgres"), "-D", data, "-p", self.listener, "-h", self.address, "-k", self.run,
            "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "jit=off", "-c", "autovacuum=off", "-c", "ssl=off",
            ready=lambda: self.socket.exists() and self.listens(self.listener),
        )  # fmt: skip
        self.psql(self.run, "owner", SETUP)

    def psql(self, host: object, user: str, *queries: str, code: int = 0, said: str = "", password: str = "") -> bytes:
        """Each query in a message of its own."""
        words = [word for query in queries for word in ("-c", query)]
        environment = {"PGPASSWORD": password or PASSWORDS.get(user, ""), "PGGSSENCMODE": "disable"}
        where = ["-h", host, "-p", self.listener, "-U", user, "-d", "postgres"]
        return self.client(
            "psql", "-X", "-q", "-A", "-t", *where, *words, code=code, said=said,
            PGSSLMODE="prefer" if user == "plain" else "disable", **environment,
        )  # fmt: skip

    def talk(self) -> None:
        """Over TCP, then over the socket."""
        for host in (self.address, self.run):
            told = self.psql(host, "plain", *QUERIES)
            assert b"thyme\n" in told and told.count(b"\n") == 2002, told[-500:]
            assert b"does not exist" in self.psql(host, "plain", BROKEN, code=1)
            self.psql(host, "older", COPY, said="3\tdill\n4\tmint\n\\.\n")
            assert b"sage" in self.psql(host, "newer", "SELECT name FROM herbs WHERE id = 1")
            for user in PASSWORDS:
                assert b"authentication failed" in self.psql(host, user, "SELECT 1", code=2, password="Shut-sesame1")
            self.extended(host)

    def extended(self, host: object) -> None:
        """Three executions of one prepared statement."""
        script = self.write("asks.sql", SCRIPT)
        self.client(
            found("pgbench"), "-n", "-t", "3", "-M", "prepared", "-f", script, "-h", host, "-p", self.listener,
            "-U", "newer", "postgres", PGPASSWORD=PASSWORDS["newer"], PGSSLMODE="disable", PGGSSENCMODE="disable",
        )  # fmt: skip

    def said(self) -> list[Said]:
        """Each query once over each way; passwords of the role whose password is asked for in the clear."""
        asked = dict.fromkeys([*QUERIES, BROKEN, COPY, "SELECT name FROM herbs WHERE id = 1"], 1)
        # Prepared once, executed three times; what is executed is told with its text and its parameters.
        asked |= {EXTENDED: 4, "1": 3, "3": 3, "older": 2}
        answers = {"2000": 1, "17": 1, 'column "colour" does not exist': 1, "28P01": 3, "42703": 1}
        good, bad = Secret("plain", "Open-sesame8", "accepted"), Secret("plain", "Shut-sesame1", "refused")
        secrets, clients = [good, good, bad], {"psql", "pgbench"}
        said = Said("postgresql", "tcp", self.listener, "", asked, answers, secrets, clients, {"postgres"})
        return [said, said._replace(transport="unix", port=0, path=str(self.socket))]
