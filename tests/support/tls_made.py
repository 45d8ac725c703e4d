"""Messages of TLS written out by hand."""

from __future__ import annotations

from struct import pack

RANDOM = bytes(range(32))
RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
CHROME = [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014]
CHROME += [0x009C, 0x009D, 0x002F, 0x0035]
CHROME_EXTENSIONS = [0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D, 0x0005, 0x0023]
CHROME_EXTENSIONS += [0x0012, 0x002B, 0xFF01, 0x000B, 0x000A, 0x0015]
CHROME_SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]


def block(data: bytes, size: int = 2) -> bytes:
    return len(data).to_bytes(size, "big") + data


def words(numbers: list[int]) -> bytes:
    return b"".join(pack(">H", number) for number in numbers)


def extension(kind: int, body: bytes = b"") -> bytes:
    return pack(">H", kind) + block(body)


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + block(body, 3)


def framed(data: bytes, kind: int = 22, piece: int = 16384) -> bytes:
    return b"".join(bytes([kind, 3, 1]) + block(data[i : i + piece]) for i in range(0, len(data), piece))


def client_hello(
    extensions: list[bytes], ciphers: list[int] | None = None, version: int = 0x0303, session: bytes = b""
) -> bytes:
    body = pack(">H", version) + RANDOM + block(session, 1) + block(words(ciphers or [0xC02F, 0x00FF])) + b"\1\0"
    return message(1, body + (block(b"".join(extensions)) if extensions else b""))


def server_hello(
    extensions: list[bytes], cipher: int = 0xC02F, version: int = 0x0303, session: bytes = b"", random: bytes = RANDOM
) -> bytes:
    body = pack(">H", version) + random + block(session, 1) + pack(">HB", cipher, 0)
    return message(2, body + (block(b"".join(extensions)) if extensions else b""))


def names(*protocols: bytes) -> bytes:
    return extension(16, block(b"".join(block(name, 1) for name in protocols)))


SNI = extension(0, block(b"\0" + block(b"www.example.org")))
TLS13 = extension(43, b"\2\3\4")
CHOSEN13 = extension(43, b"\3\4")
CHANGED = b"\x14\x03\x03\0\1\1"
DATA = b"\x17\x03\x03\0\x20" + bytes(32)
