# What the rebuilding stage says of each conversation; the Python view is totals.py.

from libc.stdint cimport uint32_t, uint64_t

ctypedef struct Totals:         # 96 bytes, at (id - 1) * 96
    uint64_t bytes_to_server    # true lengths
    uint64_t bytes_to_client
    uint64_t missing_bytes
    uint64_t pieces_begin       # rows of the pieces file
    uint64_t pieces_end
    uint64_t threads_begin      # row of the threads file: first the client's, then the server's
    uint64_t gaps
    uint32_t conv
    uint32_t first_frame        # row of the frames file
    uint32_t frames             # how many; they follow each other
    uint32_t shifted
    uint32_t client_threads     # how many
    uint32_t server_threads
    uint32_t leader             # the conversation whose tcp.stream this one shows in, 0 = it has no TCP frame
    uint32_t next_to_client     # TCP: sequence numbers with which the conversation ended
    uint32_t next_to_server
    uint32_t reserved
