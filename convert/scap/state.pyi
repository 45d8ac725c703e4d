from .sockets import Sockets

class State(Sockets):
    """Applies events to the tables; the walk drives it from compiled code.

    `identities` answers cloned, executed, changed, exited and described (identity.py).
    """
