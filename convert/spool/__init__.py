"""Fixed-size rows in files: sorting and streaming of what would not fit in memory."""
