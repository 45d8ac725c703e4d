"""What requests other than a bind say, as a record tells it, and the passwords in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..asn1 import ber
from ..asn1.ber import Tlv
from .filters import FilterText
from .messages import (
    ABANDON,
    ADD,
    COMPARE,
    DELETE,
    EXTENDED,
    MODIFY,
    RENAME,
    REQUESTS,
    SEARCH,
    attributes,
)
from .secrets import is_secret

if TYPE_CHECKING:
    from ...model.record import Value

START_TLS = "1.3.6.1.4.1.1466.20037"
PASSWORD_MODIFY = "1.3.6.1.4.1.4203.1.11.1"
"""RFC 3062."""
_EXTENSIONS = {
    START_TLS: "start-tls",
    PASSWORD_MODIFY: "password-modify",
    "1.3.6.1.4.1.4203.1.11.3": "who-am-i",
    "1.3.6.1.1.8": "cancel",
    "1.3.6.1.1.21.1": "transaction-start",
    "1.3.6.1.1.21.3": "transaction-end",
    "1.2.840.113556.1.4.1781": "fast-bind",
    "1.3.6.1.4.1.1466.101.119.1": "dynamic-refresh",
}
_SCOPES = {0: "base", 1: "one", 2: "subtree", 3: "subordinate"}
_CHANGES = {0: "add", 1: "delete", 2: "replace", 3: "increment"}
_TEXT = 4096
_LISTED = 64
RESULTS = {
    0: "success",
    1: "operationsError",
    2: "protocolError",
    3: "timeLimitExceeded",
    4: "sizeLimitExceeded",
    5: "compareFalse",
    6: "compareTrue",
    7: "authMethodNotSupported",
    8: "strongerAuthRequired",
    10: "referral",
    11: "adminLimitExceeded",
    12: "unavailableCriticalExtension",
    13: "confidentialityRequired",
    14: "saslBindInProgress",
    16: "noSuchAttribute",
    17: "undefinedAttributeType",
    18: "inappropriateMatching",
    19: "constraintViolation",
    20: "attributeOrValueExists",
    21: "invalidAttributeSyntax",
    32: "noSuchObject",
    33: "aliasProblem",
    34: "invalidDNSyntax",
    36: "aliasDereferencingProblem",
    48: "inappropriateAuthentication",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    54: "loopDetect",
    64: "namingViolation",
    65: "objectClassViolation",
    66: "notAllowedOnNonLeaf",
    67: "notAllowedOnRDN",
    68: "entryAlreadyExists",
    69: "objectClassModsProhibited",
    71: "affectsMultipleDSAs",
    80: "other",
}
"""RFC 4511, appendix A."""


class Password(NamedTuple):
    """A password's place in a message, and of whom it is."""

    attribute: str
    value: Tlv
    whose: str


class Said(NamedTuple):
    """A request."""

    fields: dict[str, Value]
    passwords: list[Password]


def told(data: bytes, operation: Tlv, number: int, complete: bool) -> Said:
    """What a request says. Of one whose end is missing only the kind is told, and what it is about."""
    fields: dict[str, Value] = {"operation": REQUESTS[operation.tag], "message_id": number}
    said = Said(fields, [])
    tag = operation.tag
    if tag in (SEARCH, MODIFY, ADD, COMPARE, RENAME):
        parts = ber.children(data, operation, 16)
        if parts is None or not complete:
            first = ber.expect(data, operation.begin, operation.end, ber.OCTETS)
            if first is not None:
                fields["base" if tag == SEARCH else "dn"] = ber.text(data, first, _TEXT)
        else:
            _TOLD[tag](said, data, parts)
    elif tag == DELETE:
        fields["dn"] = ber.text(data, operation, _TEXT)
    elif tag == ABANDON:
        fields["abandoned_id"] = ber.integer(data, operation)
    elif tag == EXTENDED:
        _extended(said, data, operation)
    if said.passwords:
        fields["secret"] = True
    if not complete:
        fields["message_complete"] = False
    return said


