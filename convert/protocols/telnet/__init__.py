"""Telnet."""
