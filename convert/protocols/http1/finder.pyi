from .owner import Owner

class Finder(Owner):
    """The one that looks for the secrets of a conversation's exchanges; what it does is in finder.pxd."""
