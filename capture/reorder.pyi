class Reorder:
    """Holds event blocks until their time is settled; used through Drain."""
