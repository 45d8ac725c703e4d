"""The nouns of syswire, one file an idea. Nothing in here reads a file or knows a format."""
