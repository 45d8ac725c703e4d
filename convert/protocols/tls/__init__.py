"""TLS, as far as it is in clear."""
