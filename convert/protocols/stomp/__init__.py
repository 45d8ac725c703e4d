"""STOMP."""
