"""IMAP4."""
