"""How programs are given passwords on their command lines and in their environments: the closed table, as data.

Sources: the manual pages of the programs named. A switch means a password only in the programs listed with it, since
`-p` is a port, a path or a flag in most others.
"""

from __future__ import annotations

ATTACHED = 1  # -pSECRET
NEXT = 2  # -p SECRET
EITHER = ATTACHED | NEXT
PAIR = 4  # the value is USER:SECRET
PERCENT_PAIR = 8  # USER%SECRET
COMMA_PAIR = 16  # USER,SECRET
PREFIXED = 32  # the value begins with pass: (openssl)

_MYSQL = (
    "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlbinlog mysqlslap mysqlsh mysql_upgrade mysqlpump"
    " mariadb mariadb-dump mariadb-admin mariadb-import mariadb-show mariadb-check mariadb-binlog mariadb-slap"
    " mariadb-upgrade mariadb-backup mariabackup xtrabackup"
)
MYSQL = frozenset(_MYSQL.split())
_POSTGRESQL = (
    "psql pg_dump pg_dumpall pg_restore pg_basebackup createdb dropdb createuser dropuser vacuumdb reindexdb pgbench"
    " clusterdb pg_receivewal pg_recvlogical"
)
POSTGRESQL = frozenset(_POSTGRESQL.split())
PROMPTING = MYSQL | POSTGRESQL
"""Programs whose --password without a value asks for it: the next word is none."""

SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "su", "busybox"))


def _each(programs: str, *forms: tuple[str, int]) -> dict[str, tuple[tuple[str, int], ...]]:
    return dict.fromkeys(programs.split(), forms)


SHORT: dict[str, tuple[tuple[str, int], ...]] = {
    **{name: (("-p", ATTACHED),) for name in MYSQL},
    **_each("sshpass", ("-p", EITHER)),
    **_each("curl", ("-u", EITHER | PAIR), ("--user", NEXT | PAIR), ("-U", EITHER | PAIR),
            ("--proxy-user", NEXT | PAIR), ("--oauth2-bearer", NEXT), ("--pass", NEXT)),
    **_each("redis-cli keydb-cli valkey-cli", ("-a", EITHER), ("--pass", NEXT)),
    **_each("mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop", ("-p", EITHER)),
    **_each("ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldapcompare ldapmodrdn ldapexop", ("-w", EITHER)),
    **_each("ldappasswd", ("-w", EITHER), ("-s", EITHER), ("-a", EITHER)),
    **_each("smbclient rpcclient smbget smbcacls smbtree net winexe", ("-U", EITHER | PERCENT_PAIR),
            ("--user", NEXT | PERCENT_PAIR)),
    **_each("sqlcmd bcp tsql", ("-P", EITHER)),
    **_each("mosquitto_pub mosquitto_sub mosquitto_rr", ("-P", NEXT), ("--pw", NEXT)),
    **_each("ipmitool", ("-P", EITHER)),
    **_each("snmpget snmpgetnext snmpwalk snmpbulkwalk snmpbulkget snmpset snmptable snmptrap snmpdf", ("-c", EITHER),
            ("-A", EITHER), ("-X", EITHER)),
    **_each("zip unzip zipcloak", ("-P", EITHER)),
    **_each("7z 7za 7zr 7zz", ("-p", ATTACHED)),
    **_each("plink pscp psftp", ("-pw", NEXT)),
    **_each("rdesktop", ("-p", EITHER)),
    **_each("xfreerdp wlfreerdp xfreerdp3", ("/p:", ATTACHED), ("/password:", ATTACHED)),
    **_each("lftp", ("-u", EITHER | COMMA_PAIR), ("--user", NEXT | COMMA_PAIR)),
    **_each("ncftp ncftpget ncftpput ncftpls", ("-p", NEXT)),
    **_each("openssl", ("-pass", NEXT | PREFIXED), ("-passin", NEXT | PREFIXED), ("-passout", NEXT | PREFIXED),
            ("-k", NEXT)),
    **_each("docker podman buildah skopeo", ("-p", NEXT)),
}  # fmt: skip
"""By the program's file name: switches and what follows them. Of docker and the like only behind `login`."""

ONLY_LOGIN = frozenset(("docker", "podman", "buildah", "skopeo"))

RUNNERS: dict[str, tuple[bytes, ...]] = {"sshpass": (b"-p", b"-f", b"-d", b"-P")}
"""Programs that run another, whose switches are behind theirs; with those of theirs that a value follows."""

USER_SWITCHES = ("-u", "--user", "--username", "-U", "-D", "-l", "--login")
"""What names the user, in programs of SHORT and beside --password."""

LONG_NAME = rb"(?:password|passwd|passphrase|token|secret|api-?key|secret-key|access-key)"
"""What the name of a long switch ends with, in any program: --password=X, --db-password X, --token=X ..."""

_VARIABLES = (
    "PASSWORD PASSWD PASSPHRASE PGPASSWORD MYSQL_PWD SSHPASS REDISCLI_AUTH LDAP_BINDPW AWS_SECRET_ACCESS_KEY"
    " AWS_SESSION_TOKEN BORG_PASSPHRASE"
)
VARIABLES = frozenset(_VARIABLES.split())
VARIABLE_ENDS = (
    "_PASSWORD", "_PASSWD", "_PASS", "_PASSPHRASE", "_TOKEN", "_SECRET", "_SECRET_KEY", "_API_KEY", "_APIKEY",
    "_SECRET_ACCESS_KEY",
)  # fmt: skip
"""Variables of the environment, and assignments among arguments. PWD and OLDPWD are folders."""

TOKEN_WORDS = ("TOKEN", "SECRET_KEY", "API_KEY", "APIKEY", "API-KEY", "ACCESS-KEY", "ACCESS_KEY", "OAUTH2-BEARER")

NO_SECRETS = frozenset(("true", "false", "yes", "no", "none", "null", "on", "off", "prompt", "stdin", "-", "0", "1"))
NO_SECRET_BEGINS = (b"$", b"file:", b"env:", b"fd:", b"@", b"%(", b"{{", b"<")
"""Values that say where the secret is to be taken from, not what it is."""
