from .arguments import Arguments

class Sockets(Arguments):
    """What sockets do; a part of the state machine."""
