"""FTP: the control connection, and which connections carry the data."""
