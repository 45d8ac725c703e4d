class Owner:
    """The one that pairs requests and responses; what it is asked and told is in http1_owner.pxd."""
