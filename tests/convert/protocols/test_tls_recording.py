"""TLS: what openssl says of a recording of its own, and of certificates."""

from __future__ import annotations

import ssl
from pathlib import Path
from random import Random

from support.loopback_talk import recorded
from support.parsing import Found, talk
from syswire.convert.model.record import Value
from syswire.convert.protocols.tls.der import certificate
from syswire.convert.protocols.tls.parser import Tls


def said(found: Found) -> tuple[dict[str, Value], dict[str, Value]]:
    assert len(found.records) == 1
    request, response = found.asked[0], found.answered[0]
    assert request is not None
    assert response is not None
    return request, response


def told(data: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (data / "protocols" / "tls-told.txt").read_text().splitlines():
        if line.startswith("== "):
            found[line[3:]] = []
        else:
            found[list(found)[-1]].append(line.strip())
    return found


SERVER = {
    "subject": 'CN=www.example.org,O=Müller & Söhne \\"Test\\",ST=Bayern,C=DE',
    "issuer": "CN=Test \\+ Root,O=Made Up CA\\, Inc.,C=DE",
    "serial": "00f1e2d3c4b5a69788",
    "not_before": "2026-11-23T18:52:44Z",
    "not_after": "2029-02-25T18:52:44Z",
    "names": ["www.example.org", "*.example.org", "192.0.2.10", "2001:db8::10", "a@example.org",
              "https://www.example.org/x"],
    "certificate_sha256": "8ac69d0383c8bf04364d087eadda8bd30e20f47f253ce7ba6b34dba08146c5db",
}  # fmt: skip
"""As `openssl x509 -nameopt RFC2253,-esc_msb` shows it."""
SUITES = {
    "ECDHE-ECDSA-AES256-SHA": "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_AES_256_GCM_SHA384": "TLS_AES_256_GCM_SHA384",
}


def shown(fields: dict[str, Value] | None) -> object:
    """Text of the wire as the writer would show it."""
    assert fields is not None
    return {n: value.encode("latin-1").decode() if isinstance(value, str) else value for n, value in fields.items()}


def test_says_what_openssl_says(data: Path) -> None:
    conversations = recorded(data / "protocols" / "tls.pcap")
    lines = told(data)
    assert len(conversations) == len(lines) == 12
    for (name, said_there), conversation in zip(lines.items(), conversations, strict=True):
        request, response = said(talk(Tls, conversation.calls))
        text = "\n".join(said_there)
        if name in ("refused", "distrust"):
            continue
        assert f"Cipher is {next(k for k, v in SUITES.items() if v == response['cipher_name'])}" in text
        assert response["resumed"] is ("Reused" in text)
        version = str(response["version"]).replace("TLS ", "TLSv").replace("v1.0", "v1")
        assert f"Protocol  : {version}" in text or (version == "TLSv1.3" and "TLSv1.3" in text)
        if version != "TLSv1.3":  # where it is encrypted
            assert ("No ALPN" in text) is ("alpn" not in response)
            assert "alpn" not in response or f"ALPN protocol: {response['alpn']}" in text
        if version != "TLSv1.3" and not response["resumed"]:
            assert shown(response["certificate"]) == SERVER  # type: ignore[arg-type]
        assert request["sni"] == (None if name == "tls10" else "www.example.org")
    by_name = dict(zip(lines, (said(talk(Tls, c.calls)) for c in conversations), strict=True))
    assert by_name["retry"][1]["hello_retry"] is True
    assert by_name["refused"][1] == {"alert": "protocol_version", "alert_level": "fatal"}
    assert by_name["distrust"][0]["alert"] == "unknown_ca"
    assert by_name["nocert"][0]["client_certificate"] is False
    assert by_name["nocert"][1]["alert"] == "handshake_failure"
    mine = by_name["clientcert"][0]
    assert mine["client_certificate"] is True
    assert mine["certificate"] == {
        "subject": "emailAddress=alice@example.org,CN=alice+OU=Ops,O=Clients",
        "issuer": SERVER["issuer"],
        "serial": "07",
        "not_before": SERVER["not_before"],
        "not_after": SERVER["not_after"],
        "names": [],
        "certificate_sha256": "8f350b45a43d205735f862e471bb9787eadd9d8399f1ff64cd5fe0b3008dcdc2",
    }


def test_cut_and_changed_certificates(data: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((data / "protocols" / "tls-server.pem").read_text())
    for size in range(len(der)):
        fields, whole = certificate(der[:size], complete=False)
        assert whole is False or set(fields) >= {"subject", "issuer"}
        assert all(shown({name: value}) == {name: SERVER[name]} for name, value in fields.items() if name != "names")
    random = Random(6)
    for _ in range(3000):
        changed = bytearray(der)
        changed[random.randrange(len(der))] = random.randrange(256)
        certificate(bytes(changed))
