"""The scap format: blocks, event table, reader, state of threads and descriptors, writer."""
