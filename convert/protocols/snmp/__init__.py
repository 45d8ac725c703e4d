"""SNMP versions 1, 2c and 3."""
