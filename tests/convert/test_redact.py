"""Masking: every encoding, hostile secrets, what must stay as it is; and the case key."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from base64 import b64encode, urlsafe_b64encode
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.http1 import client, read, server
from syswire.convert.errors import UsageError
from syswire.convert.redact import MASK, STRUCTURAL, Redactor, load_case_key, mask_exchange, mask_own

KEY = bytes(range(32))


def knowing(*secrets: bytes) -> Redactor:
    redactor = Redactor(KEY, reveal=False)
    for secret in secrets:
        redactor.learn(secret)
    return redactor


def spellings(secret: bytes) -> list[str]:
    """Ways to write a secret, each made by the standard library."""
    found = [
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(quote(secret, safe="")),
        "".join(f"%{byte:02x}" for byte in secret),
        "".join(f"%{byte:02X}" for byte in secret),
        secret.hex(),
        secret.hex().upper(),
    ]
    for lead in range(3):
        for tail in range(3):
            inside = b"u:" + bytes([120] * lead) + secret + bytes([121] * tail)
            found += [b64encode(inside).decode(), urlsafe_b64encode(inside).decode()]
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return found
    found += [text, escape(text), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]]
    found += [json.dumps(json.dumps(text))[3:-3], json.dumps(text).replace("/", "\\/")[1:-1]]
    found.append(json.dumps(quote(text, safe=""))[1:-1])
    if text.isascii():
        found.append("".join(f"\\u{ord(letter):04X}" for letter in text))
    return found


SECRETS = [
    b"hunter2",
    b'p"a\\ss/w',
    b"a b&c%d+e",
    "pässwörd€".encode(),
    b"\xff\xfe\x00bin",
    b'{"a":"b"}',
    b"]}]},",
    b"%41%42",
    b"\\u0041\\n",
    b"....",
    b"<b>'x'",
    b"user:pass:word",
    b"x" * 700,
]


@pytest.mark.parametrize("secret", SECRETS, ids=repr)
def test_every_spelling_is_masked(secret: bytes) -> None:
    redactor = knowing(secret)
    for spelt in spellings(secret):
        assert redactor.holds(f"before {spelt} after".encode()), spelt
        masked = redactor.text(f"before {spelt} after")
        assert masked.startswith("before ") and masked.endswith(" after"), masked
        assert MASK in masked
        if len(spelt) > 20:
            assert len(masked) < len(spelt) + 14, (spelt, masked)
        assert not redactor.holds(masked.encode())
    assert redactor.text("before after") == "before after"


@given(st.binary(min_size=4, max_size=24), st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_any_secret_in_every_spelling(secret: bytes, choice: int) -> None:
    redactor = knowing(secret)
    ways = spellings(secret)
    spelt = ways[choice % len(ways)]
    assert redactor.holds(b"<<" + spelt.encode() + b">>")
    assert MASK in redactor.text(f"<<{spelt}>>")


@given(
    st.dictionaries(st.text(max_size=6), st.one_of(st.text(max_size=20), st.integers(-(2**63), 2**64 - 1), st.none())),
    st.text(min_size=2, max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_json_lines_stay_json_and_lose_the_secret(fields: dict[str, object], secret: str) -> None:
    raw = secret.encode("utf-8", "replace")
    assume(len(raw) >= 4 and set(secret) != {"*"})  # the mask itself
    redactor = knowing(raw)
    fields["v"] = f"a {secret} b"
    line = msgspec.json.encode(fields) + b"\n"
    masked = redactor.json_line(line)
    assert masked.endswith(b"}\n")
    after = json.loads(masked)
    assert list(after) == list(fields)
    for name, value in fields.items():
        if not isinstance(value, str):
            assert after[name] == value
        elif name not in STRUCTURAL and raw.decode() in value:
            assert raw.decode() not in after[name]
            assert MASK in after[name]


def test_keys_numbers_hashes_and_times_stay() -> None:
    redactor = knowing(b"1234", b"name", b"http")
    record = {
        "type": "http",
        "stream": 1234,
        "time": "1234-11-23T12:34:12.123400000Z",
        "client": {"ip": "10.12.34.1234", "port": 1234},
        "name": "name 1234",
        "request": {"body_sha256": "1234" * 16, "headers": [["name", "x1234"]]},
        "float": 1234.5,
        "flag": True,
    }
    assert json.loads(redactor.json_line(json.dumps(record).encode())) == {
        **record,
        "name": f"{MASK} {MASK}",
        "request": {"body_sha256": "1234" * 16, "headers": [[MASK, f"x{MASK}"]]},
    }


def test_a_line_without_secrets_is_the_same_bytes() -> None:
    line = b'{ "odd" : 1.50, "spacing":"kept" }\n'
    assert knowing(b"hunter2").json_line(line) is line


def test_escapes_deeper_than_json() -> None:
    redactor = knowing(b"hunt/er2")
    line = msgspec.json.encode({"a": quote(json.dumps("hunt/er2").replace("/", "\\/"))})
    assert b"hunt" not in redactor.json_line(line)


def test_longest_secret_wins_and_overlaps_are_one_mask() -> None:
    redactor = knowing(b"hunter2", b"hunter2024!", b"er2024", b"24!x")
    assert redactor.text("[hunter2024!]") == f"[{MASK}]"
    assert redactor.text("[hunter2024!x]") == f"[{MASK}]"
    assert redactor.text("[hunter2][er2024]") == f"[{MASK}][{MASK}]"


def test_whole_tokens() -> None:
    token = b64encode(b"admin:hunter2")
    redactor = Redactor(KEY, reveal=False)
    redactor.learn(b"hunter2", whole=(token,))
    assert redactor.text(f"Basic {token.decode()}") == f"Basic {MASK}"


def test_base64_leaves_no_bits_of_the_secret() -> None:
    redactor = knowing(b"hunter2")
    spelt = b64encode(b"a:hunter2").decode()  # one character holds bits of ':' and 'h': it goes too
    assert redactor.text(spelt) == spelt[:2] + MASK


def test_short_secrets_are_not_searched_for() -> None:
    redactor = knowing(b"", b"a", b"abc")
    assert redactor.text("a abc abcabc") == "a abc abcabc"
    assert not redactor.holds(b"abc")


def test_ten_thousand_secrets() -> None:
    redactor = knowing(*(b"secret-%05d" % number for number in range(10000)))
    assert redactor.text("secret-09999 secret-1 secret-10000") == f"{MASK} secret-1 secret-10000"
    assert redactor.holds(b"xx secret-00000 xx") and redactor.holds(b64encode(b"secret-07777"))
    assert not redactor.holds(b"secret-1234 " * 1000)


def test_overfull_masks_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        longest = 4

        def add(self, *_: object) -> bool:
            return False

        def found_in(self, _: bytes) -> bool:
            return False

    redactor = Redactor(KEY, reveal=False)
    monkeypatch.setattr(redactor, "index", Full())
    redactor.learn(b"secret")
    assert redactor.overfull
    assert redactor.text("anything") == MASK
    assert redactor.holds(b"anything")
    assert redactor.json_line(b'{"type":"http","n":1,"v":"x"}') == b'{"type":"http","n":1,"v":"********"}'
    assert redactor.spans(b"any") == [(0, 3)]


def test_reveal_shows_and_withholds_nothing() -> None:
    redactor = Redactor(KEY, reveal=True)
    redactor.learn(b"hunter2")
    assert redactor.shown(b"hunter2") == redactor.text("hunter2") == "hunter2"
    assert redactor.shown(b"a\\b\xff") == "a\\\\b\\xff"
    assert redactor.json_line(b'{"a":"hunter2"}') == b'{"a":"hunter2"}'
    assert not redactor.holds(b"hunter2")


def test_shown_and_fingerprint() -> None:
    redactor = knowing()
    assert redactor.shown(b"") == redactor.shown(b"a" * 100) == MASK
    assert redactor.fingerprint(b"x") == hmac.new(KEY, b"x", hashlib.sha256).hexdigest()[:12]


def test_spans() -> None:
    redactor = knowing(b"hunter2", b"er2x")
    assert redactor.spans(b"..hunter2x..%68unter2") == [(2, 10), (12, 21)]
    assert redactor.reach >= 3 * len(b"hunter2")


# Short secrets, where they stand


def test_own_secrets_however_short() -> None:
    request = (
        b"GET /?user=u&pin=7&x=7 HTTP/1.1\r\nHost: u:ab@h\r\nReferer: http://h/?pin=7\r\n"
        b"Authorization: Basic dTpw\r\n\r\n"
    )
    found = read(client(request), server(b"HTTP/1.1 302 F\r\nLocation: /7?pin=7\r\n\r\n"))
    redactor = Redactor(KEY, reveal=False)
    for sighting in found.sightings:
        redactor.learn_sighting(sighting)
    [exchange] = found.exchanges
    masked = mask_exchange(exchange, found.sightings, redactor)
    assert masked.request is not None and masked.response is not None
    assert masked.request.target == f"/?user=u&pin={MASK}&x=7"
    assert masked.request.host == f"u:{MASK}@h"
    assert masked.request.headers == [
        ("Host", f"u:{MASK}@h"),
        ("Referer", f"http://h/?pin={MASK}"),
        ("Authorization", f"Basic {MASK}"),
    ]
    assert masked.response.headers == [("Location", f"/7?pin={MASK}")]
    assert mask_exchange(exchange, found.sightings, Redactor(KEY, reveal=True)) is exchange
    assert exchange.request is not None and exchange.request.target == "/?user=u&pin=7&x=7"
    assert mask_own("pin=7 77", found.sightings, redactor) == f"pin={MASK} 77"


# The case key


def test_case_key_is_made_once(tmp_path: Path) -> None:
    key = load_case_key(tmp_path, None)
    path = tmp_path / "case.key"
    assert len(key) == 32 and path.read_text() == key.hex() + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_case_key(tmp_path, None) == key
    assert [entry.name for entry in tmp_path.iterdir()] == ["case.key"]


def test_case_key_given(tmp_path: Path) -> None:
    given_key = tmp_path / "mine"
    given_key.write_text(KEY.hex().upper())
    assert load_case_key(tmp_path, given_key) == KEY
    assert not (tmp_path / "case.key").exists()
    with pytest.raises(FileNotFoundError):
        load_case_key(tmp_path, tmp_path / "none")


@pytest.mark.parametrize("content", [b"", b"00", b"zz" * 32, KEY, KEY.hex().encode() + b"00", b"\xff" * 64])
def test_case_key_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "case.key").write_bytes(content)
    with pytest.raises(UsageError, match="not a case key"):
        load_case_key(tmp_path, None)
