# cython: language_level=3
"""From the frames of a capture file to the rows of its conversations, in one compiled pass."""

from syswire.convert.conversations.flows cimport PacketFlows
from syswire.convert.packets.buffer cimport STEP_FRAME, STEP_NEED, FrameReader
from syswire.convert.packets.layers cimport DECODED, MENTIONED, Layers
from syswire.convert.packets.packet cimport Packet
from syswire.convert.packets.record cimport Record


cdef int run(FrameReader reader, Layers layers, PacketFlows flows) noexcept nogil:
    """Take all frames that are in the buffer; what the reader said last, or STEP_FRAME where flows gave up."""
    cdef Record record
    cdef Packet packet
    cdef int state, found
    while True:
        state = reader.step(&record)
        if state != STEP_FRAME:
            return state
        found = layers.decode(&record, &packet)
        if found == DECODED and flows.take(&record, &packet) < 0:
            return STEP_FRAME
        if found == MENTIONED and flows.mention(&record, &packet) < 0:
            return STEP_FRAME


def gather(FrameReader reader not None, Layers layers not None, PacketFlows flows not None, progress=None):
    """Read a packet capture to its end; see from_packets.pyi."""
    cdef int state
    layers.mentions = True
    while True:
        with nogil:
            state = run(reader, layers, flows)
        if state != STEP_NEED:
            break
        reader.fill()
        if progress is not None:
            progress(reader.bytes_read)
    layers.finish()
    flows.finish()
