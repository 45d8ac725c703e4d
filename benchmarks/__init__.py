"""Speed and memory of syswire against its peers: `make bench`.

Ours and the peer run in turn on one file, from the page cache; a figure is the median of the runs, a ratio that of two
medians. Peak memory is what the kernel says of the finished process.
"""
