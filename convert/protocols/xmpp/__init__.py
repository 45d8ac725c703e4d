"""XMPP, once called Jabber."""
