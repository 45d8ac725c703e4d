"""Link layers: from a frame to the IP packet in it; only compiled code calls them.

Link types are those of <https://www.tcpdump.org/linktypes.html>.
"""

def known_link_types() -> list[int]:
    """The link types that are decoded, ascending."""
