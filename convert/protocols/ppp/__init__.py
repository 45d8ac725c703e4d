"""Logins of point-to-point links: PAP, CHAP with Microsoft's variants, EAP."""
