"""Values of parameters as text: addresses are held to the C library's."""

from __future__ import annotations

import socket

from hypothesis import example, given
from hypothesis import strategies as st

from syswire.convert.trace.values import ip_text

GROUPS = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0xA0B, 0x1000]) | st.integers(0, 0xFFFF), min_size=8, max_size=8)


@given(GROUPS)
@example([0] * 8)
@example([0, 0, 0, 0, 0, 0, 0, 1])
@example([0, 0, 0, 0, 0, 0xFFFF, 0, 0])
@example([0, 0, 0, 0, 0, 0, 0xC000, 0x201])
@example([1, 0, 0, 1, 0, 0, 0, 1])
@example([1, 0, 2, 0, 3, 0, 4, 0])
@example([1, 2, 3, 4, 5, 6, 0, 0])
def test_addresses_are_written_as_the_c_library_does(groups: list[int]) -> None:
    address = b"".join(group.to_bytes(2, "big") for group in groups)
    assert ip_text(address) == socket.inet_ntop(socket.AF_INET6, address)
    assert ip_text(address[:4]) == socket.inet_ntop(socket.AF_INET, address[:4])


def test_what_is_no_address_has_no_text() -> None:
    assert ip_text(b"") == ip_text(bytes(5)) == ""
