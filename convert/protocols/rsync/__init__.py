"""rsync's daemon: modules, and the answer to its challenge."""
