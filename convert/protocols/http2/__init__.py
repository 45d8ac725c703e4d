"""HTTP/2 without TLS, and gRPC over it."""
