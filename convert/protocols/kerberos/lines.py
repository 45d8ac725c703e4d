"""What hashcat and John read of Kerberos: lines of one request's timestamp, of one reply's part, of one ticket.

The key of AES comes of password and salt: hashcat puts the salt together from realm (in capitals) and name, so that the
name in a line is what follows the realm in the salt. The key of RC4 has no salt; names in its lines are only told.
"""

from __future__ import annotations

from typing import NamedTuple

RC4 = 23
_AES = (17, 18)
_CHECKSUM_RC4, _CHECKSUM_AES = 16, 12
_SHORTEST = {RC4: 24, 17: 28, 18: 28}
"""A checksum and a confounder; what is encrypted with others has at least 16 bytes."""
_MOST = 1 << 16
_TIMESTAMP_RC4 = 52
"""Both programs read no other length; it is shorter in the first 33 ms of a second."""
_PREAUTH = {RC4: 7500, 17: 19800, 18: 19900}
_REPLY = {RC4: 18200, 17: 32100, 18: 32200}
_SERVICE = {RC4: 13100, 17: 19600, 18: 19700}


class Line(NamedTuple):
    """A line, and which programs read it."""

    text: bytes
    hashcat: int | None
    john: str | None


def fits(etype: int, cipher: bytes) -> bool:
    """Whether so many bytes may be something that was encrypted."""
    return _SHORTEST.get(etype, 16) <= len(cipher) <= _MOST


def default_salt(realm: str, names: tuple[str, ...]) -> str:
    """RFC 4120, 4; of a computer's account what Windows takes (MS-KILE, 3.1.1.2)."""
    if len(names) == 1 and names[0].endswith("$"):
        return f"{realm.upper()}host{names[0][:-1].lower()}.{realm.lower()}"
    return realm + "".join(names)


def preauth(etype: int, realm: str, names: tuple[str, ...], salt: str | None, cipher: bytes) -> Line:
    """Of a timestamp with which a client shows that it knows the password (PA-ENC-TIMESTAMP)."""
    name = "/".join(names)
    if etype == RC4:
        shown = cipher[_CHECKSUM_RC4:].hex() + cipher[:_CHECKSUM_RC4].hex()
        line = f"$krb5pa$23${_plain(name)}${_plain(realm)}$${shown}"
        return Line(_wire(line), *((_PREAUTH[RC4], "krb5pa-md5") if len(cipher) == _TIMESTAMP_RC4 else (None, None)))
    taken = default_salt(realm, names) if salt is None else salt
    if etype in _AES:
        begin = _realm_of(taken, name)
        if begin is not None and "$" not in taken:
            line = f"$krb5pa${etype}${taken[len(begin) :]}${begin}${cipher.hex()}"
            return Line(_wire(line), _PREAUTH[etype], None)
    line = f"$krb5pa${etype}${_plain(name)}${_plain(realm)}${taken}${cipher.hex()}"
    return Line(_wire(line), None, "krb5pa-sha1" if etype in _AES and "$" not in taken else None)


def reply(etype: int, realm: str, names: tuple[str, ...], salt: str | None, cipher: bytes) -> Line:
    """Of the part of an AS-REP that the client decrypts with its key."""
    if etype == RC4:
        shown = f"{cipher[:_CHECKSUM_RC4].hex()}${cipher[_CHECKSUM_RC4:].hex()}"
        return Line(_wire(f"$krb5asrep$23${'/'.join(names)}@{realm}:{shown}"), _REPLY[RC4], "krb5asrep")
    taken = default_salt(realm, names) if salt is None else salt
    if etype in _AES:
        shown = f"{cipher[:-_CHECKSUM_AES].hex()}${cipher[-_CHECKSUM_AES:].hex()}"
        line = f"$krb5asrep${etype}${taken}${shown}"
        return Line(_wire(line), *((None, None) if "$" in taken else (_REPLY[etype], "krb5asrep")))
    return Line(_wire(f"$krb5asrep${etype}${taken}${cipher.hex()}"), None, None)


def service(etype: int, realm: str, names: tuple[str, ...], client: str, cipher: bytes) -> Line:
    """Of a ticket, which a service decrypts with its key.

    For AES its account's name is needed, which is not on the wire: it is taken for the service's own, as MIT's and
    Heimdal's servers make their salts; for Windows whoever guesses has to put the account in.
    """
    spn = "/".join(names).replace(":", "~").replace("*", "")
    if etype == RC4:
        shown = f"{cipher[:_CHECKSUM_RC4].hex()}${cipher[_CHECKSUM_RC4:].hex()}"
        user = (client or spn.partition("/")[0]).replace("*", "").replace("$", "")
        return Line(_wire(f"$krb5tgs$23$*{user}${realm}${spn}*${shown}"), _SERVICE[RC4], "krb5tgs")
    if etype in _AES:
        shown = f"{cipher[-_CHECKSUM_AES:].hex()}${cipher[:-_CHECKSUM_AES].hex()}"
        name = "".join(names)
        readable = "$" not in name + realm
        line = f"$krb5tgs${etype}${name}${realm}${shown}"
        return Line(_wire(line), *((_SERVICE[etype], "krb5tgs-sha1") if readable else (None, None)))
    return Line(_wire(f"$krb5tgs${etype}${spn}${realm}${cipher.hex()}"), None, None)


def _realm_of(salt: str, name: str) -> str | None:
    """How much of a salt may be called the realm, being in capitals; None: hashcat cannot make this salt."""
    split = len(salt) - len(name)
    if split > 0 and name and salt.lower().endswith(name.lower()) and salt[:split] == salt[:split].upper():
        return salt[:split]
    lower = (at for at, one in enumerate(salt) if one != one.upper())
    same = next(lower, len(salt) - 1)
    return salt[:same] if 0 < same < len(salt) else None


def _plain(text: str) -> str:
    return text.replace("$", "")


def _wire(line: str) -> bytes:
    return line.encode("latin-1")
