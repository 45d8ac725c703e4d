"""Passwords within SQL text: where they are, whose they are, and what is left of the text."""

from __future__ import annotations

import pytest

from syswire.convert.protocols.sql.secrets import MYSQL, POSTGRESQL, find, mask, mask_quoted
from syswire.convert.protocols.sql.strays import takes_password

CASES = [
    (MYSQL, r"CREATE USER 'bob'@'h' IDENTIFIED BY 'a\'b''c', al IDENTIFIED BY <p2>", [("bob", "a'b'c"), ("al", "p2")]),
    (MYSQL, "GRANT ALL ON *.* TO 'u'@'%' IDENTIFIED BY <one>", [("u", "one")]),
    (MYSQL, "SET PASSWORD FOR 'jim'@'%' = PASSWORD(<x1y>)", [("jim", "x1y")]),
    (MYSQL, "SET PASSWORD = <zz9>", [(None, "zz9")]),
    (MYSQL, "/*!80000 ALTER USER x IDENTIFIED WITH sha256_password BY <q1> REPLACE <q0>*/", [("x", "q1"), ("x", "q0")]),
    (MYSQL, "ALTER USER x IDENTIFIED VIA ed25519 USING PASSWORD(<pp>)", [("x", "pp")]),
    (MYSQL, "UPDATE mysql.user SET Password=PASSWORD(<yes1>) WHERE user='root'", [(None, "yes1")]),
    (MYSQL, "CHANGE MASTER TO MASTER_HOST='h', MASTER_USER='repl', MASTER_PASSWORD=<rp1>", [("repl", "rp1")]),
    (MYSQL, "select 1; -- it's\n # that's\n create user `a``b` identified by <k1>", [("a`b", "k1")]),
    (MYSQL, "CREATE USER IF NOT EXISTS n IDENTIFIED BY <k2> REQUIRE SUBJECT 'no'", [("n", "k2")]),
    (MYSQL, "CREATE USER u IDENTIFED BY <k3>", [("u", "k3")]),
    (POSTGRESQL, "CREATE ROLE Bob PASSWORD <s1>; ALTER USER \"A B\" PASSWORD <s2>", [("bob", "s1"), ("A B", "s2")]),
    (POSTGRESQL, "ALTER ROLE z PASSWORD $q$d'd$q$", [("z", "d'd")]),
    (POSTGRESQL, "ALTER ROLE z PASSWORD E'a\\'b'", [("z", "a'b")]),
    (POSTGRESQL, "DO $$ BEGIN CREATE ROLE inn PASSWORD <s3>; END $$", [("inn", "s3")]),
    (POSTGRESQL, "CREATE SUBSCRIPTION s CONNECTION 'user=rep password=sec1 dbname=x' PUBLICATION p", [("rep", "sec1")]),
    (POSTGRESQL, "SELECT * FROM dblink('postgresql://u2:sec2@a/b', 'select 1') AS t(a int)", [("u2", "sec2")]),
    (POSTGRESQL, "CREATE USER MAPPING FOR bob SERVER f OPTIONS (user 'rem', password <rp>)", [("rem", "rp")]),
]  # fmt: skip

NONE = [
    (MYSQL, "UPDATE t SET password='nope' WHERE a=1"),
    (MYSQL, "INSERT INTO compass (username, bypass) VALUES ('ann', 'north')"),
    (MYSQL, "INSERT INTO users (name, password_changed_at) VALUES ('ann', '2026-01-01')"),
    (MYSQL, "SELECT * FROM users WHERE username='ann' AND password=''"),
    (MYSQL, "INSERT INTO users (name, password) VALUES ('ann', '?'), ('bob', ':password'), ('cy', '%s'), ('d', '***')"),
    (MYSQL, "INSERT INTO log (line) VALUES ('user=ann password=geheim')"),
    (MYSQL, "SELECT 'password' FROM users WHERE help = 'password = \\'x\\''"),
    (MYSQL, "CREATE TABLE t (password varchar(20) DEFAULT 'x')"),
    (POSTGRESQL, "ALTER ROLE z PASSWORD NULL"),
    (POSTGRESQL, "SELECT password FROM t WHERE password = 'x'"),
]

