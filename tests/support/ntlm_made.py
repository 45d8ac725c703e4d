"""NTLM messages laid out by hand after MS-NLMP 2.2.1, with the values of its section 4.2 to fill them."""

from __future__ import annotations

CHALLENGE = bytes.fromhex("0123456789abcdef")
# 4.2.2: NTLM v1 authentication of User, Password, Domain, with the LM response as well.
V1_NT = bytes.fromhex("67c43011f30298a2ad35ece64f16331c44bdbed927841f94")
V1_LM = bytes.fromhex("98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13")
# 4.2.3: with extended session security; the client's challenge is 8 times aa.
ESS_NT = bytes.fromhex("7537f803ae367128ca458204bde7caf81e97ed2683267232")
ESS_LM = b"\xaa" * 8 + b"\0" * 16
# 4.2.4: NTLM v2, its proof and LMv2 response; the blob is that of 4.2.4.1.3 (time 0, Domain and Server as AV pairs).
V2_PROOF = bytes.fromhex("68cd0ab851e51c96aabc927bebef6a1c")
V2_LM = bytes.fromhex("86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa")
V2_BLOB = (
    b"\x01\x01" + b"\0" * 6 + b"\0" * 8 + b"\xaa" * 8 + b"\0" * 4
    + b"\x02\0\x0c\0" + "Domain".encode("utf-16-le") + b"\x01\0\x0c\0" + "Server".encode("utf-16-le")
    + b"\0\0\0\0" + b"\0" * 4
)  # fmt: skip

V1_LINE = (
    "User::Domain:98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13:"
    "67c43011f30298a2ad35ece64f16331c44bdbed927841f94:0123456789abcdef"
)
ESS_LINE = (
    "User::Domain:aaaaaaaaaaaaaaaa00000000000000000000000000000000:"
    "7537f803ae367128ca458204bde7caf81e97ed2683267232:0123456789abcdef"
)
V2_LINE = f"User::Domain:0123456789abcdef:68cd0ab851e51c96aabc927bebef6a1c:{V2_BLOB.hex()}"

NEGOTIATE = b"NTLMSSP\0" + bytes.fromhex("01000000 97820862 0000000000000000 0000000000000000")
_ORDER = ("lm", "nt", "domain", "user", "host", "key")


def wide(text: str) -> bytes:
    """UTF-16LE."""
    return text.encode("utf-16-le")


def challenge(value: bytes = CHALLENGE, flags: int = 0x60898235, info: bytes = b"") -> bytes:
    """CHALLENGE_MESSAGE, with a target name; `info`: AV pairs."""
    name = wide("Server")
    head = b"NTLMSSP\0" + b"\2\0\0\0" + len(name).to_bytes(2, "little") * 2 + (56).to_bytes(4, "little")
    place = len(info).to_bytes(2, "little") * 2 + (56 + len(name)).to_bytes(4, "little") if info else b"\0" * 8
    head += flags.to_bytes(4, "little") + value + b"\0" * 8 + place + b"\x06\x01\xb1\x1d\0\0\0\x0f"
    return head + name + info


def authenticate(
    nt: bytes = V1_NT,
    lm: bytes = V1_LM,
    user: bytes = wide("User"),
    domain: bytes = wide("Domain"),
    host: bytes = wide("COMPUTER"),
    flags: int = 0x60898235,
    order: tuple[str, ...] = ("domain", "user", "host", "lm", "nt", "key"),
) -> bytes:
    """AUTHENTICATE_MESSAGE with version and without MIC; `order` is that of the payload."""
    held = {"lm": lm, "nt": nt, "domain": domain, "user": user, "host": host, "key": b""}
    offsets, payload = {}, b""
    for name in order:
        offsets[name] = 72 + len(payload)
        payload += held[name]
    fields = b"".join(
        len(held[name]).to_bytes(2, "little") * 2 + offsets[name].to_bytes(4, "little") for name in _ORDER
    )
    return b"NTLMSSP\0" + b"\3\0\0\0" + fields + flags.to_bytes(4, "little") + b"\x05\x01\x28\x0a\0\0\0\x0f" + payload


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    if size < 0x100:
        return bytes([tag, 0x81, size]) + content
    return bytes([tag, 0x82]) + size.to_bytes(2, "big") + content


def spnego_init(token: bytes) -> bytes:
    """GSS-API's initial token with a NegTokenInit that offers NTLMSSP (RFC 4178, 4.2.1)."""
    mechanisms = _der(0xA0, _der(0x30, bytes.fromhex("060a2b06010401823702020a")))
    inner = _der(0xA0, _der(0x30, mechanisms + _der(0xA2, _der(4, token))))
    return _der(0x60, bytes.fromhex("06062b0601050502") + inner)


def spnego_response(token: bytes, mic: bytes = b"") -> bytes:
    """NegTokenResp: accept-incomplete, the token, and a mechListMIC behind it (RFC 4178, 4.2.2)."""
    held = _der(0xA0, bytes.fromhex("0a0101")) + _der(0xA2, _der(4, token))
    return _der(0xA1, _der(0x30, held + (_der(0xA3, _der(4, mic)) if mic else b"")))
