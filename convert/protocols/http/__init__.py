"""What HTTP/1 and HTTP/2 share: contents, forms, secrets."""
