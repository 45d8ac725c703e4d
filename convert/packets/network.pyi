"""IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), what ICMP errors quote; only compiled code calls them."""