STRAY = [
    (MYSQL, "SELECT 'IDENTIFIED BY ''Stray1''' FROM t -- CREATE USER u IDENTIFIED BY 'Stray2'"),
    (MYSQL, "CREAT USER u IDENTIFIED BY Stray1"),
    (MYSQL, "ALTER USER u IDENTIFIED WITH x BY `Stray1`"),
    (MYSQL, "DELETE FROM t WHERE a=PASSWORD('Stray1')"),
    (MYSQL, "CREATE TABLE f (a int) ENGINE=FEDERATED CONNECTION='mysql://u:Stray1@h/d/t'"),
    (MYSQL, ";" * 60_000 + "SET PASSWORD='Stray1'"),
    (POSTGRESQL, "ALTER ROLE z VALID UNTIL 'tomorrow' -- PASSWORD 'Stray1'"),
    (POSTGRESQL, 'ALTER USER z PASSWORD "Stray1"'),
    (POSTGRESQL, "ALTER USER z WITH PASSWORD Stray1; SELECT 1"),
    (POSTGRESQL, "DO $a$ BEGIN EXECUTE 'ALTER ROLE z PASSWORD ''Stray1'''; END $a$"),
]


BCRYPT = "$2y$10$" + "abcdefghijklmnopqrstu./ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[:53]
LIKELY = [
    (MYSQL, "INSERT INTO `shop`.`users` (`id`, `username`, `password`) VALUES (1,'ann',<p'1>),(2,'bob',MD5(<p2>))",
     [("ann", "p'1"), ("bob", "p2")]),
    (MYSQL, "INSERT INTO users SET login='ann', pass=<p3>", [("ann", "p3")]),
    (MYSQL, "REPLACE INTO members (pwd, email) VALUE (SHA2(<p4>, 256), 'a@b.c')", [("a@b.c", "p4")]),
    (MYSQL, "UPDATE wp_users SET user_pass = MD5(<p 5>), x = NOW() WHERE user_login = 'root'", [("root", "p 5")]),
    (MYSQL, "SELECT id FROM t WHERE (username = 'ann' AND BINARY password = <p6>) LIMIT 1", [("ann", "p6")]),
    (POSTGRESQL, "INSERT INTO app_user (email, password_hash) VALUES ('a@b', crypt(<p7>, gen_salt('bf')))",
     [("a@b", "p7")]),
    (POSTGRESQL, "UPDATE \"User\" SET \"passwordHash\" = <p8> WHERE id = 7", [(None, "p8")]),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "told"), LIKELY)
def test_likely_in_a_table_of_users(dialect: str, sql: str, told: list[tuple[str | None, str]]) -> None:
    sql = sql.replace("p'1", "p''1").replace("<", "'").replace(">", "'")
    secrets = find(sql, dialect)
    assert [(s.username, s.value) for s in secrets] == told
    assert all(s.likely and not s.hashed and s.complete for s in secrets)
    assert mask(sql, secrets).count("********") == len(told)


@pytest.mark.parametrize(
    ("value", "scheme", "mode"),
    [
        ("5f4dcc3b5aa765d61d8327deb882cf99", "md5", 0),
        ("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", "sha1", 100),
        (BCRYPT, "bcrypt", 3200),
        ("$P$B" + "a" * 30, "phpass", 400),
    ],
)
def test_a_hash_in_a_table_of_users(value: str, scheme: str, mode: int) -> None:
    (secret,) = find(f"INSERT INTO users (user, password) VALUES ('ann', '{value}')", MYSQL)
    assert (secret.username, secret.value, secret.hashed, secret.likely) == ("ann", value, True, True)
    assert secret.details() == {"mechanism": scheme, "hashcat": mode, "john": None}


