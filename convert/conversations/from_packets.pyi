from collections.abc import Callable

from ..packets.buffer import FrameReader
from ..packets.layers import Layers
from .flows import PacketFlows

def gather(
    reader: FrameReader, layers: Layers, flows: PacketFlows, progress: Callable[[int], None] | None = None
) -> None:
    """Read a packet capture to its end: every frame through the layers into conversations.

    Args:
        reader: The file; it tells of damage itself.
        layers: Counts what is no segment or datagram.
        flows: Takes the rest; it is finished here.
        progress: Told how many bytes were read.

    Raises:
        OSError: The input cannot be read or a spool file did not take everything.
        MemoryError: A table could not grow.
    """
