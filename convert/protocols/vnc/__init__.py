"""VNC's protocol, RFB: versions, security, the answer to a challenge."""
