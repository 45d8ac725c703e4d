"""NTLM's messages (MS-NLMP), wherever another protocol carries them."""
