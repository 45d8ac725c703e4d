"""ASN.1 as it stands on the wire: bounds first, meaning after."""
