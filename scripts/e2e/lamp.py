#!/usr/bin/env python3
"""Apache with PHP, and MariaDB, as the tutorial's web server, on ports and in a folder of their own.

    python3 scripts/e2e/lamp.py [--address IP]... [--port N] [--database-port N] [--folder DIR]

Starts both, prints one line of JSON (folder, url, ports, socket, pids) and serves until its standard input ends or it
gets SIGTERM or SIGINT; then it stops what it started, by process number, and removes the folder. Nothing that the
machine has configured is read or changed. Needs root, as the servers give their rights up by themselves.

Runs with the Python of the system: it uses nothing but the standard library.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = Path("/usr/lib/apache2/modules")
PATIENCE = 60
"""Seconds that a server may take to answer, or to end."""

# One thread a process and few processes: recordings stay easy to read, yet several workers serve.
APACHE = """\
ServerRoot {folder}
ServerName {name}
PidFile {folder}/apache2.pid
DefaultRuntimeDir {folder}
Mutex file:{folder} default
{listen}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule env_module {modules}/mod_env.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule {php_module} {php}
TypesConfig /etc/mime.types
User www-data
Group www-data
StartServers {workers}
MinSpareServers {workers}
MaxSpareServers {workers}
MaxRequestWorkers {workers}
DocumentRoot {folder}/pages
DirectoryIndex index.php
EnableSendfile On
EnableMMAP Off
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
ErrorLog {folder}/error.log
LogFormat "%h %{{remote}}p %P %>s %I %O %B \\"%r\\"" plain
CustomLog {folder}/access.log plain
SetEnv DB_SOCKET {folder}/mysqld.sock
SetEnv DB_PORT {database_port}
php_admin_value opcache.enable 0
<FilesMatch "\\.php$">
    SetHandler application/x-httpd-php
</FilesMatch>
<Directory {folder}/pages>
    Require all granted
</Directory>
"""


def free_port(start: int) -> int:
    """The first port from `start` on that nothing listens on, on IPv4 and IPv6."""
    for port in range(start, start + 500):
        with contextlib.ExitStack() as stack:
            try:
                for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                    one = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    if family == socket.AF_INET6:
                        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    one.bind((address, port))
            except OSError:
                continue
        return port
    raise SystemExit(f"no free port from {start} on")


def account(*names: str) -> str:
    """The first of these users that the machine has."""
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise SystemExit(f"none of these users exists: {', '.join(names)}")


def wait_for(what: str, log: Path, process: subprocess.Popen[bytes], ready: object) -> None:
    """Until `ready()` holds; raises SystemExit with the end of the log where the server ended or never answers."""
    assert callable(ready)
    end = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            told = log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""
            raise SystemExit(f"{what} does not serve: {told}")
        time.sleep(0.05)


def answers(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2):
        return True
    return False


class Server:
    """Both servers, their folder and their ports."""

    def __init__(self, addresses: list[str], port: int, database_port: int, workers: int, folder: Path | None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="syswire-lamp-"))
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)  # the servers look at it as users without rights
        self.addresses, self.workers = addresses, workers
        self.port = port or free_port(18080)
        self.database_port = database_port or free_port(13306)
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> dict[str, object]:
        """Start the database, then Apache; return what a client has to know."""
        shutil.copytree(HERE / "pages", self.folder / "pages")
        (self.folder / "pages" / "big.bin").write_bytes(bytes(i * 7 % 251 for i in range(30_000)))
        database, web = self.database(), self.apache()
        return {
            "folder": str(self.folder),
            "url": f"http://{self.addresses[0]}:{self.port}",
            "port": self.port,
            "database_port": self.database_port,
            "socket": str(self.folder / "mysqld.sock"),
            "apache2": web.pid,
            "mariadbd": database.pid,
        }

    def launch(self, log: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a server with its output in a log, and remember it."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        with (self.folder / log).open("ab") as out:
            process = subprocess.Popen(  # a session of its own: Apache's end takes its whole process group along
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        self.running.append(process)
        return process

    def database(self) -> subprocess.Popen[bytes]:
        """Lay a data folder and start mariadbd on it."""
        user = account("mysql", "www-data", "nobody")
        data, log = self.folder / "data", self.folder / "database.log"
        data.mkdir(mode=0o700)
        shutil.chown(data, user)
        shutil.chown(self.folder, user)  # the socket goes there
        shutil.copy(HERE / "database.sql", self.folder / "database.sql")
        common = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
        with log.open("ab") as out:
            done = subprocess.run(
                ["mariadb-install-db", *common, "--skip-test-db", "--auth-root-authentication-method=normal"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", check=False,
            )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"mariadb-install-db failed: {log.read_text('utf-8', 'replace')[-2000:]}")
        process = self.launch(
            log.name, shutil.which("mariadbd") or "/usr/sbin/mariadbd", *common,
            f"--init-file={self.folder}/database.sql",
            f"--socket={self.folder}/mysqld.sock", f"--port={self.database_port}", "--bind-address=127.0.0.1",
            f"--pid-file={self.folder}/mysqld.pid", "--skip-name-resolve", "--skip-log-bin",
            "--innodb-buffer-pool-size=16M", "--innodb-use-native-aio=0", "--performance-schema=0",
        )  # fmt: skip
        wait_for("mariadbd", log, process, lambda: answers("127.0.0.1", self.database_port))
        return process

    def apache(self) -> subprocess.Popen[bytes]:
        """Write a configuration and start Apache with it, in the foreground."""
        php = next(iter(sorted(MODULES.glob("libphp*.so"), reverse=True)), None)
        if php is None:
            raise SystemExit("Apache's PHP module is missing: sudo apt-get install libapache2-mod-php")
        listen = "\n".join(f"Listen {f'[{one}]' if ':' in one else one}:{self.port}" for one in self.addresses)
        text = APACHE.format(
            folder=self.folder, name=self.addresses[0], listen=listen, modules=MODULES, php=php,
            php_module="php7_module" if "php7" in php.name else "php_module", workers=self.workers,
            database_port=self.database_port,
        )  # fmt: skip
        (self.folder / "apache2.conf").write_text(text, "utf-8")
        log = self.folder / "error.log"
        process = self.launch(
            "apache2.out", shutil.which("apache2") or "/usr/sbin/apache2", "-f", f"{self.folder}/apache2.conf",
            "-D", "FOREGROUND",
        )  # fmt: skip
        wait_for("apache2", log, process, lambda: answers(self.addresses[0], self.port))
        return process

    def stop(self) -> None:
        """End what was started, the last one first, and remove the folder."""
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> int:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", action="append", default=[], help="of Apache; default 127.0.0.1 and ::1")
    parser.add_argument("--port", type=int, default=0, help="of Apache; default: the first free one from 18080")
    parser.add_argument("--database-port", type=int, default=0, help="default: the first free one from 13306")
    parser.add_argument("--workers", type=int, default=4, help="Apache's processes")
    parser.add_argument("--folder", type=Path, help="everything goes there; default: a new one in /tmp")
    options = parser.parse_args()
    if os.geteuid():
        parser.error("needs root: Apache and MariaDB change to users of their own")
    addresses = options.address or ["127.0.0.1", "::1"]
    server = Server(addresses, options.port, options.database_port, options.workers, options.folder)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        print(json.dumps(server.start()), flush=True)
        while select.select([sys.stdin], [], [])[0] and os.read(0, 4096):
            pass
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
