"""One frame through the layers: what it holds, or why nothing is handed on."""

from __future__ import annotations

from syswire.convert.packets.layers import Decoded, Layers


def decoded(frame: bytes, linktype: int = 1, original: int | None = None) -> Decoded:
    """What one frame holds; its payload stands where the frame says that it does."""
    layers = Layers()
    one = layers.decode_frame(linktype, frame, original, position=1000)
    assert one is not None, layers.losses()
    ((position, offset, length),) = one.parts
    assert (offset, length) == (0, len(one.payload))
    assert frame[position - 1000 : position - 1000 + length] == one.payload
    assert one.length >= len(one.payload)
    return one


def lost(frame: bytes, linktype: int = 1, original: int | None = None) -> str:
    """Why nothing is handed on; the one cause is counted with the frame's place and bytes."""
    layers = Layers()
    place = {"position": 24, "time": 7, "frame": 3, "source_frame": 5, "offset": 8}
    assert layers.decode_frame(linktype, frame, original, **place) is None
    ((cause, tally),) = layers.losses().items()
    assert tally == (1, max(original or 0, len(frame)), 8, 7, 5, 3)
    return cause
