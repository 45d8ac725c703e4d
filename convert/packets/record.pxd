# One frame of a capture file, as its reader hands it on.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

ctypedef struct Record:
    const uint8_t *data       # the captured bytes, valid until the reader's next step
    uint64_t time             # ns since the epoch; 0 = the file does not tell (simple packet block)
    uint64_t offset           # of the record or block in the decompressed input
    uint64_t position         # of `data` in the decompressed input, which is the payload file
    uint32_t captured         # bytes at `data`
    uint32_t original         # bytes of the frame on the wire, as the file says; never below `captured`
    uint32_t interface        # index over all sections of the file, from 0
    uint32_t frame            # number among the frames, from 1: the number in the pcapng that is written
    uint32_t source_frame     # number in the source as Wireshark counts (custom and journal blocks count there)
    uint16_t linktype         # LINKTYPE_*, without the bits that tell of a frame check sequence
