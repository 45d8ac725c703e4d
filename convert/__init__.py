"""From a capture to conversations, exchanges, annotations and pcapng."""
