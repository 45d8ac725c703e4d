"""Internet Relay Chat."""
