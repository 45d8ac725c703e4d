"""Lines of events: sysdig's default line, formats of -p, JSON objects."""
