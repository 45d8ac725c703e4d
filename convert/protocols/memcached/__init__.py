"""memcached, its binary protocol and logins of its text protocol."""
