"""MariaDB, asked by its own client (text protocol) and by PHP's mysqlnd (prepared), over TCP and a socket."""

from __future__ import annotations

import shutil

from .running import PATHS, Said, Server, account, program
from .tls import certificate

SETUP = """\
CREATE DATABASE shop;
CREATE USER clerk@'%' IDENTIFIED BY 'Till-and-drawer5';
GRANT ALL ON shop.* TO clerk@'%';
CREATE TABLE shop.goods (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100), price DECIMAL(8,2), note TEXT);
"""
QUERIES = (
    "TRUNCATE goods",
    "INSERT INTO goods (name, price) VALUES ('kettle', 19.50), ('teapot', 31.00)",
    "SELECT name, price FROM goods WHERE name LIKE 'tea%' ORDER BY id",
    "SELECT REPEAT('leaf ', 12000) AS tea",
    "SELECT seq, MD5(seq) AS digest FROM seq_1_to_2000",
)
BROKEN = "SELECT colour FROM goods"
SEALED = "SELECT 'earl grey' AS sealed"
LONG = "UPDATE goods SET note = '" + "brown and round " * 3700 + "' WHERE name = 'teapot'"
PREPARED = "SELECT name FROM goods WHERE price > ? AND name <> ?"
STATEMENT = """<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
[$_, $host, $port, $socket] = $argv;
$db = new mysqli($host ?: 'localhost', 'clerk', 'Till-and-drawer5', 'shop', (int) $port, $socket);
$statement = $db->prepare('%s');
foreach ([[10.5, 'kettle'], [30.0, 'te\\'a']] as [$price, $name]) {
    $statement->bind_param('ds', $price, $name);
    $statement->execute();
    echo implode(',', array_column($statement->get_result()->fetch_all(), 0)), "\\n";
}
$statement->close();
$db->close();
"""


class MariaDb(Server):
    """A database of its own, laid by mariadb-install-db."""

    name = "mariadb"
    protocols = ("mysql",)

    def start(self) -> None:
        """Lay the data and serve it."""
        user = account("mysql", "nobody")
        self.listener = self.port(13306)
        php = shutil.which("php", path=PATHS)
        self.php = php if php and b"mysqli" in self.client(php, "-m") else ""
        self.socket = self.give(user, "run")[0] / "mysqld.sock"
        data = self.give(user, "data")[0]
        both = certificate(self)
        both.chmod(0o644)
        setup = self.write("setup.sql", SETUP)
        common = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
        install = program("mariadb-install-db", "mysql_install_db")
        self.prepare(
            install, *common, "--skip-test-db", "--auth-root-authentication-method=normal", "--skip-name-resolve"
        )
        self.launch(
            program("mariadbd"), *common, f"--init-file={setup}", f"--socket={self.socket}", f"--port={self.listener}",
            f"--bind-address={self.address}", f"--pid-file={self.socket.parent}/mysqld.pid", "--skip-name-resolve",
            "--skip-log-bin", "--innodb-buffer-pool-size=16M", "--innodb-use-native-aio=0", "--performance-schema=0",
            f"--ssl-cert={both}", f"--ssl-key={both}",
            ready=lambda: self.socket.exists() and self.listens(self.listener),
        )  # fmt: skip

    def talk(self) -> None:
        """Over TCP, then over the socket."""
        self.over(f"--host={self.address}", f"--port={self.listener}", "--protocol=tcp")
        self.over(f"--socket={self.socket}", "--protocol=socket")
        if self.php:
            script = self.write("statement.php", STATEMENT % PREPARED)
            for words in ((self.address, self.listener, ""), ("", 0, self.socket)):
                assert self.client(self.php, script, *words) == b"teapot\nteapot\n", "rows"

    def over(self, *where: str) -> None:
        """Queries, an error, a session under TLS, a refused login."""
        base = ["mariadb", "--no-defaults", *where, "--user=clerk", "--skip-ssl", "--batch", "--skip-column-names"]
        login = [*base, "--password=Till-and-drawer5", "shop"]
        told = self.client(*login, said=";\n".join([*QUERIES, LONG]) + ";\nDELETE FROM goods WHERE name = 'x';\n")
        assert b"teapot\t31.00" in told and told.count(b"\n") == 2002, told[-500:]
        assert b"Unknown column" in self.client(*login, f"--execute={BROKEN}", code=1)
        sealed = [word for word in login if word != "--skip-ssl"]
        told = self.client(*sealed, "--ssl", "--skip-ssl-verify-server-cert", f"--execute={SEALED}")
        assert told == b"earl grey\n", told
        assert b"Access denied" in self.client(*base, "--password=Wrong-drawer6", "shop", code=1)

    def said(self) -> list[Said]:
        """Each query once over each way."""
        asked = dict.fromkeys([*QUERIES, LONG, BROKEN], 1)
        asked[SEALED] = 0
        clients = {"mariadb"}
        if self.php:
            # Prepared once, executed twice; what is executed is told with its text and its parameters.
            asked |= {PREPARED: 3, "10.5": 1, "kettle": 1, "30.0": 1, "te'a": 1}
            clients.add("php")
        asked["clerk"] = len(clients) + 2
        answers = {"2000": 1, "seq": 1, "digest": 1, "42S22": 1, "28000": 1}
        said = Said("mysql", "tcp", self.listener, "", asked, answers, [], clients, {"mariadbd"}, 1)
        return [said, said._replace(transport="unix", port=0, path=str(self.socket))]
