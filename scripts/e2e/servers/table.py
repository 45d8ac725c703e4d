"""All servers. One that is added here is recorded and compared by tests/e2e/protocols."""

from __future__ import annotations

from .apache import Apache
from .dns import DnsMasq
from .dovecot import Dovecot
from .ftp import PyFtpd, VsFtpd
from .mariadb import MariaDb
from .nginx import Nginx
from .postgresql import PostgreSql
from .redis import Redis
from .running import Server
from .smtp import Smtp
from .ssh import Ssh
from .telnet import Telnet
from .tls import OpenSsl
from .websocket import WebSocket

# Those that are slow to begin first: they begin side by side.
SERVERS: tuple[type[Server], ...] = (
    MariaDb, PostgreSql, Redis, PyFtpd, VsFtpd, Smtp, Dovecot, Nginx, Apache, DnsMasq, OpenSsl, Ssh, Telnet, WebSocket,
)  # fmt: skip
