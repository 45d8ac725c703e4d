"""Kerberos version 5, between clients and key distribution centres, and its tickets in other protocols."""
