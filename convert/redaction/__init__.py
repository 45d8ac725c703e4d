"""`--redact`: a capture that can be shared. Which bytes of the payload file are replaced, and by what.

Secrets are found in streams (redact.py), so a secret that lies across packets is one secret. What is to be masked goes
from stretches of streams to places in the payload file, and from there to patches: bytes of the same length.
"""
