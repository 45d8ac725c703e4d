"""The lines of rsync's daemon, made by hand by its documentation."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5, sha512

import pytest

from support.parsing import Talk, talk
from syswire.convert.model.sighting import ACCEPTED, HASH, REFUSED, UNKNOWN
from syswire.convert.protocols.rsync.parser import Rsync

CHALLENGE = b"a1B2c3D4e5F6g7H8i9J0kQ"
DIGEST = md5(b"Invented-1!" + CHALLENGE).digest()
TOKEN = b64encode(DIGEST).rstrip(b"=")


def calls(answer: bytes, verdict: bytes, version: bytes = b"31.0") -> Talk:
    return [
        (False, b"@RSYNCD: 31.0\n"), (True, b"@RSYNCD: " + version + b"\n"), (True, b"store\n"),
        (False, b"Welcome\n"), (False, b"@RSYNCD: AUTHREQD " + CHALLENGE + b"\n"), (True, answer), (False, verdict),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [(b"@RSYNCD: OK\n", ACCEPTED), (b"@ERROR: auth failed on module store\n", REFUSED), (b"", UNKNOWN)],
)
def test_an_answer(verdict: bytes, outcome: str) -> None:
    found = talk(Rsync, calls(b"ada " + TOKEN + b"\n", verdict))
    [sighting] = found.sightings
    assert (sighting.form, sighting.username, sighting.outcome) == (HASH, "ada", outcome)
    assert sighting.secret == DIGEST.hex().encode() + b":" + CHALLENGE
    assert (sighting.raw, sighting.parts, sighting.span.offset) == (TOKEN, (DIGEST,), 24)
    assert sighting.details == {"mechanism": "md5", "hashcat": 10, "john": None, "challenge_seen": True}
    assert found.asked == [{"version": "31.0", "module": "store", "username": "ada", "secret": True}]
    assert found.answered[0] is not None and found.answered[0]["text"] == "Welcome\n"


def test_the_digest_is_told_by_its_length_and_the_version() -> None:
    long = sha512(b"Invented-1!" + CHALLENGE).digest()
    answer = b"ada " + b64encode(long).rstrip(b"=") + b"\n"
    [sighting] = talk(Rsync, calls(answer, b"@RSYNCD: OK\n")).sightings
    assert sighting.details is not None and (sighting.details["mechanism"], sighting.details["hashcat"]) == (
        "sha512",
        1710,
    )
    [old] = talk(Rsync, calls(b"ada " + TOKEN + b"\n", b"", b"29")).sightings
    assert old.details is not None and (old.details["mechanism"], old.details["hashcat"]) == ("md4", None)


def test_a_module_without_password_is_no_credential() -> None:
    said: Talk = [
        (False, b"@RSYNCD: 31.0\n"), (True, b"@RSYNCD: 31.0\n"), (True, b"open\n"), (False, b"@RSYNCD: OK\n"),
        (True, b"--server\0--sender\0.\0"),
    ]  # fmt: skip
    found = talk(Rsync, said)
    assert not found.sightings and found.answered == [{"version": "31.0", "result": "ok"}]


@pytest.mark.parametrize("answer", [b"ada\n", b"ada short\n", b"ada " + b"!" * 22 + b"\n", b"\n"])
def test_a_line_that_answers_nothing_is_no_credential(answer: bytes) -> None:
    assert not talk(Rsync, calls(answer, b"@ERROR: auth failed on module store\n")).sightings


def test_a_list_of_modules_is_no_credential() -> None:
    said: Talk = [
        (False, b"@RSYNCD: 31.0\n"),
        (True, b"@RSYNCD: 31.0\n#list\n"),
        (False, b"store\tall\n@RSYNCD: EXIT\n"),
    ]
    found = talk(Rsync, said)
    assert found.answered == [{"version": "31.0", "result": "exit", "text": "store\tall\n"}] and not found.sightings
