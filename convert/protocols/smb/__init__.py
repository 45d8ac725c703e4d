"""SMB 1, 2 and 3 over TCP, directly and in NetBIOS sessions."""
