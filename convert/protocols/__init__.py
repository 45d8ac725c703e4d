"""Application protocols: bytes of a conversation in, exchanges and sightings out. No parser opens a file."""
