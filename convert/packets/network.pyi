"""IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200); only compiled code calls them."""