def _search(said: Said, data: bytes, parts: list[Tlv]) -> None:
    fields = said.fields
    base = ber.text(data, parts[0], _TEXT) or ""
    fields["base"] = base
    fields["scope"] = _SCOPES.get(ber.integer(data, parts[1]) or 0)
    if limit := ber.integer(data, parts[3]):
        fields["size_limit"] = limit
    text = FilterText(data)
    fields["filter"] = text.text(parts[6])
    if not text.complete:
        fields["filter_complete"] = False
    wanted = ber.children(data, parts[7], _LISTED) or []
    fields["attributes"] = [ber.text(data, one, 256) for one in wanted]
    said.passwords.extend(Password(name, value, base) for name, value in text.secrets[:_LISTED])


def _modify(said: Said, data: bytes, parts: list[Tlv]) -> None:
    name = said.fields["dn"] = ber.text(data, parts[0], _TEXT) or ""
    changes: list[Value] = []
    for change in (ber.children(data, parts[1], _LISTED) or []) if len(parts) > 1 else []:
        kind = ber.read(data, change.begin, change.end)
        number = ber.integer(data, kind)
        if kind is None or number is None:
            continue
        for attribute, values in attributes(data, Tlv(0, kind.end, change.end, change.end, kind.end)):
            changes.append({"change": _CHANGES.get(number), "attribute": attribute, "values": len(values)})
            _passwords(said, attribute, values, name)
    said.fields["changes"] = changes


def _add(said: Said, data: bytes, parts: list[Tlv]) -> None:
    name = said.fields["dn"] = ber.text(data, parts[0], _TEXT) or ""
    listed = attributes(data, parts[1])
    said.fields["attributes"] = [attribute for attribute, _ in listed[:_LISTED]]
    for attribute, values in listed:
        _passwords(said, attribute, values, name)


def _passwords(said: Said, attribute: str, values: list[Tlv], whose: str) -> None:
    if is_secret(attribute):
        room = max(0, _LISTED - len(said.passwords))
        said.passwords.extend(Password(attribute, value, whose) for value in values[:room])


def _compare(said: Said, data: bytes, parts: list[Tlv]) -> None:
    name = said.fields["dn"] = ber.text(data, parts[0], _TEXT) or ""
    pair = ber.children(data, parts[1], 3)
    if pair is None or len(pair) != 2:
        return
    attribute = said.fields["attribute"] = ber.text(data, pair[0], 256) or ""
    if is_secret(attribute):
        said.passwords.append(Password(attribute, pair[1], name))
    else:
        said.fields["compared_with"] = ber.text(data, pair[1], 1024)


def _rename(said: Said, data: bytes, parts: list[Tlv]) -> None:
    said.fields["dn"] = ber.text(data, parts[0], _TEXT)
    said.fields["new_rdn"] = ber.text(data, parts[1], _TEXT)
    if len(parts) > 3 and parts[3].tag == 0x80:
        said.fields["new_superior"] = ber.text(data, parts[3], _TEXT)


def _extended(said: Said, data: bytes, operation: Tlv) -> None:
    name = ber.expect(data, operation.begin, operation.end, 0x80)
    oid = said.fields["extension_oid"] = ber.oid_text(data, name)
    said.fields["extension"] = _EXTENSIONS.get(oid or "")
    if oid != PASSWORD_MODIFY or name is None:
        return
    value = ber.expect(data, name.end, operation.end, 0x81)
    given = ber.fields(data, ber.inside(data, value, ber.SEQUENCE), 4) or {}
    whose = ber.text(data, given.get(0x80), _TEXT) or ""
    said.fields["user"] = whose or None
    for tag, attribute in ((0x81, "oldPasswd"), (0x82, "newPasswd")):
        if tag in given:
            said.passwords.append(Password(attribute, given[tag], whose))


_TOLD = {SEARCH: _search, MODIFY: _modify, ADD: _add, COMPARE: _compare, RENAME: _rename}
