"""X11: how a client connects, and the cookie that lets it in."""
