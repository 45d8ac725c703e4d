"""LDAP version 2 and 3, and CLDAP."""
