"""The star: events refer to rows (threads, descriptors), and what a filter or a sum asks of a row is asked once."""
