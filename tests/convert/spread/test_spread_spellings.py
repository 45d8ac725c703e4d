"""Spellings by the encoders themselves, found by a plain search."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import md5, sha1, sha256
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.spread.patterns import Patterns
from syswire.convert.spread.spellings import spellings
from syswire.convert.spread.words import is_common, names_in

SECRETS = st.binary(min_size=8, max_size=40)
SECRET = b"p\xc3\xa4ss w/rd+\"'1%"

ENCODERS = [
    ("plain", lambda s: s),
    ("percent", lambda s: quote(s, safe="").encode()),
    ("percent", lambda s: quote_plus(s).encode()),
    ("percent", lambda s: quote(s, safe="").lower().encode()),
    ("base64", b64encode),
    ("base64", urlsafe_b64encode),
    ("json", lambda s: json.dumps(s.decode()).encode()),
    ("json", lambda s: json.dumps(s.decode(), ensure_ascii=False).encode()),
    ("hex", lambda s: s.hex().encode()),
    ("hex", lambda s: s.hex().upper().encode()),
    ("md5", lambda s: md5(s).hexdigest().encode()),
    ("md5", lambda s: md5(s).hexdigest().upper().encode()),
    ("sha1", lambda s: sha1(s).digest()),
    ("sha256", lambda s: sha256(s).hexdigest().encode()),
    ("sha256", lambda s: sha256(s).digest()),
]


@pytest.mark.parametrize(("name", "encode"), ENCODERS)
def test_what_an_encoder_makes_is_found(name: str, encode) -> None:  # type: ignore[no-untyped-def]
    patterns = Patterns([b"another secret", SECRET])
    told = {patterns.spelled[pattern] for _, pattern in patterns.found(b"<" + encode(SECRET) + b">")}
    assert (1, name) in told
    assert {number for number, _ in told} == {1}


@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_base64_wherever_it_stands(secret: bytes, before: bytes, after: bytes) -> None:
    patterns = Patterns([secret])
    for encode in (b64encode, urlsafe_b64encode):
        told = {patterns.spelled[pattern][1] for _, pattern in patterns.found(encode(before + secret + after))}
        assert "base64" in told


@given(st.lists(SECRETS, unique=True, max_size=5), st.binary(max_size=200), st.data())
def test_as_a_plain_search(secrets: list[bytes], noise: bytes, data: st.DataObject) -> None:
    """Every spelling that the text has is found where it begins, the longest one of several that begin there."""
    spelled = [(number, *one) for number, secret in enumerate(secrets) for one in spellings(secret)]
    text = noise
    for _ in range(data.draw(st.integers(0, 3)) if spelled else 0):
        text += data.draw(st.sampled_from(spelled))[2] + data.draw(st.binary(max_size=9))
    expected = {}
    for at in range(len(text)):
        fitting = [one for one in spelled if text.startswith(one[2], at)]
        if fitting:
            expected[at] = max(len(one[2]) for one in fitting)
    patterns = Patterns(secrets)
    assert {at: patterns.length(pattern) for at, pattern in patterns.found(text)} == expected
    for at, pattern in patterns.found(text):
        number, name = patterns.spelled[pattern]
        assert any(
            name == one and text.startswith(bytes_, at) and len(bytes_) == expected[at]
            for one, bytes_ in spellings(secrets[number])
        )


@pytest.mark.parametrize(
    ("secret", "common"),
    [
        (b"short77", True),
        (b"Password1", True),
        (b"aaaabbbbaaaa", True),
        (b"www-data", True),
        (b"Apache2.4", False),
        (b"S3same-0pen", False),
    ],
)
def test_words_mean_nothing(secret: bytes, common: bool) -> None:
    assert is_common(secret, frozenset({"www-data"})) is common


def test_names_of_a_path() -> None:
    assert {"/srv/Webshop/index.php".lower(), "webshop", "index.php", "index"} <= set(
        names_in(b"/srv/Webshop/index.php")
    )
