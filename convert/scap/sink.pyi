class NetSink:
    """Listens to what the state machine tells of the network; this base listens to nothing."""
