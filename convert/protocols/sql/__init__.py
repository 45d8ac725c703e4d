"""What the protocols of databases share."""
