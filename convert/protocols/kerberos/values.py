"""Kerberos's numbers in words, and what a record tells of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import AS_REP, AS_REQ, ERROR, NAMES, TGS_REP, TGS_REQ, Message

if TYPE_CHECKING:
    from ...model.record import Value

ERRORS = {
    3: "KDC_ERR_BAD_PVNO",
    6: "KDC_ERR_C_PRINCIPAL_UNKNOWN",
    7: "KDC_ERR_S_PRINCIPAL_UNKNOWN",
    9: "KDC_ERR_NULL_KEY",
    12: "KDC_ERR_POLICY",
    13: "KDC_ERR_BADOPTION",
    14: "KDC_ERR_ETYPE_NOSUPP",
    15: "KDC_ERR_SUMTYPE_NOSUPP",
    16: "KDC_ERR_PADATA_TYPE_NOSUPP",
    18: "KDC_ERR_CLIENT_REVOKED",
    20: "KDC_ERR_TGT_REVOKED",
    23: "KDC_ERR_KEY_EXPIRED",
    24: "KDC_ERR_PREAUTH_FAILED",
    25: "KDC_ERR_PREAUTH_REQUIRED",
    29: "KDC_ERR_SVC_UNAVAILABLE",
    31: "KRB_AP_ERR_BAD_INTEGRITY",
    32: "KRB_AP_ERR_TKT_EXPIRED",
    33: "KRB_AP_ERR_TKT_NYV",
    34: "KRB_AP_ERR_REPEAT",
    37: "KRB_AP_ERR_SKEW",
    41: "KRB_AP_ERR_MODIFIED",
    52: "KRB_ERR_RESPONSE_TOO_BIG",
    60: "KRB_ERR_GENERIC",
    61: "KRB_ERR_FIELD_TOOLONG",
    68: "KDC_ERR_WRONG_REALM",
    91: "KDC_ERR_MORE_PREAUTH_DATA_REQUIRED",
}
"""RFC 4120, 7.5.9, and RFC 6113."""
UNDECIDED = frozenset({14, 15, 16, 23, 25, 29, 34, 37, 52, 60, 61, 68, 91})
"""They say nothing of the password: it was not looked at, is right but old, or the client is to ask otherwise."""
ETYPES = {
    1: "des-cbc-crc",
    3: "des-cbc-md5",
    16: "des3-cbc-sha1",
    17: "aes128-cts-hmac-sha1-96",
    18: "aes256-cts-hmac-sha1-96",
    19: "aes128-cts-hmac-sha256-128",
    20: "aes256-cts-hmac-sha384-192",
    23: "rc4-hmac",
    24: "rc4-hmac-exp",
    25: "camellia128-cts-cmac",
    26: "camellia256-cts-cmac",
}
_PADATA = {
    1: "tgs-req",
    2: "enc-timestamp",
    3: "pw-salt",
    11: "etype-info",
    14: "pk-as-req-old",
    15: "pk-as-rep-old",
    16: "pk-as-req",
    17: "pk-as-rep",
    19: "etype-info2",
    128: "pac-request",
    129: "for-user",
    130: "for-x509-user",
    133: "fx-cookie",
    136: "fx-fast",
    138: "encrypted-challenge",
    149: "req-enc-pa-rep",
    151: "spake",
    167: "pac-options",
}


def etype_name(number: int) -> str:
    """The name of an encryption type (RFC 3961, 8), else its number."""
    return ETYPES.get(number, str(number))


def fields(message: Message) -> dict[str, Value]:
    """What a record says of a message."""
    told: dict[str, Value] = {"message": NAMES[message.kind]}
    if message.client:
        told["user"] = "/".join(message.client)
    if message.realm:
        told["realm"] = message.realm
    if message.service:
        told["service"] = "/".join(message.service)
    if message.kind in (AS_REQ, TGS_REQ):
        told["etypes"] = [etype_name(number) for number in message.etypes]
        told["options"] = f"{message.options:08x}"
    if message.padata:
        told["padata"] = [_PADATA.get(number, str(number)) for number in message.padata]
    if message.timestamp is not None:
        told["timestamp_etype"] = etype_name(message.timestamp.etype)
    if message.kind in (AS_REP, TGS_REP):
        if message.encrypted is not None:
            told["reply_etype"] = etype_name(message.encrypted.etype)
        if message.ticket is not None:
            told["ticket_etype"] = etype_name(message.ticket.encrypted.etype)
            if message.ticket.realm != message.realm:
                told["service_realm"] = message.ticket.realm
    if message.kind == ERROR:
        told["error_code"] = message.code
        told["error"] = ERRORS.get(message.code or 0)
        if message.text:
            told["error_text"] = message.text
    return told
