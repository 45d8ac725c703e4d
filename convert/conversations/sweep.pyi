"""Goes over one half of a conversation, from segments to spans of its stream; only compiled code uses it."""
