"""DNS: names, messages, the pairing of queries and answers."""
