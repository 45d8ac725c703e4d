"""Paths put together as libsinsp does it: by their text alone, links are not known."""

from __future__ import annotations


def joined(base: bytes, path: bytes) -> bytes:
    """The path, from `base` where it is relative; without `.`, `..`, doubled slashes and a slash at the end.

    Nothing goes above the root. A relative base gives a relative path.
    """
    if path.startswith(b"/"):
        whole = path
    else:
        whole = base + b"/" + path if base else path
    parts: list[bytes] = []
    for part in whole.split(b"/"):
        if part == b"..":
            if parts:
                parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return (b"/" if whole.startswith(b"/") else b"") + b"/".join(parts)
