"""Secrets in command lines and environments, by what the programs' manual pages say."""

from __future__ import annotations

import shlex
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.scap.command_forms import SHORT
from syswire.convert.scap.command_secrets import in_arguments, in_environment


def found(line: str) -> list[tuple[str | None, str]]:
    """(user, secret) in a command line."""
    program, *args = shlex.split(line)
    words = [word.encode() for word in args]
    told = in_arguments(program.encode(), words)
    for one in told:
        assert words[one.word][one.begin : one.end] == one.raw
    return [(one.username, one.secret.decode()) for one in told]


@pytest.mark.parametrize(
    ("line", "user", "secret"),
    [
        ("mysql -pS3cret", None, "S3cret"),
        ("/usr/bin/mysqldump -u root -pab shop", "root", "ab"),
        ("mysql --user=shop --password=S3cret shop", "shop", "S3cret"),
        ("mariadb -ushop -pS3cret", "shop", "S3cret"),
        ("tool --password S3cret", None, "S3cret"),
        ("tool --db-password=S3cret", None, "S3cret"),
        ("tool --token=t0ken.x", None, "t0ken.x"),
        ("tool --api-key k3y", None, "k3y"),
        ("curl -u bob:S3cret http://host/", "bob", "S3cret"),
        ("curl -sS -ubob:S3:cret http://host/", "bob", "S3:cret"),
        ("curl --user bob:S3cret http://host/", "bob", "S3cret"),
        ("curl http://bob:S3cret@host:8080/x", "bob", "S3cret"),
        ("curl ftp://bob:p%40ss@host/x", "bob", "p@ss"),
        ("curl -H 'Authorization: Bearer abc.def' http://host", None, "abc.def"),
        ("curl -H 'Authorization: Basic Ym9iOlMzY3JldA==' http://host", "bob", "S3cret"),
        ("curl -d 'login=bob&pass=a%2Bb+c' http://host", "bob", "a+b c"),
        ("curl -d 'pass=S3cret&email=bob%40x' http://host", "bob@x", "S3cret"),
        ("curl -d 'go=1&pass=S3cret' http://host", None, "S3cret"),
        ("sshpass -p S3cret ssh -p 22 bob@host", None, "S3cret"),
        ("sshpass -pS3cret ssh host", None, "S3cret"),
        ("redis-cli -a S3cret ping", None, "S3cret"),
        ("ldapsearch -x -D cn=admin -w S3cret", "cn=admin", "S3cret"),
        ("smbclient -U bob%S3cret //host/share", "bob", "S3cret"),
        ("lftp -u bob,S3cret host", "bob", "S3cret"),
        ("openssl enc -pass pass:S3cret", None, "S3cret"),
        ("docker login -u bob -p S3cret registry", "bob", "S3cret"),
        ("env PGPASSWORD=S3cret psql", None, "S3cret"),
        ("psql 'host=db password=S3cret'", None, "S3cret"),
        ("bash -c 'cd /x && mysql -u root -pS3cret shop'", "root", "S3cret"),
        ("tool --password=/aB+9", None, "/aB+9"),
    ],
)
def test_a_secret_is_found(line: str, user: str | None, secret: str) -> None:
    assert found(line) == [(user, secret)]


@pytest.mark.parametrize(
    "line",
    [
        "ssh -p 3306 host",
        "mysql -P 3306 -p shop",
        "mysql --password shop",
        "psql --password shop",
        "mkdir -p secret/token",
        "sshpass -f file ssh -p 22 host",
        "sshpass -e ssh -p 22 host",
        "nmap -p 1-1000 host",
        "ps -p 1",
        "docker run -p 80:80 -u 1000:1000 web",
        "curl -u bob http://host/",
        "curl -u bob: http://host/",
        "curl -P - http://host:80/a@b",
        "tool --password-file /etc/pw",
        "tool --password=$PASSWORD",
        "tool --password=file:/etc/pw",
        "tool --password=/etc/tool/pw",
        "tool --password --verbose",
        "tool --no-password x",
        "mysql -pxxxxxx",
        "mysql -p****",
        "openssl rsa -passin env:PW",
        "sort -u passwords",
        "git -C /x log --token",
        "tool PWD=/home/bob OLDPWD=/",
        "passwd bob",
        "systemd-tty-ask-password-agent --watch",
        "dbus-daemon --address=systemd: --nofork",
        "unzip -p archive.zip",
        "tar -xzpf x.tar",
    ],
)
def test_what_is_no_secret(line: str) -> None:
    assert found(line) == []


@pytest.mark.parametrize(
    ("variable", "secret"),
    [
        ("PGPASSWORD=S3cret", "S3cret"),
        ("MYSQL_PWD=S3cret", "S3cret"),
        ("SHOP_DB_PASSWORD=a=b c", "a=b c"),
        ("GITHUB_TOKEN=ghp_x", "ghp_x"),
        ("CLIENT_SECRET=S3cret", "S3cret"),
        ("AWS_SECRET_ACCESS_KEY=k/e+y", "k/e+y"),
        ("DATABASE_URL=postgres://shop:S3cret@db/shop", "S3cret"),
    ],
)
def test_a_variable_with_a_secret(variable: str, secret: str) -> None:
    told = in_environment([b"HOME=/root", variable.encode()])
    assert [(one.word, one.secret.decode()) for one in told] == [(1, secret)]


@pytest.mark.parametrize(
    "variable",
    ["PWD=/srv", "OLDPWD=/", "PASSWORD=", "DB_PASSWORD_FILE=/run/secrets/db", "XDG_SESSION_ID=5", "TOKEN_TYPE=bearer",
     "SSH_ASKPASS=/usr/bin/ask", "MAIL=/var/mail/bob", "DB_PASSWORD=/run/secrets/db", "USE_TOKEN=true",
     "URL=http://host/a:b@c", "PASSWORDS=x"],
)  # fmt: skip
def test_a_variable_without_one(variable: str) -> None:
    assert in_environment([variable.encode()]) == []


WORDS = st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"-p", b"-u", b"--password=", b"a:b", b"-psw"])))


@given(st.one_of(st.sampled_from(sorted(SHORT)), st.sampled_from(["sh", "tool"])), WORDS)
def test_no_words_are_too_odd(program: str, words: list[bytes]) -> None:
    """Places are within the words, in order, and apart from each other."""
    told = in_arguments(program.encode(), words)
    for one in told:
        assert 0 <= one.begin < one.end <= len(words[one.word])
    places = [(one.word, one.begin, one.end) for one in told]
    assert places == sorted(places)
    assert all(a[0] < b[0] or a[2] <= b[1] for a, b in pairwise(places))
    in_environment(words)
