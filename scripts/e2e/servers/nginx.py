"""nginx before PHP-FPM: HTTP/1, HTTP/2 without TLS by prior knowledge, and FastCGI over TCP and a socket."""

from __future__ import annotations

import grp
import pwd
from hashlib import sha256
from pathlib import Path

from .running import PATHS, Missing, Said, Secret, Server, account, program

NGINX = """\
worker_processes 1;
daemon off;
user {user};
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    root {folder}/pages;
    sendfile on;
    keepalive_timeout 20;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param SCRIPT_FILENAME {folder}/pages/bell.php;
    fastcgi_param SCRIPT_NAME /bell.php;
    fastcgi_param REQUEST_URI $request_uri;
    fastcgi_param HTTP_AUTHORIZATION $http_authorization;
    server {{
        listen {address}:{plain};
        location /tcp {{ fastcgi_pass {address}:{fpm}; }}
        location /unix {{ fastcgi_pass unix:{socket}; }}
    }}
    server {{
        listen {address}:{h2c} http2;
        location /tcp {{ fastcgi_pass {address}:{fpm}; }}
    }}
}}
"""
FPM = """\
[global]
error_log = {folder}/fpm.log
daemonize = no
[one]
user = {user}
group = {group}
listen = {address}:{fpm}
pm = static
pm.max_children = 1
catch_workers_output = yes
[two]
user = {user}
group = {group}
listen = {socket}
listen.mode = 0666
pm = static
pm.max_children = 1
"""
BELL = """<?php
if (isset($_GET['crack'])) { error_log('the bell has cracked'); http_response_code(500); exit; }
header('X-Bell: bronze');
echo str_repeat('dong ', (int) ($_GET['times'] ?? 1)), strlen(file_get_contents('php://input'));
"""
TOWER = bytes(i * 13 % 241 for i in range(60_000))


def fpm() -> str:
    """PHP-FPM's program, whose name has the version in it. Raises Missing."""
    found = sorted(path for folder in PATHS.split(":") for path in Path(folder).glob("php-fpm*"))
    if not found:
        raise Missing("php-fpm is not installed: scripts/setup-e2e")
    return str(found[-1])


class Nginx(Server):
    """Both servers: nginx is the client in FastCGI."""

    name = "nginx"
    protocols = ("http", "http2", "fastcgi")

    def start(self) -> None:
        """Start PHP-FPM, then nginx."""
        user = account("www-data", "nobody")
        self.plain, self.h2c, self.fpm = self.port(18081), self.port(18181), self.port(19001)
        self.give(user, "pages", "run")
        self.socket = self.folder / "run" / "fpm.sock"
        self.write("pages/bell.php", BELL)
        (self.folder / "pages" / "tower.bin").write_bytes(TOWER)
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        places = {
            "folder": self.folder, "address": self.address, "plain": self.plain, "h2c": self.h2c, "fpm": self.fpm,
            "socket": self.socket, "user": user, "group": group,
        }  # fmt: skip
        pools = self.write("fpm.conf", FPM.format(**places))
        self.launch(fpm(), "-n", "-F", "-R", "-y", pools, ready=lambda: self.socket.exists() and self.listens(self.fpm))
        configuration = self.write("nginx.conf", NGINX.format(**places))
        self.launch(program("nginx"), "-c", configuration, ready=lambda: self.listens(self.plain, self.h2c))

    def talk(self) -> None:
        """Pages, forms, errors, by curl in both versions and by nghttp."""
        for way, port, more in (
            ("--http1.1", self.plain, ["tcp", "unix"]),
            ("--http2-prior-knowledge", self.h2c, ["tcp"]),
        ):
            base = ["curl", "-sS", way]
            url = f"http://{self.address}:{port}"
            assert len(self.client(*base, f"{url}/tower.bin")) == 60_000
            assert b"404" in self.client(*base, f"{url}/absent")
            for path in more:
                assert (
                    self.client(*base, "-d", "user=ringer&password=Brass-clapper1", f"{url}/{path}/toll") == b"dong 35"
                )
                login = ["-u", "ringer:Iron-clapper2"]
                assert len(self.client(*base, *login, f"{url}/{path}/peal?times=12000")) == 60_001
                self.client(*base, f"{url}/{path}/crack?crack=1")
                big = self.client(
                    *base, "-H", "Expect:", "--data-binary", "@-", f"{url}/{path}/tune", said=b"note" * 15_000
                )
                assert big == b"dong 60000", big
        url = f"http://{self.address}:{self.h2c}"
        targets = [f"{url}/tower.bin", f"{url}/tcp/chime?times=3", f"{url}/nowhere"]
        self.client("nghttp", "-n", "-H", "user-agent: nghttp", *targets)

    def said(self) -> list[Said]:
        """Targets and passwords, by each version of HTTP; nginx passes them on to PHP."""
        secrets = [Secret("ringer", "Brass-clapper1", "unknown"), Secret("ringer", "Iron-clapper2", "accepted")]
        targets = ("/{}/toll", "/{}/peal?times=12000", "/{}/crack?crack=1", "/{}/tune")
        tcp = dict.fromkeys([target.format("tcp") for target in targets], 1)
        unix = dict.fromkeys([target.format("unix") for target in targets], 1)
        files = {"/tower.bin": 1, "/absent": 1}
        more = {"/tower.bin": 2, "/absent": 1, "/tcp/chime?times=3": 1, "/nowhere": 1}
        php = {Path(fpm()).name[:15]}
        # A target is told as such and among the parameters.
        by_fpm = dict.fromkeys(tcp, 4) | {"/tcp/chime?times=3": 2}
        by_unix = dict.fromkeys(unix, 2)
        tower, peal = sha256(TOWER).hexdigest(), sha256(b"dong " * 12_000 + b"0").hexdigest()
        crack = "PHP message: the bell has cracked"
        return [
            Said(
                "http",
                "tcp",
                self.plain,
                "",
                tcp | unix | files,
                {tower: 1, peal: 2, "404": 1, "500": 2},
                secrets * 2,
                {"curl"},
                {"nginx"},
            ),
            Said(
                "http2",
                "tcp",
                self.h2c,
                "",
                tcp | more,
                {tower: 2, peal: 1, "404": 2, "500": 1},
                secrets,
                {"curl", "nghttp"},
                {"nginx"},
            ),
            Said("fastcgi", "tcp", self.fpm, "", by_fpm, {peal: 2, crack: 2}, secrets * 2, {"nginx"}, php),
            Said("fastcgi", "unix", 0, str(self.socket), by_unix, {peal: 1, crack: 1}, secrets, {"nginx"}, php),
        ]
