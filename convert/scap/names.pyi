"""Names of open files and sockets, and paths; only compiled code uses them."""
