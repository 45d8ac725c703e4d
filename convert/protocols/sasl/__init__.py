"""SASL's mechanisms (RFC 4422), whichever protocol carries them."""
