"""Servers that are Python packages: `python -m servers.daemons.NAME ADDRESS PORT ...` serves until SIGTERM."""
