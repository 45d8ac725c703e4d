"""Conversations by clients of Python's own library, and of packages: `python -m servers.clients.NAME ADDRESS PORT`."""
