"""Digest authentication: parameters as they are written, and lines that hashcat reads."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import md5, sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syswire.convert.protocols.http.digest import http_line, parameters, sip_line

# RFC 2617, 3.5: the password is "Circle Of Life".
RFC2617 = (
    'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", '
    'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC2617_LINE = (
    b"$sip$***Mufasa*testrealm@host.com*GET**/dir/index.html**dcd98b7102dd2f0e8b11d0f600bfb0c093*0a4f113b*00000001"
    b"*auth*MD5*6629fae49393a05397450978507c4ef1"
)
# RFC 7616, 3.9.1: the same password, SHA-256.
RFC7616 = (
    'Digest username="Mufasa",\r\n realm="http-auth@example.org",\r\n uri="/dir/index.html",\r\n algorithm=SHA-256,'
    '\r\n nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",\r\n nc=00000001,'
    '\r\n cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",\r\n qop=auth,'
    '\r\n response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",'
    '\r\n opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def _md5(*parts: str) -> str:
    return md5(":".join(parts).encode("latin-1")).hexdigest()


def test_the_example_of_rfc_2617_is_a_line_for_hashcat() -> None:
    params = parameters(RFC2617)
    assert params is not None and params["realm"] == "testrealm@host.com" and params["qop"] == "auth"
    answer = http_line("GET", "/elsewhere", params)
    assert answer is not None
    assert answer.line == RFC2617_LINE
    assert answer.username == "Mufasa" and answer.hashcat == 11400 and answer.john is None
    assert answer.details["mechanism"] == "Digest" and answer.details["challenge_seen"] is True
    assert answer.parts == (bytes.fromhex("6629fae49393a05397450978507c4ef1"),)


def test_sha_256_is_told_though_no_tool_reads_it() -> None:
    answer = http_line("GET", "/", parameters(RFC7616) or {})
    assert answer is not None and answer.hashcat is None and answer.john is None
    assert answer.line.endswith(b"*auth*SHA-256*753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")
    assert answer.details["algorithm"] == "SHA-256"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("DIGEST\t USERNAME=a, Realm = \"b c\" ,response=''", {"username": "a", "realm": "b c", "response": "''"}),
        (r'digest username="a\"b\\c", realm="D\x"', {"username": 'a"b\\c', "realm": "D\\x"}),
        ('Digest username="first", username="second",,nc=1', {"username": "first", "nc": "1"}),
        ('Digest username="cut', {"username": "cut"}),
        ("Digest", {}),
    ],
)
def test_parameters_in_any_writing(header: str, wanted: dict[str, str]) -> None:
    assert parameters(header) == wanted


@pytest.mark.parametrize("header", ["Basic abc", "Digestive x=y", "", "Negotiate Digest a=b"])
def test_other_schemes_are_none(header: str) -> None:
    assert parameters(header) is None


@pytest.mark.parametrize(
    "said",
    [
        'Digest username="ims", realm="r", nonce="", uri="sip:r", response=""',
        'Digest username="u", realm="r", nonce="n", uri="/", response="not hex at all, thirty-two long"',
        'Digest username="u", realm="r", nonce="n", uri="/", response="abcd"',
        'Digest username="u", realm="r", nonce="n", uri="/", algorithm=SHA-256, response="' + "0" * 32 + '"',
        'Digest username="u"',
    ],
)
def test_an_announcement_is_no_answer(said: str) -> None:
    assert http_line("GET", "/", parameters(said) or {}) is None


def test_a_name_in_its_extended_writing_is_decoded() -> None:
    params = parameters("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=r, nonce=n, response=" + "0" * 32)
    answer = http_line("GET", "/", params or {})
    assert answer is not None and answer.username == "Jäsøn Doe"
    assert "Jäsøn Doe".encode() in answer.line


def test_without_a_nonce_it_is_said_that_the_challenge_is_missing() -> None:
    answer = http_line("GET", "/", {"username": "u", "response": "0" * 32})
    assert answer is not None and answer.details["challenge_seen"] is False and answer.confidence == "likely"
    assert answer.hashcat is None


def test_an_asterisk_makes_it_a_line_for_john() -> None:
    params = parameters(RFC2617) or {}
    params["uri"] = "/*"
    answer = http_line("GET", "", params)
    assert answer is not None and answer.hashcat is None and answer.john == "hdaa"
    assert answer.line == (
        b"$response$6629fae49393a05397450978507c4ef1$Mufasa$testrealm@host.com$GET$/*"
        b"$dcd98b7102dd2f0e8b11d0f600bfb0c093$00000001$0a4f113b$auth"
    )


def test_sip_divides_the_address() -> None:
    # hashcat's own example for mode 11400; the password is "hashcat".
    params = {
        "username": "username", "realm": "asterisk", "nonce": "2b01df0b", "uri": "sip:192.168.100.121",
        "response": "ad0520061ca07c120d7e8ce696a6df2d", "algorithm": "MD5",
    }  # fmt: skip
    answer = sip_line("REGISTER", "", params, "192.168.100.100", "192.168.100.121")
    assert answer is not None and answer.hashcat == 11400
    assert answer.line == (
        b"$sip$*192.168.100.100*192.168.100.121*username*asterisk*REGISTER*sip*192.168.100.121**2b01df0b****MD5"
        b"*ad0520061ca07c120d7e8ce696a6df2d"
    )
    params["uri"] = "sip:tom@host:5060;transport=udp"
    answer = sip_line("INVITE", "", params, "", "")
    assert answer is not None and b"*INVITE*sip*tom@host*5060;transport=udp*" in answer.line


@given(st.text(st.characters(max_codepoint=255), max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_header_raises(text: str) -> None:
    params = parameters("Digest " + text)
    assert params is not None
    http_line("GET", text, {**params, "response": "0" * 32})
    http_line(text, text, params)
    sip_line("INVITE", text, {**params, "response": "0" * 32}, text, "")


@pytest.mark.skipif(shutil.which("hashcat") is None, reason="no hashcat")
def test_hashcat_guesses_what_was_made_with_a_known_password(tmp_path: Path) -> None:
    user, realm, word, nonce = "tom", "My Realm", "sesame4711", "abcdef01"
    own, body = "0a4f113b", "a=1&b=2"
    key = _md5(user, realm, word)
    base = {"username": user, "realm": realm, "nonce": nonce, "uri": "/a/b?c=d"}
    plain = {**base, "response": _md5(key, nonce, _md5("GET", "/a/b?c=d"))}
    counted = {**base, "qop": "auth", "nc": "00000001", "cnonce": own}
    counted["response"] = _md5(key, nonce, "00000001", own, "auth", _md5("POST", "/a/b?c=d"))
    whole = {**counted, "qop": "auth-int"}
    body_md5 = md5(body.encode()).hexdigest()
    whole["response"] = _md5(key, nonce, "00000001", own, "auth-int", _md5("PUT", "/a/b?c=d", body_md5))
    sip = {**base, "uri": "sip:10.0.0.1:5060", "response": _md5(key, nonce, _md5("REGISTER", "sip:10.0.0.1:5060"))}
    answers = [
        http_line("GET", "", plain),
        http_line("POST", "", counted),
        http_line("PUT", "", whole, body_md5),
        sip_line("REGISTER", "", sip, "10.0.0.1", "10.0.0.2"),
    ]
    (tmp_path / "words").write_text(word + "\n")
    for number, answer in enumerate(answers):
        assert answer is not None and answer.hashcat == 11400
        (tmp_path / "line").write_bytes(answer.line + b"\n")
        out = tmp_path / f"out{number}"
        command = ["hashcat", "-m", "11400", str(tmp_path / "line"), str(tmp_path / "words"), "--force", "-o", str(out)]
        command += ["--session", f"syswire-{tmp_path.name}-{number}"]
        done = subprocess.run(
            [*command, "--potfile-disable"], capture_output=True, timeout=120, cwd=tmp_path, check=False
        )
        if b"No devices found" in done.stdout + done.stderr:
            pytest.skip("hashcat has no device here")
        assert out.exists() and out.read_bytes().rstrip().endswith(b":" + word.encode()), done.stdout[-2000:]


def test_sha_256_of_the_example_is_what_the_rfc_says() -> None:
    def digest(*parts: str) -> str:
        return sha256(":".join(parts).encode()).hexdigest()

    params = parameters(RFC7616) or {}
    key = digest("Mufasa", "http-auth@example.org", "Circle of Life")
    told = digest(key, params["nonce"], params["nc"], params["cnonce"], "auth", digest("GET", params["uri"]))
    assert told == params["response"]
