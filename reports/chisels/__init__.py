"""Small programs over the events of a trace: sums, echoes of what was said, lists of what is open."""
