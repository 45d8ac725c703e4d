"""Where a secret went next: the same secret, in any of its spellings, in what the host sent and wrote later."""
