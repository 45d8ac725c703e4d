"""TDS, the protocol of Microsoft SQL Server and of Sybase."""