@pytest.mark.parametrize(("dialect", "sql", "told"), CASES)
def test_found_with_its_user_and_cut_out(dialect: str, sql: str, told: list[tuple[str | None, str]]) -> None:
    sql = sql.replace("<", "'").replace(">", "'")
    secrets = find(sql, dialect)
    assert [(s.username, s.value) for s in secrets] == told
    assert not any(s.hashed for s in secrets)
    assert all(s.complete for s in secrets)
    shown = mask(sql, secrets)
    assert shown.count("********") == len(told)
    assert not any(value in shown for _, value in told)


@pytest.mark.parametrize(("dialect", "sql"), NONE)
def test_what_is_no_password(dialect: str, sql: str) -> None:
    assert find(sql, dialect) == []


@pytest.mark.parametrize(("dialect", "sql"), STRAY)
def test_out_of_place_it_is_cut_out_but_no_sighting(dialect: str, sql: str) -> None:
    secrets = find(sql, dialect)
    assert secrets and all(secret.hashed for secret in secrets)
    assert "Stray" not in mask(sql, secrets)


@pytest.mark.parametrize(
    ("sql", "takes"),
    [
        ("ALTER USER u IDENTIFIED BY ?", True),
        ("SELECT PASSWORD( ? )", True),
        ("SET PASSWORD FOR u = ?", True),
        ("ALTER ROLE u LOGIN PASSWORD $1", True),
        ("SELECT dblink_connect('c', $1)", True),
        ("SELECT a FROM users WHERE password = ?", False),
        ("INSERT INTO users (name, password) VALUES (?, ?)", False),
    ],
)
def test_which_parameters_are_passwords(sql: str, takes: bool) -> None:
    assert takes_password(sql) is takes


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        (MYSQL, "GRANT USAGE ON *.* TO u IDENTIFIED BY PASSWORD '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'"),
        (MYSQL, "CREATE USER u IDENTIFIED WITH mysql_native_password AS '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'"),
        (POSTGRESQL, "ALTER USER x PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy'"),
        (POSTGRESQL, "ALTER USER x PASSWORD 'md50123456789abcdef0123456789abcdef'"),
    ],
)
def test_hashes_are_cut_out_too(dialect: str, sql: str) -> None:
    (secret,) = find(sql, dialect)
    assert secret.hashed
    assert secret.value not in mask(sql, [secret])


def test_a_text_that_is_cut() -> None:
    sql = "CREATE USER a IDENTIFIED BY 'begin"
    (secret,) = find(sql, MYSQL, complete=False)
    assert (secret.value, secret.complete) == ("begin", False)
    assert mask(sql, [secret]) == "CREATE USER a IDENTIFIED BY '********"


def test_more_than_are_told_are_still_not_shown() -> None:
    sql = "; ".join(f"CREATE USER u{i} IDENTIFIED BY 'sec{i}ret'" for i in range(300))
    secrets = find(sql, MYSQL)
    assert len(secrets) == 101
    assert "ret" not in mask(sql, secrets)


@pytest.mark.parametrize(
    "message",
    [
        "near 'topsecret' at line 1",
        "near 'IDENTIFIED BY 'topsec' at line 1",
        "syntax error at or near \"'topsecret'\"",
        "by tops...",
    ],
)
def test_a_message_that_quotes(message: str) -> None:
    sql = "CREATE USER a IDENTIFIED BY 'topsecret' oops"
    assert "tops" not in mask_quoted(message, sql, find(sql, MYSQL))


def test_long_texts_take_no_more_than_their_length() -> None:
    for text in (
        "create user password '" + "a" * 60_000,
        "create user password " + "''" * 30_000,
        "create password /*" * 3000,
    ):
        for dialect in (MYSQL, POSTGRESQL):
            assert len(mask(text, find(text, dialect))) <= len(text) + 10
